/* A request to approve: raw, and with its "signed" part signed by the key that it names. */
#include <stdlib.h>

#include "keys/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct sign_key *creator(void)
{
	static struct sign_key key;

	if (!key.ops && sign_key_new("creator-1", SIG_ECDSA_P256, &key, NULL) < 0)
		abort();
	return &key;
}

static void check(struct str bytes)
{
	struct request r;
	struct err e;

	if (request_decode(bytes, &r, &e) < 0)
		return;
	if (r.terms.n_hardware == 0 || r.terms.n_hardware > LIMIT_HARDWARE_IDS ||
		r.terms.n_rollback_to > LIMIT_ROLLBACK_TO || r.terms.counter == 0 ||
		!sha256_eq(&r.terms.creator, &r.creator.spki))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct sign_key *keys[] = {creator()};
	struct str text = {(const char *)p, n};
	JSON_AUTO *part = NULL;
	BUF_AUTO file = {0};

	check(text);
	if (json_read(text, LIMIT_REQUEST_BYTES, &part, NULL) < 0 || !json_is_object(part))
		return 0;
	json_object_set_new(part, "creator", sign_key_public(keys[0]));
	if (sign_meta(part, keys, 1, &file, NULL) == 0)
		check(buf_str(&file));
	return 0;
}
