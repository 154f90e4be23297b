/* One private key in a PKCS#11 token: a session with it, and what it answers. Nothing of PKCS#11
 * is seen outside. */
#ifndef KEYS_TOKEN_H
#define KEYS_TOKEN_H

#include <openssl/evp.h>

#include "keys/token_uri.h"
#include "proto/trust/sig.h"

struct token;

/* Loads the module, logs in, finds the one key. Errors as sign_key_token has them. `pin` is copied,
 * to log in again when the token was away, and wiped by token_close. */
int token_open(struct str uri, struct str pin, struct token **out, struct err *e) MUST_CHECK;
void token_close(struct token **t);

/* Its public half: new, the caller's. */
int token_public(struct token *t, EVP_PKEY **out, struct err *e) MUST_CHECK;

/* Signs a digest as the scheme prescribes. ECDSA gives the two numbers bare, one behind the other.
 * From any thread, one call after the other. */
int token_sign(struct token *t, enum sig_scheme scheme, struct str digest, uint8_t out_sig[SIG_MAX],
	size_t *out_n, struct err *e) MUST_CHECK;

#endif
