/* Signatures and public keys: ECDSA P-256 and P-384 with SHA-256 and SHA-384 behind a strict DER
 * check, RSA-PSS with SHA-256 and a salt as long as the hash, by mbedTLS; ed25519 by libcrypto
 * (docs/adr/0004). Anything else is an unknown scheme, which counts nothing. */
#ifndef PROTO_TRUST_SIG_H
#define PROTO_TRUST_SIG_H

#include "lib/id.h"

#define SIG_MAX     512 /* bytes of one signature */
#define SIG_PEM_MAX 2048

enum sig_scheme {
	SIG_ECDSA_P256,
	SIG_ECDSA_P384,
	SIG_RSA_PSS_SHA256,
	SIG_ED25519,
	SIG_UNKNOWN,
	SIG_SCHEME_MAX
};

const char *sig_scheme_name(enum sig_scheme s); /* TUF's: "ecdsa-sha2-nistp256", ... */
enum sig_scheme sig_scheme_by_name(const char *keytype, const char *scheme);

struct pub_key {
	enum sig_scheme scheme;
	char pem[SIG_PEM_MAX]; /* SubjectPublicKeyInfo; of ed25519 its 32 bytes in hexadecimal */
	struct sha256 spki;    /* digest of the DER key: what distinct keys are counted by */
};

/* Checks that the key parses and fits the scheme (curve, RSA >= 2048 with an odd exponent >=
 * 65537, no ed25519 point of small order or written in two ways). SIG_UNKNOWN is accepted and never
 * verifies. */
int pub_key_parse(const char *keytype, const char *scheme, const char *pem, struct pub_key *out,
	struct err *e) MUST_CHECK;

/* 0 when `sig` is this key's signature over the message; ERR_UNSIGNED otherwise. */
int sig_verify(const struct pub_key *key, struct str message, const uint8_t *sig, size_t sig_n,
	struct err *e) MUST_CHECK;

#endif
