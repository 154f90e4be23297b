/* The new version beside the old one, before the switch: when it is compared, and what comes of
 * it. */
#include "agent/agent_priv.h"

#include <string.h>

#include "lib/sys/log.h"

struct shadow_job {
	struct job job;
	struct agent *agent; /* for `done` */
	const struct agent_world *w;
	struct shadow_ask ask;
	struct release *release; /* its own: the loop may let go of the update's */
	struct shadow_board board;
	struct buf log;
	int rc;
	struct err err;
};

/* Without a champion there is nothing to compare with, and what is on its way back was a champion
 * itself. */
static bool is_wanted(const struct agent *a)
{
	return a->release && a->release->strategy == STRATEGY_SHADOW &&
	       a->rec.slot_old != SLOT_NONE && !a->rec.goal.rollback;
}

int shadow_check(const struct agent *a, const struct release *r, bool rollback, struct err *e)
{
	if (r->strategy != STRATEGY_SHADOW || rollback || a->w.shadow ||
		!agent_running(a)->release.s[0])
		return 0;
	return err_set(e, ERR_UNSUPPORTED,
		"%s is to run beside %s, and this device cannot run two (service.kind = %s)",
		r->id.s, agent_running(a)->release.s, a->conf->service.kind);
}

/* ---- the lane ---- */

static void run(struct job *job)
{
	struct shadow_job *k = (struct shadow_job *)job;

	k->rc = k->w->shadow(k->w->self, &k->ask, &k->log, &k->err);
}

/* ---- what comes of it ---- */

static void note(struct agent *a, const struct shadow_tally *t)
{
	char txn[TXN_TEXT];

	txn_format(&a->rec.txn, txn);
	buf_addf(&a->notes, "%s beside %s: %s (%s)\n", a->rec.goal.release.s, a->rec.from.s,
		shadow_verdict_name(t->verdict), t->why);
	log_ev(LOG_ID_SHADOW,
		"verdict=%s cause=%s txn=%s release=%s pairs=%llu why=\"%s\" limits=\"%s\"",
		shadow_verdict_name(t->verdict), shadow_cause_name(t->cause), txn,
		a->rec.goal.release.s, (unsigned long long)t->pairs, t->why, a->shadow.limits);
}

static void settle(struct agent *a, struct shadow_job *k)
{
	bool answers;

	shadow_board_read(&k->board, &a->shadow.seen, &answers);
	shadow_board_limits(&k->board, a->shadow.limits);
	buf_clear(&a->shadow.log);
	buf_add(&a->shadow.log, k->log.p, k->log.n);
	if (k->rc < 0) {
		log_err(LOG_ID_ACTION_FAILED, &k->err, "action=shadow");
		a->failed = k->err;
		window_wait(a, &k->err, 0);
		return;
	}
	note(a, &a->shadow.seen);
	window_answer(a);
}

static void job_free(struct shadow_job *k)
{
	shadow_board_fini(&k->board);
	buf_fini(&k->log);
	mem_free(&k->release);
	mem_free(&k);
}

static void done(struct job *job)
{
	struct shadow_job *k = (struct shadow_job *)job;
	struct agent *a = k->agent;
	bool counts = !a->closing && !atomic_load(&job->cancel);

	if (a->shadow.job == k)
		a->shadow.job = NULL;
	if (counts)
		settle(a, k);
	job_free(k);
}

/* ---- when ---- */

static void begin(struct agent *a)
{
	struct shadow_job *k = mem_new(sizeof(*k));

	k->job = (struct job){.lane = LANE_SLOT, .run = run, .done = done};
	k->agent = a;
	k->w = &a->w;
	k->release = mem_new(sizeof(*k->release));
	*k->release = *a->release;
	shadow_board_init(&k->board);
	k->ask = (struct shadow_ask){.fs = a->w.fs,
		.txn = a->rec.txn,
		.slot = a->rec.slot_new,
		.release = k->release,
		.cancel = &k->job.cancel,
		.board = &k->board};
	a->shadow.job = k;
	jobs_submit(a->jobs, &k->job);
}

static void refuse(struct agent *a, enum err_code code, const char *text)
{
	struct err why;

	(void)err_set(&why, code, "%s", text);
	window_wait(a, &why, 0);
}

bool shadow_allows(struct agent *a)
{
	struct shadow *s = &a->shadow;

	if (!is_wanted(a) || s->seen.verdict == SHADOW_PROMOTED)
		return true;
	if (s->seen.verdict == SHADOW_REFUSED)
		refuse(a, ERR_SHADOW_FAILED, s->seen.why);
	else if (!a->w.shadow)
		refuse(a, ERR_UNSUPPORTED, "no second workload can be run here");
	else if (!s->job)
		begin(a);
	return false;
}

void shadow_moved(struct agent *a)
{
	struct shadow *s = &a->shadow;

	if (s->job) {
		atomic_store(&s->job->job.cancel, true);
		s->job = NULL;
	}
	if (a->rec.state == UPD_ACCEPTED) {
		s->seen = (struct shadow_tally){0};
		buf_clear(&s->log);
	}
}

/* ---- what is said of it ---- */

static bool look(const struct agent *a, struct shadow_tally *out)
{
	bool answers = false;

	*out = a->shadow.seen;
	if (a->shadow.job)
		shadow_board_read(&a->shadow.job->board, out, &answers);
	return answers;
}

bool shadow_progress(const struct agent *a, uint64_t *out_done, uint64_t *out_total)
{
	struct shadow_tally t;

	if (!a->shadow.job || !is_wanted(a))
		return false;
	(void)look(a, &t);
	*out_done = t.pairs;
	*out_total = a->release->shadow.min_pairs;
	return true;
}

static json_t *micro_of(const uint64_t buckets[SHADOW_BUCKETS], uint32_t quantile)
{
	uint64_t us = shadow_quantile(buckets, quantile);

	return us ? json_integer((json_int_t)us) : json_null();
}

static json_t *examples_json(const struct shadow_tally *t)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < t->n_examples; i++)
		json_array_append_new(all,
			json_pack("{ss so so}", "id", t->example[i].id, "champion",
				findings_text(str_of(t->example[i].champion), LIMIT_SHADOW_ANSWER),
				"challenger",
				findings_text(
					str_of(t->example[i].challenger), LIMIT_SHADOW_ANSWER)));
	return all;
}

json_t *shadow_answer(const struct agent *a)
{
	struct shadow_tally t;

	if (!is_wanted(a))
		return json_null();
	bool answers = look(a, &t);
	char limits[BESIDE_TEXT];

	memcpy(limits, a->shadow.limits, sizeof limits);
	if (a->shadow.job)
		shadow_board_limits(&a->shadow.job->board, limits);
	const struct shadow_rule *r = &a->release->shadow;

	return json_pack("{ss ss ss sb sb sI sI sI sI sI sI sI sI sI si so so sI so ss}", "verdict",
		shadow_verdict_name(t.verdict), "cause", shadow_cause_name(t.cause), "reason",
		t.why, "runs", answers, "held", shadow_is_held(r, &t), "pairs", (json_int_t)t.pairs,
		"min_pairs", (json_int_t)r->min_pairs, "agreed", (json_int_t)t.agreed, "errors",
		(json_int_t)t.errors, "void", (json_int_t)t.void_inputs, "dropped",
		(json_int_t)t.dropped, "spoiled", (json_int_t)t.spoiled, "crashes",
		(json_int_t)t.crashes, "ran_ms", (json_int_t)t.ran, "latency_permille",
		(int)r->quantile, "champion_micro", micro_of(t.champion, r->quantile),
		"challenger_micro", micro_of(t.challenger, r->quantile), "limit_micro",
		(json_int_t)shadow_limit_us(r, &t), "examples", examples_json(&t), "limits",
		limits);
}

static void put_counts(struct buf *b, const struct shadow_rule *r, const struct shadow_tally *t)
{
	uint64_t judged = t->pairs - t->errors;

	buf_addf(b, "%llu of at least %llu inputs are compared", (unsigned long long)t->pairs,
		(unsigned long long)r->min_pairs);
	if (judged)
		buf_addf(b, "; %.1f %% of the answers are the same, %.1f %% are wanted",
			100.0 * (double)t->agreed / (double)judged, r->agreement / 10.0);
	if (t->pairs)
		buf_addf(b, "; no answer to %.1f %%, %.1f %% are allowed",
			100.0 * (double)t->errors / (double)t->pairs, r->errors / 10.0);
	if (t->crashes)
		buf_addf(b, "; it ended %llu times", (unsigned long long)t->crashes);
}

static void put_latency(struct buf *b, const struct shadow_rule *r, const struct shadow_tally *t)
{
	uint64_t limit = shadow_limit_us(r, t);

	if (!t->pairs)
		return;
	buf_addf(b, "; p%g %.1f ms, the champion's %.1f ms", r->quantile / 10.0,
		(double)shadow_quantile(t->challenger, r->quantile) / 1000,
		(double)shadow_quantile(t->champion, r->quantile) / 1000);
	if (limit)
		buf_addf(b, ", limit %.1f ms", (double)limit / 1000);
}

void shadow_say(const struct agent *a, json_t *sentences)
{
	struct shadow_tally t;
	BUF_AUTO b = {0};

	if (!is_wanted(a))
		return;
	bool answers = look(a, &t);
	char limits[BESIDE_TEXT];

	memcpy(limits, a->shadow.limits, sizeof limits);
	if (a->shadow.job)
		shadow_board_limits(&a->shadow.job->board, limits);
	const struct shadow_rule *r = &a->release->shadow;

	buf_addf(&b, "%s beside %s: ", a->rec.goal.release.s, a->rec.from.s);
	if (t.verdict != SHADOW_OPEN)
		buf_addf(&b, "%s; ", shadow_verdict_name(t.verdict));
	else if (!answers)
		buf_add_str(&b, "is being started; ");
	put_counts(&b, r, &t);
	put_latency(&b, r, &t);
	if (shadow_is_held(r, &t))
		buf_add_str(
			&b, "; past its deadline, it goes on until it is decided or called off");
	json_array_append_new(sentences, findings_text(buf_str(&b), 1024));
}
