/* The public half of a key as a PKCS#11 token tells it. */
#ifndef KEYS_TOKEN_PUBLIC_H
#define KEYS_TOKEN_PUBLIC_H

#include <openssl/evp.h>

#include "lib/str.h"

/* Both return a new key, the caller's, or NULL when the bytes are none. */

/* CKA_EC_PARAMS: the DER of P-256's or P-384's object identifier. CKA_EC_POINT: an uncompressed
 * point, as the standard wants it (in an OCTET STRING) or as some tokens give it (bare). */
EVP_PKEY *token_public_ec(struct str params, struct str point);
/* CKA_MODULUS and CKA_PUBLIC_EXPONENT: unsigned numbers, the highest byte first. */
EVP_PKEY *token_public_rsa(struct str modulus, struct str exponent);

#endif
