#include "proto/wire/json.h"

void json_put_u64(json_t *o, const char *key, uint64_t v)
{
	if (v)
		json_object_set_new(o, key, json_integer((json_int_t)v));
}

/* Keeps what is UTF-8, less control characters; what is not becomes ASCII. */
void json_put_text(json_t *o, const char *key, const char *text)
{
	BUF_AUTO clean = {0};
	json_t *j;

	if (text[0] == 0)
		return;
	for (const char *p = text; *p; p++)
		buf_add_char(&clean, (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
	j = json_stringn((const char *)clean.p, clean.n);
	for (size_t i = 0; !j && i < clean.n; i++)
		clean.p[i] = clean.p[i] < 0x80 ? clean.p[i] : '?';
	if (!j)
		j = json_stringn((const char *)clean.p, clean.n);
	json_object_set_new(o, key, j);
}

void json_put_digest(json_t *o, const char *key, const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	if (sha256_is_zero(d))
		return;
	sha256_format(d, hex);
	json_put_text(o, key, hex);
}
