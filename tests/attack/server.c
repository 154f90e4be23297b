/* Attacks on the server: the real backstay-server, asked over HTTP. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/attack/attack.h"
#include "tests/lib/serving.h"

static struct serving server;

/* In the test's folder; toy-1 (counter 1) is published. */
static void begin(struct bed *b)
{
	struct paper p;

	bed_shell(b, "mkdir server");
	assert_int_equal(chdir(b->dir), 0);
	assert_int_equal(chdir("server"), 0);
	serving_start(&server, NULL);
	paper_sign("toy-1", 1, NULL, time(NULL), &p);
	serving_publish(&server, &p);
	paper_fini(&p);
}

/* The answer's error, which must be this one. */
static void note(struct bed *b, const struct answer *a, int status, enum err_code code)
{
	JSON_AUTO *j = json_loadb((const char *)a->body.p, a->body.n, 0, NULL);
	const char *name = json_string_value(json_object_get(j, "error"));
	const char *reason = json_string_value(json_object_get(j, "reason"));

	if (a->status != status || !name || strcmp(name, err_name(code)) != 0)
		fail_msg("wanted %d %s, got %d %.*s", status, err_name(code), a->status,
			(int)a->body.n, a->body.p);
	b->verdict.code = code;
	snprintf(b->verdict.text, sizeof b->verdict.text, "HTTP %d: %s", status,
		reason ? reason : "");
}

static json_t *get(const char *path)
{
	ANSWER_AUTO a;
	json_t *j;

	ask_ok(&server, "GET", path, NULL, &a);
	j = json_loadb((const char *)a.body.p, a.body.n, 0, NULL);
	assert_non_null(j);
	return j;
}

static void report(const char *device, unsigned seq, const char *more, int status)
{
	char path[96];
	BUF_AUTO body = {0};
	struct str text;
	ANSWER_AUTO a;

	snprintf(path, sizeof path, "/v1/devices/%s/reports", device);
	buf_addf(&body,
		"{\"format\": 1, \"seq\": %u, \"at_ms\": 1, \"agent\": \"0.1.0\", \"hardware\": \"edge\", %s}",
		seq, more);
	text = buf_str(&body);
	ask(&server, "POST", path, &text, NULL, NULL, &a);
	if (a.status != status)
		fail_msg("a report: %d %.*s", a.status, (int)a.body.n, a.body.p);
}

#define HELLO "\"kind\": \"hello\", \"state\": \"idle\""

static void campaign(const char *id, const char *release, unsigned silence_ms)
{
	char body[512], path[64];
	ANSWER_AUTO made, started;

	snprintf(body, sizeof body,
		"{\"id\": \"%s\", \"release\": \"%s\", \"selector\": {\"all\": true}, \"policy\": {\"format\": 1,"
		" \"name\": \"p\", \"first_alone\": false, \"max_failures\": 0, \"silence_ms\": %u,"
		" \"roll_back_on_abort\": false, \"waves\": [{\"name\": \"all\", \"count\": 9}]}}",
		id, release, silence_ms);
	ask_ok(&server, "POST", "/v1/campaigns", body, &made);
	snprintf(path, sizeof path, "/v1/campaigns/%s/orders", id);
	ask_ok(&server, "POST", path, "{\"order\": \"start\", \"reason\": \"test\"}", &started);
}

static void poll_as(const char *device, struct answer *out)
{
	char path[96];

	snprintf(path, sizeof path, "/director/%s/timestamp.json", device);
	ask(&server, "GET", path, NULL, NULL, NULL, out);
	assert_int_equal(out->status, 200);
}

/* What the campaign says of the device. */
static void recipient_state(const char *campaign_id, const char *device, char out[32])
{
	char path[96];
	JSON_AUTO *j = NULL;
	const json_t *one;
	size_t i;

	snprintf(path, sizeof path, "/v1/campaigns/%s/devices", campaign_id);
	j = get(path);
	out[0] = 0;
	json_array_foreach (json_object_get(j, "devices"), i, one) {
		const char *id = json_string_value(json_object_get(one, "id"));

		if (id && strcmp(id, device) == 0)
			snprintf(out, 32, "%s", json_string_value(json_object_get(one, "state")));
	}
}

static void expect_state(const char *campaign_id, const char *device, const char *want)
{
	char is[32];

	recipient_state(campaign_id, device, is);
	expect_text(is, want);
}

/* ---- reports ---- */

void attack_oversized_manifest_413(struct bed *b)
{
	JSON_AUTO *before = NULL, *after = NULL;
	BUF_AUTO body = {0};
	struct str text;
	ANSWER_AUTO a;

	begin(b);
	report("dev-1", 1, HELLO, 200);
	before = get("/v1/devices/dev-1/history");
	buf_add_str(&body, "{\"format\": 1, \"seq\": 2, \"kind\": \"hello\", \"text\": \"");
	while (body.n <= LIMIT_REPORT_BYTES)
		buf_add_str(&body, "and more and more ");
	buf_add_str(&body, "\"}");
	text = buf_str(&body);
	ask(&server, "POST", "/v1/devices/dev-1/reports", &text, NULL, NULL, &a);
	note(b, &a, 413, ERR_TOO_LARGE);
	after = get("/v1/devices/dev-1/history");
	assert_true(json_equal(before, after));
	report("dev-1", 2, HELLO, 200);
	serving_stop(&server);
}

/* The second time it says something else, and says it to nobody. */
void attack_report_nonce_reused(struct bed *b)
{
	JSON_AUTO *before = NULL, *after = NULL;

	begin(b);
	report("dev-1", 1, HELLO, 200);
	report("dev-1", 2, "\"kind\": \"state\", \"state\": \"staging\"", 200);
	before = get("/v1/devices/dev-1/history");
	report("dev-1", 2, "\"kind\": \"outcome\", \"state\": \"committed\", \"target\": \"toy-9\"",
		200);
	after = get("/v1/devices/dev-1/history");
	assert_true(json_equal(before, after));
	report("dev-1", 3, "\"kind\": \"state\", \"state\": \"idle\"", 200);
	snprintf(b->verdict.text, sizeof b->verdict.text,
		"the number was counted: nothing has changed");
	serving_stop(&server);
}

/* It was told toy-1 and says that it has committed something else. */
void attack_manifest_mixed_versions_flagged(struct bed *b)
{
	ANSWER_AUTO polled;
	char is[32];

	begin(b);
	report("dev-1", 1, HELLO, 200);
	campaign("c", "toy-1", 3600000);
	poll_as("dev-1", &polled);
	expect_state("c", "dev-1", "admitted");
	report("dev-1", 2,
		"\"kind\": \"outcome\", \"state\": \"committed\", \"target\": \"toy-9\", \"campaign\": \"c\","
		" \"running\": \"toy-9\", \"code\": \"ok\"",
		200);
	recipient_state("c", "dev-1", is);
	if (strcmp(is, "committed") == 0)
		fail_msg("another release counts as success");
	snprintf(b->verdict.text, sizeof b->verdict.text, "the recipient is %s", is);
	serving_stop(&server);
}

/* ---- campaigns ---- */

/* Until the server's own clock has run down: there is nothing else to wait for. */
static void wait_for_state(const char *campaign_id, const char *device, const char *want)
{
	char is[32] = "";

	for (int tries = 0; tries < 600; tries++) {
		recipient_state(campaign_id, device, is);
		if (strcmp(is, want) == 0)
			return;
		usleep(50000);
	}
	fail_msg("the recipient is %s, and never %s", is, want);
}

void attack_silent_device_alarm(struct bed *b)
{
	JSON_AUTO *j = NULL;
	ANSWER_AUTO polled;

	begin(b);
	report("dev-1", 1, HELLO, 200);
	campaign("c", "toy-1", 1);
	poll_as("dev-1", &polled);
	wait_for_state("c", "dev-1", "silent");
	j = get("/v1/campaigns/c");
	snprintf(b->verdict.text, sizeof b->verdict.text,
		"the recipient is silent, the campaign %s",
		json_string_value(json_object_get(j, "phase")));
	expect_text(json_string_value(json_object_get(j, "phase")), "halted");
	serving_stop(&server);
}

void attack_next_bundle_before_report_held(struct bed *b)
{
	ANSWER_AUTO busy, idle;

	begin(b);
	report("dev-1", 1, HELLO, 200);
	report("dev-1", 2, "\"kind\": \"state\", \"state\": \"staging\"", 200);
	campaign("c", "toy-1", 3600000);
	poll_as("dev-1", &busy);
	expect_state("c", "dev-1", "waiting");
	report("dev-1", 3, "\"kind\": \"state\", \"state\": \"idle\"", 200);
	poll_as("dev-1", &idle);
	expect_state("c", "dev-1", "admitted");
	snprintf(b->verdict.text, sizeof b->verdict.text,
		"waiting while it is busy, admitted afterwards");
	serving_stop(&server);
}

/* ---- keys ---- */

static unsigned count_lines(const char *path, const char *piece)
{
	char line[2048];
	unsigned n = 0;
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	while (fgets(line, sizeof line, f))
		n += strstr(line, piece) != NULL;
	fclose(f);
	return n;
}

/* The same answer again and again, until there is none for a while. */
void attack_manifest_flood_signing_budget(struct bed *b)
{
	ANSWER_AUTO first;
	unsigned answered = 1;

	begin(b);
	report("dev-1", 1, HELLO, 200);
	poll_as("dev-1", &first);
	for (;; answered++) {
		ANSWER_AUTO again;

		ask(&server, "GET", "/director/dev-1/timestamp.json", NULL, NULL, NULL, &again);
		if (again.status == 200) {
			assert_true(str_eq(buf_str(&first.body), buf_str(&again.body)));
			continue;
		}
		note(b, &again, 429, ERR_TOO_OFTEN);
		assert_true(again.retry_after > 0);
		break;
	}
	serving_stop(&server);
	assert_int_equal(count_lines("server.log", "repo=director device=dev-1"), 1);
	snprintf(b->verdict.text, sizeof b->verdict.text,
		"%u questions, signed once, then HTTP 429", answered);
}

/* ---- releases ---- */

void attack_publish_lower_counter_refused(struct bed *b)
{
	JSON_AUTO *before = NULL, *after = NULL;
	struct paper five, four, six;
	BUF_AUTO body = {0};
	struct str text;
	ANSWER_AUTO a;

	begin(b);
	paper_sign("toy-5", 5, NULL, time(NULL), &five);
	serving_publish(&server, &five);
	before = get("/v1/releases");
	bed_shell(b, "cp -a server/signed server/signed.kept");
	paper_sign("toy-4", 4, NULL, time(NULL), &four);
	paper_body(&four, &body);
	serving_upload(&server, &four);
	text = buf_str(&body);
	ask(&server, "POST", "/v1/releases", &text, server.token, NULL, &a);
	note(b, &a, 409, ERR_ROLLED_BACK);
	after = get("/v1/releases");
	assert_true(json_equal(before, after));
	bed_shell(b, "rm -r server/signed && mv server/signed.kept server/signed");
	paper_sign("toy-6", 6, NULL, time(NULL), &six);
	serving_publish(&server, &six);
	serving_stop(&server);
}
