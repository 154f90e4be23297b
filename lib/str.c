#include "lib/str.h"

#include <string.h>

struct str str_of(const char *s)
{
	return (struct str){s, strlen(s)};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str a, const char *s)
{
	return str_eq(a, str_of(s));
}

bool str_has_prefix(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

bool str_has_char(const char *set, char c)
{
	return c && strchr(set, c);
}

bool str_split(struct str *rest, char sep, struct str *out_field)
{
	const char *at;

	if (!rest->p)
		return false;
	at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
	if (!at) {
		*out_field = *rest;
		*rest = (struct str){NULL, 0};
		return true;
	}
	*out_field = (struct str){rest->p, (size_t)(at - rest->p)};
	rest->n -= out_field->n + 1;
	rest->p = at + 1;
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.n && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

int str_to_u64(struct str s, uint64_t min, uint64_t max, uint64_t *out, struct err *e)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 20)
		return err_set(e, ERR_BAD_INPUT, "not a whole number");
	for (size_t i = 0; i < s.n; i++) {
		unsigned d = (unsigned)(s.p[i] - '0');

		if (d > 9 || __builtin_mul_overflow(v, 10U, &v) || __builtin_add_overflow(v, d, &v))
			return err_set(e, ERR_BAD_INPUT, "not a whole number: %.*s", (int)s.n, s.p);
	}
	if (v < min || v > max)
		return err_set(e, ERR_BAD_INPUT, "%.*s is not between %llu and %llu", (int)s.n, s.p,
			(unsigned long long)min, (unsigned long long)max);
	*out = v;
	return 0;
}

int str_copy(struct str s, char *dst, size_t cap, struct err *e)
{
	if (s.n >= cap)
		return err_set(e, ERR_TOO_LARGE, "%zu bytes, at most %zu fit", s.n, cap - 1);
	if (s.n && memchr(s.p, 0, s.n))
		return err_set(e, ERR_BAD_INPUT, "a NUL byte inside text");
	if (s.n)
		memcpy(dst, s.p, s.n);
	dst[s.n] = 0;
	return 0;
}

const char *str_printable(struct str s, char *dst, size_t cap)
{
	size_t n = s.n < cap ? s.n : cap - 4;

	for (size_t i = 0; i < n; i++)
		dst[i] = s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '?';
	memcpy(dst + n, n < s.n ? "..." : "", n < s.n ? 4 : 1);
	return dst;
}

/* Levenshtein's distance by one row of the table; names longer than the row are never near. */
static size_t distance(struct str a, struct str b)
{
	size_t row[48];

	if (a.n >= ARRAY_LEN(row) || b.n >= ARRAY_LEN(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b.n; j++) {
			size_t swap = diagonal + (a.p[i] != b.p[j]);

			diagonal = row[j + 1];
			row[j + 1] = MIN(swap, MIN(row[j], diagonal) + 1);
		}
	}
	return row[b.n];
}

const char *str_nearest(struct str s, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t least = 3;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(s, str_of(names[i]));

		if (d < least && d < strlen(names[i])) {
			least = d;
			best = names[i];
		}
	}
	return best;
}

void hex_encode(const uint8_t *src, size_t n, char *dst)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		dst[2 * i] = digits[src[i] >> 4];
		dst[2 * i + 1] = digits[src[i] & 15];
	}
	dst[2 * n] = 0;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(struct str s, uint8_t *dst, size_t n, struct err *e)
{
	if (s.n != 2 * n)
		return err_set(
			e, ERR_BAD_INPUT, "%zu hexadecimal digits, expected %zu", s.n, 2 * n);
	for (size_t i = 0; i < s.n; i++)
		if (nibble(s.p[i]) < 0)
			return err_set(e, ERR_BAD_INPUT, "not a hexadecimal digit at %zu", i);
	for (size_t i = 0; i < n; i++)
		dst[i] = (uint8_t)((unsigned)nibble(s.p[2 * i]) << 4 |
				   (unsigned)nibble(s.p[2 * i + 1]));
	return 0;
}
