/* Every route of the real server over loopback: what it answers, and what it refuses. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "proto/trust/timetoken.h"
#include "proto/trust/verify.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "tests/lib/serving.h"

static struct serving server;
static struct paper toy1, toy2;

static int start(void **state)
{
	(void)state;
	serving_start(&server, "[device]\npoll_after = 7s\n");
	paper_sign("toy-1", 1, NULL, time(NULL), &toy1);
	serving_publish(&server, &toy1);
	paper_sign("toy-2", 2, "toy-1", time(NULL), &toy2);
	serving_publish(&server, &toy2);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	serving_stop(&server);
	paper_fini(&toy1);
	paper_fini(&toy2);
	return 0;
}

static json_t *parsed(const struct answer *a)
{
	struct err e;
	json_t *j;

	expect_ok(json_read(buf_str(&a->body), 1 << 20, &j, &e), &e);
	return j;
}

static json_t *get(const char *path)
{
	ANSWER_AUTO a;

	ask_ok(&server, "GET", path, NULL, &a);
	return parsed(&a);
}

static const char *text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "";
}

static void report(const char *device, unsigned seq, const char *more)
{
	char path[96];
	BUF_AUTO body = {0};
	ANSWER_AUTO a;

	snprintf(path, sizeof path, "/v1/devices/%s/reports", device);
	buf_addf(&body, "{\"format\": 1, \"seq\": %u, \"at_ms\": 1, %s}", seq, more);
	ask_ok(&server, "POST", path, buf_cstr(&body), &a);
}

/* ---- what is refused ---- */

#define POLICY                                                                                     \
	"{\"format\": 1, \"name\": \"p\", \"max_failures\": 0,"                                    \
	" \"waves\": [{\"name\": \"all\", \"count\": 9}]}"
#define CAMPAIGN(id, release, selector, policy)                                                    \
	"{\"id\": \"" id "\", \"release\": \"" release "\", \"selector\": " selector               \
	", \"policy\": " policy "}"

#define TELEMETRY(seq, counters, more)                                                             \
	"{\"format\": 1, \"epoch\": \"00000000000000aa\", \"items\": [{\"seq\": " seq              \
	", \"at_ms\": 1, \"span_ms\": 60000, \"kind\": \"window\", \"layer\": \"inference\","      \
	" \"counters\": {" counters "}}]" more "}"

static const struct {
	const char *method, *path, *body;
	bool operator;
	int status;
	const char *error, *piece;
} refusals[] = {
	/* who may ask */
	{"GET", "/v1/devices", NULL, false, 403, "denied", "token"},
	{"POST", "/v1/campaigns", "{}", false, 403, "denied", "token"},
	{"GET", "/v1/audit", NULL, false, 403, "denied", "token"},
	{"GET", "/nowhere", NULL, true, 404, "not_found", "no such path"},
	{"DELETE", "/v1/devices", NULL, true, 404, "not_found", "method"},
	/* reports */
	{"POST", "/v1/devices/a%20b/reports", "{}", false, 400, "bad_input", "device"},
	{"POST", "/v1/devices/a/reports", "", false, 400, "bad_input", NULL},
	{"POST", "/v1/devices/a/reports", "{", false, 400, "bad_input", NULL},
	{"POST", "/v1/devices/a/reports", "{\"format\": 1, \"seq\": 1, \"seq\": 2}", false, 400,
		"bad_input", NULL},
	{"POST", "/v1/devices/a/reports",
		"{\"format\": 1, \"seq\": 1, \"at_ms\": 1, \"kind\": \"gossip\"}", false, 400,
		"bad_input", "kind"},
	/* telemetry */
	{"POST", "/v1/devices/nobody/telemetry", TELEMETRY("1", "", ""), false, 404, "not_found",
		"hello"},
	{"POST", "/v1/devices/a%20b/telemetry", TELEMETRY("1", "", ""), false, 400, "bad_input",
		"device"},
	{"POST", "/v1/devices/a/telemetry", "{}", false, 400, "bad_input", "format"},
	{"POST", "/v1/devices/a/telemetry", TELEMETRY("0", "", ""), false, 400, "bad_input", "seq"},
	{"POST", "/v1/devices/a/telemetry", TELEMETRY("1", "", ", \"more\": 1"), false, 400,
		"bad_input", "more"},
	{"GET", "/v1/devices/a/telemetry", NULL, false, 403, "denied", "token"},
	{"GET", "/v1/devices/nobody/telemetry", NULL, true, 404, "not_found", "nobody"},
	{"GET", "/v1/releases/toy-9/telemetry", NULL, true, 404, "not_found", "toy-9"},
	{"GET", "/v1/releases/toy-1/telemetry?by=price", NULL, true, 400, "bad_input", "stratum"},
	{"GET", "/v1/releases/toy-1/telemetry?hours=0", NULL, true, 400, "bad_input", "hours"},
	{"GET", "/v1/telemetry/events", NULL, false, 403, "denied", "token"},
	/* devices */
	{"GET", "/director/nobody/timestamp.json", NULL, false, 404, "not_found", "nobody"},
	{"GET", "/director/nobody/targets.json", NULL, false, 404, "not_found", NULL},
	{"GET", "/director/%2e%2e/timestamp.json", NULL, false, 400, "bad_input", "device"},
	{"GET", "/v1/devices/nobody", NULL, true, 404, "not_found", "nobody"},
	{"GET", "/v1/devices/nobody/history", NULL, true, 404, "not_found", "nobody"},
	/* files */
	{"GET", "/image/99.root.json", NULL, false, 404, "not_found", NULL},
	{"GET", "/image/root.txt", NULL, false, 404, "not_found", "no name"},
	{"GET", "/image/targets/toy/toy-1.json", NULL, false, 404, "not_found", NULL},
	{"GET", "/artifacts/short", NULL, false, 400, "bad_input", "sha256"},
	{"GET", "/artifacts/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", NULL,
		false, 404, "not_found", NULL},
	{"PUT", "/v1/artifacts/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		"not abc", true, 409, "altered", "digest"},
	{"PUT", "/v1/artifacts/short", "x", true, 400, "bad_input", "sha256"},
	/* releases */
	{"POST", "/v1/releases", "[]", true, 400, "bad_input", "object"},
	{"POST", "/v1/releases", "{\"pathe\": 1}", true, 400, "bad_input", "path"},
	{"POST", "/v1/releases", "{\"path\": \"a/b.json\", \"document\": {}, \"roles\": {}}", true,
		400, "bad_input", "document"},
	{"POST", "/v1/releases", "{\"path\": \"a/b.json\", \"document\": \"{}\", \"roles\": {}}",
		true, 400, "bad_input", NULL},
	{"GET", "/v1/releases/toy-9", NULL, true, 404, "not_found", "toy-9"},
	/* campaigns */
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-9", "{\"all\": true}", POLICY), true, 404,
		"not_found", "toy-9"},
	{"POST", "/v1/campaigns", CAMPAIGN("c d", "toy-2", "{\"all\": true}", POLICY), true, 400,
		"bad_input", "id"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{}", POLICY), true, 400, "bad_input",
		"selector"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{\"all\": false}", POLICY), true, 400,
		"bad_input", "nothing"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{\"labels\": {}}", POLICY), true, 400,
		"bad_input", "labels"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{\"labels\": {\"a\": 1}}", POLICY), true,
		400, "bad_input", "labels.a"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{\"devices\": [\"a\", \"a\"]}", POLICY),
		true, 400, "bad_input", "twice"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{\"devices\": [1]}", POLICY), true, 400,
		"bad_input", "devices[0]"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{\"all\": true, \"x\": 1}", POLICY), true,
		400, "bad_input", "selector"},
	{"POST", "/v1/campaigns", CAMPAIGN("c", "toy-2", "{\"all\": true}", "{\"format\": 1}"),
		true, 400, "bad_input", "policy"},
	{"GET", "/v1/campaigns/none", NULL, true, 404, "not_found", "none"},
	{"GET", "/v1/campaigns/none/devices", NULL, true, 404, "not_found", "none"},
	{"POST", "/v1/campaigns/none/orders", "{\"order\": \"start\"}", true, 404, "not_found",
		"none"},
	{"POST", "/v1/campaigns/none/orders", "{\"order\": \"ask\"}", true, 400, "bad_input",
		"order"},
	{"POST", "/v1/campaigns/none/orders", "{\"order\": \"halt\"}", true, 400, "bad_input",
		"reason"},
	{"GET", "/v1/audit?after=x", NULL, true, 400, "bad_input", "after"},
};

static void what_is_wrong_is_refused_with_its_name(void **state)
{
	JSON_AUTO *before = get("/v1/audit"), *after = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct str body = str_of(refusals[i].body ? refusals[i].body : "");
		JSON_AUTO *j = NULL;
		ANSWER_AUTO a;

		ask(&server, refusals[i].method, refusals[i].path, refusals[i].body ? &body : NULL,
			refusals[i].operator? server.token : NULL, NULL, &a);
		if (a.status != refusals[i].status)
			fail_msg("%s %s: %d %s", refusals[i].method, refusals[i].path, a.status,
				buf_cstr(&a.body));
		j = parsed(&a);
		expect_text(text(j, "error"), refusals[i].error);
		if (refusals[i].piece && !strstr(text(j, "reason"), refusals[i].piece))
			fail_msg("%s %s: %s", refusals[i].method, refusals[i].path,
				text(j, "reason"));
	}
	after = get("/v1/audit");
	assert_true(json_equal(before, after));
}

static void a_wrong_token_is_no_token(void **state)
{
	static const char *const tokens[] = {"", "x", "0000", NULL};

	(void)state;
	for (size_t i = 0; tokens[i]; i++) {
		ANSWER_AUTO a;

		ask(&server, "GET", "/v1/devices", NULL, tokens[i], NULL, &a);
		assert_int_equal(a.status, 403);
	}
	for (size_t i = 0; i < strlen(server.token); i += 9) {
		char wrong[80];
		ANSWER_AUTO a;

		memcpy(wrong, server.token, sizeof wrong);
		wrong[i] ^= 1;
		ask(&server, "GET", "/v1/devices", NULL, wrong, NULL, &a);
		assert_int_equal(a.status, 403);
	}
}

/* ---- what is answered ---- */

static json_t *first_part(const json_t *answer)
{
	return json_array_get(json_object_get(answer, "parts"), 0);
}

static void telemetry_is_answered_with_how_far_it_is_stored(void **state)
{
	JSON_AUTO *ack = NULL, *again = NULL, *sums = NULL, *items = NULL;
	ANSWER_AUTO one, two;

	(void)state;
	report("counter", 1, "\"kind\": \"hello\", \"hardware\": \"edge\"");
	ask_ok(&server, "POST", "/v1/devices/counter/telemetry",
		TELEMETRY("3", "\"requests\": 40", ""), &one);
	ack = parsed(&one);
	assert_int_equal(json_integer_value(json_object_get(ack, "seq")), 3);
	expect_text(text(ack, "epoch"), "00000000000000aa");
	ask_ok(&server, "POST", "/v1/devices/counter/telemetry",
		TELEMETRY("3", "\"requests\": 40", ""), &two);
	again = parsed(&two);
	assert_true(json_equal(ack, again));
	sums = get("/v1/releases/none/telemetry?by=stratum");
	expect_text(text(first_part(sums), "key"), "edge");
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(first_part(sums), "counters"), "requests")),
		40);
	items = get("/v1/devices/counter/telemetry");
	assert_int_equal(json_array_size(json_object_get(items, "windows")), 1);
	assert_int_equal(json_array_size(json_object_get(items, "events")), 0);
}

static void a_poll_that_knows_the_newest_is_answered_without_it(void **state)
{
	ANSWER_AUTO first, again, other;

	(void)state;
	report("poller", 1, "\"kind\": \"hello\", \"hardware\": \"edge\", \"state\": \"idle\"");
	ask(&server, "GET", "/director/poller/timestamp.json", NULL, NULL, NULL, &first);
	assert_int_equal(first.status, 200);
	assert_int_equal(first.retry_after, 7);
	assert_true(first.etag[0] == '"' && first.body.n > 100);
	ask(&server, "GET", "/director/poller/timestamp.json", NULL, NULL, first.etag, &again);
	assert_int_equal(again.status, 304);
	assert_int_equal(again.body.n, 0);
	ask(&server, "GET", "/director/poller/timestamp.json", NULL, NULL, "\"else\"", &other);
	assert_int_equal(other.status, 200);
	assert_true(str_eq(buf_str(&first.body), buf_str(&other.body)));
}

/* Is that the timestamp's version? */
static int meta_version(struct str bytes, uint64_t want, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	TRY(meta_parse(bytes, ROLE_TIMESTAMP, LIMIT_TIMESTAMP_BYTES, &m, e));
	return m.version == want ? 0 : err_set(e, ERR_MIXED, "another version");
}

#define NONCE "00112233445566778899aabbccddeeff"

static void what_time_it_is_is_signed_for_who_asks(void **state)
{
	CLEANUP(trusted_fini) struct trusted_set set;
	ANSWER_AUTO root, timestamp, token, odd, unknown;
	struct dev_id dev = {"clockless"};
	struct timetoken got;
	struct err e;

	(void)state;
	report(dev.s, 1, "\"kind\": \"hello\", \"hardware\": \"toy\", \"state\": \"idle\"");
	ask(&server, "GET", "/director/clockless/1.root.json", NULL, NULL, NULL, &root);
	trusted_init(&set, time(NULL));
	expect_ok(trusted_load_root(&set, buf_str(&root.body), &e), &e);
	ask(&server, "GET", "/director/clockless/time/" NONCE, NULL, NULL, NULL, &token);
	assert_int_equal(token.status, 200);
	expect_ok(timetoken_verify(&set.root, buf_str(&token.body), &dev, NONCE, &got, &e), &e);
	assert_in_range(got.time_s, time(NULL) - 60, time(NULL));
	ask(&server, "GET", "/director/clockless/timestamp.json", NULL, NULL, NULL, &timestamp);
	expect_ok(meta_version(buf_str(&timestamp.body), got.timestamp, &e), &e);
	ask(&server, "GET", "/director/clockless/time/0011", NULL, NULL, NULL, &odd);
	assert_int_equal(odd.status, 400);
	ask(&server, "GET", "/director/nobody/time/" NONCE, NULL, NULL, NULL, &unknown);
	assert_int_equal(unknown.status, 404);
}

static void metadata_and_documents_are_served_by_version_and_digest(void **state)
{
	static const char *const files[] = {"root.json", "1.root.json", "timestamp.json",
		"snapshot.json", "targets.json", "1.targets.json", "3.engineering.json",
		"safety.json", "compliance.json"};
	char hex[SHA256_TEXT], path[160];
	struct sha256 digest;
	ANSWER_AUTO document;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		ANSWER_AUTO a;

		snprintf(path, sizeof path, "/image/%s", files[i]);
		ask(&server, "GET", path, NULL, NULL, NULL, &a);
		if (a.status != 200)
			fail_msg("%s: %d", path, a.status);
	}
	paper_digest("toy-1", &digest);
	sha256_format(&digest, hex);
	snprintf(path, sizeof path, "/image/targets/toy/%s.toy-1.json", hex);
	ask(&server, "GET", path, NULL, NULL, NULL, &document);
	assert_int_equal(document.status, 200);
	assert_true(str_eq(buf_str(&document.body), buf_str(&toy1.document)));
	answer_fini(&document);
	snprintf(path, sizeof path, "/image/targets/other/%s.toy-1.json", hex);
	ask(&server, "GET", path, NULL, NULL, NULL, &document);
	assert_int_equal(document.status, 404);
}

static void an_artifact_comes_back_as_it_was_sent(void **state)
{
	char hex[SHA256_TEXT], path[160];
	struct str bytes = buf_str(&toy1.artifact);
	ANSWER_AUTO got, again;

	(void)state;
	sha256_format(&toy1.artifact_digest, hex);
	snprintf(path, sizeof path, "/artifacts/%s", hex);
	ask(&server, "GET", path, NULL, NULL, NULL, &got);
	assert_int_equal(got.status, 200);
	assert_true(str_eq(buf_str(&got.body), bytes));
	snprintf(path, sizeof path, "/v1/artifacts/%s", hex);
	ask(&server, "PUT", path, &bytes, server.token, NULL, &again);
	assert_int_equal(again.status, 200);
}

static void a_release_is_published_once(void **state)
{
	BUF_AUTO body = {0}, changed = {0};
	JSON_AUTO *j = NULL, *list = get("/v1/releases"), *one = get("/v1/releases/toy-1");
	ANSWER_AUTO again, refused;
	struct str text_of;
	char *at;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(list, "releases")), 2);
	expect_text(text(one, "path"), "toy/toy-1.json");
	assert_true(str_is(buf_str(&toy1.document), text(one, "document")));
	paper_body(&toy2, &body);
	ask_ok(&server, "POST", "/v1/releases", buf_cstr(&body), &again);
	j = parsed(&again);
	assert_true(json_is_false(json_object_get(j, "new")));
	/* one blank more in the document */
	buf_add(&changed, body.p, body.n);
	at = strstr((char *)(uintptr_t)buf_cstr(&changed), "\\\"format\\\": 1");
	assert_non_null(at);
	memcpy(at, "\\\"format\\\":1 ", strlen("\\\"format\\\":1 "));
	text_of = buf_str(&changed);
	ask(&server, "POST", "/v1/releases", &text_of, server.token, NULL, &refused);
	assert_int_equal(refused.status, 409);
	assert_non_null(strstr(buf_cstr(&refused.body), "another content"));
}

/* A release is refused unless everybody has signed this document, and its bytes are here. */
static void a_release_needs_all_signatures_and_its_artifact(void **state)
{
	struct paper toy3 CLEANUP(paper_fini);
	struct str role;
	ANSWER_AUTO no_artifact, no_safety, good;
	BUF_AUTO body = {0};
	JSON_AUTO *j = NULL;

	(void)state;
	paper_sign("toy-3", 3, "toy-2", time(NULL), &toy3);
	paper_body(&toy3, &body);
	role = buf_str(&body);
	ask(&server, "POST", "/v1/releases", &role, server.token, NULL, &no_artifact);
	assert_int_equal(no_artifact.status, 404);
	assert_non_null(strstr(buf_cstr(&no_artifact.body), "artifact"));
	{
		struct err e;
		BUF_AUTO less = {0};
		struct str artifact = buf_str(&toy3.artifact);
		char hex[SHA256_TEXT], path[128];
		ANSWER_AUTO put;

		sha256_format(&toy3.artifact_digest, hex);
		snprintf(path, sizeof path, "/v1/artifacts/%s", hex);
		ask(&server, "PUT", path, &artifact, server.token, NULL, &put);
		assert_int_equal(put.status, 200);
		expect_ok(json_read(buf_str(&body), body.n, &j, &e), &e);
		json_object_del(json_object_get(j, "roles"), "safety");
		json_write(j, &less);
		role = buf_str(&less);
		ask(&server, "POST", "/v1/releases", &role, server.token, NULL, &no_safety);
		assert_int_equal(no_safety.status, 403);
	}
	assert_non_null(strstr(buf_cstr(&no_safety.body), "safety"));
	ask_ok(&server, "POST", "/v1/releases", buf_cstr(&body), &good);
}

static void a_campaign_is_made_and_goes_its_way(void **state)
{
	static const char campaign[] =
		CAMPAIGN("spring", "toy-2", "{\"labels\": {\"line\": \"north\"}}", POLICY);
	char digest[SHA256_TEXT], more[300];
	struct sha256 document;
	JSON_AUTO *c = NULL, *devices = NULL, *history = NULL, *one = NULL;
	ANSWER_AUTO made, again, started, poll, paused, refused;
	struct str again_body = str_of(campaign), start_body = STR("{\"order\": \"start\"}");

	(void)state;
	paper_digest("toy-1", &document);
	sha256_format(&document, digest);
	snprintf(more, sizeof more,
		"\"kind\": \"hello\", \"hardware\": \"edge\", \"state\": \"idle\", \"running\":"
		" \"toy-1\", \"running_digest\": \"%s\", \"labels\": \"line=north,site=x\"",
		digest);
	report("lane-1", 1, more);
	report("lane-2", 1, "\"kind\": \"hello\", \"hardware\": \"edge\", \"state\": \"idle\"");
	ask(&server, "POST", "/v1/campaigns", &again_body, server.token, NULL, &made);
	assert_int_equal(made.status, 201);
	ask(&server, "POST", "/v1/campaigns", &again_body, server.token, NULL, &again);
	assert_int_equal(again.status, 200);
	ask_ok(&server, "POST", "/v1/campaigns/spring/orders", start_body.p, &started);
	c = parsed(&started);
	expect_text(text(c, "phase"), "first");
	expect_text(text(c, "release"), "toy-2");
	assert_int_equal(json_integer_value(json_object_get(c, "recipients")), 1);
	assert_int_equal(json_array_size(json_object_get(c, "waves")), 1);
	ask(&server, "GET", "/director/lane-1/timestamp.json", NULL, NULL, NULL, &poll);
	assert_int_equal(poll.status, 200);
	devices = get("/v1/campaigns/spring/devices");
	expect_text(
		text(json_array_get(json_object_get(devices, "devices"), 0), "state"), "admitted");
	ask_ok(&server, "POST", "/v1/campaigns/spring/orders",
		"{\"order\": \"pause\", \"reason\": \"lunch\", \"who\": \"ann\"}", &paused);
	ask(&server, "POST", "/v1/campaigns/spring/orders",
		&STR("{\"order\": \"start\", \"sooner\": true}"), server.token, NULL, &refused);
	assert_int_equal(refused.status, 400);
	report("lane-1", 2,
		"\"kind\": \"outcome\", \"state\": \"reverted\", \"code\": \"triggered\", \"cause\":"
		" \"latency\", \"text\": \"too slow\", \"dossier\": {\"p99\": 7}");
	one = get("/v1/devices/lane-1");
	expect_text(text(one, "cause"), "latency");
	history = get("/v1/devices/lane-1/history?last=1");
	expect_text(
		text(json_array_get(json_object_get(history, "reports"), 0), "text"), "too slow");
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(
				json_array_get(json_object_get(history, "reports"), 0), "dossier"),
			"p99")),
		7);
}

/* The signed part of a metadata file. */
static json_t *signed_of(const char *file)
{
	JSON_AUTO *doc = json_loads(file ? file : "", 0, NULL);

	return json_incref(json_object_get(doc, "signed"));
}

/* Of a file whose version stands in its name. */
static json_t *carried(const json_t *files, const char *end)
{
	const char *path;
	json_t *one;

	json_object_foreach ((json_t *)files, path, one) {
		if (strstr(path, end))
			return signed_of(json_string_value(one));
	}
	fail_msg("no file %s", end);
	return NULL;
}

static json_int_t version_served(void)
{
	ANSWER_AUTO a;
	JSON_AUTO *part = NULL;

	ask(&server, "GET", "/director/lane-1/timestamp.json", NULL, NULL, NULL, &a);
	part = signed_of(buf_cstr(&a.body));
	return json_integer_value(json_object_get(part, "version"));
}

static void an_update_is_signed_to_be_carried(void **state)
{
	JSON_AUTO *all = NULL, *stamp = NULL, *targets = NULL, *image = NULL;
	ANSWER_AUTO a, odd, idle, unknown;
	json_int_t before = version_served();
	char expires[32];
	int64_t s;

	(void)state;
	ask_ok(&server, "POST", "/v1/devices/lane-1/offline", "{\"days\": 60}", &a);
	all = parsed(&a);
	stamp = carried(json_object_get(all, "files"), "director/lane-1/timestamp.json");
	targets = carried(json_object_get(all, "files"), "director/lane-1/2.targets.json");
	image = carried(json_object_get(all, "files"), "image/timestamp.json");
	assert_true(
		json_is_true(json_object_get(json_object_get(targets, "x-backstay"), "offline")));
	assert_true(json_integer_value(json_object_get(stamp, "version")) > before);
	snprintf(expires, sizeof expires, "%s", text(image, "expires"));
	assert_int_equal(time_parse(str_of(expires), &s, NULL), 0);
	assert_in_range(s, time(NULL) + 59 * 86400, time(NULL) + 60 * 86400);
	assert_int_equal(json_object_size(json_object_get(all, "artifacts")), 1);
	assert_non_null(
		json_object_get(json_object_get(all, "files"), "director/lane-1/1.root.json"));
	/* What is served next is another, and newer. */
	assert_true(version_served() > json_integer_value(json_object_get(stamp, "version")));
	ask(&server, "POST", "/v1/devices/lane-1/offline", &STR("{\"days\": 0}"), server.token,
		NULL, &odd);
	assert_int_equal(odd.status, 400);
	ask(&server, "POST", "/v1/devices/poller/offline", &STR("{}"), server.token, NULL, &idle);
	assert_int_equal(idle.status, 409);
	ask(&server, "POST", "/v1/devices/nobody/offline", &STR("{}"), server.token, NULL,
		&unknown);
	assert_int_equal(unknown.status, 404);
}

static void the_audit_log_is_paged(void **state)
{
	JSON_AUTO *all = get("/v1/audit"), *last = get("/v1/audit?last=2"), *rest = NULL;
	json_t *rows = json_object_get(all, "rows");
	size_t n = json_array_size(rows);
	char path[64];

	(void)state;
	assert_true(n > 4);
	assert_int_equal(json_array_size(json_object_get(last, "rows")), 2);
	snprintf(path, sizeof path, "/v1/audit?after=%lld",
		json_integer_value(json_object_get(json_array_get(rows, n - 4), "n")));
	rest = get(path);
	assert_int_equal(json_array_size(json_object_get(rest, "rows")), 3);
	assert_true(json_equal(
		json_array_get(json_object_get(rest, "rows"), 2), json_array_get(rows, n - 1)));
}

static void health_and_metrics_are_for_everybody(void **state)
{
	ANSWER_AUTO health, metrics;

	(void)state;
	ask(&server, "GET", "/healthz", NULL, NULL, NULL, &health);
	assert_int_equal(health.status, 200);
	ask(&server, "GET", "/metrics", NULL, NULL, NULL, &metrics);
	assert_int_equal(metrics.status, 200);
	assert_non_null(strstr(buf_cstr(&metrics.body), "backstay_releases_published_total 3"));
	assert_non_null(strstr(buf_cstr(&metrics.body),
		"backstay_http_requests_total{method=\"GET\",route=\"/healthz\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_refused_with_its_name),
		cmocka_unit_test(a_wrong_token_is_no_token),
		cmocka_unit_test(telemetry_is_answered_with_how_far_it_is_stored),
		cmocka_unit_test(a_poll_that_knows_the_newest_is_answered_without_it),
		cmocka_unit_test(what_time_it_is_is_signed_for_who_asks),
		cmocka_unit_test(metadata_and_documents_are_served_by_version_and_digest),
		cmocka_unit_test(an_artifact_comes_back_as_it_was_sent),
		cmocka_unit_test(a_release_is_published_once),
		cmocka_unit_test(a_release_needs_all_signatures_and_its_artifact),
		cmocka_unit_test(a_campaign_is_made_and_goes_its_way),
		cmocka_unit_test(an_update_is_signed_to_be_carried),
		cmocka_unit_test(the_audit_log_is_paged),
		cmocka_unit_test(health_and_metrics_are_for_everybody),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
