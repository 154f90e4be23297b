/* Who devices are: enrolment as RFC 7030 (EST) has it, invitations, revocation. */
#include "server/api/api_priv.h"

#include "proto/wire/base64.h"

#define INVITE_LIFE_MS (7ULL * 24 * 3600 * 1000)

static int answer_cert(struct web_reply *out, struct str der, struct err *e)
{
	BUF_AUTO bundle = {0};

	TRY(issuer_bundle(der, &bundle, e));
	base64_encode(buf_str(&bundle), &out->body);
	out->type = "application/pkcs7-mime; smime-type=certs-only";
	return 0;
}

/* EST clients break the lines of their base64 (RFC 7030, 4.2.1). */
static int read_request(struct str body, struct buf *out, struct err *e)
{
	BUF_AUTO text = {0};

	for (size_t i = 0; i < body.n; i++)
		if (!str_has_char(" \t\r\n", body.p[i]))
			buf_add_char(&text, body.p[i]);
	if (base64_decode(buf_str(&text), out, e) < 0)
		return err_wrap(e, "body");
	return 0;
}

int answer_EST_CACERTS(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	if (!a->enrol.issuer)
		return err_set(e, ERR_NOT_FOUND, "this server issues no certificates");
	return answer_cert(out, issuer_der(a->enrol.issuer), e);
}

int answer_EST_ENROLL(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	BUF_AUTO csr = {0}, cert = {0};
	int rc;

	TRY(read_request(rq->body, &csr, e));
	rc = enrol_by_invite(&a->enrol, str_of(rq->bearer), buf_str(&csr), &cert, e);
	if (rc == -ERR_DENIED)
		caller_was_wrong(a, rq);
	TRY(rc);
	return answer_cert(out, buf_str(&cert), e);
}

int answer_EST_REENROLL(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	BUF_AUTO csr = {0}, cert = {0};

	TRY(read_request(rq->body, &csr, e));
	TRY(enrol_renew(&a->enrol, rq->client_cert, buf_str(&csr), &cert, e));
	return answer_cert(out, buf_str(&cert), e);
}

int answer_DEVICE_INVITE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {"life_ms", NULL};
	char device[ID_TEXT_MAX], token[TOKEN_TEXT];
	uint64_t life = INVITE_LIFE_MS;
	JSON_AUTO *body = NULL;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(json_u64_opt(body, "body", "life_ms", 1, LIMIT_TOKEN_LIFE_MS, &life, e));
	TRY(enrol_invite(&a->enrol, device, (ms_t)life, a->user.name, token, e));
	out->status = 201;
	answer_json(out, json_pack("{s:s, s:s, s:I}", "device", device, "token", token, "life_ms",
				 (json_int_t)life));
	return 0;
}

int answer_DEVICE_REVOKE(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char device[ID_TEXT_MAX];

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(enrol_revoke(&a->enrol, device, a->user.name, e));
	answer_json(out, json_pack("{s:s, s:b}", "device", device, "revoked", 1));
	return 0;
}
