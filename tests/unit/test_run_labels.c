/* What labels decide in a campaign: which wave may have a device, and with whom it is judged. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/excluded.h"
#include "server/repo/strata.h"
#include "server/run/campaign.h"
#include "tests/lib/fleet.h"

#define N 20

static struct fleet f;
static struct fleet_device kept[N], dev[N];

/* Signing takes a while: the releases and devices are made once. */
static int make(void **state UNUSED)
{
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	fleet_lanes(&f, kept, N, "toy-1");
	fleet_keep(&f);
	return 0;
}

static int setup(void **state UNUSED)
{
	fleet_open(&f);
	memcpy(dev, kept, sizeof dev);
	return 0;
}

static int teardown(void **state UNUSED)
{
	fleet_close(&f);
	return 0;
}

static void label(unsigned from, unsigned to, const char *labels)
{
	struct err e;

	for (unsigned i = from; i < to; i++) {
		dev[i].labels = labels;
		expect_ok(fleet_report(&f, &dev[i], REPORT_HELLO, ERR_OK, &e), &e);
	}
}

/* For the first n devices. */
static void start(const char *id, unsigned n, const char *policy)
{
	JSON_AUTO *selector = json_pack("{s:[]}", "devices");
	struct campaign_new in = {.who = "ann", .selector = selector};
	struct err e;
	bool is_new;

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(json_object_get(selector, "devices"), json_string(dev[i].id));
	snprintf(in.id.s, sizeof in.id.s, "%s", id);
	snprintf(in.release, sizeof in.release, "toy-2");
	expect_ok(policy_parse(str_of(policy), &in.policy, &e), &e);
	expect_ok(campaign_create(f.run, &in, &is_new, &e), &e);
	fleet_order(&f, id, WEV_START);
}

static void look(const char *id, struct campaign_row *out)
{
	struct err e;

	expect_ok(campaigns_get(&f.store, id, out, &e), &e);
}

/* ---- waves ---- */

static int list_excluded(void *ctx, const char *device, const char *verdict, struct err *e UNUSED)
{
	buf_addf(ctx, "%s: %s\n", device, verdict);
	return 0;
}

static void excluded(const char *id, struct buf *out)
{
	struct err e;

	expect_ok(excluded_each(&f.store, id, list_excluded, out, &e), &e);
}

/* Positions of those with a label, all within [from, to). */
static unsigned within(const char *id, const char *labels, uint32_t from, uint32_t to)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 8; i++) {
		uint32_t at = fleet_position(&f, id, dev[i].id);

		n += strcmp(dev[i].labels, labels) == 0 && at >= from && at < to;
	}
	return n;
}

static unsigned update_all(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 8; i++)
		n += fleet_update(&f, &dev[i], "committed");
	return n;
}

static void each_wave_takes_what_its_selector_fits(void **state UNUSED)
{
	CAMPAIGN_ROW_AUTO c = {0};

	label(0, 3, "line=north,site=b");
	label(3, 5, "line=south");
	label(5, 8, "line=east");
	start("spring", 8,
		"{\"format\": 1, \"name\": \"p\", \"first_alone\": false, \"waves\": ["
		"{\"name\": \"south\", \"count\": 3, \"soak_ms\": 60000, \"selector\": {\"line\": \"south\"}},"
		"{\"name\": \"north\", \"count\": 2, \"soak_ms\": 60000, \"selector\": {\"line\": \"north\"}},"
		"{\"name\": \"rest\", \"share_permille\": 1000, \"soak_ms\": 0}]}");
	look("spring", &c);
	assert_int_equal(c.wave.end[0], 2); /* three were wanted, two are there */
	assert_int_equal(c.wave.end[1], 4);
	assert_int_equal(c.wave.end[2], 8);
	assert_int_equal(within("spring", "line=south", 0, 2), 2);
	assert_int_equal(within("spring", "line=north,site=b", 2, 4), 2);
	assert_int_equal(within("spring", "line=north,site=b", 4, 8), 1);
	assert_int_equal(within("spring", "line=east", 4, 8), 3);
	assert_int_equal(update_all(), 2);
	assert_int_equal(fleet_state(&f, "spring", dev[3].id), RECIPIENT_COMMITTED);
	assert_int_equal(fleet_state(&f, "spring", dev[4].id), RECIPIENT_COMMITTED);
	fleet_pass(&f, 60000);
	fleet_restart(&f);
	assert_int_equal(update_all(), 2);
	assert_int_equal(within("spring", "line=north,site=b", 2, 4), 2);
	fleet_pass(&f, 60000);
	assert_int_equal(update_all(), 4);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_DONE);
	fleet_check(&f, "spring");
}

/* Whoever fits no wave, or only full ones, is left out and told why; a label that comes after the
 * start changes nothing of that. */
static void who_fits_no_wave_is_left_out(void **state UNUSED)
{
	CAMPAIGN_ROW_AUTO c = {0};
	BUF_AUTO out = {0};

	label(0, 2, "line=north");
	label(2, 3, "line=south");
	label(3, 4, "");
	start("spring", 4,
		"{\"format\": 1, \"name\": \"p\", \"waves\": ["
		"{\"name\": \"a\", \"count\": 1, \"selector\": {\"line\": \"north\"}},"
		"{\"name\": \"b\", \"count\": 1, \"selector\": {\"line\": \"south\"}}]}");
	look("spring", &c);
	assert_int_equal(c.wave.recipients, 2);
	excluded("spring", &out);
	assert_non_null(strstr(buf_cstr(&out), "lane-3: no wave of the policy selects it\n"));
	assert_non_null(strstr(buf_cstr(&out), ": the waves that select it are full\n"));
	label(3, 4, "line=south");
	assert_false(fleet_poll(&f, &dev[3]));
	fleet_check(&f, "spring");
}

/* ---- strata ---- */

#define GOOD 16 /* devices 0..15: model=m, all is well there; 16..19: model=x, nothing is */

#define JUDGED(strata)                                                                             \
	"{\"format\": 1, \"name\": \"p\", \"first_alone\": false, \"judge\": {"                    \
	"\"guard_failures\": 0, \"guard_first\": 0, \"base_ppm\": 20000, "                         \
	"\"promote_alpha_ppm\": 0" strata "},"                                                     \
	" \"waves\": [{\"name\": \"all\", \"count\": 20}]}"

/* The same 20 outcomes, in the same order. Until the end, or until the campaign is given up. */
static unsigned live_through(const char *id)
{
	unsigned n = 0;

	for (; n < N && fleet_phase(&f, id) == WAVE_OPEN; n++)
		assert_true(fleet_update(&f, &dev[n], n < GOOD ? "committed" : "reverted"));
	return n;
}

static int list_strata(void *ctx, unsigned n, const char *name, struct err *e UNUSED)
{
	buf_addf(ctx, "%u %s\n", n, name);
	return 0;
}

static void evidence_is_kept_and_judged_by_stratum(void **state UNUSED)
{
	CAMPAIGN_ROW_AUTO c = {0};
	BUF_AUTO names = {0};
	struct err e;
	unsigned n;

	label(0, GOOD, "model=m");
	label(GOOD, N, "model=x");
	start("spring", N, JUDGED(", \"strata\": \"model\""));
	expect_ok(strata_each(&f.store, "spring", list_strata, &names, &e), &e);
	expect_text(buf_cstr(&names), "0 m\n1 x\n"); /* the most frequent first */
	n = live_through("spring");
	look("spring", &c);
	assert_int_equal(c.wave.strata, 2);
	assert_int_equal(c.wave.judge.wave[0][0].canary, GOOD);
	assert_int_equal(c.wave.judge.wave[0][0].canary_bad, 0);
	assert_int_equal(c.wave.judge.wave[0][1].canary, n - GOOD);
	assert_int_equal(c.wave.judge.wave[0][1].canary_bad, n - GOOD);
	assert_int_equal(c.wave.judge.verdict, JUDGE_ABORT);
	assert_int_equal(c.wave.judge.by, JUDGE_BY_STRATUM);
	assert_int_equal(c.wave.judge.by_stratum, 1);
	assert_int_equal(fleet_phase(&f, "spring"), WAVE_ROLLING_BACK);
	fleet_restart(&f);
	fleet_check(&f, "spring");
}

/* The same four failures among twenty prove nothing: nobody sees that they are all of one model. */
static void without_strata_the_others_hide_it(void **state UNUSED)
{
	CAMPAIGN_ROW_AUTO c = {0};

	label(0, GOOD, "model=m");
	label(GOOD, N, "model=x");
	start("spring", N, JUDGED(""));
	assert_int_equal(live_through("spring"), N);
	look("spring", &c);
	assert_int_equal(c.wave.strata, 1);
	assert_int_equal(c.wave.judge.wave[0][0].canary, N);
	assert_int_equal(c.wave.judge.wave[0][0].canary_bad, N - GOOD);
	assert_int_equal(c.wave.judge.verdict, JUDGE_OPEN);
	fleet_check(&f, "spring");
}

/* One that fits only later is judged with those that are like it. */
static void who_comes_late_has_its_stratum(void **state UNUSED)
{
	struct recipient_row rec;
	struct err e;

	label(0, 3, "in=yes,model=m");
	label(3, 5, "in=yes,model=x");
	label(5, 6, "model=x");
	start("spring", 6,
		"{\"format\": 1, \"name\": \"p\", \"late\": \"join\", \"judge\": {\"strata\": \"model\"},"
		" \"waves\": [{\"name\": \"all\", \"count\": 9, \"selector\": {\"in\": \"yes\"}}]}");
	label(5, 6, "model=x,in=yes");
	expect_ok(recipients_get(&f.store, "spring", dev[5].id, &rec, &e), &e);
	assert_int_equal(rec.position, 5);
	assert_int_equal(rec.stratum, 1);
	fleet_check(&f, "spring");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_wave_takes_what_its_selector_fits),
		T(who_fits_no_wave_is_left_out),
		T(evidence_is_kept_and_judged_by_stratum),
		T(without_strata_the_others_hide_it),
		T(who_comes_late_has_its_stratum),
	};

	return cmocka_run_group_tests_name("run_labels", tests, make, NULL);
}
