/* kill -9 of the real server in the middle of requests, again and again, while releases go through
 * a fleet: what was acknowledged is there, what was not is done again, nothing happens twice. */
#include "tests/lib/expect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/prng.h"
#include "proto/wire/json.h"
#include "server/core/wave.h"
#include "server/signd/book.h"
#include "tests/lib/fleet.h"
#include "tests/lib/serving.h"

#define N      4
#define ROUNDS 200 /* more than any campaign here needs */

#define WAVES                                                                                      \
	"[{\"name\": \"one\", \"count\": 1, \"soak_ms\": 0},"                                      \
	" {\"name\": \"rest\", \"share_permille\": 1000, \"parallel\": 2, \"soak_ms\": 0}]"

static struct serving server;
static struct prng dice = {20261121};
static unsigned kills, signer_kills, requests;

/* ---- requests that the server may not survive ---- */

static int open_connection(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(server.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

/* The signer that the server has started; 0 when it has none just now. */
static pid_t signer_pid(void)
{
	char path[64], line[32] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)server.pid, (int)server.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	(void)!fgets(line, sizeof line, f);
	fclose(f);
	return (pid_t)atoi(line);
}

/* Of the server, or of the process that signs for it: whoever asked then asks again, and is
 * answered as soon as the next one is there. */
static void kill_one(void)
{
	pid_t signer = prng_below(&dice, 2) ? signer_pid() : 0;

	if (signer > 0) {
		assert_int_equal(kill(signer, SIGKILL), 0);
		signer_kills++;
		return;
	}
	serving_kill(&server);
	kills++;
	serving_start(&server, NULL);
}

/* Sends the request, lets the server have it for a moment of random length, and kills it. Whether
 * it has done what it was told is anybody's guess. */
static void send_and_kill(const char *method, const char *path, const struct str *body)
{
	BUF_AUTO rq = {0};
	int fd = open_connection();

	buf_addf(&rq,
		"%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
		"Content-Length: %zu\r\n\r\n",
		method, path, server.token, body->n);
	buf_add(&rq, body->p, body->n);
	assert_int_equal(send(fd, rq.p, rq.n, MSG_NOSIGNAL), rq.n);
	usleep((useconds_t)prng_below(&dice, 6000));
	kill_one();
	close(fd);
}

/* What a client does: again until it is answered. */
static void tell(const char *method, const char *path, const char *body, struct answer *out)
{
	struct str text = str_of(body ? body : "");

	requests++;
	if (prng_below(&dice, 4) == 0)
		send_and_kill(method, path, &text);
	ask(&server, method, path, body ? &text : NULL, server.token, NULL, out);
	while (out->status == 503) { /* the signer was killed in the middle of it */
		answer_fini(out);
		ask(&server, method, path, body ? &text : NULL, server.token, NULL, out);
	}
	if (out->status != 200 && out->status != 201)
		fail_msg("%s %s: %d %s", method, path, out->status, buf_cstr(&out->body));
}

static json_t *tell_json(const char *method, const char *path, const char *body)
{
	ANSWER_AUTO a;
	struct err e;
	json_t *j;

	tell(method, path, body, &a);
	expect_ok(json_read(buf_str(&a.body), 1 << 20, &j, &e), &e);
	return j;
}

/* ---- devices ---- */

struct device {
	char id[16];
	unsigned seq;
	char running[16], target[16];
};

static void report(struct device *d, const char *kind, const char *state, const char *code)
{
	char path[64], running[SHA256_TEXT], target[SHA256_TEXT];
	struct sha256 digest;
	BUF_AUTO body = {0};
	ANSWER_AUTO a;

	paper_digest(d->running, &digest);
	sha256_format(&digest, running);
	paper_digest(*d->target ? d->target : d->running, &digest);
	sha256_format(&digest, target);
	buf_addf(&body,
		"{\"format\": 1, \"seq\": %u, \"at_ms\": 1, \"kind\": \"%s\", \"hardware\":"
		" \"edge\", \"state\": \"%s\", \"code\": \"%s\", \"running\": \"%s\","
		" \"running_digest\": \"%s\", \"target_digest\": \"%s\"}",
		++d->seq, kind, state, code, d->running, running, target);
	snprintf(path, sizeof path, "/v1/devices/%s/reports", d->id);
	tell("POST", path, buf_cstr(&body), &a);
}

/* What it shall run, or "". */
static void poll(struct device *d)
{
	char path[80];
	JSON_AUTO *timestamp = NULL, *targets = NULL;
	const char *wanted;

	snprintf(path, sizeof path, "/director/%s/timestamp.json", d->id);
	timestamp = tell_json("GET", path, NULL);
	snprintf(path, sizeof path, "/director/%s/targets.json", d->id);
	targets = tell_json("GET", path, NULL);
	wanted = json_object_iter_key(
		json_object_iter(json_object_get(json_object_get(targets, "signed"), "targets")));
	d->target[0] = 0;
	if (wanted)
		snprintf(d->target, sizeof d->target, "%.*s", 5, wanted + strlen("toy/"));
	if (strcmp(d->target, d->running) == 0)
		d->target[0] = 0;
}

/* `bad` is the release that no second device can live with. */
static void live(struct device *d, const char *bad, unsigned *io_bad_ones)
{
	poll(d);
	if (!*d->target)
		return;
	report(d, "state", "staging", "ok");
	if (strcmp(d->target, bad) == 0 && (*io_bad_ones)++) {
		report(d, "outcome", "reverted", "triggered");
		return;
	}
	memcpy(d->running, d->target, sizeof d->running);
	report(d, "outcome", "committed", "ok");
}

/* ---- campaigns ---- */

static void start(const char *id, const char *release)
{
	char path[80];
	BUF_AUTO body = {0};
	ANSWER_AUTO made, started;

	buf_addf(&body,
		"{\"id\": \"%s\", \"release\": \"%s\", \"selector\": {\"all\": true}, \"policy\":"
		" {\"format\": 1, \"name\": \"p\", \"max_failures\": 0, \"waves\": %s}}",
		id, release, WAVES);
	tell("POST", "/v1/campaigns", buf_cstr(&body), &made);
	snprintf(path, sizeof path, "/v1/campaigns/%s/orders", id);
	tell("POST", path, "{\"order\": \"start\"}", &started);
}

static bool is_over(const char *id)
{
	char path[80];
	JSON_AUTO *j = NULL;

	snprintf(path, sizeof path, "/v1/campaigns/%s", id);
	j = tell_json("GET", path, NULL);
	return wave_is_over(wave_phase_by_name(json_string_value(json_object_get(j, "phase"))));
}

static void run_campaign(struct device *dev, const char *id, const char *release, const char *bad)
{
	unsigned bad_ones = 0;

	start(id, release);
	for (unsigned i = 0; !is_over(id); i++) {
		if (i == ROUNDS)
			fail_msg("campaign %s does not end", id);
		live(&dev[i % N], bad, &bad_ones);
	}
}

/* ---- what is left in the store ---- */

static int64_t count(struct fleet *f, const char *sql)
{
	DB_ROWS_AUTO rows = {0};
	struct err e;

	expect_ok(db_one(&f->store, sql, DB_NO_ARGS, "count", &rows, &e), &e);
	return db_col_int(&rows, 0);
}

static void look_into_the_store(const struct device *dev)
{
	struct fleet f = {.now = 0};
	uint64_t sent = 0;
	struct chain log;
	struct err e;

	expect_ok(db_sqlite_open("data/store.db", &f.store, &e), &e);
	assert_int_equal(fleet_phase(&f, "good"), WAVE_DONE);
	assert_int_equal(fleet_phase(&f, "bad"), WAVE_HALTED);
	fleet_check(&f, "good");
	fleet_check(&f, "bad");
	for (unsigned i = 0; i < N; i++) {
		struct device_row d;

		expect_ok(devices_get(&f.store, dev[i].id, &d, &e), &e);
		assert_int_equal(d.seq, dev[i].seq);
		assert_int_equal(d.epoch, 1);
		expect_text(d.running.s, dev[i].running);
		sent += dev[i].seq;
	}
	/* every report once, every device admitted once, every release published once */
	assert_int_equal(count(&f, "SELECT count(*) FROM reports"), sent);
	assert_int_equal(count(&f, "SELECT count(*) FROM audit WHERE campaign = 'good' AND text"
				   " LIKE '%is admitted%'"),
		N);
	assert_int_equal(count(&f, "SELECT count(*) FROM audit WHERE what = 'publish'"), 3);
	assert_int_equal(count(&f, "SELECT count(*) FROM audit WHERE what = 'register'"), N);
	assert_int_equal(count(&f, "SELECT count(*) FROM audit WHERE what = 'start'"), 4);
	db_close(&f.store);
	expect_ok(book_verify("data/signer/signer.log", &log, &e), &e);
	assert_true(log.n > 0);
}

static void publish(const char *id, uint64_t counter, const char *back_to)
{
	struct paper paper CLEANUP(paper_fini);
	char path[128], hex[SHA256_TEXT];
	BUF_AUTO body = {0};
	ANSWER_AUTO put, published;

	paper_sign(id, counter, back_to, time(NULL), &paper);
	sha256_format(&paper.artifact_digest, hex);
	snprintf(path, sizeof path, "/v1/artifacts/%s", hex);
	tell("PUT", path, buf_cstr(&paper.artifact), &put);
	paper_body(&paper, &body);
	tell("POST", "/v1/releases", buf_cstr(&body), &published);
}

static void nothing_is_lost_and_nothing_happens_twice(void **state)
{
	struct device dev[N] = {{.seq = 0}};

	(void)state;
	serving_start(&server, NULL);
	publish("toy-1", 1, NULL);
	publish("toy-2", 2, "toy-1");
	publish("toy-3", 3, "toy-2");
	for (unsigned i = 0; i < N; i++) {
		snprintf(dev[i].id, sizeof dev[i].id, "lane-%u", i);
		snprintf(dev[i].running, sizeof dev[i].running, "toy-1");
		report(&dev[i], "hello", "idle", "ok");
	}
	run_campaign(dev, "good", "toy-2", "toy-3");
	for (unsigned i = 0; i < N; i++)
		expect_text(dev[i].running, "toy-2");
	run_campaign(dev, "bad", "toy-3", "toy-3");
	for (unsigned i = 0; i < N; i++)
		expect_text(dev[i].running, "toy-2");
	serving_stop(&server);
	look_into_the_store(dev);
	printf("== server killed %u times, its signer %u times, in %u requests\n", kills,
		signer_kills, requests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_and_nothing_happens_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
