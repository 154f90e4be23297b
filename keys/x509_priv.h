/* What csr.c and device_ca.c share of libcrypto's X.509. */
#ifndef KEYS_X509_PRIV_H
#define KEYS_X509_PRIV_H

#include <openssl/x509.h>

#include "lib/id.h"
#include "lib/str.h"

void x509_release(X509 **x);
void x509_key_release(EVP_PKEY **key);

/* The only common name, which must be the whole name and an id. */
int x509_device(const X509_NAME *name, char out[ID_TEXT_MAX], struct err *e) MUST_CHECK;
/* Refuses any key but one on P-256; the digest of its SubjectPublicKeyInfo. */
int x509_key(const EVP_PKEY *key, struct sha256 *out, struct err *e) MUST_CHECK;
/* Is the signature algorithm ECDSA with SHA-256, without parameters? */
bool x509_is_ecdsa(const X509_ALGOR *algorithm);

#endif
