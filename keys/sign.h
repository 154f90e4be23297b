/* Private keys and what is done with them. A key is in a file, where libcrypto signs with it
 * (docs/adr/0004), or in a PKCS#11 token, which never gives it away; who signs does not see the
 * difference. */
#ifndef KEYS_SIGN_H
#define KEYS_SIGN_H

#include "proto/trust/sig.h"
#include "proto/wire/json.h"

struct sign_key;

/* What a kind of private key can do. */
struct sign_ops {
	/* The signature as metadata carries it: DER for ECDSA. */
	int (*sign)(const struct sign_key *key, struct str message, uint8_t out_sig[SIG_MAX],
		size_t *out_n, struct err *e) MUST_CHECK;
	void (*fini)(struct sign_key *key);
};

struct sign_key {
	char name[ID_TEXT_MAX];  /* "image-root-2": of the key file, without ".pem" or ".p11" */
	char role[ID_TEXT_MAX];  /* "image-root": the name without its number */
	char keyid[SHA256_TEXT]; /* TUF's: digest of the canonical public key */
	struct pub_key pub;
	const struct sign_ops *ops;
	void *self; /* the kind's, owned */
};

/* A fresh key in memory: ECDSA on P-256 or P-384, RSA of 3072 bits, ed25519. */
int sign_key_new(
	const char *name, enum sig_scheme scheme, struct sign_key *out, struct err *e) MUST_CHECK;
/* From a private key in PEM, without passphrase: ECDSA on P-256 or P-384, RSA of 2048 to 4096 bits,
 * ed25519. */
int sign_key_decode(
	const char *name, struct str pem, struct sign_key *out, struct err *e) MUST_CHECK;
/* Appends the private key in PEM (PKCS#8); ERR_DENIED when it is in a token. The caller wipes the
 * buffer: sign_wipe. */
int sign_key_encode(const struct sign_key *key, struct buf *out, struct err *e) MUST_CHECK;

/* A key in a PKCS#11 token: `uri` as keys/token_uri.h has it. Loads the module, logs in with `pin`,
 * finds exactly one key, and signs once, so that a token that cannot do what is asked is refused
 * now. ECDSA on P-256 or P-384, RSA. The token must hold the public key, too, under the same id or
 * label. A process logs in to a token once: when another key has, the PIN is not asked for.
 *
 * A session that the token has dropped is opened once more when it is needed. Not for use in a
 * process forked after this call. ERR_NOT_FOUND (module, token or key), ERR_DENIED (PIN),
 * ERR_CONFLICT (several keys fit), ERR_IO (the token fails). */
int sign_key_token(const char *name, struct str uri, struct str pin, struct sign_key *out,
	struct err *e) MUST_CHECK;

void sign_key_fini(struct sign_key *key);
/* Overwrites and frees. For CLEANUP, too. */
void sign_wipe(struct buf *secret);

/* The key as metadata lists it: {"keytype", "scheme", "keyval": {"public"}}. The caller's to free.
 */
json_t *sign_key_public(const struct sign_key *key);

/* The signature over a message: DER for ECDSA. May be called from several threads; a token answers
 * one after the other. */
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
