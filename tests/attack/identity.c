/* Who a device is: the real server with certificates required, asked with the agent's own HTTP
 * client. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/ident/ident_key.h"
#include "agent/net/http.h"
#include "keys/device_ca.h"
#include "proto/wire/base64.h"
#include "server/run/token.h"
#include "tests/attack/attack.h"
#include "tests/lib/serving.h"

#define CONF                                                                                       \
	"device_ca = devices\n"                                                                    \
	"[http]\ntls_cert = server.crt\ntls_key = server.key\n"                                    \
	"[device]\nidentity = required\n"

static struct serving server;

struct node {
	const char *id;
	struct buf key, cert; /* PEM; cert empty: none */
};

static int call(const struct node *n, const char *bearer, const char *method, const char *path,
	const char *body, struct buf *out, struct err *e)
{
	struct http_conf c = {.ca_file = "server.crt"};
	struct http_answer a = {0};
	char url[256];
	int rc;

	snprintf(c.bearer, sizeof c.bearer, "%s", bearer ? bearer : "");
	if (n && n->cert.n) {
		c.cert_pem = buf_str(&n->cert);
		c.key_pem = buf_str(&n->key);
	}
	snprintf(url, sizeof url, "https://127.0.0.1:%u%s", server.port, path);
	rc = body ? http_send(&c, method, url, str_of(body), 1 << 20, NULL, &a, e)
		  : http_get(&c, url, NULL, 1 << 20, NULL, &a, e);
	if (rc == 0)
		rc = http_check(&a, path, e);
	if (rc == 0 && out)
		buf_add(out, a.body.p, a.body.n);
	http_answer_fini(&a);
	return rc;
}

static int report(const struct node *n, const char *as, unsigned seq, struct err *e)
{
	char path[96], body[160];

	snprintf(path, sizeof path, "/v1/devices/%s/reports", as);
	snprintf(body, sizeof body,
		"{\"format\": 1, \"seq\": %u, \"at_ms\": 1, \"kind\": \"hello\", \"hardware\": \"edge\","
		" \"state\": \"idle\"}",
		seq);
	return call(n, NULL, "POST", path, body, NULL, e);
}

/* What the server knows of dev-1. */
static void look(struct buf *out)
{
	struct err e;

	expect_ok(call(NULL, server.token, "GET", "/v1/devices/dev-1/history", NULL, out, &e), &e);
}

/* ---- enrolment ---- */

static void invite(const char *id, char out_token[TOKEN_TEXT])
{
	JSON_AUTO *j = NULL;
	BUF_AUTO answer = {0};
	char path[96];
	struct err e;

	snprintf(path, sizeof path, "/v1/devices/%s/invitation", id);
	expect_ok(call(NULL, server.token, "POST", path, "{}", &answer, &e), &e);
	expect_ok(json_read(buf_str(&answer), 4096, &j, &e), &e);
	expect_ok(json_text(j, "answer", "token", out_token, TOKEN_TEXT, &e), &e);
}

static void request_of(struct node *n, struct buf *out_der)
{
	struct err e;

	expect_ok(ident_key_new(&n->key, &e), &e);
	expect_ok(ident_request(buf_str(&n->key), n->id, out_der, &e), &e);
}

static void enrol(struct node *n, const char *id)
{
	BUF_AUTO csr = {0}, text = {0}, answer = {0}, bundle = {0};
	char token[TOKEN_TEXT];
	struct err e;

	*n = (struct node){.id = id};
	invite(id, token);
	request_of(n, &csr);
	base64_encode(buf_str(&csr), &text);
	expect_ok(call(NULL, token, "POST", "/.well-known/est/simpleenroll", buf_cstr(&text),
			  &answer, &e),
		&e);
	expect_ok(base64_decode(buf_str(&answer), &bundle, &e), &e);
	expect_ok(ident_answer(buf_str(&bundle), buf_str(&n->key), id, &n->cert, &e), &e);
}

/* A certificate for dev-1 by an authority that is not the server's. */
static void forge(struct node *n)
{
	struct device_ca *ca = NULL;
	struct csr csr = {.pkey = NULL};
	BUF_AUTO der = {0}, cert = {0}, bundle = {0};
	int64_t now = time(NULL);
	struct str one;
	struct err e;

	*n = (struct node){.id = "dev-1"};
	expect_ok(device_ca_create("strangers", now, &e), &e);
	expect_ok(device_ca_open("strangers", &ca, &e), &e);
	request_of(n, &der);
	expect_ok(csr_decode(buf_str(&der), &csr, &e), &e);
	expect_ok(device_ca_issue(ca, &csr, now, now + 86400, &cert, &e), &e);
	one = buf_str(&cert);
	expect_ok(device_ca_bundle(&one, 1, &bundle, &e), &e);
	expect_ok(ident_answer(buf_str(&bundle), buf_str(&n->key), "dev-1", &n->cert, &e), &e);
	csr_fini(&csr);
	device_ca_close(&ca);
}

/* ---- attacks ---- */

/* dev-1 has enrolled and has been heard of. */
static void begin(struct bed *b, struct node *n)
{
	struct err e;

	bed_shell(b, "mkdir server && cd server && openssl req -x509 -newkey ec -pkeyopt"
		     " ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=server -addext"
		     " subjectAltName=IP:127.0.0.1 -keyout server.key -out server.crt 2>/dev/null");
	assert_int_equal(chdir(b->dir), 0);
	assert_int_equal(chdir("server"), 0);
	expect_ok(device_ca_create("devices", time(NULL), &e), &e);
	serving_start(&server, CONF);
	enrol(n, "dev-1");
	expect_ok(report(n, "dev-1", 1, &e), &e);
}

/* `by` reports as dev-1: refused, and nothing is known that was not known before; dev-1 itself goes
 * on. */
static void play(struct bed *b, const struct node *owner, const struct node *by)
{
	BUF_AUTO before = {0}, after = {0};
	struct err e;

	look(&before);
	expect_err(
		report(by, "dev-1", 2, &e), &e, b->attack->code, NULL, "a report in dev-1's name");
	b->verdict.code = e.code;
	snprintf(b->verdict.text, sizeof b->verdict.text, "%s", e.text);
	look(&after);
	assert_true(str_eq(buf_str(&before), buf_str(&after)));
	expect_ok(report(owner, "dev-1", 2, &e), &e);
	serving_stop(&server);
}

void attack_report_unknown_ecu(struct bed *b)
{
	struct node owner;

	begin(b, &owner);
	play(b, &owner, NULL);
}

void attack_report_signed_by_other_ecu(struct bed *b)
{
	struct node owner, forger;

	begin(b, &owner);
	forge(&forger);
	play(b, &owner, &forger);
}

void attack_report_of_other_vehicle_over_valid_mtls(struct bed *b)
{
	struct node owner, other;

	begin(b, &owner);
	enrol(&other, "dev-2");
	play(b, &owner, &other);
}
