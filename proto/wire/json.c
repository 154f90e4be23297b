#include "proto/wire/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/decimal.h"
#include "proto/wire/limits.h"

#define MAX_INTEGER ((1ULL << 53) - 1)

void json_release(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

/* ---- reading ---- */

/* A column counts bytes, from 1. */
static int refuse(struct str text, size_t at, struct err *e, const char *why)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at && i < text.n; i++) {
		column = text.p[i] == '\n' ? 1 : column + 1;
		line += text.p[i] == '\n';
	}
	return err_set(e, ERR_BAD_INPUT, "line %zu, column %zu: %s", line, column, why);
}

static size_t skip_string(struct str text, size_t i)
{
	while (++i < text.n && text.p[i] != '"')
		i += text.p[i] == '\\';
	return i;
}

/* The bytes from `at` on that a number may be made of. */
static struct str number_at(struct str text, size_t at)
{
	struct str token = {text.p + at, 0};

	while (at + token.n < text.n && str_has_char("0123456789+-.eE", token.p[token.n]))
		token.n++;
	return token;
}

static bool is_whole(struct str token)
{
	for (size_t i = 0; i < token.n; i++)
		if (str_has_char(".eE", token.p[i]))
			return false;
	return true;
}

static bool fits_53_bits(struct str token)
{
	bool negative = token.n && token.p[0] == '-';
	struct str digits = {token.p + negative, token.n - negative};
	uint64_t v;

	return str_to_u64(digits, 0, MAX_INTEGER, &v, NULL) == 0;
}

/* A number as jansson's lexer would see it, judged before it becomes a double. */
static int check_number(struct str text, size_t at, struct str token, struct err *e)
{
	if (!is_whole(token))
		return refuse(
			text, at, e, "a fraction or an exponent; only whole numbers are allowed");
	if (!fits_53_bits(token))
		return refuse(text, at, e, "not a whole number of at most 53 bits");
	return 0;
}

/* What jansson would let through or only find after deep recursion. Everything else is its
 * business. With `out`, numbers that would be refused are written there as text, amid a copy of all
 * the rest. */
static int scan(struct str text, struct buf *out, struct err *e)
{
	unsigned depth = 0;
	struct str token;

	for (size_t i = 0, from = 0; i < text.n; from = ++i) {
		char c = text.p[i];

		if (c == '"') {
			i = skip_string(text, i);
		} else if (c == '-' || (c >= '0' && c <= '9')) {
			token = number_at(text, i);
			if (!out)
				TRY(check_number(text, i, token, e));
			i += token.n - 1;
			if (out && decimal_is(token) &&
				(!is_whole(token) || !fits_53_bits(token))) {
				buf_addf(out, "{\"x-decimal\":\"%.*s\"}", (int)token.n, token.p);
				continue;
			}
		} else if ((c == '{' || c == '[') && ++depth > LIMIT_JSON_DEPTH) {
			return refuse(text, i, e, "nested too deep");
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
		if (out)
			buf_add(out, text.p + from, MIN(i + 1, text.n) - from);
	}
	return 0;
}

static int load(struct str text, json_t **out, struct err *e)
{
	json_error_t why;
	json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
	char *near;

	if (!j) {
		/* What follows is a piece of the input, and not fit for a log. */
		near = strstr(why.text, " near ");
		if (near)
			*near = 0;
		return refuse(text, why.position > 0 ? (size_t)why.position - 1 : 0, e, why.text);
	}
	*out = j;
	return 0;
}

static int bound(struct str text, size_t max, struct err *e)
{
	if (text.n > max)
		return err_set(e, ERR_TOO_LARGE, "%zu bytes of JSON, at most %zu are allowed",
			text.n, max);
	return 0;
}

int json_read(struct str text, size_t max, json_t **out, struct err *e)
{
	TRY(bound(text, max, e));
	TRY(scan(text, NULL, e));
	return load(text, out, e);
}

int json_read_foreign(struct str text, size_t max, json_t **out, struct err *e)
{
	BUF_AUTO plain = {0};

	TRY(bound(text, max, e));
	TRY(scan(text, &plain, e));
	return load(buf_str(&plain), out, e);
}

/* ---- writing ---- */

typedef void add_text_f(struct buf *out, const char *s, size_t n);

static void add_canonical_text(struct buf *out, const char *s, size_t n)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, s[i]);
	}
	buf_add_char(out, '"');
}

static void add_escaped_text(struct buf *out, const char *s, size_t n)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
			buf_addf(out, "\\u%04x", s[i]);
			continue;
		}
		if (s[i] == '"' || s[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, s[i]);
	}
	buf_add_char(out, '"');
}

struct member {
	const char *key;
	const json_t *value;
};

static int by_code_point(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static struct member *members_of(const json_t *o, bool sorted)
{
	struct member *m = mem_new(json_object_size(o) * sizeof *m);
	const char *key;
	json_t *value;
	size_t n = 0;

	json_object_foreach ((json_t *)o, key, value) {
		m[n++] = (struct member){key, value};
	}
	if (sorted)
		qsort(m, n, sizeof *m, by_code_point);
	return m;
}

static void add_value(struct buf *out, const json_t *j, add_text_f *add_text, bool sorted);

static void add_object(struct buf *out, const json_t *j, add_text_f *add_text, bool sorted)
{
	struct member *m CLEANUP(mem_free) = members_of(j, sorted);

	buf_add_char(out, '{');
	for (size_t i = 0; i < json_object_size(j); i++) {
		if (i)
			buf_add_char(out, ',');
		add_text(out, m[i].key, strlen(m[i].key));
		buf_add_char(out, ':');
		add_value(out, m[i].value, add_text, sorted);
	}
	buf_add_char(out, '}');
}

static void add_array(struct buf *out, const json_t *j, add_text_f *add_text, bool sorted)
{
	buf_add_char(out, '[');
	for (size_t i = 0; i < json_array_size(j); i++) {
		if (i)
			buf_add_char(out, ',');
		add_value(out, json_array_get(j, i), add_text, sorted);
	}
	buf_add_char(out, ']');
}

static void add_value(struct buf *out, const json_t *j, add_text_f *add_text, bool sorted)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		add_object(out, j, add_text, sorted);
		break;
	case JSON_ARRAY:
		add_array(out, j, add_text, sorted);
		break;
	case JSON_STRING:
		add_text(out, json_string_value(j), json_string_length(j));
		break;
	case JSON_INTEGER:
		buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		buf_add_str(out, json_is_true(j) ? "true" : "false");
		break;
	case JSON_NULL:
		buf_add_str(out, "null");
		break;
	case JSON_REAL:
		assert(false && "a fraction in JSON of our own making");
	}
}

void json_canonical(const json_t *j, struct buf *out)
{
	add_value(out, j, add_canonical_text, true);
}

void json_write(const json_t *j, struct buf *out)
{
	add_value(out, j, add_escaped_text, false);
}
