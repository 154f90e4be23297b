/* Telemetry on the server: counted once whatever the way it came, summed by release, wave and
 * stratum, and forgotten in time. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "keys/device_ca.h"
#include "lib/prng.h"
#include "server/repo/certificates.h"
#include "server/repo/items.h"
#include "server/run/enrol.h"
#include "server/run/telemetry.h"
#include "tests/lib/fleet.h"

#define N     4
#define WAVES "[{\"name\": \"one\", \"count\": 1}, {\"name\": \"all\", \"count\": 9}]"

static struct fleet f;
static struct fleet_device kept[N], dev[N];

/* ---- batches as devices make them ---- */

static void begin_batch(uint64_t epoch, struct buf *b)
{
	buf_addf(b, "{\"format\": 1, \"epoch\": \"%016llx\", \"items\": [",
		(unsigned long long)epoch);
}

/* So many requests in a minute, all of 5 ms. */
static void add_window(struct buf *b, uint64_t seq, ms_t at, const char *release, unsigned requests)
{
	char hex[SHA256_TEXT] = "";
	struct sha256 d;

	if (release) {
		paper_digest(release, &d);
		sha256_format(&d, hex);
	}
	buf_addf(b, "%s{\"seq\": %llu, \"at_ms\": %lld, \"span_ms\": 60000, \"kind\": \"window\",",
		b->p[b->n - 1] == '[' ? "" : ", ", (unsigned long long)seq, (long long)at);
	if (release)
		buf_addf(b, " \"release\": \"%s\",", hex);
	buf_addf(b,
		" \"slot\": \"a\", \"layer\": \"inference\", \"counters\": {\"requests\": %u},"
		" \"gauges\": {\"load\": 500}, \"hists\": {\"latency\": {\"edges_micro\": [1000,"
		" 10000], \"counts\": [0, %u, 0]}}}",
		requests, requests);
}

static void end_batch(struct buf *b)
{
	buf_add_str(b, "]}");
}

/* A batch of windows from..to, each of `requests`, is taken; the number that comes back. */
static uint64_t take_windows(const char *device, uint64_t epoch, uint64_t from, uint64_t to,
	const char *release, unsigned requests)
{
	struct telemetry_post p = {.seq = 0};
	BUF_AUTO b = {0};
	struct err e;

	begin_batch(epoch, &b);
	for (uint64_t seq = from; seq <= to; seq++)
		add_window(&b, seq, f.now, release, requests);
	end_batch(&b);
	expect_ok(telemetry_decode(buf_str(&b), &p.batch, &e), &e);
	snprintf(p.device, sizeof p.device, "%s", device);
	expect_ok(telemetry_take(f.run, &p, 1, &e), &e);
	telemetry_fini(&p.batch);
	assert_int_equal(p.refused.code, ERR_OK);
	return p.seq;
}

/* ---- what is stored ---- */

struct sums {
	unsigned keys;
	char key[AGG_KEY_TEXT];
	uint64_t windows;
	int64_t requests;
	uint64_t samples;
};

static int add_sums(
	void *ctx, const struct agg_key *k, const struct aggregate *a, struct err *e UNUSED)
{
	const struct agg_metric *c = aggregate_find(a, AGG_COUNTER, "requests");
	const struct agg_metric *h = aggregate_find(a, AGG_HIST, "latency");
	struct sums *s = ctx;

	if (*s->key && strcmp(s->key, k->key) != 0)
		return 0;
	s->keys++;
	s->windows += a->windows;
	s->requests += c ? c->sum : 0;
	s->samples += h ? agg_hist_total(h) : 0;
	return 0;
}

/* All that is stored of a release (NULL: none) and a part of it ("": all keys). */
static struct sums sums_of(const char *release, enum agg_part part, const char *key)
{
	struct sha256 d = {{0}};
	struct sums s = {0};
	struct err e;

	if (release)
		paper_digest(release, &d);
	snprintf(s.key, sizeof s.key, "%s", key);
	expect_ok(telemetry_merged(&f.db, &d, part, 0, INT64_MAX, add_sums, &s, &e), &e);
	return s;
}

static void is_all(const char *release, uint64_t windows, int64_t requests)
{
	struct sums s = sums_of(release, AGG_PART_ALL, "");

	assert_int_equal(s.windows, windows);
	assert_int_equal(s.requests, requests);
	assert_int_equal(s.samples, (uint64_t)requests);
}

static uint64_t rows_of(enum items_shelf shelf)
{
	struct items_shelf_view v;
	struct err e;

	expect_ok(items_look(&f.db, shelf, &v, &e), &e);
	return v.rows;
}

static int make(void **state)
{
	static const char *const labels[N] = {
		"site=north,line=1", "site=north,line=2", "site=south", ""};
	char id[ID_TEXT_MAX];
	struct err e;

	(void)state;
	fleet_open(&f);
	fleet_release(&f, "toy-1", 1, NULL);
	fleet_release(&f, "toy-2", 2, "toy-1");
	for (unsigned i = 0; i < N; i++) {
		snprintf(id, sizeof id, "lane-%u", i);
		fleet_device(&f, &kept[i], id, "toy-1");
		kept[i].labels = labels[i];
		expect_ok(fleet_report(&f, &kept[i], REPORT_HELLO, ERR_OK, &e), &e);
	}
	fleet_keep(&f);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	fleet_open(&f);
	memcpy(dev, kept, sizeof dev);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fleet_close(&f);
	return 0;
}

/* ---- once ---- */

static void what_comes_twice_counts_once(void **state)
{
	(void)state;
	assert_int_equal(take_windows("lane-0", 7, 1, 3, "toy-1", 10), 3);
	is_all("toy-1", 3, 30);
	assert_int_equal(take_windows("lane-0", 7, 1, 3, "toy-1", 10), 3);
	assert_int_equal(take_windows("lane-0", 7, 2, 5, "toy-1", 10), 5);
	assert_int_equal(take_windows("lane-0", 7, 1, 1, "toy-1", 10), 5);
	is_all("toy-1", 5, 50);
	assert_int_equal(telemetry_stats(f.run)->duplicates, 3 + 2 + 1);
	assert_int_equal(telemetry_stats(f.run)->items[TELEMETRY_WINDOW], 5);
	assert_int_equal(rows_of(ITEMS_WINDOWS), 5);
	/* numbers that gave way are no reason to wait for them */
	assert_int_equal(take_windows("lane-0", 7, 9, 9, "toy-1", 10), 9);
	is_all("toy-1", 6, 60);
}

static void an_epoch_that_is_over_does_not_begin_anew(void **state)
{
	(void)state;
	take_windows("lane-0", 7, 1, 5, "toy-1", 10);
	assert_int_equal(take_windows("lane-0", 8, 1, 2, "toy-1", 10), 2);
	is_all("toy-1", 7, 70);
	/* something of the old one was still on its way */
	assert_int_equal(take_windows("lane-0", 7, 4, 5, "toy-1", 10), 5);
	is_all("toy-1", 7, 70);
	assert_int_equal(take_windows("lane-0", 8, 1, 3, "toy-1", 10), 3);
	is_all("toy-1", 8, 80);
	for (uint64_t epoch = 100; epoch < 100 + 3 * ITEMS_EPOCHS; epoch++) {
		f.now += 1000;
		take_windows("lane-0", epoch, 1, 1, NULL, 1);
	}
	/* the newest are remembered, and no more rows than that */
	assert_int_equal(take_windows("lane-0", 99 + 3 * ITEMS_EPOCHS, 1, 1, NULL, 1), 1);
	is_all(NULL, 3 * ITEMS_EPOCHS, 3 * ITEMS_EPOCHS);
}

/* Batches of every device, sent until they are answered, through something that loses, doubles and
 * delays: everything is counted, and once. */
static void nothing_is_lost_and_nothing_twice(void **state)
{
	uint64_t sent[N] = {0}, acked[N] = {0};
	struct prng r = {4711};
	int64_t want = 0;

	(void)state;
	for (unsigned step = 0; step < 300; step++) {
		unsigned i = (unsigned)prng_below(&r, N);

		if (sent[i] == acked[i] && prng_below(&r, 2)) {
			sent[i] += 1 + prng_below(&r, 5);
			want += (int64_t)(sent[i] - acked[i]);
		}
		if (sent[i] == 0)
			continue;
		/* what is not acknowledged, or something that was long ago */
		if (prng_below(&r, 3))
			(void)take_windows(dev[i].id, 7 + i,
				acked[i] < sent[i] ? acked[i] + 1 : sent[i], sent[i], "toy-1", 1);
		else if (acked[i])
			(void)take_windows(dev[i].id, 7 + i,
				acked[i] - prng_below(&r, MIN(acked[i], 60)), acked[i], "toy-1", 1);
		else
			continue;
		if (prng_below(&r, 100) == 0)
			fleet_restart(&f);
		/* the answer may be lost */
		if (prng_below(&r, 2) && rows_of(ITEMS_WINDOWS))
			acked[i] = take_windows(dev[i].id, 7 + i, 1, 1, "toy-1", 1);
	}
	for (unsigned i = 0; i < N; i++)
		if (sent[i] > acked[i])
			take_windows(dev[i].id, 7 + i, acked[i] + 1, sent[i], "toy-1", 1);
	is_all("toy-1", (uint64_t)want, want);
	assert_int_equal(rows_of(ITEMS_WINDOWS), want);
}

static void many_at_once_and_one_that_nobody_knows(void **state)
{
	struct telemetry_post p[3] = {{.seq = 0}};
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		BUF_AUTO b = {0};

		begin_batch(7, &b);
		add_window(&b, 5, f.now, "toy-1", 10);
		end_batch(&b);
		expect_ok(telemetry_decode(buf_str(&b), &p[i].batch, &e), &e);
		snprintf(p[i].device, sizeof p[i].device, "%s", i == 1 ? "stranger" : "lane-0");
	}
	expect_ok(telemetry_take(f.run, p, 3, &e), &e);
	assert_int_equal(p[0].seq, 5);
	assert_int_equal(p[1].refused.code, ERR_NOT_FOUND);
	assert_int_equal(p[1].seq, 0);
	assert_int_equal(p[2].seq, 5);
	assert_int_equal(telemetry_stats(f.run)->refused, 1);
	is_all("toy-1", 1, 10);
	for (unsigned i = 0; i < 3; i++)
		telemetry_fini(&p[i].batch);
}

/* Who may speak where a broker has looked at the certificates: the server's own book counts. */
static void who_is_revoked_is_refused_whatever_a_broker_says(void **state)
{
	struct enrol n = {.run = f.run};
	struct certificate_row c = {.digest = {{1}}, .device = {"lane-0"}, .key = {{2}}};
	struct err e;

	(void)state;
	expect_ok(enrol_vouched(&n, "lane-0", &e), &e);
	expect_ok(device_ca_create("devices", f.now / 1000, &e), &e);
	expect_ok(issuer_open("devices", &n.issuer, &e), &e);
	expect_ok(enrol_vouched(&n, "lane-0", &e), &e);
	n.need = ENROL_REQUIRED;
	expect_err(enrol_vouched(&n, "lane-0", &e), &e, ERR_DENIED, "not enrolled", "required");
	expect_ok(db_begin(&f.db, &e), &e);
	expect_ok(certificates_add(&f.db, &c, STR("der"), &e), &e);
	expect_ok(db_commit(&f.db, &e), &e);
	expect_ok(enrol_vouched(&n, "lane-0", &e), &e);
	expect_ok(enrol_revoke(&n, "lane-0", "ann", &e), &e);
	expect_err(enrol_vouched(&n, "lane-0", &e), &e, ERR_REVOKED, "lane-0", "revoked");
	n.need = ENROL_OPTIONAL;
	expect_err(enrol_vouched(&n, "lane-0", &e), &e, ERR_REVOKED, "lane-0", "revoked");
	issuer_close(&n.issuer);
}

/* ---- by what ---- */

static void a_release_that_is_not_ours_is_none(void **state)
{
	struct paper unpublished CLEANUP(paper_fini);

	(void)state;
	paper_sign("toy-7", 7, NULL, f.now / 1000, &unpublished);
	take_windows("lane-0", 7, 1, 2, "toy-7", 10);
	is_all("toy-7", 0, 0);
	is_all(NULL, 2, 20);
}

static void waves_and_strata_are_told_apart(void **state)
{
	struct telemetry_conf conf = telemetry_usual;
	struct fleet_device *first = NULL;

	(void)state;
	snprintf(conf.stratum, sizeof conf.stratum, "site");
	f.conf.telemetry = &conf;
	run_close(&f.run);
	struct err e;
	expect_ok(run_open(&f.conf, &f.run, &e), &e);
	fleet_campaign(&f, "spring", "toy-2", WAVES, 0);
	fleet_order(&f, "spring", WEV_START);
	for (unsigned i = 0; i < N; i++)
		if (fleet_position(&f, "spring", dev[i].id) == 0)
			first = &dev[i];
	assert_true(fleet_update(&f, first, "committed"));
	for (unsigned i = 0; i < N; i++)
		take_windows(dev[i].id, 7, 1, 1, dev[i].running.s, 10 + i);
	is_all("toy-2", 1, 10 + (first - dev));
	assert_int_equal(sums_of("toy-2", AGG_PART_WAVE, "spring/1").windows, 1);
	assert_int_equal(sums_of("toy-2", AGG_PART_WAVE, "").windows, 1);
	assert_int_equal(sums_of("toy-1", AGG_PART_WAVE, "spring/waiting").windows, N - 1);
	assert_int_equal(sums_of("toy-1", AGG_PART_STRATUM, "").windows, N - 1);
	assert_int_equal(sums_of("toy-1", AGG_PART_STRATUM, "edge/north").windows +
				 sums_of("toy-2", AGG_PART_STRATUM, "edge/north").windows,
		2);
	assert_int_equal(sums_of("toy-1", AGG_PART_STRATUM, "edge/").windows +
				 sums_of("toy-2", AGG_PART_STRATUM, "edge/").windows,
		1);
}

static void strata_are_bounded(void **state)
{
	struct telemetry_conf conf = telemetry_usual;
	struct err e;

	(void)state;
	snprintf(conf.stratum, sizeof conf.stratum, "serial");
	f.conf.telemetry = &conf;
	run_close(&f.run);
	expect_ok(run_open(&f.conf, &f.run, &e), &e);
	for (unsigned i = 0; i < GAIN_STRATA + 10; i++) {
		struct fleet_device d;
		char id[ID_TEXT_MAX], label[64];

		snprintf(id, sizeof id, "many-%u", i);
		fleet_device(&f, &d, id, "toy-1");
		snprintf(label, sizeof label, "serial=%u", i);
		d.labels = label;
		expect_ok(fleet_report(&f, &d, REPORT_HELLO, ERR_OK, &e), &e);
		take_windows(id, 7, 1, 1, "toy-1", 1);
		take_windows(id, 7, 2, 2, "toy-1", 1);
	}
	assert_int_equal(sums_of("toy-1", AGG_PART_STRATUM, "").keys, GAIN_STRATA + 1);
	assert_int_equal(sums_of("toy-1", AGG_PART_STRATUM, GAIN_OTHER).windows, 20);
	is_all("toy-1", 2 * (GAIN_STRATA + 10), 2 * (GAIN_STRATA + 10));
}

/* ---- in time ---- */

static uint64_t rows_of_span(ms_t span)
{
	struct agg_key keys[600];
	struct err e;
	unsigned n;

	expect_ok(aggregates_oldest(&f.db, span, INT64_MAX, keys, 600, &n, &e), &e);
	return n;
}

static void what_is_old_is_folded_and_forgotten(void **state)
{
	(void)state;
	for (unsigned hour = 0; hour < 72; hour++) {
		take_windows("lane-0", 7, hour + 1, hour + 1, "toy-1", 10);
		fleet_pass(&f, MINUTE(60));
	}
	for (unsigned i = 0; i < 10; i++)
		fleet_pass(&f, 1000);
	is_all("toy-1", 72, 720);
	assert_in_range(rows_of_span(TELEMETRY_FINE), 2 * 47, 2 * 49);
	assert_in_range(rows_of_span(TELEMETRY_COARSE), 2, 2 * 3);
	assert_in_range(rows_of(ITEMS_WINDOWS), 23, 25);
	f.now += telemetry_usual.coarse_keep + telemetry_usual.fine_keep;
	for (unsigned i = 0; i < 10; i++)
		fleet_pass(&f, 1000);
	is_all("toy-1", 0, 0);
	assert_int_equal(rows_of_span(TELEMETRY_FINE) + rows_of_span(TELEMETRY_COARSE), 0);
	assert_int_equal(rows_of(ITEMS_WINDOWS), 0);
}

static void items_are_bounded_in_number(void **state)
{
	struct telemetry_conf conf = telemetry_usual;
	struct err e;

	(void)state;
	conf.window_rows = 100;
	f.conf.telemetry = &conf;
	run_close(&f.run);
	expect_ok(run_open(&f.conf, &f.run, &e), &e);
	for (unsigned i = 0; i < 10; i++)
		take_windows("lane-0", 7, i * 64 + 1, i * 64 + 64, "toy-1", 1);
	assert_int_equal(rows_of(ITEMS_WINDOWS), 640);
	fleet_pass(&f, 1000);
	assert_int_equal(rows_of(ITEMS_WINDOWS), 100);
	is_all("toy-1", 640, 640);
}

/* A clock that is wrong puts nothing where nobody looks. */
static void a_clock_that_is_wrong_is_not_believed(void **state)
{
	static const ms_t clocks[] = {1, MINUTE(-60), MINUTE(60 * 24 * 365), 0};
	struct sums s = {0};
	struct sha256 d;
	struct err e;

	(void)state;
	paper_digest("toy-1", &d);
	for (unsigned i = 0; i < ARRAY_LEN(clocks); i++) {
		struct telemetry_post p = {.seq = 0};
		BUF_AUTO b = {0};

		begin_batch(7, &b);
		add_window(&b, i + 1, i ? f.now + clocks[i] : 1, "toy-1", 1);
		end_batch(&b);
		expect_ok(telemetry_decode(buf_str(&b), &p.batch, &e), &e);
		snprintf(p.device, sizeof p.device, "lane-0");
		expect_ok(telemetry_take(f.run, &p, 1, &e), &e);
		telemetry_fini(&p.batch);
	}
	expect_ok(telemetry_merged(
			  &f.db, &d, AGG_PART_ALL, f.now - MINUTE(10), f.now + 1, add_sums, &s, &e),
		&e);
	assert_int_equal(s.windows, 3);
	is_all("toy-1", 4, 4);
}

/* ---- since the start ---- */

static void totals_only_grow_and_are_bounded(void **state)
{
	const struct totals *t;

	(void)state;
	take_windows("lane-0", 7, 1, 3, "toy-1", 10);
	take_windows("lane-1", 7, 1, 3, NULL, 10);
	take_windows("lane-1", 7, 1, 3, NULL, 10);
	t = telemetry_totals(f.run);
	assert_int_equal(t->n, 2);
	assert_int_equal(t->v[0].sum.windows, 3);
	assert_int_equal(aggregate_find(&t->v[0].sum, AGG_COUNTER, "requests")->sum, 30);
	assert_int_equal(t->v[1].sum.windows, 3);
	fleet_restart(&f);
	assert_int_equal(telemetry_totals(f.run)->n, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_comes_twice_counts_once),
		CASE(an_epoch_that_is_over_does_not_begin_anew),
		CASE(nothing_is_lost_and_nothing_twice),
		CASE(many_at_once_and_one_that_nobody_knows),
		CASE(who_is_revoked_is_refused_whatever_a_broker_says),
		CASE(a_release_that_is_not_ours_is_none),
		CASE(waves_and_strata_are_told_apart),
		CASE(strata_are_bounded),
		CASE(what_is_old_is_folded_and_forgotten),
		CASE(items_are_bounded_in_number),
		CASE(a_clock_that_is_wrong_is_not_believed),
		CASE(totals_only_grow_and_are_bounded),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
