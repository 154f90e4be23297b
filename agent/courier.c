/* Telemetry on its way to the server: batch by batch, in order, each until it is acknowledged. */
#include <string.h>

#include "agent/agent_priv.h"
#include "agent/core/backoff.h"
#include "lib/sys/log.h"

#define SOON       SEC(2)     /* so that what comes together is sent together */
#define NOT_WANTED MINUTE(60) /* a server that takes no telemetry is asked again after this */

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

static void sent(struct agent *a, const struct courier_job *j)
{
	struct courier *c = &a->telemetry.courier;

	c->fails = 0;
	c->err = (struct err){0};
	c->sent++;
	c->ok_wall = agent_wall(a);
	telequeue_ack(a->telemetry.queue, j->batch.epoch, j->ack.seq);
	bool more = j->batch.more && j->ack.seq >= j->batch.last;

	c->next = agent_mono(a) + (more ? 0 : agent_jitter(a, a->conf->telemetry.batch_interval));
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
	wait = backoff_wait(err_retry(j->err.code), c->fails, agent_random(a), j->retry_after);
	c->next = agent_mono(a) + (wait < 0 ? agent_jitter(a, NOT_WANTED) : wait);
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

	if (!c->fails)
		c->next = MIN(c->next, agent_mono(a) + SOON);
}

ms_t courier_next(const struct agent *a)
{
	return a->telemetry.courier.job || !a->w.send_telemetry ? NEVER : a->telemetry.courier.next;
}

void courier_due(struct agent *a, ms_t now)
{
	struct courier *c = &a->telemetry.courier;
	struct courier_job *j;
	struct err e = {0};

	if (now < courier_next(a))
		return;
	c->next = now + agent_jitter(a, a->conf->telemetry.batch_interval);
	j = mem_new(sizeof *j);
	if (telequeue_batch(a->telemetry.queue, &j->batch, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=telemetry");
	if (j->batch.items == 0) {
		mem_free(&j);
		return;
	}
	j->job = (struct job){.lane = LANE_NET, .run = send_run, .done = send_done};
	j->agent = a;
	j->w = &a->w;
	c->job = j;
	jobs_submit(a->jobs, &j->job);
}
