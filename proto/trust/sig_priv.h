/* What sig.c hands over to the file that knows another library. */
#ifndef PROTO_TRUST_SIG_PRIV_H
#define PROTO_TRUST_SIG_PRIV_H

#include "proto/trust/sig.h"

/* Key and signature of RFC 8032: `text` is the key's 32 bytes in hexadecimal, as TUF writes it. */
int ed25519_key_check(const char *text, struct sha256 *out_spki, struct err *e) MUST_CHECK;
bool ed25519_verifies(const char *text, struct str message, const uint8_t *sig, size_t sig_n);

#endif
