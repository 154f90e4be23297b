/* The device's key and certificate as bytes: libcrypto (docs/adr/0004) behind four calls. */
#ifndef AGENT_IDENT_IDENT_KEY_H
#define AGENT_IDENT_IDENT_KEY_H

#include "lib/buf.h"

#define IDENT_PEM_MAX (16 * 1024) /* a key and its certificate */

/* Overwrites and frees. For CLEANUP, too. */
void ident_wipe(struct buf *secret);

/* Appends a fresh ECDSA P-256 key in PEM. The caller wipes it. */
int ident_key_new(struct buf *out, struct err *e) MUST_CHECK;

/* Appends the request (PKCS#10 in DER) that the first key in `pem` signs for `device`. ERR_ALTERED
 * when there is no key in it. */
int ident_request(struct str pem, const char *device, struct buf *out, struct err *e) MUST_CHECK;

/* Takes what the server answers (PKCS#7 in DER, certificates only), finds the certificate of this
 * key and appends it in PEM. ERR_ALTERED when there is none, or when it is for another device or is
 * an authority's. */
int ident_answer(struct str bundle, struct str key_pem, const char *device, struct buf *out,
	struct err *e) MUST_CHECK;

/* When the certificate in `pem` begins and ends to be good. ERR_ALTERED unless there is one, and
 * the key in `pem` is its key, and it is the device's. */
int ident_life(struct str pem, const char *device, int64_t *out_from_s, int64_t *out_until_s,
	struct err *e) MUST_CHECK;

#endif
