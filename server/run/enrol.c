#include "server/run/enrol.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/certificates.h"
#include "server/repo/invites.h"
#include "server/run/run_priv.h"

static const char *const needs[ENROL_NEED_MAX] = {"optional", "required"};

enum enrol_need enrol_need_by_name(const char *name)
{
	enum enrol_need n = 0;

	while (n < ENROL_NEED_MAX && strcmp(needs[n], name) != 0)
		n++;
	return n;
}

static int has_authority(const struct enrol *n, struct err *e)
{
	if (n->issuer)
		return 0;
	return err_set(e, ERR_CONFLICT, "this server issues no certificates: trust.device_ca");
}

/* ---- invitations ---- */

static int invite(const struct enrol *n, const struct invite_row *i, struct err *e)
{
	char text[LIMIT_TEXT];

	snprintf(text, sizeof text, "%s was invited to enrol", i->device.s);
	TRY(invites_put(n->run->c.db, i, e));
	return run_audit(n->run, NULL, i->created_by, "invite", i->device.s, text, e);
}

int enrol_invite(const struct enrol *n, const char *device, ms_t life, const char *by,
	char out_token[TOKEN_TEXT], struct err *e)
{
	struct invite_row i = {.created = run_now(n->run)};
	char token[TOKEN_TEXT];

	TRY(has_authority(n, e));
	snprintf(i.device.s, sizeof i.device.s, "%s", device);
	snprintf(i.created_by, sizeof i.created_by, "%s", by);
	i.expires = i.created + life;
	token_new(device, token, &i.token);
	TRY(run_begin(n->run, e));
	TRY(run_end(n->run, invite(n, &i, e), e));
	memcpy(out_token, token, sizeof token);
	return 0;
}

static int find_invite(
	const struct enrol *n, struct str token, struct invite_row *out, struct err *e)
{
	char device[ID_TEXT_MAX];
	int rc;

	TRY(token_name(token, "", device, e));
	rc = invites_get(n->run->c.db, device, out, e);
	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	if (rc < 0 || !token_is(token, &out->token))
		return err_set(e, ERR_DENIED, "there is no such invitation");
	if (run_now(n->run) >= out->expires)
		return err_set(e, ERR_EXPIRED, "the invitation of %s has expired", device);
	return 0;
}

/* ---- issuing ---- */

/* A signature costs more than a request for one. */
static int spend(const struct enrol *n, const char *device, struct err *e)
{
	const struct clock *clock = n->run->c.clock;
	ms_t wait;

	if (buckets_take(n->budget, str_of(device), clock->mono(clock->self), &wait))
		return 0;
	return err_set(e, ERR_TOO_OFTEN, "%s asks for certificates too often; again in %lld s",
		device, (long long)wait / 1000 + 1);
}

/* Within the transaction. `shown` stays good, or NULL. */
static int issue(const struct enrol *n, struct str csr, const char *device,
	const struct sha256 *shown, struct buf *out_cert, struct err *e)
{
	int64_t now_s = run_now_s(n->run);
	struct certificate_row c = {.issued = run_now(n->run)};
	struct device_cert cert;
	BUF_AUTO der = {0};

	TRY(spend(n, device, e));
	TRY(issuer_issue(n->issuer, csr, device, now_s, now_s + n->life / 1000, &der, e));
	TRY(issuer_check(n->issuer, buf_str(&der), &cert, e));
	snprintf(c.device.s, sizeof c.device.s, "%s", device);
	c.digest = cert.digest;
	c.key = cert.key;
	c.until_s = cert.until_s;
	TRY(certificates_revoke(
		n->run->c.db, device, shown, run_now(n->run), "replaced by a newer one", e));
	TRY(certificates_add(n->run->c.db, &c, buf_str(&der), e));
	TRY(certificates_prune(n->run->c.db, device, now_s - n->grace / 1000, e));
	buf_add(out_cert, der.p, der.n);
	return 0;
}

static int use_invite(const struct enrol *n, struct invite_row *i, const struct issuer_request *rq,
	struct str csr, struct buf *out_cert, struct err *e)
{
	char text[LIMIT_TEXT];

	snprintf(text, sizeof text, "%s has enrolled with a new key", i->device.s);
	i->used = run_now(n->run);
	i->used_key = rq->key;
	TRY(invites_put(n->run->c.db, i, e));
	TRY(issue(n, csr, i->device.s, NULL, out_cert, e));
	return run_audit(n->run, NULL, i->device.s, "enrol", i->device.s, text, e);
}

/* The same key again: its owner did not get the answer. */
static int answer_again(const struct enrol *n, const struct invite_row *i,
	const struct issuer_request *rq, struct buf *out_cert, struct err *e)
{
	if (!sha256_eq(&i->used_key, &rq->key))
		return err_set(e, ERR_DENIED, "the invitation of %s has been used", i->device.s);
	if (certificates_bytes(n->run->c.db, i->device.s, &rq->key, out_cert, NULL) < 0)
		return err_set(e, ERR_REVOKED, "what came of the invitation of %s was revoked",
			i->device.s);
	return 0;
}

int enrol_by_invite(const struct enrol *n, struct str token, struct str csr, struct buf *out_cert,
	struct err *e)
{
	struct issuer_request rq;
	struct invite_row i;
	BUF_AUTO cert = {0};

	TRY(has_authority(n, e));
	TRY(find_invite(n, token, &i, e));
	TRY(issuer_read(csr, &rq, e));
	if (strcmp(rq.device, i.device.s) != 0)
		return err_set(e, ERR_WRONG_DEVICE, "a request of %s with the invitation of %s",
			rq.device, i.device.s);
	if (i.used)
		return answer_again(n, &i, &rq, out_cert, e);
	TRY(run_begin(n->run, e));
	TRY(run_end(n->run, use_invite(n, &i, &rq, csr, &cert, e), e));
	buf_add(out_cert, cert.p, cert.n);
	return 0;
}

/* ---- what is shown ---- */

/* The certificate's row; ERR_DENIED when it is none of ours, ERR_REVOKED. Its dates are not looked
 * at. */
static int find_cert(const struct enrol *n, struct str cert, struct device_cert *out, struct err *e)
{
	struct certificate_row row;
	int rc;

	TRY(issuer_check(n->issuer, cert, out, e));
	rc = certificates_get(n->run->c.db, &out->digest, &row, e);
	if (rc == -ERR_NOT_FOUND)
		return err_set(
			e, ERR_DENIED, "a certificate of %s that is not known here", out->device);
	TRY(rc);
	if (row.revoked)
		return err_set(e, ERR_REVOKED, "the certificate of %s was revoked: %s", out->device,
			row.why);
	return 0;
}

static int renew(const struct enrol *n, struct str csr, const struct device_cert *shown,
	struct buf *out_cert, struct err *e)
{
	char text[LIMIT_TEXT];

	snprintf(text, sizeof text, "%s has renewed its certificate", shown->device);
	TRY(issue(n, csr, shown->device, &shown->digest, out_cert, e));
	return run_audit(n->run, NULL, shown->device, "renew", shown->device, text, e);
}

int enrol_renew(
	const struct enrol *n, struct str cert, struct str csr, struct buf *out_cert, struct err *e)
{
	struct device_cert shown;
	BUF_AUTO fresh = {0};

	TRY(has_authority(n, e));
	if (!cert.n)
		return err_set(e, ERR_DENIED, "renewing takes the certificate that is renewed");
	TRY(find_cert(n, cert, &shown, e));
	if (run_now_s(n->run) >= shown.until_s + n->grace / 1000)
		return err_set(e, ERR_EXPIRED,
			"the certificate of %s has ended too long ago: it must be invited",
			shown.device);
	TRY(run_begin(n->run, e));
	TRY(run_end(n->run, renew(n, csr, &shown, &fresh, e), e));
	buf_add(out_cert, fresh.p, fresh.n);
	return 0;
}

/* ---- revoking ---- */

static int revoke(const struct enrol *n, const char *device, const char *by, struct err *e)
{
	char text[LIMIT_TEXT], why[64];

	snprintf(why, sizeof why, "by %.50s", by);
	snprintf(text, sizeof text, "the identity of %s was revoked", device);
	TRY(certificates_revoke(n->run->c.db, device, NULL, run_now(n->run), why, e));
	TRY(invites_remove(n->run->c.db, device, e));
	return run_audit(n->run, NULL, by, "revoke", device, text, e);
}

int enrol_revoke(const struct enrol *n, const char *device, const char *by, struct err *e)
{
	struct certificate_row newest;
	struct invite_row i;

	if (certificates_newest(n->run->c.db, device, &newest, e) < 0 &&
		invites_get(n->run->c.db, device, &i, NULL) < 0)
		return err_wrap(e, "identity");
	TRY(run_begin(n->run, e));
	return run_end(n->run, revoke(n, device, by, e), e);
}

/* ---- each request ---- */

static int check_bare(const struct enrol *n, const char *device, struct err *e)
{
	struct certificate_row newest;
	int rc;

	if (n->need == ENROL_REQUIRED)
		return err_set(e, ERR_DENIED, "%s shows no certificate", device);
	rc = certificates_newest(n->run->c.db, device, &newest, e);
	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	return err_set(e, newest.revoked ? ERR_REVOKED : ERR_DENIED,
		newest.revoked ? "the identity of %s was revoked"
			       : "%s has enrolled, and shows no certificate",
		device);
}

int enrol_vouched(const struct enrol *n, const char *device, struct err *e)
{
	struct certificate_row newest;
	int rc;

	if (!n->issuer)
		return 0;
	rc = certificates_newest(n->run->c.db, device, &newest, e);
	if (rc == -ERR_NOT_FOUND)
		return n->need == ENROL_REQUIRED
			       ? err_set(e, ERR_DENIED, "%s has not enrolled", device)
			       : 0;
	TRY(rc);
	return newest.revoked ? err_set(e, ERR_REVOKED, "the identity of %s was revoked", device)
			      : 0;
}

int enrol_check(const struct enrol *n, struct str cert, const char *device, struct err *e)
{
	struct device_cert shown;

	if (!n->issuer)
		return 0;
	if (!cert.n)
		return check_bare(n, device, e);
	TRY(find_cert(n, cert, &shown, e));
	if (strcmp(shown.device, device) != 0)
		return err_set(e, ERR_WRONG_DEVICE, "a certificate of %s in the place of %s",
			shown.device, device);
	if (run_now_s(n->run) >= shown.until_s)
		return err_set(e, ERR_EXPIRED, "the certificate of %s has expired", device);
	return 0;
}
