#include "tests/bench/fleet/device_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/clock.h"

static void fill(const struct device *d, enum report_kind kind, struct report *r)
{
	report_init(r);
	r->kind = kind;
	r->seq = d->seq;
	r->at = clock_system.wall(clock_system.self);
	snprintf(r->agent, sizeof r->agent, "fleet");
	snprintf(r->hardware, sizeof r->hardware, "edge-x86");
	snprintf(r->labels, sizeof r->labels, "line=l%u", d->number % 10);
	r->running = d->running;
	r->running_digest = d->running_digest;
	snprintf(r->slot, sizeof r->slot, "a");
	snprintf(r->state, sizeof r->state, "%s", device_stage(d)->name);
	r->campaign = d->campaign;
	r->target = d->target;
	r->target_digest = d->target_digest;
	r->director_version = d->director_seen;
	r->code = device_stage(d)->code;
	if (r->code != ERR_OK)
		snprintf(r->text, sizeof r->text, "as the seed wants it");
}

void device_queue(struct device *d, enum report_kind kind)
{
	struct waiting *w = &d->queue[d->n_queue];
	BUF_AUTO text = {0};
	struct report r;
	struct err e;

	if (d->n_queue == DEVICE_REPORTS)
		abort();
	d->herd->figures->dev[d->number].told = 0;
	d->seq++;
	fill(d, kind, &r);
	report_encode(&r, &text);
	*w = (struct waiting){d->seq, kind == REPORT_OUTCOME, mem_strdup(buf_cstr(&text))};
	d->n_queue++;
	if (device_save(d, &e) < 0)
		device_die(d, &e);
}

static void drop_first(struct device *d)
{
	free(d->queue[0].text);
	d->n_queue--;
	memmove(d->queue, d->queue + 1, d->n_queue * sizeof d->queue[0]);
}

static void on_reported(struct call *c)
{
	struct device *d = device_of(c);
	struct figures *f = d->herd->figures;
	bool refused = c->answered && (c->status == 400 || c->status == 409 || c->status == 422);

	if (refused) {
		figures_count(f, COUNT_REFUSED);
		fprintf(stderr, "%s: refused: %.*s\n", d->id.s, (int)c->answer.n,
			(const char *)c->answer.p);
	}
	if (!refused && !device_is_answer(d, false, SPAN_REPORT))
		return;
	d->calls = false;
	figures_count(f, COUNT_REPORTS);
	if (memmem(c->answer.p, c->answer.n, "true", 4))
		figures_count(f, COUNT_DUPLICATES);
	f->dev[d->number].registered = 1;
	if (d->queue[0].ends) {
		f->dev[d->number].ended = 1;
		figures_count(f, COUNT_UPDATES);
	}
	drop_first(d);
	f->dev[d->number].told = d->n_queue == 0;
	device_go_on(d);
}

void device_send_report(struct device *d)
{
	snprintf(d->call.path, sizeof d->call.path, "/v1/devices/%s/reports", d->id.s);
	d->call.etag = NULL;
	if (d->queue[0].ends)
		figures_outcome(d->herd->figures);
	device_call(d, on_reported, str_of(d->queue[0].text));
}
