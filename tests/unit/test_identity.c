/* Who devices are, over real TLS: the real server with certificates required, asked by the agent's
 * own HTTP client. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/ident/ident_key.h"
#include "agent/net/http.h"
#include "keys/device_ca.h"
#include "proto/wire/base64.h"
#include "lib/sys/clock.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "server/run/token.h"
#include "tests/lib/serving.h"

#define TLS "[http]\ntls_cert = tls/server.crt\ntls_key = tls/server.key\n"
#define CA  "device_ca = devices\n"

static struct serving server;

/* ---- a server's certificate, and another one for the same name ---- */

static void shell(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void make_tls(void)
{
	shell("mkdir -p tls && for n in server other; do openssl req -x509 -newkey ec -pkeyopt"
	      " ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$n -addext"
	      " subjectAltName=IP:127.0.0.1 -keyout tls/$n.key -out tls/$n.crt"
	      " 2>/dev/null; done");
}

static int start(void **state)
{
	struct err e;

	(void)state;
	make_tls();
	expect_ok(device_ca_create("devices", clock_system.wall(NULL) / 1000, &e), &e);
	serving_start(&server, CA TLS "[device]\nidentity = required\n");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	serving_stop(&server);
	return 0;
}

/* ---- a device ---- */

struct node {
	const char *id;
	struct buf key, cert; /* PEM */
};

static void node_fini(struct node *n)
{
	buf_fini(&n->key);
	buf_fini(&n->cert);
}
#define NODE_AUTO CLEANUP(node_fini) struct node

static void conf_of(const struct node *n, const char *bearer, struct http_conf *out)
{
	*out = (struct http_conf){.ca_file = "tls/server.crt"};
	snprintf(out->bearer, sizeof out->bearer, "%s", bearer ? bearer : "");
	if (n && n->cert.n) {
		out->cert_pem = buf_str(&n->cert);
		out->key_pem = buf_str(&n->key);
	}
}

static int call(const struct http_conf *c, const char *method, const char *path, const char *body,
	struct buf *out, struct err *e)
{
	struct http_answer a = {0};
	char url[256];
	int rc;

	snprintf(url, sizeof url, "https://127.0.0.1:%u%s", server.port, path);
	rc = body ? http_send(c, method, url, str_of(body), 1 << 20, NULL, &a, e)
		  : http_get(c, url, NULL, 1 << 20, NULL, &a, e);
	if (rc == 0)
		rc = http_check(&a, path, e);
	if (rc == 0 && out)
		buf_add(out, a.body.p, a.body.n);
	http_answer_fini(&a);
	return rc;
}

static int as_admin(const char *path, const char *body, struct buf *out, struct err *e)
{
	struct http_conf c;

	conf_of(NULL, server.token, &c);
	return call(&c, "POST", path, body, out, e);
}

static void invite(const char *id, const char *body, char out_token[TOKEN_TEXT])
{
	JSON_AUTO *j = NULL;
	BUF_AUTO answer = {0};
	char path[128];
	struct err e;

	snprintf(path, sizeof path, "/v1/devices/%s/invitation", id);
	expect_ok(as_admin(path, body, &answer, &e), &e);
	expect_ok(json_read(buf_str(&answer), 4096, &j, &e), &e);
	expect_ok(json_text(j, "answer", "token", out_token, TOKEN_TEXT, &e), &e);
}

/* Asks for a certificate for the node's key; takes it when it comes. */
static int ask_cert(struct node *n, const char *path, const struct http_conf *c, struct err *e)
{
	BUF_AUTO csr = {0}, text = {0}, answer = {0}, bundle = {0}, pem = {0};

	if (!n->key.n)
		TRY(ident_key_new(&n->key, e));
	TRY(ident_request(buf_str(&n->key), n->id, &csr, e));
	base64_encode(buf_str(&csr), &text);
	TRY(call(c, "POST", path, buf_cstr(&text), &answer, e));
	TRY(base64_decode(buf_str(&answer), &bundle, e));
	TRY(ident_answer(buf_str(&bundle), buf_str(&n->key), n->id, &pem, e));
	buf_clear(&n->cert);
	buf_add(&n->cert, pem.p, pem.n);
	return 0;
}

static int enrol(struct node *n, const char *token, struct err *e)
{
	struct http_conf c;

	conf_of(NULL, token, &c);
	return ask_cert(n, "/.well-known/est/simpleenroll", &c, e);
}

static int renew(struct node *n, struct err *e)
{
	BUF_AUTO cert = {0};
	struct http_conf c;
	int rc;

	conf_of(n, NULL, &c);
	buf_add(&cert, n->cert.p, n->cert.n);
	c.cert_pem = buf_str(&cert);
	rc = ask_cert(n, "/.well-known/est/simplereenroll", &c, e);
	return rc;
}

static void enrolled(struct node *n, const char *id)
{
	char token[TOKEN_TEXT];
	struct err e;

	*n = (struct node){.id = id};
	invite(id, "{}", token);
	expect_ok(enrol(n, token, &e), &e);
}

/* A hello of `id`, shown the node's certificate. */
static int hello(const struct node *n, const char *id, struct err *e)
{
	struct http_conf c;
	char path[128];

	conf_of(n, NULL, &c);
	snprintf(path, sizeof path, "/v1/devices/%s/reports", id);
	return call(&c, "POST", path,
		"{\"format\": 1, \"seq\": 1, \"at_ms\": 1, \"kind\": \"hello\", \"hardware\":"
		" \"edge\", \"state\": \"idle\"}",
		NULL, e);
}

static int poll(const struct node *n, const char *id, struct err *e)
{
	struct http_conf c;
	char path[128];

	conf_of(n, NULL, &c);
	snprintf(path, sizeof path, "/director/%s/timestamp.json", id);
	return call(&c, "GET", path, NULL, NULL, e);
}

static void revoke(const char *id)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof path, "/v1/devices/%s/revocation", id);
	expect_ok(as_admin(path, "{}", NULL, &e), &e);
}

/* ---- the tests ---- */

static void who_shows_nothing_is_refused(void **state)
{
	NODE_AUTO n = {.id = "bare"};
	struct err e;

	(void)state;
	expect_err(hello(NULL, "bare", &e), &e, ERR_DENIED, "no certificate", "hello");
	expect_err(poll(NULL, "bare", &e), &e, ERR_DENIED, "no certificate", "poll");
	expect_err(renew(&n, &e), &e, ERR_DENIED, NULL, "renewal");
}

static void who_enrols_is_let_in(void **state)
{
	NODE_AUTO n;
	struct http_conf c;
	struct err e;

	(void)state;
	enrolled(&n, "in");
	expect_ok(hello(&n, "in", &e), &e);
	expect_ok(poll(&n, "in", &e), &e);
	/* what is for everybody needs none */
	conf_of(NULL, NULL, &c);
	expect_ok(call(&c, "GET", "/image/timestamp.json", NULL, NULL, &e), &e);
	expect_ok(call(&c, "GET", "/.well-known/est/cacerts", NULL, NULL, &e), &e);
}

static void report_of_other_vehicle_over_valid_mtls(void **state)
{
	NODE_AUTO one, two;
	struct err e;

	(void)state;
	enrolled(&one, "one");
	enrolled(&two, "two");
	expect_ok(hello(&one, "one", &e), &e);
	expect_err(hello(&one, "two", &e), &e, ERR_WRONG_DEVICE, "one", "hello");
	expect_err(poll(&one, "two", &e), &e, ERR_WRONG_DEVICE, "one", "poll");
	expect_err(hello(&one, "three", &e), &e, ERR_WRONG_DEVICE, "one", "nobody's");
	expect_ok(hello(&two, "two", &e), &e);
}

static void an_invitation_is_good_once(void **state)
{
	NODE_AUTO first = {.id = "once"}, thief = {.id = "once"};
	BUF_AUTO got = {0};
	char token[TOKEN_TEXT];
	struct err e;

	(void)state;
	invite("once", "{}", token);
	expect_ok(enrol(&first, token, &e), &e);
	expect_err(enrol(&thief, token, &e), &e, ERR_DENIED, "has been used", "another key");
	/* the answer was lost: the same key gets the same certificate */
	buf_add(&got, first.cert.p, first.cert.n);
	expect_ok(enrol(&first, token, &e), &e);
	expect_text(buf_cstr(&first.cert), buf_cstr(&got));
	revoke("once");
	expect_err(enrol(&first, token, &e), &e, ERR_DENIED, NULL, "revoked");
}

static void a_wrong_invitation_changes_nothing(void **state)
{
	NODE_AUTO n = {.id = "guest"}, other = {.id = "host"};
	char token[TOKEN_TEXT], wrong[TOKEN_TEXT], old[TOKEN_TEXT], late[TOKEN_TEXT];
	struct err e;

	(void)state;
	invite("guest", "{}", old);
	invite("guest", "{}", token);
	expect_err(enrol(&n, "", &e), &e, ERR_DENIED, NULL, "none");
	expect_err(enrol(&n, server.token, &e), &e, ERR_DENIED, NULL, "a person's");
	expect_err(enrol(&n, old, &e), &e, ERR_DENIED, NULL, "replaced");
	memcpy(wrong, token, sizeof wrong);
	wrong[strlen(wrong) - 1] ^= 1;
	expect_err(enrol(&n, wrong, &e), &e, ERR_DENIED, NULL, "one digit");
	expect_err(enrol(&other, token, &e), &e, ERR_WRONG_DEVICE, "host", "another's request");
	expect_ok(enrol(&n, token, &e), &e);
	invite("late", "{\"life_ms\": 1}", late);
	n.id = "late";
	expect_err(enrol(&n, late, &e), &e, ERR_EXPIRED, "late", "too late");
}

static void a_bad_body_is_refused(void **state)
{
	static const struct {
		const char *body;
		enum err_code code;
	} t[] = {
		{"", ERR_BAD_INPUT},
		{"x", ERR_BAD_INPUT},
		{"MIIB", ERR_BAD_INPUT},
		{"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----",
			ERR_BAD_INPUT},
		{"{\"csr\": 1}", ERR_BAD_INPUT},
	};
	char token[TOKEN_TEXT];
	BUF_AUTO large = {0};
	struct http_conf c;
	struct err e;

	(void)state;
	invite("bad", "{}", token);
	conf_of(NULL, token, &c);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		expect_err(call(&c, "POST", "/.well-known/est/simpleenroll", t[i].body, NULL, &e),
			&e, t[i].code, NULL, t[i].body);
	while (large.n <= LIMIT_ENROLL_BYTES)
		buf_add_char(&large, 'A');
	expect_err(call(&c, "POST", "/.well-known/est/simpleenroll", buf_cstr(&large), NULL, &e),
		&e, ERR_TOO_LARGE, NULL, "large");
}

/* The authority's key was stolen: what it signs is not in the store. */
static void a_certificate_that_was_not_issued_here_is_refused(void **state)
{
	static const char *const dirs[] = {"devices", "strangers"};
	int64_t now_s = clock_system.wall(NULL) / 1000;
	struct err e;

	(void)state;
	expect_ok(device_ca_create("strangers", now_s, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct csr csr CLEANUP(csr_fini) = {.pkey = NULL};
		CLEANUP(device_ca_close) struct device_ca *ca = NULL;
		BUF_AUTO der = {0}, cert = {0}, bundle = {0};
		NODE_AUTO n = {.id = "forged"};
		struct str certs[1];

		expect_ok(device_ca_open(dirs[i], &ca, &e), &e);
		expect_ok(ident_key_new(&n.key, &e), &e);
		expect_ok(ident_request(buf_str(&n.key), n.id, &der, &e), &e);
		expect_ok(csr_decode(buf_str(&der), &csr, &e), &e);
		expect_ok(device_ca_issue(ca, &csr, now_s, now_s + 1000, &cert, &e), &e);
		certs[0] = buf_str(&cert);
		expect_ok(device_ca_bundle(certs, 1, &bundle, &e), &e);
		expect_ok(ident_answer(buf_str(&bundle), buf_str(&n.key), n.id, &n.cert, &e), &e);
		expect_err(hello(&n, "forged", &e), &e, ERR_DENIED, NULL, dirs[i]);
		expect_err(renew(&n, &e), &e, ERR_DENIED, NULL, dirs[i]);
	}
}

static void renewing_keeps_the_old_one_until_it_ends(void **state)
{
	NODE_AUTO n, before = {.id = "renews"};
	struct err e;

	(void)state;
	enrolled(&n, "renews");
	buf_add(&before.key, n.key.p, n.key.n);
	buf_add(&before.cert, n.cert.p, n.cert.n);
	expect_ok(renew(&n, &e), &e);
	assert_string_not_equal(buf_cstr(&n.cert), buf_cstr(&before.cert));
	expect_ok(hello(&before, "renews", &e), &e);
	expect_ok(hello(&n, "renews", &e), &e);
	/* the third makes the first invalid */
	expect_ok(renew(&n, &e), &e);
	expect_err(hello(&before, "renews", &e), &e, ERR_REVOKED, "newer", "the first");
	before.id = "somebody";
	buf_clear(&before.cert);
	buf_add(&before.cert, n.cert.p, n.cert.n);
	expect_err(renew(&before, &e), &e, ERR_WRONG_DEVICE, "somebody", "another's request");
}

static void a_revoked_device_is_refused_until_it_is_invited(void **state)
{
	NODE_AUTO n, fresh;
	struct err e;

	(void)state;
	enrolled(&n, "bad-one");
	expect_ok(poll(&n, "bad-one", &e) == 0 || e.code == ERR_NOT_FOUND ? 0 : -1, &e);
	revoke("bad-one");
	expect_err(hello(&n, "bad-one", &e), &e, ERR_REVOKED, "admin", "hello");
	expect_err(poll(&n, "bad-one", &e), &e, ERR_REVOKED, NULL, "poll");
	expect_err(renew(&n, &e), &e, ERR_REVOKED, NULL, "renewal");
	enrolled(&fresh, "bad-one");
	expect_ok(hello(&fresh, "bad-one", &e), &e);
	expect_err(hello(&n, "bad-one", &e), &e, ERR_REVOKED, NULL, "the old one");
	expect_err(as_admin("/v1/devices/nobody/revocation", "{}", NULL, &e), &e, ERR_NOT_FOUND,
		"nobody", "nobody");
}

static void eavesdrop_tls_wrong_ca(void **state)
{
	struct http_conf c;
	struct err e;

	(void)state;
	conf_of(NULL, NULL, &c);
	snprintf(c.ca_file, sizeof c.ca_file, "tls/other.crt");
	expect_err(call(&c, "GET", "/healthz", NULL, NULL, &e), &e, ERR_IMPOSTOR, NULL, "CA");
	c.ca_file[0] = 0; /* the system's do not vouch for it either */
	expect_err(call(&c, "GET", "/healthz", NULL, NULL, &e), &e, ERR_IMPOSTOR, NULL, "system");
}

static void eavesdrop_tls_wrong_name(void **state)
{
	struct http_answer a = {0};
	struct http_conf c;
	char url[64];
	struct err e;

	(void)state;
	conf_of(NULL, NULL, &c);
	snprintf(url, sizeof url, "https://localhost:%u/healthz", server.port);
	expect_err(http_get(&c, url, NULL, 4096, NULL, &a, &e), &e, ERR_IMPOSTOR, NULL, "name");
}

/* The server's certificate has ended, as it seems to a device whose clock was never set. */
static void tls_before_time(void **state)
{
	struct serving ended;
	struct http_answer a = {0};
	struct http_conf c;
	char url[64];
	struct err e;

	(void)state;
	shell("openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ended"
	      " -addext subjectAltName=IP:127.0.0.1 -keyout tls/ended.key -out tls/ended.csr"
	      " 2>/dev/null && openssl x509 -req -in tls/ended.csr -signkey tls/ended.key -days -1"
	      " -copy_extensions copy -out tls/ended.crt 2>/dev/null");
	serving_stop(&server);
	serving_start(&ended, "[http]\ntls_cert = tls/ended.crt\ntls_key = tls/ended.key\n");
	conf_of(NULL, NULL, &c);
	snprintf(c.ca_file, sizeof c.ca_file, "tls/ended.crt");
	snprintf(url, sizeof url, "https://127.0.0.1:%u/healthz", ended.port);
	expect_err(
		http_get(&c, url, NULL, 4096, NULL, &a, &e), &e, ERR_IMPOSTOR, "expired", "ended");
	/* by a clock that is before the program was built */
	c.built_s = INT64_MAX;
	expect_ok(http_get(&c, url, NULL, 4096, NULL, &a, &e), &e);
	http_answer_fini(&a);
	/* chain and name count as always */
	snprintf(c.ca_file, sizeof c.ca_file, "tls/other.crt");
	expect_err(http_get(&c, url, NULL, 4096, NULL, &a, &e), &e, ERR_IMPOSTOR, NULL, "CA");
	snprintf(c.ca_file, sizeof c.ca_file, "tls/ended.crt");
	snprintf(url, sizeof url, "https://localhost:%u/healthz", ended.port);
	expect_err(http_get(&c, url, NULL, 4096, NULL, &a, &e), &e, ERR_IMPOSTOR, NULL, "name");
	serving_stop(&ended);
	serving_start(&server, CA TLS "[device]\nidentity = required\n");
}

static int s_client(const char *how)
{
	char command[256];

	snprintf(command, sizeof command,
		"openssl s_client -connect 127.0.0.1:%u -CAfile tls/server.crt"
		" -verify_return_error %s </dev/null >/dev/null 2>&1",
		server.port, how);
	return system(command);
}

static void tls_is_1_2_at_least(void **state)
{
	(void)state;
	assert_int_equal(s_client("-tls1_3"), 0);
	assert_int_equal(s_client("-tls1_2"), 0);
	assert_int_not_equal(s_client("-tls1_1 -cipher DEFAULT@SECLEVEL=0"), 0);
	assert_int_not_equal(s_client("-tls1 -cipher DEFAULT@SECLEVEL=0"), 0);
	assert_int_not_equal(s_client("-tls1_2 -cipher AES128-SHA@SECLEVEL=0"), 0);
}

/* ---- other servers ---- */

/* A second is the shortest life; the device asks until it is over. */
static void an_ended_certificate_renews_and_does_nothing_else(void **state)
{
	time_t began = time(NULL);
	NODE_AUTO n;
	struct err e;
	int rc;

	(void)state;
	serving_stop(&server);
	serving_start(&server, CA TLS "[device]\nidentity = required\ncertificate_life = 2s\n"
				      "certificate_grace = 1h\n[limits]\ndevice_rate = 0\n");
	enrolled(&n, "ends");
	do {
		rc = hello(&n, "ends", &e);
	} while (rc == 0 && time(NULL) < began + 60);
	expect_err(rc, &e, ERR_EXPIRED, "ends", "hello");
	expect_err(poll(&n, "ends", &e), &e, ERR_EXPIRED, "ends", "poll");
	expect_ok(renew(&n, &e), &e);
	serving_stop(&server);
	serving_start(&server, CA TLS "[device]\nidentity = required\ncertificate_life = 1s\n"
				      "certificate_grace = 0s\n[limits]\ndevice_rate = 0\n");
	do {
		rc = hello(&n, "ends", &e);
	} while (rc == 0 && time(NULL) < began + 60);
	expect_err(renew(&n, &e), &e, ERR_EXPIRED, "invited", "no grace");
}

static void where_it_is_optional_who_has_enrolled_must_show_it(void **state)
{
	NODE_AUTO n;
	struct err e;

	(void)state;
	serving_stop(&server);
	serving_start(&server, CA TLS);
	expect_ok(hello(NULL, "plain", &e), &e);
	enrolled(&n, "fancy");
	expect_ok(hello(&n, "fancy", &e), &e);
	expect_err(hello(NULL, "fancy", &e), &e, ERR_DENIED, "shows no certificate", "bare");
	expect_err(hello(&n, "plain", &e), &e, ERR_WRONG_DEVICE, NULL, "foreign");
	revoke("fancy");
	expect_err(hello(NULL, "fancy", &e), &e, ERR_REVOKED, NULL, "bare, revoked");
}

static void without_an_authority_there_is_no_enrolment(void **state)
{
	NODE_AUTO n = {.id = "early"};
	struct err e;

	(void)state;
	serving_stop(&server);
	serving_start(&server, TLS);
	expect_err(as_admin("/v1/devices/early/invitation", "{}", NULL, &e), &e, ERR_CONFLICT,
		"device_ca", "invitation");
	expect_err(enrol(&n, "early~00", &e), &e, ERR_CONFLICT, NULL, "enrolment");
	expect_ok(hello(NULL, "early", &e), &e);
}

static void a_flood_is_told_to_wait(void **state)
{
	struct http_answer a = {0};
	struct http_conf c;
	char url[96];
	struct err e;
	unsigned n = 0;

	(void)state;
	serving_stop(&server);
	serving_start(&server, TLS "[limits]\ndevice_rate = 1\ndevice_burst = 3\n");
	expect_ok(hello(NULL, "calm", &e), &e);
	while (hello(NULL, "noisy", &e) == 0 && n < 100)
		n++;
	assert_int_equal(e.code, ERR_TOO_OFTEN);
	assert_in_range(n, 3, 50);
	/* another device is not kept waiting */
	expect_ok(poll(NULL, "calm", &e), &e);
	conf_of(NULL, NULL, &c);
	snprintf(
		url, sizeof url, "https://127.0.0.1:%u/director/noisy/timestamp.json", server.port);
	do {
		http_answer_fini(&a);
		a = (struct http_answer){0};
		expect_ok(http_get(&c, url, NULL, 1 << 20, NULL, &a, &e), &e);
	} while (a.status != 429 && n++ < 1000);
	assert_int_equal(a.status, 429);
	assert_in_range(a.retry_after, 1000, 3000);
	http_answer_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_shows_nothing_is_refused),
		cmocka_unit_test(who_enrols_is_let_in),
		cmocka_unit_test(report_of_other_vehicle_over_valid_mtls),
		cmocka_unit_test(an_invitation_is_good_once),
		cmocka_unit_test(a_wrong_invitation_changes_nothing),
		cmocka_unit_test(a_bad_body_is_refused),
		cmocka_unit_test(a_certificate_that_was_not_issued_here_is_refused),
		cmocka_unit_test(renewing_keeps_the_old_one_until_it_ends),
		cmocka_unit_test(a_revoked_device_is_refused_until_it_is_invited),
		cmocka_unit_test(eavesdrop_tls_wrong_ca),
		cmocka_unit_test(eavesdrop_tls_wrong_name),
		cmocka_unit_test(tls_is_1_2_at_least),
		cmocka_unit_test(tls_before_time),
		cmocka_unit_test(an_ended_certificate_renews_and_does_nothing_else),
		cmocka_unit_test(where_it_is_optional_who_has_enrolled_must_show_it),
		cmocka_unit_test(without_an_authority_there_is_no_enrolment),
		cmocka_unit_test(a_flood_is_told_to_wait),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
