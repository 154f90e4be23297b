/* The device authority as the server sees it: requests in, certificates out, and no private key on
 * this side. Everything that is passed is bytes, so that the authority can be in another process.
 */
#ifndef SERVER_ISSUE_ISSUER_H
#define SERVER_ISSUE_ISSUER_H

#include "keys/device_ca.h"

struct issuer;

/* `dir` is what device_ca_create made. */
int issuer_open(const char *dir, struct issuer **out, struct err *e) MUST_CHECK;
void issuer_close(struct issuer **i);

/* The authority's certificate. */
struct str issuer_der(const struct issuer *i);
struct str issuer_pem(const struct issuer *i); /* with a NUL behind it */

/* Whose request it is, and for which key; errors of csr_decode. */
struct issuer_request {
	char device[ID_TEXT_MAX];
	struct sha256 key;
};
int issuer_read(struct str csr, struct issuer_request *out, struct err *e) MUST_CHECK;

/* Appends the certificate for a request, which must be `device`'s (ERR_WRONG_DEVICE): it is checked
 * again here. */
int issuer_issue(struct issuer *i, struct str csr, const char *device, int64_t now_s,
	int64_t until_s, struct buf *out, struct err *e) MUST_CHECK;

/* As device_ca_check. */
int issuer_check(
	const struct issuer *i, struct str der, struct device_cert *out, struct err *e) MUST_CHECK;

/* Appends one certificate as EST answers it: PKCS#7 in DER. */
int issuer_bundle(struct str cert, struct buf *out, struct err *e) MUST_CHECK;

/* How many certificates were issued since the start. */
uint64_t issuer_count(const struct issuer *i);

#endif
