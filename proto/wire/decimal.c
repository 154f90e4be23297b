#include "proto/wire/decimal.h"

#include <string.h>

static bool take(struct str *s, const char *one_of)
{
	if (!s->n || !str_has_char(one_of, s->p[0]))
		return false;
	s->p++;
	s->n--;
	return true;
}

/* Takes all digits off the front. */
static struct str take_digits(struct str *s)
{
	struct str digits = {s->p, 0};

	while (take(s, "0123456789"))
		digits.n++;
	return digits;
}

/* The parts of -12.50e-3: sign, "12", "50", sign of the exponent, "3". */
struct parts {
	bool negative, exponent_negative;
	struct str whole, fraction, exponent;
};

static bool split(struct str s, struct parts *out)
{
	*out = (struct parts){.negative = take(&s, "-")};
	out->whole = take_digits(&s);
	if (!out->whole.n || (out->whole.n > 1 && out->whole.p[0] == '0'))
		return false;
	if (take(&s, ".") && !(out->fraction = take_digits(&s)).n)
		return false;
	if (take(&s, "eE")) {
		out->exponent_negative = s.n && s.p[0] == '-';
		(void)!take(&s, "+-");
		if (!(out->exponent = take_digits(&s)).n)
			return false;
	}
	return s.n == 0;
}

bool decimal_is(struct str text)
{
	struct parts p;

	return split(text, &p);
}

/* All digits in a row, the point after those of the whole part; zeros at both ends change nothing
 * but where the point is. */
static void normalise(const struct parts *p, int shift, struct decimal *d)
{
	char all[LIMIT_NUMBER_CHARS + 1];
	size_t n = p->whole.n + p->fraction.n, lead = 0;

	memcpy(all, p->whole.p, p->whole.n);
	if (p->fraction.n)
		memcpy(all + p->whole.n, p->fraction.p, p->fraction.n);
	while (lead < n && all[lead] == '0')
		lead++;
	while (n > lead && all[n - 1] == '0')
		n--;
	memcpy(d->digits, all + lead, n - lead);
	if (n == lead)
		return;
	d->negative = p->negative;
	d->exponent = (int)p->whole.n - (int)lead + shift;
}

int decimal_parse(struct str text, struct decimal *out, struct err *e)
{
	struct decimal d = {0};
	uint64_t shift = 0;
	struct parts p;

	if (!split(text, &p))
		return err_set(e, ERR_BAD_INPUT, "not a number");
	if (text.n > LIMIT_NUMBER_CHARS || p.exponent.n > 3)
		return err_set(e, ERR_TOO_LARGE, "a number of too many digits");
	if (p.exponent.n)
		TRY(str_to_u64(p.exponent, 0, 999, &shift, e));
	normalise(&p, p.exponent_negative ? -(int)shift : (int)shift, &d);
	*out = d;
	return 0;
}

static int sign_of(const struct decimal *d)
{
	return !d->digits[0] ? 0 : d->negative ? -1 : 1;
}

static int order(int a, int b)
{
	return (a > b) - (a < b);
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
	int sign = sign_of(a), above;

	if (sign != sign_of(b) || sign == 0)
		return order(sign, sign_of(b));
	above = order(a->exponent, b->exponent);
	if (above == 0)
		above = order(strcmp(a->digits, b->digits), 0);
	return sign * above;
}
