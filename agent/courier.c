/* Telemetry on its way to the server: batch by batch, in order, each until it is acknowledged. */
#include <string.h>

#include "agent/agent_priv.h"
#include "agent/core/backoff.h"
#include "lib/sys/log.h"

#define SOON SEC(2) /* so that what comes together is sent together */

struct courier_job {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	struct telequeue_batch batch;
	struct telemetry_ack ack;
	ms_t retry_after;
	int rc;
	struct err err;
};

static void send_run(struct job *job)
{
	struct courier_job *c = (struct courier_job *)job;

	c->rc = c->w->send_telemetry(c->w->self, buf_str(&c->batch.text), &c->job.cancel, &c->ack,
		&c->retry_after, &c->err);
}

/* It is this batch that the server does not want, and will not want next time. */
static bool is_refused(enum err_code code)
{
	return code == ERR_BAD_INPUT || code == ERR_TOO_LARGE || code == ERR_CONFLICT;
}

/* The server has everything up to `seq`; `more`: and the batch was full. */
static void acked(struct agent *a, uint64_t epoch, uint64_t seq, bool more)
{
	struct courier *c = &a->telemetry.courier;

	c->fails = 0;
	c->err = (struct err){0};
	c->sent++;
	c->ok_wall = agent_wall(a);
	telequeue_ack(a->telemetry.queue, epoch, seq);
	c->next = agent_mono(a) + (more ? 0 : agent_jitter(a, a->conf->telemetry.batch_interval));
}

static void sent(struct agent *a, const struct courier_job *j)
{
	acked(a, j->batch.epoch, j->ack.seq, j->batch.more && j->ack.seq >= j->batch.last);
}

/* Of the broker's word only what names the batch that was posted is believed. */
void courier_acked(struct agent *a, const struct telemetry_ack *ack)
{
	struct courier *c = &a->telemetry.courier;

	if (byway_ends(&c->byway, ack->epoch, ack->seq))
		acked(a, ack->epoch, ack->seq, c->more);
}

static void failed(struct agent *a, const struct courier_job *j)
{
	struct courier *c = &a->telemetry.courier;
	ms_t wait;

	c->fails++;
	if (c->err.code != j->err.code)
		log_err(LOG_ID_POLL_FAILED, &j->err, "action=telemetry");
	c->err = j->err;
	if (is_refused(j->err.code))
		telequeue_ack(a->telemetry.queue, j->batch.epoch, j->batch.last);
	/* One that takes no telemetry may take it some day. */
	wait = backoff_wait(err_retry(j->err.code), c->fails, agent_random(a), j->retry_after);
	if (wait < 0)
		wait = backoff_wait(ERR_RETRY_LATER, c->fails, agent_random(a), j->retry_after);
	c->next = agent_mono(a) + wait;
}

static void send_done(struct job *job)
{
	struct courier_job *j = (struct courier_job *)job;
	struct agent *a = j->agent;

	a->telemetry.courier.job = NULL;
	if (!a->closing)
		(j->rc == 0 ? sent : failed)(a, j);
	telequeue_batch_fini(&j->batch);
	mem_free(&j);
}

void courier_hurry(struct agent *a)
{
	struct courier *c = &a->telemetry.courier;

	if (!c->fails && !c->byway.on)
		c->next = MIN(c->next, agent_mono(a) + SOON);
}

ms_t courier_next(const struct agent *a)
{
	return a->telemetry.courier.job || !a->w.send_telemetry ? NEVER : a->telemetry.courier.next;
}

static bool post(struct agent *a, const struct telequeue_batch *b)
{
	struct courier *c = &a->telemetry.courier;

	if (!byway_post(a, &c->byway, PUSH_TELEMETRY, buf_str(&b->text), b->epoch, b->last))
		return false;
	c->more = b->more;
	c->next = c->byway.until;
	return true;
}

/* Takes the batch over. */
static void send(struct agent *a, struct telequeue_batch *b)
{
	struct courier_job *j = mem_new(sizeof *j);

	j->job = (struct job){.lane = LANE_NET, .run = send_run, .done = send_done};
	j->agent = a;
	j->w = &a->w;
	j->batch = *b;
	*b = (struct telequeue_batch){0};
	a->telemetry.courier.job = j;
	jobs_submit(a->jobs, &j->job);
}

void courier_due(struct agent *a, ms_t now)
{
	struct telequeue_batch b CLEANUP(telequeue_batch_fini) = {0};
	struct courier *c = &a->telemetry.courier;
	struct err e = {0};

	if (now < courier_next(a))
		return;
	byway_miss(a, &c->byway);
	c->next = now + agent_jitter(a, a->conf->telemetry.batch_interval);
	if (telequeue_batch(a->telemetry.queue, &b, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=telemetry");
	if (b.items && !post(a, &b))
		send(a, &b);
}
