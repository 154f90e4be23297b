/* What a device sends to be given a certificate: a PKCS#10 request (RFC 2986) for a key that it
 * made and keeps. */
#ifndef KEYS_CSR_H
#define KEYS_CSR_H

#include "lib/buf.h"
#include "lib/id.h"

#define CSR_MAX (4 * 1024) /* bytes of DER */

struct csr {
	char device[ID_TEXT_MAX];
	struct sha256 key; /* digest of the DER SubjectPublicKeyInfo */
	void *pkey;        /* libcrypto's EVP_PKEY, owned */
};

/* Takes DER. Refused as ERR_BAD_INPUT unless it is version 1, its subject is one common name and
 * that is a device id, the key is ECDSA on P-256, and it has signed the request by ECDSA with
 * SHA-256. Attributes are allowed and ignored: nothing of a request but name and key ever gets into
 * a certificate. ERR_TOO_LARGE above CSR_MAX. */
int csr_decode(struct str der, struct csr *out, struct err *e) MUST_CHECK;
void csr_fini(struct csr *c);

#endif
