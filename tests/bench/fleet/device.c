#include "tests/bench/fleet/device_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/backoff.h"
#include "lib/sys/clock.h"

ms_t device_now(void)
{
	return clock_system.mono(clock_system.self);
}

void device_die(const struct device *d, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", d->id.s, e->text);
	abort();
}

ms_t device_spread(struct device *d, ms_t span)
{
	return span / 2 + (ms_t)prng_below(&d->herd->random, (uint64_t)span + 1);
}

void device_sleep_until(struct device *d, ms_t when)
{
	ms_t span = MAX(when - device_now(), 0);

	/* Not relative to when the loop began its turn, which may be long ago. */
	sd_event_source_set_time(d->timer, figures_now_us() + (uint64_t)span * 1000);
	sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

void device_call(struct device *d, void (*done)(struct call *), struct str body)
{
	if (device_now() < d->not_before)
		figures_count(d->herd->figures, COUNT_EARLY);
	d->call.host = d->id.s;
	d->call.number = d->number;
	d->call.done = done;
	d->call.body = body;
	d->calls = true;
	sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
	call_begin(d->herd->calls, &d->call);
}

/* The agent's own backoff. */
void device_wait_out(struct device *d, enum err_retry class_)
{
	ms_t wait =
		backoff_wait(class_, ++d->fails, prng_next(&d->herd->random), d->call.retry_after);

	reading_free(&d->reading);
	buf_fini(&d->document);
	d->not_before = device_now() + d->call.retry_after;
	device_sleep_until(d, device_now() + (wait < 0 ? SEC(60) : wait));
}

bool device_is_answer(struct device *d, bool may_miss, enum span timed)
{
	struct figures *f = d->herd->figures;
	const struct call *c = &d->call;

	d->calls = false;
	if (!c->answered) {
		figures_count(f, COUNT_BROKEN);
		device_wait_out(d, ERR_RETRY_SOON);
		return false;
	}
	if (c->status == 429 || c->status == 503) {
		figures_count(f, COUNT_BUSY);
		device_wait_out(d, ERR_RETRY_SOON);
		return false;
	}
	figures_time(f, timed, c->us);
	if (c->status / 100 == 2 || c->status == 304 || (may_miss && c->status == 404)) {
		d->fails = 0;
		return true;
	}
	fprintf(stderr, "%s: %s: %d %.*s\n", d->id.s, c->path, c->status, (int)c->answer.n,
		(const char *)c->answer.p);
	figures_count(f, COUNT_WRONG);
	device_wait_out(d, ERR_RETRY_LATER);
	return false;
}

struct device *device_of(struct call *c)
{
	return (struct device *)((char *)c - offsetof(struct device, call));
}

/* ---- the loop of a life ---- */

void device_go_on(struct device *d)
{
	ms_t now = device_now();

	if (d->calls)
		return;
	if (d->n_queue)
		device_send_report(d);
	else if (device_batch_due(d) <= now)
		device_send_batch(d);
	else if (device_is_busy(d))
		device_step(d);
	else if (d->woken || d->next_poll <= now)
		device_poll(d);
	else
		device_sleep_until(d, MIN(d->next_poll, device_batch_due(d)));
}

static int on_timer(sd_event_source *s UNUSED, uint64_t us UNUSED, void *ctx)
{
	device_go_on(ctx);
	return 0;
}

void device_mode(struct device *d)
{
	d->next_poll = device_now() + (ms_t)prng_below(&d->herd->random, 1000);
	device_measure(d);
	if (!d->calls && !d->fails)
		device_go_on(d);
}

void device_wake(struct device *d)
{
	d->woken = true;
	if (!d->calls && device_now() >= d->not_before && !d->fails)
		device_go_on(d);
}

void device_begin(struct device *d, struct herd *h, unsigned number)
{
	*d = (struct device){.herd = h, .number = number};
	snprintf(d->id.s, sizeof d->id.s, "dev-%05u", number);
	if (sd_event_add_time_relative(h->loop, &d->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, d) <
		0)
		abort();
	if (!device_load(d)) {
		d->running = h->conf->runs;
		d->running_digest = h->conf->runs_digest;
	}
	if (d->n_queue < DEVICE_REPORTS / 2)
		device_queue(d, REPORT_HELLO);
	device_measure(d);
	/* Not all in the same instant: machines of a fleet are not switched on together. */
	device_sleep_until(
		d, device_now() + (ms_t)prng_below(&h->random, (uint64_t)h->conf->poll + 1));
}
