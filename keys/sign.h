/* Private keys and what is done with them. Signing is by libcrypto (docs/adr/0004): a server signs
 * three files per device and change. */
#ifndef KEYS_SIGN_H
#define KEYS_SIGN_H

#include "proto/trust/sig.h"
#include "proto/wire/json.h"

struct sign_key {
	char name[ID_TEXT_MAX];  /* "image-root-2": of the key file, without ".pem" */
	char role[ID_TEXT_MAX];  /* "image-root": the name without its number */
	char keyid[SHA256_TEXT]; /* TUF's: digest of the canonical public key */
	struct pub_key pub;
	void *pkey; /* libcrypto's EVP_PKEY, owned */
};

/* A fresh ECDSA P-256 key. */
int sign_key_new(const char *name, struct sign_key *out, struct err *e) MUST_CHECK;
/* From a private key in PEM, without passphrase: ECDSA on P-256 or P-384, RSA of 2048 to 4096 bits.
 */
int sign_key_decode(
	const char *name, struct str pem, struct sign_key *out, struct err *e) MUST_CHECK;
/* Appends the private key in PEM (PKCS#8). The caller wipes the buffer: sign_wipe. */
int sign_key_encode(const struct sign_key *key, struct buf *out, struct err *e) MUST_CHECK;
void sign_key_fini(struct sign_key *key);
/* Overwrites and frees. For CLEANUP, too. */
void sign_wipe(struct buf *secret);

/* The key as metadata lists it: {"keytype", "scheme", "keyval": {"public"}}. The caller's to free.
 */
json_t *sign_key_public(const struct sign_key *key);

/* The signature over a message: DER for ECDSA. */
int sign_bytes(const struct sign_key *key, struct str message, uint8_t out_sig[SIG_MAX],
	size_t *out_n, struct err *e) MUST_CHECK;

/* Appends a whole metadata file: `signed_part` (borrowed) with one signature of each key. */
int sign_meta(const json_t *signed_part, const struct sign_key *const *keys, unsigned n,
	struct buf *out, struct err *e) MUST_CHECK;
/* The same for a file that is signed already: its signatures stay, those of keys that have not
 * signed yet are added. */
int sign_more(const json_t *file, const struct sign_key *const *keys, unsigned n, struct buf *out,
	struct err *e) MUST_CHECK;

#endif
