/* The driver measures, watches what runs, and tells the server: with real slots, journal and queue
 * on a simulated disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/simdev.h"

struct lab {
	struct sim_vendor vendor;
	struct crashfs *disk;
	struct simdev dev;
	const struct sim_release *one, *two, *errs;
	uint64_t ticks; /* looks so far: counters of the page and of the kernel */
	/* the server: what it counted, and how it answers */
	enum err_code answer;
	bool forgets; /* it stores, but the answer is lost */
	uint64_t epoch, seq;
	unsigned batches, windows[TELEMETRY_LAYER_MAX], watches, tripped, marks, drifts;
	uint64_t requests; /* sum of a counter over all windows */
	struct sha256 watched;
	char what[ID_TEXT_MAX], trip[ID_TEXT_MAX];
	unsigned ring_before, ring_after;
	/* the broker, and the server behind it */
	enum { ACKS, LIES, IS_SILENT, IS_AWAY } broker;
	unsigned posts[PUSH_TOPIC_MAX];
	unsigned n_acks;
	struct telemetry_ack ack[8];
};

static void measure(void *self, struct measure *out)
{
	struct simdev *d = self;
	struct lab *l = d->ctx;

	l->ticks++;
	*out = (struct measure){.has_cpu = true,
		.cpu = {10 * l->ticks, 40 * l->ticks},
		.has_memory = true,
		.memory = {1000, 400},
		.has_page = true};
	buf_addf(&out->page,
		"# TYPE requests_total counter\nrequests_total %llu\n"
		"# TYPE score histogram\nscore_bucket{le=\"0.5\"} %llu\n"
		"score_bucket{le=\"+Inf\"} %llu\n",
		(unsigned long long)l->ticks * 7, (unsigned long long)l->ticks,
		(unsigned long long)l->ticks * 2);
}

static void count_mark(struct lab *l, const struct telemetry_item *t)
{
	l->marks++;
	snprintf(l->what, sizeof l->what, "%s", t->mark.what);
	l->ring_before = l->ring_after = 0;
	for (unsigned i = 0; i < t->mark.n_ring; i++)
		*(t->mark.ring[i].at <= t->at ? &l->ring_before : &l->ring_after) += 1;
}

static void count_item(struct lab *l, const struct telemetry_item *t)
{
	if (t->kind == TELEMETRY_WINDOW) {
		l->windows[t->window.layer]++;
		for (unsigned i = 0; i < t->window.n_counters; i++)
			l->requests += t->window.counter[i].value;
	}
	if (t->kind == TELEMETRY_WATCH) {
		l->watches++;
		l->tripped += t->watch.tripped[0] != 0;
		l->watched = t->watch.release;
		if (t->watch.tripped[0])
			snprintf(l->trip, sizeof l->trip, "%s", t->watch.tripped);
	}
	if (t->kind == TELEMETRY_MARK)
		count_mark(l, t);
	l->drifts += t->kind == TELEMETRY_DRIFT;
}

static void count_batch(struct lab *l, struct str text);

static int send(void *self, struct str text, const atomic_bool *cancel UNUSED,
	struct telemetry_ack *out, ms_t *out_retry_after UNUSED, struct err *e)
{
	struct simdev *d = self;
	struct lab *l = d->ctx;

	if (l->answer)
		return err_set(e, l->answer, "not now");
	count_batch(l, text);
	if (l->forgets)
		return err_set(e, ERR_NET, "the answer is lost");
	*out = (struct telemetry_ack){.epoch = l->epoch, .seq = l->seq};
	l->batches++;
	return 0;
}

static void count_batch(struct lab *l, struct str text)
{
	struct telemetry_batch b;
	struct err e;

	expect_ok(telemetry_decode(text, &b, &e), &e);
	if (b.epoch != l->epoch)
		l->seq = 0;
	l->epoch = b.epoch;
	for (unsigned i = 0; i < b.n; i++) {
		if (b.item[i].seq > l->seq)
			count_item(l, &b.item[i]);
		l->seq = MAX(l->seq, b.item[i].seq);
	}
	telemetry_fini(&b);
}

static void answer(struct lab *l, uint64_t seq, uint64_t report)
{
	if (l->n_acks < ARRAY_LEN(l->ack))
		l->ack[l->n_acks++] = (struct telemetry_ack){
			.epoch = seq ? l->epoch : 0, .seq = seq, .report = report};
}

/* Passes everything on twice: that is what QoS 1 allows. */
static bool post(void *self, enum push_topic topic, struct str bytes)
{
	struct simdev *d = self;
	struct lab *l = d->ctx;
	struct report r;
	struct err e;

	if (l->broker == IS_AWAY)
		return false;
	l->posts[topic]++;
	if (l->broker == LIES) {
		answer(l, 99999, 99999);
		return true;
	}
	for (int twice = 0; l->broker == ACKS && twice < 2; twice++) {
		if (topic == PUSH_TELEMETRY) {
			count_batch(l, bytes);
			answer(l, l->seq, 0);
			continue;
		}
		expect_ok(report_decode(bytes, &r, &e), &e);
		answer(l, 0, r.seq);
		report_fini(&r);
	}
	d->wake = 0;
	return true;
}

static bool next_ack(void *self, struct telemetry_ack *out)
{
	struct simdev *d = self;
	struct lab *l = d->ctx;

	if (l->n_acks == 0)
		return false;
	*out = l->ack[0];
	memmove(&l->ack[0], &l->ack[1], --l->n_acks * sizeof l->ack[0]);
	return true;
}

static int lab_open(void **state)
{
	struct lab *l = mem_new(sizeof(*l));
	struct agent_conf *c = &l->dev.conf;

	log_init("test_agent_telemetry", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	l->disk = crashfs_new();
	sim_vendor_init(&l->vendor);
	l->one = sim_vendor_make(&l->vendor, "sim-1", 1, SIM_GOOD);
	l->two = sim_vendor_make(&l->vendor, "sim-2", 2, SIM_GOOD);
	l->errs = sim_vendor_make(&l->vendor, "sim-errs", 3, SIM_ERRS);
	simdev_init(&l->dev, crashfs_fs(l->disk), &l->vendor, 1);
	l->dev.measure = measure;
	l->dev.send_telemetry = send;
	l->dev.ctx = l;
	c->telemetry.enabled = true;
	c->telemetry.queue = LIMIT_TELEMETRY_QUEUE_MIN;
	c->telemetry.interval = MINUTE(1);
	c->telemetry.batch_interval = MINUTE(5);
	c->telemetry.look_interval = SEC(5);
	snprintf(c->telemetry.metrics, sizeof c->telemetry.metrics, "*");
	snprintf(c->telemetry.model, sizeof c->telemetry.model, "*score*");
	*state = l;
	return 0;
}

static int lab_close(void **state)
{
	struct lab *l = *state;

	simdev_fini(&l->dev);
	sim_vendor_fini(&l->vendor);
	crashfs_free(&l->disk);
	mem_free(state);
	return 0;
}

static void run_for(struct lab *l, ms_t span)
{
	ms_t end = l->dev.now + span;

	while (l->dev.now < end) {
		agent_run(l->dev.agent);
		l->dev.now = MAX(l->dev.now + 1, l->dev.booted + l->dev.wake);
	}
	agent_run(l->dev.agent);
	expect_text(l->dev.violation, "");
}

static void install(struct lab *l, const struct sim_release *r)
{
	struct err e;

	simdev_want(&l->dev, r, false);
	if (!l->dev.agent) {
		simdev_power_up(&l->dev);
		expect_ok(simdev_start_agent(&l->dev, &e), &e);
	} else {
		json_t *answer;

		expect_ok(agent_answer(l->dev.agent, CTL_CHECK, NULL, &answer, &e), &e);
		json_decref(answer);
	}
	simdev_run(&l->dev, NULL, NULL, NULL);
	expect_text(l->dev.violation, "");
}

static void windows_go_up(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	run_for(l, MINUTE(21));
	assert_true(l->batches >= 2);
	for (unsigned i = 0; i < TELEMETRY_LAYER_MAX; i++)
		assert_in_range(l->windows[i], 12, 22);
	/* Every look counts once; the last ones are not told yet. */
	assert_true(l->requests % 7 == 0);
	assert_in_range(l->requests / 7, 12 * 12, l->ticks);
}

static void what_runs_is_watched_on(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	run_for(l, MINUTE(10));
	assert_true(l->watches > 30); /* a soak of ten seconds, twice looked at */
	assert_int_equal(l->tripped, 0);
	assert_true(sha256_eq(&l->watched, &l->one->digest));
}

/* It goes bad without any update: nothing is taken back, and the server hears of it. */
static void a_trip_at_rest_is_only_told(void **state)
{
	struct lab *l = *state;
	unsigned before;

	install(l, l->one);
	run_for(l, MINUTE(2));
	assert_int_equal(l->tripped, 0);
	l->dev.work.alive = false;
	l->dev.work.down = true;
	l->dev.work.ended++;
	run_for(l, MINUTE(5));
	assert_true(l->tripped > 0);
	expect_text(l->trip, "start_failed");
	assert_int_equal(l->marks, 1); /* not one for each span */
	before = l->watches;
	run_for(l, MINUTE(5));
	assert_true(l->watches > before);
	assert_int_equal(l->marks, 1);
	assert_int_equal(agent_state(l->dev.agent), UPD_IDLE);
}

/* What the last dossier says of the time around it. */
static void expect_dossier_ring(struct lab *l)
{
	json_t *answer, *ring, *w;
	unsigned before = 0;
	BUF_AUTO text = {0};
	json_int_t at;
	struct err e;
	size_t i;

	expect_ok(agent_answer(l->dev.agent, CTL_EXPLAIN, NULL, &answer, &e), &e);
	ring = json_object_get(json_object_get(json_object_get(answer, "saw"), "dossier"), "ring");
	at = json_integer_value(json_object_get(ring, "at_ms"));
	json_array_foreach (json_object_get(ring, "windows"), i, w)
		before += json_integer_value(json_object_get(w, "at_ms")) <= at;
	assert_true(before >= 6);
	json_write(answer, &text);
	assert_true(
		strstr(buf_cstr(&text), "its dossier has what was measured around that") != NULL);
	assert_true(json_array_size(json_object_get(ring, "windows")) <= LIMIT_TELEMETRY_RING);
	assert_true(strstr(buf_cstr(&text), "requests_total") != NULL);
	json_decref(answer);
}

static void a_trip_on_trial_leaves_a_mark(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	run_for(l, MINUTE(3));
	install(l, l->errs);
	run_for(l, MINUTE(3));
	assert_int_equal(l->marks, 1);
	expect_text(l->what, "error_rate");
	assert_true(l->ring_before >= 6);
	assert_true(l->ring_after >= 6);
	assert_true(sha256_eq(&l->watched, &l->one->digest));
	expect_dossier_ring(l);
}

static bool is_soaking(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_SOAKING;
}

static bool is_at_rest(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_IDLE;
}

/* Before the commit, once, and without a way back; and again when it is watched on at rest. */
static void drift_from_training_is_told_in_the_soak(void **state)
{
	struct lab *l = *state;
	const struct sim_release *trained =
		sim_vendor_make_trained(&l->vendor, "sim-trained", 4, SIM_GOOD);

	install(l, l->one);
	run_for(l, MINUTE(1));
	simdev_want(&l->dev, trained, false);
	agent_nudge(l->dev.agent);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	assert_int_equal(l->drifts, 0);
	simdev_run(&l->dev, is_at_rest, NULL, NULL);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), trained);
	run_for(l, SEC(5));
	assert_int_equal(l->drifts, 1);
	run_for(l, MINUTE(1));
	assert_true(l->drifts > 1);
}

static void a_server_that_is_away_misses_nothing(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	run_for(l, MINUTE(2));
	l->answer = ERR_NET;
	run_for(l, MINUTE(30));
	unsigned before = l->watches;

	l->answer = ERR_OK;
	run_for(l, MINUTE(15));
	assert_true(l->watches > before + 150);
	assert_in_range(l->requests / 7, 12 * 30, l->ticks);
}

static void lost_answers_count_once(void **state)
{
	struct lab *l = *state;

	l->forgets = true;
	install(l, l->one);
	run_for(l, MINUTE(20));
	assert_true(l->watches > 0);
	l->forgets = false;
	run_for(l, MINUTE(20));
	assert_in_range(l->watches, 100, 40 * 6 + 6);
	assert_true(l->requests / 7 <= l->ticks);
}

static void a_power_cut_keeps_what_was_stored(void **state)
{
	struct lab *l = *state;
	struct err e;
	uint64_t epoch;

	l->answer = ERR_NET;
	install(l, l->one);
	run_for(l, MINUTE(10));
	simdev_stop_agent(&l->dev);
	crashfs_reboot(l->disk, 0);
	l->answer = ERR_OK;
	simdev_power_up(&l->dev);
	expect_ok(simdev_start_agent(&l->dev, &e), &e);
	run_for(l, MINUTE(8));
	assert_true(l->watches > 50);
	epoch = l->epoch;
	run_for(l, MINUTE(8));
	assert_true(l->epoch == epoch);
}

static void by_broker(struct lab *l)
{
	l->dev.post = post;
	l->dev.next_ack = next_ack;
}

/* Then HTTP carries nothing of it. */
static void what_the_broker_carries_needs_no_http(void **state)
{
	struct lab *l = *state;

	by_broker(l);
	l->answer = ERR_NET;
	install(l, l->one);
	run_for(l, MINUTE(20));
	assert_true(l->watches > 80);
	assert_true(l->requests / 7 <= l->ticks);
	assert_int_equal(l->batches, 0);
	assert_true(l->posts[PUSH_REPORT] > 2);
	/* None waits: what the broker brought to the server was forgotten here. */
	JSON_AUTO *status = NULL;
	struct err e;

	expect_ok(agent_answer(l->dev.agent, CTL_STATUS, NULL, &status, &e), &e);
	assert_int_equal(json_integer_value(json_object_get(status, "reports_waiting")), 0);
}

/* Nobody listens, or somebody lies, or it is gone: HTTP carries on, and little is tried in vain. */
static void a_broker_of_no_use_costs_nothing(void **state)
{
	struct lab *l = *state;

	by_broker(l);
	l->broker = IS_SILENT;
	install(l, l->one);
	run_for(l, MINUTE(20));
	l->broker = LIES;
	run_for(l, MINUTE(60));
	l->broker = IS_AWAY;
	run_for(l, MINUTE(20));
	assert_true(l->watches > 400);
	assert_true(l->batches > 200);
	assert_in_range(l->posts[PUSH_TELEMETRY], 2, 12);
	assert_in_range(l->posts[PUSH_REPORT], 1, 12);
}

/* A server of before, or one that takes none from this device. */
static void a_server_without_telemetry_is_left_alone(void **state)
{
	struct lab *l = *state;
	JSON_AUTO *answer = NULL;
	struct err e;

	l->answer = ERR_NOT_FOUND;
	install(l, l->one);
	run_for(l, MINUTE(30));
	expect_ok(agent_answer(l->dev.agent, CTL_STATUS, NULL, &answer, &e), &e);
	expect_text(
		json_string_value(json_object_get(json_object_get(answer, "telemetry"), "code")),
		"not_found");
	assert_int_equal(l->batches, 0);
}

static void who_does_not_want_it_has_none(void **state)
{
	struct lab *l = *state;
	struct fs_stat st;
	struct err e;

	l->dev.conf.telemetry.enabled = false;
	install(l, l->one);
	run_for(l, MINUTE(10));
	assert_int_equal(l->ticks, 0);
	assert_int_equal(l->batches, 0);
	expect_ok(l->dev.disk->ops->stat(l->dev.disk, "telemetry", &st, &e), &e);
	assert_int_equal(st.kind, FS_NONE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, lab_open, lab_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(windows_go_up),
		CASE(what_runs_is_watched_on),
		CASE(a_trip_at_rest_is_only_told),
		CASE(a_trip_on_trial_leaves_a_mark),
		CASE(drift_from_training_is_told_in_the_soak),
		CASE(a_server_that_is_away_misses_nothing),
		CASE(lost_answers_count_once),
		CASE(a_power_cut_keeps_what_was_stored),
		CASE(what_the_broker_carries_needs_no_http),
		CASE(a_broker_of_no_use_costs_nothing),
		CASE(a_server_without_telemetry_is_left_alone),
		CASE(who_does_not_want_it_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
