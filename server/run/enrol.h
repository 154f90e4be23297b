/* Who a device is: invitations, certificates, and the check that each request of a device goes
 * through. Changes are one transaction each, with an audit row. */
#ifndef SERVER_RUN_ENROL_H
#define SERVER_RUN_ENROL_H

#include "server/core/buckets.h"
#include "server/run/run.h"
#include "server/run/token.h"
#include "server/issue/issuer.h"

/* Must devices show a certificate? */
enum enrol_need {
	ENROL_OPTIONAL, /* those that have one, or had one */
	ENROL_REQUIRED, /* all */
	ENROL_NEED_MAX
};
enum enrol_need enrol_need_by_name(const char *name);

struct enrol {
	struct run *run;
	struct issuer *issuer; /* NULL: there are no certificates here, every device is taken at its
				  word */
	enum enrol_need need;
	struct buckets *budget; /* certificates of each device */
	ms_t life, grace;       /* of a certificate, and how long after it may still be renewed */
};

/* Makes a token with which the device may enrol once, instead of an earlier one. */
int enrol_invite(const struct enrol *n, const char *device, ms_t life, const char *by,
	char out_token[TOKEN_TEXT], struct err *e) MUST_CHECK;

/* A certificate for whoever has the invitation, in DER. All earlier ones of the device are revoked.
 * Asking again with the same key gives the same certificate, so that an answer may be lost.
 * ERR_DENIED (no such invitation, or used with another key), ERR_EXPIRED, ERR_WRONG_DEVICE, errors
 * of csr_decode; ERR_TOO_OFTEN; ERR_CONFLICT when this server has no authority. Nothing has changed
 * then. */
int enrol_by_invite(const struct enrol *n, struct str token, struct str csr, struct buf *out_cert,
	struct err *e) MUST_CHECK;

/* A new certificate for the holder of one (`cert`, DER, shown by TLS) that is good, or ended not
 * longer ago than the grace period. The one that was shown stays good until it ends; others of the
 * device are revoked. */
int enrol_renew(const struct enrol *n, struct str cert, struct str csr, struct buf *out_cert,
	struct err *e) MUST_CHECK;

/* Revokes the certificates of a device and its invitation. It is refused from now on, until it is
 * invited anew. ERR_NOT_FOUND when it never had any. */
int enrol_revoke(
	const struct enrol *n, const char *device, const char *by, struct err *e) MUST_CHECK;

/* May `device` speak where somebody else has looked at its certificate: a broker that is trusted?
 * ERR_DENIED when it must have enrolled and has not, ERR_REVOKED. */
int enrol_vouched(const struct enrol *n, const char *device, struct err *e) MUST_CHECK;

/* May whoever shows `cert` (DER; empty: nothing) ask as `device`? ERR_DENIED, ERR_WRONG_DEVICE,
 * ERR_REVOKED, ERR_EXPIRED. */
int enrol_check(
	const struct enrol *n, struct str cert, const char *device, struct err *e) MUST_CHECK;

#endif
