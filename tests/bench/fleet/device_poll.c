#include "tests/bench/fleet/device_parts.h"

#include <stdio.h>
#include <string.h>

static bool verifies(const struct device *d)
{
	unsigned each = d->herd->conf->verify_each;

	return each && d->number % each == 0;
}

static void poll_later(struct device *d)
{
	bool floods = d->herd->figures->mode == MODE_FLOOD;

	d->next_poll = device_now() + (floods ? 0 : device_spread(d, d->herd->conf->poll));
	if (d->call.retry_after)
		d->next_poll = MAX(d->next_poll, device_now() + d->call.retry_after);
}

static void read_next(struct device *d);

static bool is_own_timestamp(const char *path)
{
	return strncmp(path, "/director/", 10) == 0 && strstr(path, "/timestamp.json");
}

static void on_file(struct call *c)
{
	struct device *d = device_of(c);
	bool is_missing = c->answered && c->status == 404;
	struct str bytes = {0};
	struct desired want;
	char path[400];
	bool may_miss;
	struct err e;

	reading_next(d->reading, path, sizeof path, &may_miss);
	if (!device_is_answer(d, may_miss, SPAN_META))
		return;
	figures_count(d->herd->figures, COUNT_FILES);
	if (is_own_timestamp(path))
		snprintf(d->call_etag, sizeof d->call_etag, "%s", c->new_etag);
	if (!is_missing)
		bytes = buf_str(&c->answer);
	if (reading_take(d->reading, bytes, &e) < 0) {
		/* Signed anew between two of its files, most of the time. */
		fprintf(stderr, "%s: %s: %s\n", d->id.s, path, e.text);
		figures_count(d->herd->figures, COUNT_WRONG);
		device_wait_out(d, ERR_RETRY_SOON);
		return;
	}
	if (reading_next(d->reading, path, sizeof path, &may_miss)) {
		read_next(d);
		return;
	}
	if (reading_end(d->reading, &want, &e) < 0)
		device_die(d, &e);
	if (verifies(d))
		figures_count(d->herd->figures, COUNT_VERIFIED);
	reading_free(&d->reading);
	memcpy(d->etag, d->call_etag, sizeof d->etag);
	device_decide(d, &want);
	device_go_on(d);
}

static void read_next(struct device *d)
{
	bool may_miss;

	reading_next(d->reading, d->call.path, sizeof d->call.path, &may_miss);
	d->call.etag = NULL;
	device_call(d, on_file, (struct str){0});
}

static void on_polled(struct call *c)
{
	struct device *d = device_of(c);
	const struct herd *h = d->herd;
	struct device_facts facts = {.device = d->id, .running = d->running_digest};
	struct err e;

	if (!device_is_answer(d, false, SPAN_POLL))
		return;
	figures_count(h->figures, COUNT_POLLS);
	poll_later(d);
	if (c->status == 304) {
		figures_count(h->figures, COUNT_UNCHANGED);
		device_go_on(d);
		return;
	}
	memcpy(d->call_etag, c->new_etag, sizeof d->call_etag);
	snprintf(facts.hardware, sizeof facts.hardware, "edge-x86");
	if (reading_new(&h->roots, &facts, verifies(d), &d->reading, &e) < 0 ||
		reading_take(d->reading, buf_str(&c->answer), &e) < 0)
		device_die(d, &e);
	read_next(d);
}

void device_poll(struct device *d)
{
	d->woken = false;
	snprintf(d->call.path, sizeof d->call.path, "/director/%s/timestamp.json", d->id.s);
	d->call.etag = d->etag;
	device_call(d, on_polled, (struct str){0});
}
