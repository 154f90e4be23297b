/* What the kinds of private keys share: libcrypto's forms of public keys. */
#ifndef KEYS_SIGN_PRIV_H
#define KEYS_SIGN_PRIV_H

#include <openssl/evp.h>

#include "keys/sign.h"

/* For CLEANUP on an EVP_PKEY pointer. */
void pkey_release(EVP_PKEY **p);

/* Everything of a key that its public half says: name, role, key id, scheme. `ops` and `self` stay
 * empty. ERR_BAD_INPUT for a name that is no id, or a key of another algorithm. */
int sign_key_describe(
	const EVP_PKEY *pkey, const char *name, struct sign_key *out, struct err *e) MUST_CHECK;

/* The hash that a scheme of ECDSA or RSA signs. */
const EVP_MD *sign_hash(enum sig_scheme scheme);

#endif
