#include "tests/lib/authority.h"

#include <string.h>
#include <sys/stat.h>

#include "agent/ident/ident_key.h"
#include "proto/wire/base64.h"
#include "tests/lib/expect.h"

void authority_open(struct authority *a, int64_t now_s, int64_t life_s)
{
	struct stat st;
	struct err e;

	*a = (struct authority){.now_s = now_s, .life_s = life_s, .invitation = "dev~one"};
	if (stat("authority", &st) != 0)
		expect_ok(device_ca_create("authority", now_s, &e), &e);
	expect_ok(device_ca_open("authority", &a->ca, &e), &e);
}

void authority_close(struct authority *a)
{
	device_ca_close(&a->ca);
	buf_fini(&a->given);
}

static void answer(struct http_answer *out, int status, const char *error)
{
	out->status = status;
	buf_clear(&out->body);
	if (error)
		buf_addf(&out->body, "{\"error\": \"%s\", \"reason\": \"no\"}", error);
}

static void bundle(struct str cert, struct http_answer *out)
{
	BUF_AUTO der = {0};
	struct err e;

	expect_ok(device_ca_bundle(&cert, 1, &der, &e), &e);
	base64_encode(buf_str(&der), &out->body);
	out->status = 200;
}

static void make(struct authority *a, const struct csr *csr, struct buf *out)
{
	struct csr shown = *csr;
	struct err e;

	if (a->lies)
		snprintf(shown.device, sizeof shown.device, "somebody-else");
	expect_ok(device_ca_issue(a->ca, &shown, a->now_s, a->now_s + a->life_s, out, &e), &e);
}

static void enrol(
	struct authority *a, const struct csr *csr, const char *token, struct http_answer *out)
{
	bool fresh = sha256_is_zero(&a->used_key);

	if (strcmp(token, a->invitation) != 0 || (!fresh && !sha256_eq(&a->used_key, &csr->key))) {
		a->refused++;
		answer(out, 403, "denied");
		return;
	}
	a->enrolled++;
	if (fresh) {
		buf_clear(&a->given);
		make(a, csr, &a->given);
		a->used_key = csr->key;
	}
	bundle(buf_str(&a->given), out);
}

int authority_send(void *self, const struct ident_ask *q, struct http_answer *out, struct err *e)
{
	struct csr csr CLEANUP(csr_fini) = {.pkey = NULL};
	struct authority *a = self;
	BUF_AUTO der = {0}, cert = {0};

	if (a->fails != ERR_OK)
		return err_set(e, a->fails, "as the test wants it");
	*out = (struct http_answer){.status = 0};
	expect_ok(base64_decode(q->body, &der, e), e);
	expect_ok(csr_decode(buf_str(&der), &csr, e), e);
	if (!q->with_identity) {
		enrol(a, &csr, q->token, out);
		return 0;
	}
	a->renewed++;
	make(a, &csr, &cert);
	bundle(buf_str(&cert), out);
	return 0;
}
