#include <stdio.h>
#include <string.h>

#include "agent/bus/bus.h"
#include "agent/bus/bus.tbl.h"

static const struct {
	const char *state;
	int percent, span;
} rows[] = {
#define X(state, percent, span) {state, percent, span},
	BUS_PERCENT(X)
#undef X
};

static int percent_of(const json_t *status, const char *state)
{
	const json_t *p = json_object_get(status, "progress");
	json_int_t done = json_integer_value(json_object_get(p, "done"));
	json_int_t total = json_integer_value(json_object_get(p, "total"));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].state, state) == 0)
			return rows[i].percent +
			       (total > 0 ? (int)((double)rows[i].span * (double)MIN(done, total) /
						    (double)total)
					  : 0);
	return 0;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* A folder that was refused never became an update: its error stands beside them. */
static const char *error_of(const json_t *status, bool *out_well)
{
	const json_t *carried = json_object_get(status, "carried");
	const json_t *last = json_object_get(status, "last");

	*out_well = strcmp(text_of(last, "state"), "committed") == 0;
	if (json_is_object(carried) && strcmp(text_of(carried, "code"), "ok") != 0) {
		*out_well = false;
		return text_of(carried, "reason");
	}
	return *out_well ? "" : text_of(last, "reason");
}

int bus_view_of(const json_t *status, struct bus_view *out, struct err *e)
{
	const json_t *carried = json_object_get(status, "carried"), *running;
	struct bus_view v = {0};
	char state[32];

	TRY(json_text(status, "status", "state", state, sizeof state, e));
	TRY(json_text(status, "status", "hardware", v.hardware, sizeof v.hardware, e));
	TRY(json_obj(status, "status", "running", &running, e));
	TRY(json_text(running, "status.running", "slot", v.slot, sizeof v.slot, e));
	bool reading = json_is_object(carried) && !json_is_true(json_object_get(carried, "over"));

	v.busy = reading || (strcmp(state, "idle") != 0 && strcmp(state, "stuck") != 0);
	snprintf(v.text, sizeof v.text, "%s", text_of(status, "text"));
	snprintf(v.last_error, sizeof v.last_error, "%s", error_of(status, &v.well));
	v.percent = percent_of(status, state);
	if (!v.busy)
		v.percent = v.well ? 100 : 0;
	*out = v;
	return 0;
}

int bus_slot_of(const json_t *status, const char *said, char out[4], struct err *e)
{
	const json_t *slots = json_object_get(status, "slots"), *s;
	const char *booted = text_of(json_object_get(status, "running"), "slot");
	size_t i;

	json_array_foreach (slots, i, s) {
		const char *name = text_of(s, "name");
		bool is_booted = strcmp(name, booted) == 0;

		if (strcmp(said, name) == 0 || (strcmp(said, "booted") == 0 && is_booted) ||
			(strcmp(said, "other") == 0 && !is_booted))
			return str_copy(str_of(name), out, 4, e);
	}
	return err_set(e, ERR_NOT_FOUND, "\"%.40s\" is none of: booted, other, a, b", said);
}
