#include <stdio.h>
#include <string.h>

#include "proto/wire/policy_priv.h"
#include "proto/wire/time.h"

#define DAY_MIN 1440U

static const char *const day_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* "07:30"; "24:00" is the end of a day. */
static int minute_of(
	const json_t *o, const char *where, const char *key, unsigned *out, struct err *e)
{
	struct str rest, hours;
	char text[8];
	uint64_t h, m;

	TRY(json_text(o, where, key, text, sizeof text, e));
	rest = str_of(text);
	if (rest.n != 5 || text[2] != ':' || !str_split(&rest, ':', &hours) ||
		str_to_u64(hours, 0, 24, &h, NULL) < 0 || str_to_u64(rest, 0, 59, &m, NULL) < 0 ||
		h * 60 + m > DAY_MIN)
		return err_set(e, ERR_BAD_INPUT, "%s.%s: not a time of day like 07:30: %s", where,
			key, text);
	*out = (unsigned)(h * 60 + m);
	return 0;
}

static int days_of(const json_t *o, const char *where, unsigned *out, struct err *e)
{
	const json_t *list;
	unsigned days = 0;

	TRY(json_arr(o, where, "days", ARRAY_LEN(day_names), &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		unsigned d = 0;

		while (d < ARRAY_LEN(day_names) && (!name || strcmp(day_names[d], name) != 0))
			d++;
		if (d == ARRAY_LEN(day_names))
			return err_set(
				e, ERR_BAD_INPUT, "%s.days[%zu]: none of mon to sun", where, i);
		days |= 1U << d;
	}
	if (!days)
		return err_set(e, ERR_BAD_INPUT, "%s.days is empty", where);
	*out = days;
	return 0;
}

static int offset_of(const json_t *o, const char *where, int *out, struct err *e)
{
	const json_t *j = json_object_get(o, "utc_offset_min");
	json_int_t v = j ? json_integer_value(j) : 0;

	if (j && (!json_is_integer(j) || v < -24 * 60 || v > 24 * 60))
		return err_set(e, ERR_BAD_INPUT,
			"%s.utc_offset_min: a whole number from -1440 to 1440", where);
	*out = (int)v;
	return 0;
}

static int weekly_parse(const json_t *o, const char *where, struct policy_freeze *f, struct err *e)
{
	static const char *const known[] = {
		"name", "days", "from", "until", "utc_offset_min", NULL};

	TRY(json_only(o, where, known, e));
	TRY(days_of(o, where, &f->days, e));
	TRY(minute_of(o, where, "from", &f->from_min, e));
	TRY(minute_of(o, where, "until", &f->until_min, e));
	if (f->from_min == DAY_MIN)
		return err_set(e, ERR_BAD_INPUT, "%s.from: 24:00 is 00:00 of the next day", where);
	return offset_of(o, where, &f->offset_min, e);
}

static int moment(const json_t *o, const char *where, const char *key, ms_t *out, struct err *e)
{
	char text[24];
	int64_t s;

	TRY(json_text(o, where, key, text, sizeof text, e));
	if (time_parse(str_of(text), &s, e) < 0)
		return err_wrap(e, "%s.%s", where, key);
	*out = SEC(s);
	return 0;
}

static int span_parse(const json_t *o, const char *where, struct policy_freeze *f, struct err *e)
{
	static const char *const known[] = {"name", "from", "until", NULL};

	TRY(json_only(o, where, known, e));
	TRY(moment(o, where, "from", &f->from, e));
	TRY(moment(o, where, "until", &f->until, e));
	if (f->until <= f->from)
		return err_set(e, ERR_BAD_INPUT, "%s ends before it begins", where);
	return 0;
}

static int freeze_parse(const json_t *o, const char *where, struct policy_freeze *f, struct err *e)
{
	if (!json_is_object(o))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_id(o, where, "name", f->name, e));
	f->weekly = json_object_get(o, "days") != NULL;
	return f->weekly ? weekly_parse(o, where, f, e) : span_parse(o, where, f, e);
}

int policy_freezes_parse(const json_t *j, struct policy *p, struct err *e)
{
	const json_t *list;

	if (!json_object_get(j, "freeze"))
		return 0;
	TRY(json_arr(j, "policy", "freeze", LIMIT_FREEZES, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		char where[POLICY_WHERE_MAX];

		snprintf(where, sizeof where, "policy.freeze[%zu]", i);
		TRY(freeze_parse(json_array_get(list, i), where, &p->freezes[i], e));
		p->n_freezes++;
	}
	return 0;
}

/* ---- writing ---- */

static void set_minute(json_t *o, const char *key, unsigned minute)
{
	char text[8];

	snprintf(text, sizeof text, "%02u:%02u", minute / 60 % 100, minute % 60);
	json_object_set_new(o, key, json_string(text));
}

static void set_moment(json_t *o, const char *key, ms_t t)
{
	char text[21];

	time_format(t / 1000, text);
	json_object_set_new(o, key, json_string(text));
}

static json_t *freeze_of(const struct policy_freeze *f)
{
	json_t *o = json_pack("{s:s}", "name", f->name), *days;

	if (!f->weekly) {
		set_moment(o, "from", f->from);
		set_moment(o, "until", f->until);
		return o;
	}
	days = json_array();
	for (unsigned d = 0; d < ARRAY_LEN(day_names); d++)
		if (f->days & 1U << d)
			json_array_append_new(days, json_string(day_names[d]));
	json_object_set_new(o, "days", days);
	set_minute(o, "from", f->from_min);
	set_minute(o, "until", f->until_min);
	json_object_set_new(o, "utc_offset_min", json_integer(f->offset_min));
	return o;
}

json_t *policy_freezes_of(const struct policy *p)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < p->n_freezes; i++)
		json_array_append_new(list, freeze_of(&p->freezes[i]));
	return list;
}
