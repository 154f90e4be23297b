#include "lib/id.h"

#include <string.h>

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int id_parse(struct str text, const char *what, char out[ID_TEXT_MAX], struct err *e)
{
	if (text.n == 0 || text.n >= ID_TEXT_MAX)
		return err_set(e, ERR_BAD_INPUT, "%s: %zu characters, 1 to %d are allowed", what,
			text.n, ID_TEXT_MAX - 1);
	if (!alnum(text.p[0]))
		return err_set(e, ERR_BAD_INPUT, "%s: must begin with a letter or digit", what);
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (!alnum(c) && c != '.' && c != '_' && c != '-')
			return err_set(e, ERR_BAD_INPUT,
				"%s: only letters, digits, '.', '_' and '-' are allowed", what);
	}
	memcpy(out, text.p, text.n);
	memset(out + text.n, 0, ID_TEXT_MAX - text.n);
	return 0;
}

int sha256_parse(struct str hex, struct sha256 *out, struct err *e)
{
	if (hex_decode(hex, out->b, sizeof out->b, e) < 0)
		return err_wrap(e, "sha256");
	return 0;
}

void sha256_format(const struct sha256 *d, char out[SHA256_TEXT])
{
	hex_encode(d->b, sizeof d->b, out);
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool sha256_is_zero(const struct sha256 *a)
{
	static const struct sha256 zero;

	return sha256_eq(a, &zero);
}

void txn_format(const struct txn_id *t, char out[TXN_TEXT])
{
	hex_encode(t->b, sizeof t->b, out);
}
