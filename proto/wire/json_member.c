#include <stdio.h>
#include <string.h>

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

static int missing(const char *where, const char *key, struct err *e)
{
	return err_set(e, ERR_BAD_INPUT, "%s.%s is missing", where, key);
}

static int wrong_type(const char *where, const char *key, const char *want, struct err *e)
{
	return err_set(e, ERR_BAD_INPUT, "%s.%s: %s is wanted", where, key, want);
}

int json_obj(const json_t *o, const char *where, const char *key, const json_t **out, struct err *e)
{
	const json_t *j = json_object_get(o, key);

	if (!j)
		return missing(where, key, e);
	if (!json_is_object(j))
		return wrong_type(where, key, "an object", e);
	*out = j;
	return 0;
}

int json_arr(const json_t *o, const char *where, const char *key, size_t max_n, const json_t **out,
	struct err *e)
{
	const json_t *j = json_object_get(o, key);

	if (!j)
		return missing(where, key, e);
	if (!json_is_array(j))
		return wrong_type(where, key, "an array", e);
	if (json_array_size(j) > max_n)
		return err_set(e, ERR_TOO_LARGE, "%s.%s: %zu elements, at most %zu are allowed",
			where, key, json_array_size(j), max_n);
	*out = j;
	return 0;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

int json_text(
	const json_t *o, const char *where, const char *key, char *dst, size_t cap, struct err *e)
{
	const json_t *j = json_object_get(o, key);
	struct str s;

	if (!j)
		return missing(where, key, e);
	if (!json_is_string(j))
		return wrong_type(where, key, "text", e);
	s = (struct str){json_string_value(j), json_string_length(j)};
	if (has_control(s))
		return err_set(e, ERR_BAD_INPUT, "%s.%s: a control character", where, key);
	if (str_copy(s, dst, cap, e) < 0)
		return err_wrap(e, "%s.%s", where, key);
	return 0;
}

int json_text_opt(
	const json_t *o, const char *where, const char *key, char *dst, size_t cap, struct err *e)
{
	return json_object_get(o, key) ? json_text(o, where, key, dst, cap, e) : 0;
}

int json_u64(const json_t *o, const char *where, const char *key, uint64_t min, uint64_t max,
	uint64_t *out, struct err *e)
{
	const json_t *j = json_object_get(o, key);
	json_int_t v;

	if (!j)
		return missing(where, key, e);
	if (!json_is_integer(j))
		return wrong_type(where, key, "a whole number", e);
	v = json_integer_value(j);
	if (v < 0 || (uint64_t)v < min || (uint64_t)v > max)
		return err_set(e, ERR_BAD_INPUT, "%s.%s: %lld is not between %llu and %llu", where,
			key, (long long)v, (unsigned long long)min, (unsigned long long)max);
	*out = (uint64_t)v;
	return 0;
}

int json_u64_opt(const json_t *o, const char *where, const char *key, uint64_t min, uint64_t max,
	uint64_t *out, struct err *e)
{
	return json_object_get(o, key) ? json_u64(o, where, key, min, max, out, e) : 0;
}

int json_bool_opt(const json_t *o, const char *where, const char *key, bool *out, struct err *e)
{
	const json_t *j = json_object_get(o, key);

	if (j && !json_is_boolean(j))
		return wrong_type(where, key, "true or false", e);
	if (j)
		*out = json_is_true(j);
	return 0;
}

int json_id(
	const json_t *o, const char *where, const char *key, char out[ID_TEXT_MAX], struct err *e)
{
	char text[ID_TEXT_MAX], what[96];

	TRY(json_text(o, where, key, text, sizeof text, e));
	snprintf(what, sizeof what, "%s.%s", where, key);
	return id_parse(str_of(text), what, out, e);
}

int json_id_opt(
	const json_t *o, const char *where, const char *key, char out[ID_TEXT_MAX], struct err *e)
{
	return json_object_get(o, key) ? json_id(o, where, key, out, e) : 0;
}

int json_span_opt(
	const json_t *o, const char *where, const char *key, uint64_t min, ms_t *out, struct err *e)
{
	uint64_t v = (uint64_t)*out;

	TRY(json_u64_opt(o, where, key, min, LIMIT_SPAN_MS, &v, e));
	*out = (ms_t)v;
	return 0;
}

int json_digest(
	const json_t *o, const char *where, const char *key, struct sha256 *out, struct err *e)
{
	char hex[SHA256_TEXT], again[SHA256_TEXT];
	struct sha256 d;

	TRY(json_text(o, where, key, hex, sizeof hex, e));
	if (sha256_parse(str_of(hex), &d, e) < 0)
		return err_wrap(e, "%s.%s", where, key);
	sha256_format(&d, again);
	if (strcmp(hex, again) != 0)
		return err_set(e, ERR_BAD_INPUT, "%s.%s: capitals in a digest", where, key);
	*out = d;
	return 0;
}

int json_digest_opt(
	const json_t *o, const char *where, const char *key, struct sha256 *out, struct err *e)
{
	return json_object_get(o, key) ? json_digest(o, where, key, out, e) : 0;
}

static int unknown_choice(const char *where, const char *key, struct str got,
	const char *const *names, unsigned n, struct err *e)
{
	char shown[32];
	BUF_AUTO list = {0};

	for (unsigned i = 0; i < n; i++)
		buf_addf(&list, "%s%s", i ? ", " : "", names[i]);
	return err_set(e, ERR_BAD_INPUT, "%s.%s: \"%s\" is none of: %s", where, key,
		str_printable(got, shown, sizeof shown), buf_cstr(&list));
}

int json_choice(const json_t *o, const char *where, const char *key, const char *const *names,
	unsigned n, unsigned *out, struct err *e)
{
	const json_t *j = json_object_get(o, key);
	struct str s;

	if (!j)
		return missing(where, key, e);
	if (!json_is_string(j))
		return wrong_type(where, key, "text", e);
	s = (struct str){json_string_value(j), json_string_length(j)};
	for (unsigned i = 0; i < n; i++) {
		if (str_is(s, names[i])) {
			*out = i;
			return 0;
		}
	}
	return unknown_choice(where, key, s, names, n, e);
}

int json_choice_opt(const json_t *o, const char *where, const char *key, const char *const *names,
	unsigned n, unsigned *out, struct err *e)
{
	return json_object_get(o, key) ? json_choice(o, where, key, names, n, out, e) : 0;
}

static bool among(const char *key, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(key, *known) == 0)
			return true;
	return false;
}

int json_only(const json_t *o, const char *where, const char *const *known, struct err *e)
{
	const char *key, *near;
	char shown[40];
	size_t n = 0;
	json_t *value;

	while (known[n])
		n++;
	json_object_foreach ((json_t *)o, key, value) {
		if (among(key, known) || strncmp(key, "x-", 2) == 0)
			continue;
		str_printable(str_of(key), shown, sizeof shown);
		near = str_nearest(str_of(key), known, n);
		if (near)
			return err_set(e, ERR_BAD_INPUT,
				"%s: unknown member \"%s\", is \"%s\" meant?", where, shown, near);
		return err_set(e, ERR_BAD_INPUT, "%s: unknown member \"%s\"", where, shown);
	}
	return 0;
}
