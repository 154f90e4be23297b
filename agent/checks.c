#include "agent/agent_priv.h"

#include <string.h>

#include "lib/sys/log.h"

/* One round, away from the loop. */
struct check_job {
	struct job job;
	struct agent *agent; /* NULL: nobody waits for it any more */
	const struct agent_world *w;
	struct upd_record rec;
	int rc;
	struct health_round round;
};

static struct health_rule rule_of(const struct agent *a)
{
	return (struct health_rule){.interval = a->conf->health.interval,
		.retry = a->conf->health.retry,
		.tries = a->conf->health.tries};
}

static enum health_verdict verdict(const struct agent *a)
{
	struct health_rule r = rule_of(a);

	return a->w.health ? health_eval(&r, &a->checks.state) : HEALTH_GREEN;
}

/* ---- the lane ---- */

static void round_run(struct job *job)
{
	struct check_job *j = (struct check_job *)job;
	struct err ignored;

	j->rc = j->w->health(j->w->self, j->rec.slot_new, j->rec.goal.release.s, &j->job.cancel,
		&j->round, &ignored);
}

/* ---- what a round came to ---- */

static bool failed_before(const struct health_round *last, const struct health_check *c)
{
	for (unsigned i = 0; i < last->n; i++)
		if (strcmp(last->v[i].name, c->name) == 0)
			return !last->v[i].ok;
	return false;
}

/* People and the server are told once, until it has passed again. */
static void tell_failed(struct agent *a, const struct health_check *c)
{
	const char *kind = c->required ? "required" : "wanted";

	log_ev(LOG_ID_HEALTH, "check=%s kind=%s release=%s why=\"%s\"", c->name, kind,
		a->rec.goal.release.s, c->text);
	buf_addf(&a->notes, "%s check %s failed (%s)\n", kind, c->name, c->text);
	if (!c->required) {
		snprintf(a->checks.warning, sizeof(a->checks.warning), "%s: %s", c->name, c->text);
		a->tell = true;
	}
}

static void take(struct agent *a, struct health_round *round)
{
	struct health_rule r = rule_of(a);

	for (unsigned i = 0; i < round->n; i++)
		if (!round->v[i].ok && !failed_before(&a->checks.last, &round->v[i]))
			tell_failed(a, &round->v[i]);
	health_step(&r, &a->checks.state, round->failed, agent_mono(a));
	health_round_fini(&a->checks.last);
	a->checks.last = *round;
	*round = (struct health_round){0};
}

static void round_done(struct job *job)
{
	struct check_job *j = (struct check_job *)job;
	struct agent *a = j->agent;

	if (a && a->checks.job == j)
		a->checks.job = NULL;
	if (a && !a->closing && j->rc == 0)
		take(a, &j->round);
	health_round_fini(&j->round);
	mem_free(&j);
}

/* ---- when ---- */

void checks_begin(struct agent *a)
{
	health_round_fini(&a->checks.last);
	a->checks.warning[0] = 0;
	health_init(&a->checks.state, agent_mono(a));
}

void checks_end(struct agent *a)
{
	struct check_job *j = a->checks.job;

	if (!j)
		return;
	j->agent = NULL;
	a->checks.job = NULL;
	atomic_store(&j->job.cancel, true);
}

void checks_fini(struct agent *a)
{
	checks_end(a);
	health_round_fini(&a->checks.last);
}

/* The lane is free: nothing is written into the inactive slot while the other one soaks. */
void checks_due(struct agent *a, ms_t now)
{
	struct check_job *j;

	if (!a->w.health || a->checks.job || now < a->checks.state.next)
		return;
	j = mem_new(sizeof(*j));
	j->job = (struct job){.lane = LANE_SLOT, .run = round_run, .done = round_done};
	j->agent = a;
	j->w = &a->w;
	j->rec = a->rec;
	a->checks.job = j;
	jobs_submit(a->jobs, &j->job);
}

/* ---- what it means ---- */

bool checks_are_red(const struct agent *a, char *out, size_t cap)
{
	const struct health_round *r = &a->checks.last;

	if (verdict(a) != HEALTH_RED)
		return false;
	for (unsigned i = 0; i < r->n; i++) {
		if (!r->v[i].required || r->v[i].ok)
			continue;
		snprintf(out, cap, "%s failed %llu times: %s", r->v[i].name,
			(unsigned long long)a->checks.state.bad_in_row, r->v[i].text);
		return true;
	}
	snprintf(out, cap, "required checks failed");
	return true;
}

bool checks_are_green(const struct agent *a)
{
	return verdict(a) == HEALTH_GREEN;
}

json_t *checks_answer(const struct agent *a)
{
	static const char *const names[] = {"waits", "green", "red"};
	const struct health_round *r = &a->checks.last;
	json_t *all = json_array();

	for (unsigned i = 0; i < r->n; i++)
		json_array_append_new(all,
			json_pack("{ss sb sb so so}", "name", r->v[i].name, "required",
				r->v[i].required, "ok", r->v[i].ok, "text",
				findings_text(str_of(r->v[i].text), sizeof(r->v[i].text)), "output",
				findings_text(buf_str(&r->v[i].output), HEALTH_OUTPUT_MAX)));
	return json_pack("{ss sI so}", "verdict", names[verdict(a)], "rounds",
		(json_int_t)a->checks.state.rounds, "checks", all);
}
