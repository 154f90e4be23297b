/* HMAC-SHA-256 (RFC 2104): that bytes come from somebody who knows a secret. */
#ifndef PROTO_TRUST_MAC_H
#define PROTO_TRUST_MAC_H

#include "lib/id.h"

void mac_of(struct str secret, struct str bytes, struct sha256 *out);

#endif
