#include "proto/trust/hashes.h"

#include <string.h>

#include "proto/wire/limits.h"

/* *out_has stays false when this kind is not listed. */
static int hash_parse(const json_t *list, const char *where, const char *kind, uint8_t *out,
	size_t n, bool *out_has, struct err *e)
{
	const json_t *one = json_object_get(list, kind);

	if (!one)
		return 0;
	if (!json_is_string(one))
		return err_set(e, ERR_BAD_INPUT, "%s.hashes.%s: not text", where, kind);
	if (hex_decode(str_of(json_string_value(one)), out, n, e) < 0)
		return err_wrap(e, "%s.hashes.%s", where, kind);
	*out_has = true;
	return 0;
}

int hashes_parse(const json_t *o, const char *where, struct hashes *out, struct err *e)
{
	struct hashes h = {0};
	const json_t *list;

	TRY(json_obj(o, where, "hashes", &list, e));
	if (json_object_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "%s.hashes: there is none", where);
	if (json_object_size(list) > LIMIT_METADATA_HASHES)
		return err_set(
			e, ERR_TOO_LARGE, "%s.hashes: more than %d", where, LIMIT_METADATA_HASHES);
	TRY(hash_parse(list, where, "sha256", h.sha256.b, sizeof h.sha256.b, &h.has_sha256, e));
	TRY(hash_parse(list, where, "sha512", h.sha512.b, sizeof h.sha512.b, &h.has_sha512, e));
	*out = h;
	return 0;
}

void hashes_all_of(const void *p, size_t n, struct hashes *out)
{
	struct hashing h;

	hashing_init(&h);
	hashing_add(&h, p, n);
	hashing_fini(&h, out);
}

bool hashes_is_empty(const struct hashes *h)
{
	return !h->has_sha256 && !h->has_sha512;
}

bool hashes_fit(const struct hashes *listed, const struct hashes *taken)
{
	return (!listed->has_sha256 || sha256_eq(&listed->sha256, &taken->sha256)) &&
	       (!listed->has_sha512 ||
		       memcmp(listed->sha512.b, taken->sha512.b, sizeof listed->sha512.b) == 0);
}

bool hashes_is_same(const struct hashes *a, const struct hashes *b)
{
	return a->has_sha256 == b->has_sha256 && a->has_sha512 == b->has_sha512 && hashes_fit(a, b);
}

void hashes_format(const struct hashes *h, char out[HASHES_TEXT])
{
	out[0] = 0;
	if (h->has_sha256)
		hex_encode(h->sha256.b, sizeof h->sha256.b, out);
	else if (h->has_sha512)
		hex_encode(h->sha512.b, sizeof h->sha512.b, out);
}

void hashing_init(struct hashing *h)
{
	digest_init(&h->sha256);
	digest512_init(&h->sha512);
}

void hashing_add(struct hashing *h, const void *p, size_t n)
{
	digest_add(&h->sha256, p, n);
	digest_add(&h->sha512, p, n);
}

void hashing_fini(struct hashing *h, struct hashes *out)
{
	digest_fini(&h->sha256, out ? &out->sha256 : NULL);
	digest512_fini(&h->sha512, out ? &out->sha512 : NULL);
	if (out)
		out->has_sha256 = out->has_sha512 = true;
}
