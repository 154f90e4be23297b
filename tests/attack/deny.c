/* Who cuts, slows or withholds. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/attack/attack.h"

#define TIMESTAMP "director/" DEVICE "/timestamp.json"

/* ---- cut ---- */

static unsigned drop_nth;

static void drop_one(struct bed *b)
{
	bed_publish(b);
	httpd_drop(b->server, drop_nth);
}

/* verdict.exit: how many questions lead to the artifact. */
static void count_questions(struct bed *b)
{
	BUF_AUTO asked = {0};
	struct str rest, line;
	int n = 0;

	bed_serve(b);
	bed_publish(b);
	device_ask(b);
	device_must_run(b, 2);
	httpd_asked(b->server, &asked);
	rest = buf_str(&asked);
	while (str_split(&rest, '\n', &line) && !str_has_prefix(line, "/artifacts/"))
		n += !str_has_prefix(line, "/v1/");
	httpd_free(&b->server);
	b->verdict.exit = n;
}

/* What is dropped later is an artifact, which is asked for again. */
void attack_drop_each_request_n_state_unchanged(struct bed *b)
{
	unsigned n;

	attack_apart(b, count_questions);
	n = (unsigned)b->verdict.exit;
	assert_in_range(n, 9, 50);
	for (drop_nth = 1; drop_nth <= n; drop_nth++)
		attack_try(b, drop_one, ATTACK_REFUSED, ERR_NET);
	attack_heal(b);
	snprintf(b->verdict.text, sizeof b->verdict.text,
		"each of %u questions: nothing has changed", n);
}

/* What was fetched so far is right; the rest is not. */
void attack_drop_midway_resume_verifies_whole(struct bed *b)
{
	static struct buf body;
	char path[140];

	bed_publish(b);
	buf_add(&body, b->good.artifact[0].p, b->good.artifact[0].n);
	for (size_t i = body.n / 2; i < body.n; i++)
		body.p[i] ^= 0x55;
	snprintf(path, sizeof path, "/%s", bed_artifact(&b->good, 0));
	httpd_put(b->server, &(struct httpd_file){.path = path,
				     .body = buf_str(&body),
				     .etag = "\"same\"",
				     .manner = HTTPD_CUT,
				     .n = body.n / 2,
				     .times = 1});
}

/* ---- slow ---- */

static void be_impatient(struct bed *b)
{
	snprintf(b->net_conf, sizeof b->net_conf, "total_timeout = 300ms\n");
}

void attack_slow_metadata_drip(struct bed *b)
{
	be_impatient(b);
	bed_misbehave(b, TIMESTAMP, HTTPD_DRIP, 20, NULL);
}

void attack_slow_headers_drip(struct bed *b)
{
	be_impatient(b);
	bed_misbehave(b, TIMESTAMP, HTTPD_DRIP_HEADERS, 20, NULL);
}

static void slow_is_reported(struct bed *b)
{
	JSON_AUTO *status = device_status(b);
	const json_t *server = json_object_get(status, "server");

	expect_text(json_string_value(json_object_get(server, "code")), "timeout");
	snprintf(b->verdict.text, sizeof b->verdict.text, "status: %s",
		json_string_value(json_object_get(server, "reason")));
}

/* While no report gets through, whoever stands at the device is told. */
void attack_slow_retrieval_reported(struct bed *b)
{
	char text[sizeof b->verdict.text];

	be_impatient(b);
	bed_serve(b);
	bed_publish(b);
	bed_misbehave(b, TIMESTAMP, HTTPD_DRIP, 20, NULL);
	b->meanwhile = slow_is_reported;
	device_run_until(b, "error=timeout", SIGTERM);
	snprintf(text, sizeof text, "%s", b->verdict.text);
	device_must_run(b, 1);
	httpd_free(&b->server);
	attack_heal(b);
	b->verdict.code = ERR_TIMEOUT;
}

/* Five bytes a second are no download. After a few attempts the update waits, and toy-1 runs on. */
void attack_slow_target_drip_below_limit(struct bed *b)
{
	struct verdict kept;
	char path[140];

	snprintf(b->net_conf, sizeof b->net_conf, "low_speed_time = 1s\n");
	bed_serve(b);
	bed_publish(b);
	snprintf(path, sizeof path, "/%s", bed_artifact(&b->good, 0));
	httpd_put(b->server, &(struct httpd_file){.path = path,
				     .body = buf_str(&b->good.artifact[0]),
				     .manner = HTTPD_DRIP,
				     .n = 200});
	device_run_until(b, "error=timeout", SIGTERM);
	kept = b->verdict;
	device_must_run(b, 1);
	httpd_free(&b->server);
	attack_heal(b);
	b->verdict = kept;
}

/* ---- overrun ---- */

static void waits_as_told(struct bed *b)
{
	JSON_AUTO *status = device_status(b);
	json_int_t next = json_integer_value(
		json_object_get(json_object_get(status, "server"), "next_in_ms"));

	/* By itself it would come back after one to two seconds. */
	assert_in_range(next, 10000, 70000);
}

/* "Busy, come back in seventy seconds." */
void attack_retry_after_honoured(struct bed *b)
{
	bed_serve(b);
	bed_publish(b);
	httpd_set_retry_after(b->server, 70);
	bed_misbehave(b, TIMESTAMP, HTTPD_STATUS, 503, "");
	b->meanwhile = waits_as_told;
	device_run_until(b, "error=busy", SIGTERM);
	device_must_run(b, 1);
	httpd_free(&b->server);
	attack_heal(b);
	b->verdict.code = ERR_BUSY;
	snprintf(b->verdict.text, sizeof b->verdict.text, "the agent waits as it is told");
}

/* ---- withheld ---- */

void attack_partial_bundle_one_image_withheld(struct bed *b)
{
	bed_publish(b);
	bed_remove(b, bed_artifact(&b->good, 0));
}

/* The code would do, and is in place when the data turns out not to be what was signed. */
void attack_partial_bundle_one_ecu_install_fails_all_back(struct bed *b)
{
	parcel_make_raw(&b->good.part[1], "data", "data/shared", STR("new in this release\n"),
		COMPRESSION_NONE, (buf_clear(&b->good.artifact[1]), &b->good.artifact[1]));
	toy_write(&b->good, NULL, NULL);
	bed_offer(b, &b->good);
	bed_write(b, bed_artifact(&b->good, 1), STR("new in that release\n"));
}

/* ---- power ---- */

static const char *moment;

static void cut_and_go_on(struct bed *b)
{
	bed_publish(b);
	bed_serve(b);
	device_run_until(b, moment, SIGKILL);
	if (!device_runs(b, 1))
		device_must_run(b, 2);
	device_ask(b);
	device_must_run(b, 2);
	httpd_free(&b->server);
}

/* The agent is killed as it enters each state; then what runs is one release or the other, whole,
 * and the next start ends what was begun. */
void attack_partial_bundle_power_cut_between_activations(struct bed *b)
{
	static const char *const moments[] = {"state=accepted", "state=staging", "state=sealed",
		"state=switching", "state=starting", "state=soaking", "state=committing",
		"state=committed"};

	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		moment = moments[i];
		attack_apart(b, cut_and_go_on);
	}
	snprintf(b->verdict.text, sizeof b->verdict.text, "%zu cuts: whole before, whole after",
		ARRAY_LEN(moments));
}

/* ---- elsewhere ---- */

/* The other server would do, and would see the device's token: it is never asked. */
void attack_redirect_to_other_host(struct bed *b)
{
	static char to[128];
	struct httpd *other = httpd_new();

	snprintf(to, sizeof to, "%s/" TIMESTAMP, httpd_url(other));
	bed_misbehave(b, TIMESTAMP, HTTPD_REDIRECT, 302, to);
}
