/* The server with a store that fails at call N, for every N: what failed has changed nothing, and
 * when it is done again everything is as if nothing had failed. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/run/admit.h"
#include "server/run/campaign.h"
#include "server/run/publish.h"
#include "server/run/telemetry.h"
#include "tests/lib/fleet.h"

#define N     3
#define WAVES "[{\"name\": \"all\", \"count\": 3, \"soak_ms\": 60000}]"

static struct fleet f;
static struct fleet_device kept[N], dev[N];
static struct paper paper;
static uint64_t tried;

/* ---- what is done while the store fails ---- */

typedef int operation_f(struct err *e);

static struct fleet_device *first(void)
{
	for (unsigned i = 0; i < N; i++)
		if (fleet_position(&f, "spring", dev[i].id) == 0)
			return &dev[i];
	fail_msg("nobody is first");
	return NULL;
}

static int publish(struct err *e)
{
	struct publish_in in;
	struct sha256 digest;
	bool is_new;

	fleet_publish_in(&f, &paper, &in);
	return publish_release(f.run, &in, &digest, &is_new, e);
}

static int hello_of_a_stranger(struct err *e)
{
	struct fleet_device d = {.id = "stranger", .state = "idle"};

	return fleet_report(&f, &d, REPORT_HELLO, ERR_OK, e);
}

static int start(struct err *e)
{
	return campaign_order(f.run, "spring", WEV_START, "ann", "go", e);
}

static int poll_first(struct err *e)
{
	char etag[80];

	return admit_poll(f.run, first()->id, "", etag, e);
}

static int say(const char *state, enum err_code code, struct err *e)
{
	struct fleet_device d = *first(); /* the number is used again when it fails */

	d.state = state;
	if (code == ERR_OK) {
		d.running = d.target;
		d.running_digest = d.desired.hash;
	}
	return fleet_report(&f, &d, REPORT_OUTCOME, code, e);
}

static int first_commits(struct err *e)
{
	return say("committed", ERR_OK, e);
}

static int first_reverts(struct err *e)
{
	return say("reverted", ERR_TRIGGERED, e);
}

static int roll_back(struct err *e)
{
	return campaign_order(f.run, "spring", WEV_ROLL_BACK, "ann", "why not", e);
}

/* A window and a watch of a canary. */
static int send_telemetry(struct err *e)
{
	struct telemetry_batch batch CLEANUP(telemetry_fini) = {0};
	struct telemetry_post post = {.seq = 0};
	char hex[SHA256_TEXT];
	BUF_AUTO b = {0};

	sha256_format(&first()->running_digest, hex);
	buf_addf(&b, "{\"format\": 1, \"epoch\": \"0000000000000007\", \"items\": [");
	buf_addf(&b,
		"{\"seq\": 1, \"at_ms\": %lld, \"span_ms\": 60000, \"kind\": \"window\","
		" \"layer\": \"device\", \"release\": \"%s\", \"counters\": {\"n\": 5}}, ",
		(long long)f.now, hex);
	buf_addf(&b, "{\"seq\": 2, \"at_ms\": %lld, \"kind\": \"watch\", \"release\": \"%s\"}]}",
		(long long)f.now, hex);
	TRY(telemetry_decode(buf_str(&b), &batch, e));
	post.batch = batch;
	snprintf(post.device, sizeof post.device, "%s", first()->id);
	return telemetry_take(f.run, &post, 1, e);
}

static int an_hour_passes(struct err *e)
{
	return run_tick(f.run, e);
}

/* ---- where it begins ---- */

static void registered(void)
{
}

static void drafted(void)
{
	fleet_campaign(&f, "spring", "toy-2", WAVES, 0);
}

static void started(void)
{
	struct err e;

	drafted();
	expect_ok(start(&e), &e);
}

static void admitted(void)
{
	started();
	assert_true(fleet_poll(&f, first()));
}

static void half_done(void)
{
	admitted();
	assert_true(fleet_poll(&f, first()) == false);
	first()->state = "committed";
	struct err e;

	expect_ok(first_commits(&e), &e);
}

static void silent_for_an_hour(void)
{
	admitted();
	fleet_pass(&f, 0); /* contacts are written */
	f.now += MINUTE(60);
}

static const struct {
	const char *name;
	void (*begin)(void);
	operation_f *operation;
	bool in_steps; /* several transactions: a failure may leave the first ones done */
	bool together; /* tried as one of a group of transactions, too */
} cases[] = {
	{"publish", registered, publish, false, false},
	{"hello", registered, hello_of_a_stranger, false, true},
	{"start", drafted, start, false, false},
	{"admission", started, poll_first, true, true},
	{"commit", admitted, first_commits, false, true},
	{"revert", admitted, first_reverts, false, false},
	{"rollback", half_done, roll_back, false, false},
	{"telemetry", started, send_telemetry, false, false},
	{"silence", silent_for_an_hour, an_hour_passes, true, false},
};

static void begin(size_t i)
{
	fleet_open(&f);
	memcpy(dev, kept, sizeof dev);
	cases[i].begin();
}

/* The first line that differs. */
static void same(size_t i, uint64_t call, const struct buf *got, const struct buf *want)
{
	struct str a = buf_str(got), b = buf_str(want), x, y;

	while (str_split(&a, '\n', &x) && str_split(&b, '\n', &y))
		if (!str_eq(x, y))
			fail_msg("%s, call %llu:\n%.*s\nbut wanted\n%.*s", cases[i].name,
				(unsigned long long)call, (int)x.n, x.p, (int)y.n, y.p);
	assert_int_equal(got->n, want->n);
}

/* How it ends when nothing fails. */
static void expected(size_t i, struct buf *out)
{
	struct err e;

	begin(i);
	expect_ok(cases[i].operation(&e), &e);
	fleet_dump(&f, out);
	fleet_close(&f);
}

/* By itself, or as one of those that become durable together. */
static int operate(size_t i, bool together, struct err *e)
{
	struct err why;
	int rc;

	if (!together)
		return cases[i].operation(e);
	run_group_begin(f.run);
	rc = cases[i].operation(e);
	if (run_group_end(f.run, &why) < 0 && rc >= 0)
		rc = err_copy(e, &why);
	assert_false(run_group_is_open(f.run));
	return rc;
}

/* False when the operation needs fewer calls than that. */
static bool fail_at(size_t i, bool together, uint64_t call, struct buf *want)
{
	BUF_AUTO before = {0}, after = {0};
	struct err e = {0};
	int rc;

	begin(i);
	fleet_dump(&f, &before);
	f.fault.calls = 0;
	f.fault.fail_at = call;
	rc = operate(i, together, &e);
	f.fault.fail_at = 0;
	assert_false(f.store.in_transaction);
	if (rc < 0) {
		assert_int_equal(e.code, ERR_IO);
		fleet_dump(&f, &after);
		if (!cases[i].in_steps)
			same(i, call, &after, &before);
		expect_ok(operate(i, together, &e), &e);
	}
	buf_clear(&after);
	fleet_dump(&f, &after);
	same(i, call, &after, want);
	fleet_close(&f);
	tried += rc < 0;
	return rc < 0;
}

static void fail_everywhere(bool together)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BUF_AUTO want = {0};
		uint64_t call = 1;

		if (together && !cases[i].together)
			continue;
		expected(i, &want);
		while (fail_at(i, together, call, &want))
			call += campaign_every();
		if (call / campaign_every() < 2)
			fail_msg("%s: only %llu calls failed", cases[i].name,
				(unsigned long long)call - 1);
	}
}

static void a_store_that_fails_changes_nothing(void **state)
{
	(void)state;
	fail_everywhere(false);
	fail_everywhere(true);
	printf("== store faults: %llu calls failed, nothing was half done\n",
		(unsigned long long)tried);
}

/* Two releases and three devices, made once; a third release waits to be published. */
static int make(void **state)
{
	char id[ID_TEXT_MAX];

	(void)state;
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	for (unsigned i = 0; i < N; i++) {
		snprintf(id, sizeof id, "lane-%u", i);
		fleet_device(&f, &kept[i], id, "toy-1");
	}
	fleet_keep(&f);
	paper_sign("toy-3", 3, "toy-2", f.now / 1000, &paper);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	paper_fini(&paper);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_store_that_fails_changes_nothing)};

	return cmocka_run_group_tests(tests, make, clean);
}
