#include "proto/wire/base64.h"

#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64_encode(struct str bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t n = MIN(bytes.n - i, 3U);
		unsigned v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (unsigned char)bytes.p[i + k] : 0U);
		for (size_t k = 0; k < 4; k++)
			buf_add_char(out, k <= n ? standard[v >> (18 - 6 * k) & 63] : '=');
	}
}

static const char *alphabet_of(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '-' || text.p[i] == '_')
			return url_safe;
	return standard;
}

/* Four characters, of which the last `pad` are padding. */
static bool take_group(const char *p, size_t pad, const char *alphabet, struct buf *out)
{
	unsigned v = 0;

	for (size_t k = 0; k < 4 - pad; k++) {
		const char *at = p[k] ? strchr(alphabet, p[k]) : NULL;

		if (!at)
			return false;
		v |= (unsigned)(at - alphabet) << (18 - 6 * k);
	}
	if (v & ((1U << 8 * pad) - 1))
		return false;
	for (size_t k = 0; k < 3 - pad; k++)
		buf_add_char(out, (char)(v >> (16 - 8 * k)));
	return true;
}

int base64_decode(struct str text, struct buf *out, struct err *e)
{
	const char *alphabet = alphabet_of(text);
	size_t before = out->n, pad = 0;

	while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
		pad++;
	if (text.n % 4 != 0)
		return err_set(e, ERR_BAD_INPUT, "base64 of a length that is no multiple of four");
	for (size_t i = 0; i < text.n; i += 4)
		if (!take_group(text.p + i, i + 4 == text.n ? pad : 0, alphabet, out)) {
			out->n = before;
			return err_set(e, ERR_BAD_INPUT, "not base64 at its byte %zu", i);
		}
	return 0;
}
