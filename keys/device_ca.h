/* The authority that vouches for devices: one key, one certificate of its own, and beneath it
 * nothing but devices' certificates. It says who a device is, never what it may run: that takes the
 * signatures of the repositories. The key may be in a file or in a PKCS#11 token. */
#ifndef KEYS_DEVICE_CA_H
#define KEYS_DEVICE_CA_H

#include "keys/csr.h"
#include "keys/keystore.h"

struct device_ca;

/* Makes the folder with device-ca.pem (mode 0600) and device-ca.crt, good for twenty years: the
 * authority is what devices are compared with, not what they compare with. ERR_CONFLICT when a key
 * is there. */
int device_ca_create(const char *dir, int64_t now_s, struct err *e) MUST_CHECK;

/* ERR_CONFIG unless the folder holds one key of the role "device-ca" and its certificate. */
int device_ca_open(const char *dir, struct device_ca **out, struct err *e) MUST_CHECK;
void device_ca_close(struct device_ca **ca);
struct str device_ca_der(const struct device_ca *ca);
struct str device_ca_pem(const struct device_ca *ca); /* with a NUL behind it */

/* Appends a certificate in DER for the request's device and key: client authentication only, with a
 * random serial number, from a few minutes before now until `until_s`. */
int device_ca_issue(const struct device_ca *ca, const struct csr *csr, int64_t now_s,
	int64_t until_s, struct buf *out, struct err *e) MUST_CHECK;

struct device_cert {
	char device[ID_TEXT_MAX];
	struct sha256 key, digest; /* of its SubjectPublicKeyInfo, and of the whole */
	int64_t from_s, until_s;
};

/* Reads a device's certificate and checks that this authority signed it; ERR_DENIED when it did
 * not, ERR_BAD_INPUT when it is none. Dates are read and not judged. */
int device_ca_check(const struct device_ca *ca, struct str der, struct device_cert *out,
	struct err *e) MUST_CHECK;

/* Appends certificates as a PKCS#7 SignedData without signatures, in DER, as EST answers. */
int device_ca_bundle(
	const struct str *certs, unsigned n, struct buf *out, struct err *e) MUST_CHECK;

#endif
