/* The last thing that is asked for before the switch: nobody holds a lease who still waits for
 * something else. */
#include "agent/agent_priv.h"

#include <stdio.h>
#include <string.h>

#define MARGIN MINUTE(1) /* for stopping, looking and telling */

struct lease_job {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	struct txn_id txn;
	struct lease_ask ask;
	struct lease_answer answer;
	struct wait_list list;
	struct precond_facts facts;
	int rc;
	struct err err;
};

static void run(struct job *job)
{
	struct lease_job *j = (struct lease_job *)job;

	j->rc = j->w->lease(j->w->self, &j->ask, &j->job.cancel, &j->answer, &j->err);
}

/* A server that answered has decided; who could not be asked has not. An old one knows no leases.
 */
static bool is_refusal(const struct lease_job *j)
{
	return err_retry(j->err.code) == ERR_RETRY_NEVER && j->err.code != ERR_NOT_FOUND &&
	       j->err.code != ERR_CONFIG && j->err.code != ERR_CANCELLED;
}

static void fill(const struct lease_job *j, struct precond_facts *f)
{
	if (j->rc < 0 && !is_refusal(j)) {
		snprintf(
			f->why[PRECOND_LEASE], sizeof(f->why[PRECOND_LEASE]), "%.90s", j->err.text);
		return;
	}
	f->lease.known = true;
	f->lease.held = j->rc == 0 && j->answer.granted;
	f->lease.ask_in = j->rc == 0 ? j->answer.again : 0;
	snprintf(f->lease.text, sizeof(f->lease.text), "%.150s",
		j->rc < 0 ? j->err.text : j->answer.text);
}

static void done(struct job *job)
{
	struct lease_job *j = (struct lease_job *)job;
	struct agent *a = j->agent;
	bool present = !a->closing && a->rec.state == UPD_READY &&
		       memcmp(&a->rec.txn, &j->txn, sizeof(j->txn)) == 0;

	a->waits.lease = NULL;
	if (present) {
		fill(j, &j->facts);
		waits_end_swap(a, &j->list, &j->facts);
	}
	mem_free(&j);
}

/* There, the soak, and back. */
static ms_t need(const struct agent *a)
{
	const struct release *r = a->release;

	return MIN((ms_t)LIMIT_SPAN_MS, MARGIN + (r ? r->soak + 2 * r->start_timeout : 0) +
						2 * a->conf->service.stop_timeout);
}

void waits_ask_lease(struct agent *a, const struct wait_list *l, const struct precond_facts *f)
{
	struct lease_job *j = mem_new(sizeof(*j));

	j->job = (struct job){.lane = LANE_NET, .run = run, .done = done};
	j->agent = a;
	j->w = &a->w;
	j->txn = a->rec.txn;
	j->ask = (struct lease_ask){.document = a->rec.goal.document, .need = need(a)};
	j->list = *l;
	j->facts = *f;
	a->waits.lease = j;
	jobs_submit(a->jobs, &j->job);
}
