/* A batch of telemetry as an agent sends one a minute: a window of each layer, and a span of steady
 * watch. What is in them is made up; how much it is, is not. */
#include <math.h>
#include <stdio.h>

#include "lib/sys/clock.h"
#include "proto/wire/telemetry.h"
#include "tests/bench/fleet/device_parts.h"

#define GAUGES  5
#define BUCKETS 16
#define ITEMS   (TELEMETRY_LAYER_MAX + 1) /* in a batch */

/* ---- what is in it ---- */

static void measure_machine(struct prng *r, struct telemetry_window *w)
{
	static const char *const names[GAUGES] = {"cpu_ratio", "memory_available_bytes",
		"disk_free_bytes", "temperature_celsius", "throttled_ratio"};

	for (unsigned i = 0; i < GAUGES; i++)
		telemetry_add_gauge(w, names[i], (double)prng_below(r, 100000) / 1000);
}

static void measure_times(struct prng *r, const char *name, struct telemetry_window *w)
{
	struct hist h = {.n = BUCKETS};

	for (unsigned i = 0; i < BUCKETS; i++) {
		h.le[i] = i + 1 < BUCKETS ? (double)(1 + i) / 1000 : (double)INFINITY;
		h.count[i] = prng_below(r, 100);
	}
	telemetry_add_hist(w, name, &h);
}

static void fill(const struct device *d, enum telemetry_layer layer, struct telemetry_window *w)
{
	struct prng *r = &d->herd->random;

	w->release = d->running_digest;
	w->layer = layer;
	snprintf(w->slot, sizeof w->slot, "a");
	if (layer == TELEMETRY_LAYER_DEVICE) {
		measure_machine(r, w);
		return;
	}
	telemetry_add_counter(w, "requests_total", 1000 + prng_below(r, 100));
	telemetry_add_counter(w, "errors_total", prng_below(r, 5));
	measure_times(r, layer == TELEMETRY_LAYER_INFERENCE ? "request_seconds" : "score", w);
}

static void add(struct device *d, struct telemetry_item *t)
{
	BUF_AUTO text = {0};
	bool first = ++d->item_seq % ITEMS == 1;

	t->seq = d->item_seq;
	t->at = clock_system.wall(clock_system.self);
	t->span = MINUTE(1);
	telemetry_item_encode(t, &text);
	telemetry_add(buf_str(&text), first, &d->batch);
	telemetry_item_fini(t);
}

static void make_batch(struct device *d)
{
	struct telemetry_item watch = {.kind = TELEMETRY_WATCH};

	telemetry_begin(d->epoch, &d->batch);
	for (enum telemetry_layer l = 0; l < TELEMETRY_LAYER_MAX; l++) {
		struct telemetry_item t = {.kind = TELEMETRY_WINDOW};

		fill(d, l, &t.window);
		add(d, &t);
	}
	watch.watch.release = d->running_digest;
	watch.watch.samples = 1000;
	add(d, &watch);
	telemetry_end(&d->batch);
}

/* ---- when, and where to ---- */

void device_measure(struct device *d)
{
	if (d->next_batch || !d->herd->figures->measures)
		return;
	while (!d->epoch)
		d->epoch = prng_next(&d->herd->random);
	d->next_batch = device_now() +
			(ms_t)prng_below(&d->herd->random, (uint64_t)d->herd->conf->batch + 1);
}

ms_t device_batch_due(const struct device *d)
{
	return d->next_batch ? d->next_batch : INT64_MAX;
}

static void on_taken(struct call *c)
{
	struct device *d = device_of(c);
	struct figures *f = d->herd->figures;
	struct telemetry_ack ack;
	struct err e;

	if (!device_is_answer(d, false, SPAN_TELEMETRY))
		return;
	if (telemetry_ack_decode(buf_str(&c->answer), &ack, &e) < 0 || ack.epoch != d->epoch ||
		ack.seq != d->item_seq) {
		fprintf(stderr, "%s: telemetry: %.*s\n", d->id.s, (int)c->answer.n,
			(const char *)c->answer.p);
		figures_count(f, COUNT_WRONG);
		device_wait_out(d, ERR_RETRY_LATER);
		return;
	}
	figures_count(f, COUNT_BATCHES);
	buf_clear(&d->batch);
	d->next_batch = device_now() + device_spread(d, d->herd->conf->batch);
	device_go_on(d);
}

void device_send_batch(struct device *d)
{
	if (!d->batch.n)
		make_batch(d);
	snprintf(d->call.path, sizeof d->call.path, "/v1/devices/%s/telemetry", d->id.s);
	d->call.etag = NULL;
	device_call(d, on_taken, buf_str(&d->batch));
}
