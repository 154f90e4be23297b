#include "agent/agent_priv.h"

#include <string.h>

#include "agent/core/backoff.h"
#include "agent/version.h"
#include "lib/sys/log.h"

struct send_job {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	unsigned left;
	ms_t retry_after;
	int rc;
	struct err err;
};

/* ---- making them ---- */

int outbox_number(struct agent *a, uint64_t *out_seq, struct err *e)
{
	uint64_t seq = a->rec.report_seq + 1;

	TRY(agent_note(a, seq, a->rec.director_seen, e));
	*out_seq = seq;
	return 0;
}

static void fill_target(const struct upd_record *rec, struct report *out)
{
	if (sha256_is_zero(&rec->goal.document))
		return;
	txn_format(&rec->txn, out->txn);
	out->campaign = rec->goal.campaign;
	out->target = rec->goal.release;
	out->target_digest = rec->goal.document;
	out->director_version = rec->goal.director_version;
}

static void fill_text(char *dst, size_t cap, const char *src)
{
	snprintf(dst, cap, "%.*s", (int)(cap - 1), src);
}

void outbox_fill(const struct agent *a, enum report_kind kind, uint64_t seq, struct report *out)
{
	const struct slot_view *running = agent_running(a);

	report_init(out);
	out->seq = seq;
	out->kind = kind;
	out->at = agent_wall(a);
	fill_text(out->agent, sizeof(out->agent), AGENT_VERSION);
	fill_text(out->hardware, sizeof(out->hardware), a->conf->device.hardware);
	out->running = running->release;
	out->running_digest = running->document;
	fill_text(out->slot, sizeof(out->slot), slot_name(agent_running_slot(a)));
	fill_text(out->state, sizeof(out->state), upd_state_name(a->rec.state));
	fill_target(&a->rec, out);
}

int outbox_put(struct agent *a, const struct report *r, struct err *e)
{
	TRY(tele_put(a->w.fs, r, e));
	a->outbox.left++;
	a->outbox.fresh = true;
	if (a->conf->server.url[0] && !a->outbox.fails && !a->outbox.byway.on)
		a->outbox.next = agent_mono(a);
	return 0;
}

static void put_or_log(struct agent *a, const struct report *r)
{
	struct err e;

	if (outbox_put(a, r, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=report kind=%s",
			report_kind_name(r->kind));
}

static bool number_or_log(struct agent *a, uint64_t director_seen, uint64_t *out_seq)
{
	struct err e;

	*out_seq = a->rec.report_seq + 1;
	if (agent_note(a, *out_seq, director_seen, &e) == 0)
		return true;
	log_err(LOG_ID_JOURNAL, &e, "action=report");
	return false;
}

void outbox_tell(struct agent *a, enum report_kind kind)
{
	struct report r;
	uint64_t seq;

	if (!number_or_log(a, a->rec.director_seen, &seq))
		return;
	outbox_fill(a, kind, seq, &r);
	if (kind == REPORT_HELLO)
		fill_text(r.labels, sizeof(r.labels), a->conf->device.labels);
	if (a->rec.state != UPD_IDLE && a->rec.why != ERR_OK)
		fill_text(r.text, sizeof(r.text), a->rec.why_text);
	else if (a->waits.text[0])
		fill_text(r.text, sizeof(r.text), a->waits.text);
	else if (kind == REPORT_STATE)
		fill_text(r.text, sizeof(r.text), a->checks.warning);
	if (kind == REPORT_OUTCOME)
		r.code = a->rec.why;
	put_or_log(a, &r);
	report_fini(&r);
	a->outbox.progress = agent_mono(a) + a->conf->agent.report_interval;
}

void outbox_condition(struct agent *a, const struct err *what)
{
	struct report r;
	uint64_t seq;

	if (!number_or_log(a, a->rec.director_seen, &seq))
		return;
	outbox_fill(a, REPORT_CONDITION, seq, &r);
	r.code = what->code;
	fill_text(r.text, sizeof(r.text), what->text);
	put_or_log(a, &r);
	report_fini(&r);
}

void outbox_switch(struct agent *a)
{
	struct report r;
	uint64_t seq;

	outbox_fill(a, REPORT_SWITCH, 0, &r);
	waits_conditions(a, &r);
	if (!r.n_conditions || !number_or_log(a, a->rec.director_seen, &seq))
		return;
	r.seq = seq;
	snprintf(r.text, sizeof(r.text), "switches to %.64s: all that it waited for holds",
		a->rec.goal.release.s);
	put_or_log(a, &r);
	report_fini(&r);
}

static void note_refusal(struct agent *a, const struct err *why)
{
	BUF_AUTO line = {0};
	struct err e;

	buf_addf(&line, "refused (%s: %s)", err_name(why->code), why->text);
	if (history_add(a->w.fs, agent_wall(a), buf_cstr(&line), &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=history");
}

void outbox_refuse(struct agent *a, const struct err *why, const struct desired *d)
{
	struct report r;
	uint64_t seen = d ? MAX(d->director_version, a->rec.director_seen) : a->rec.director_seen;
	uint64_t seq;

	note_refusal(a, why);
	if (!number_or_log(a, seen, &seq))
		return;
	outbox_fill(a, REPORT_REFUSED, seq, &r);
	r.code = why->code;
	fill_text(r.text, sizeof(r.text), why->text);
	if (d) {
		r.campaign = d->campaign;
		r.target_digest = d->hash;
		r.director_version = d->director_version;
	}
	put_or_log(a, &r);
	report_fini(&r);
}

bool outbox_progress(const struct agent *a, const char **of, uint64_t *done, uint64_t *total)
{
	if (a->rec.state == UPD_STAGING && a->work && a->release) {
		*of = "bytes";
		*done = atomic_load(&a->work->bytes);
		*total = release_artifact_bytes(a->release);
		return true;
	}
	if (a->rec.state == UPD_SOAKING && a->watch.mode == WATCH_SOAK) {
		*of = "soak_ms";
		*done = (uint64_t)MIN(a->watch.soak_done, a->watch.soak_want);
		*total = (uint64_t)a->watch.soak_want;
		return true;
	}
	if (a->rec.state == UPD_READY && shadow_progress(a, done, total)) {
		*of = "pairs";
		return true;
	}
	return false;
}

static void tell_progress(struct agent *a, ms_t now)
{
	struct report r;
	uint64_t done, total, seq;
	const char *of;

	a->outbox.progress = now + a->conf->agent.report_interval;
	/* What cannot be sent soon is worth no wear. */
	if (a->outbox.fails || !a->conf->server.url[0] || !outbox_progress(a, &of, &done, &total) ||
		!number_or_log(a, a->rec.director_seen, &seq))
		return;
	outbox_fill(a, REPORT_PROGRESS, seq, &r);
	r.done = done;
	r.total = total;
	put_or_log(a, &r);
	report_fini(&r);
}

/* ---- sending them ---- */

static void send_run(struct job *job)
{
	struct send_job *s = (struct send_job *)job;

	s->rc = s->w->send(s->w->self, &s->job.cancel, &s->left, &s->retry_after, &s->err);
}

static void sent(struct agent *a, const struct send_job *s)
{
	struct outbox *o = &a->outbox;
	/* One that was put while this ran may not have been seen. */
	o->left = MAX(s->left, o->fresh ? 1U : 0U);
	if (s->rc == 0) {
		if (o->fails)
			log_ev(LOG_ID_REPORT, "left=%u after=%u", o->left, o->fails);
		o->fails = 0;
		o->err = (struct err){0};
		o->next = o->left ? agent_mono(a) : NEVER;
		return;
	}
	o->fails++;
	o->err = s->err;
	ms_t wait = backoff_wait(err_retry(s->err.code), o->fails, agent_random(a), s->retry_after);

	if (o->fails == 1)
		log_err(LOG_ID_POLL_FAILED, &s->err, "action=report left=%u", s->left);
	o->next =
		agent_mono(a) + (wait < 0 ? agent_jitter(a, a->conf->server.poll_interval) : wait);
}

static void send_done(struct job *job)
{
	struct send_job *s = (struct send_job *)job;

	s->agent->outbox.job = NULL;
	if (!s->agent->closing)
		sent(s->agent, s);
	mem_free(&s);
}

/* One at a time, the oldest first. Large ones go by HTTP. */
static bool post_oldest(struct agent *a)
{
	struct outbox *o = &a->outbox;
	BUF_AUTO text = {0};
	uint64_t seq;

	if (!a->w.post || tele_oldest(a->w.fs, PUSH_BYTES_MAX, &seq, &text, NULL) < 0 ||
		!byway_post(a, &o->byway, PUSH_REPORT, buf_str(&text), 0, seq))
		return false;
	o->next = o->byway.until;
	o->fresh = false;
	return true;
}

void outbox_acked(struct agent *a, uint64_t seq)
{
	struct outbox *o = &a->outbox;
	struct err e = {0};

	if (!byway_ends(&o->byway, 0, seq))
		return;
	if (tele_done(a->w.fs, seq, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=report");
	o->left -= o->left > 0;
	o->fails = 0;
	o->err = (struct err){0};
	o->next = agent_mono(a); /* whether there is another one is seen then */
}

void outbox_init(struct agent *a)
{
	/* What an earlier life left behind is sent first. */
	a->outbox = (struct outbox){.next = a->conf->server.url[0] ? 0 : NEVER};
}

void outbox_due(struct agent *a, ms_t now)
{
	struct outbox *o = &a->outbox;

	if (now >= o->progress)
		tell_progress(a, now);
	if (o->job || now < o->next)
		return;
	byway_miss(a, &o->byway);
	if (post_oldest(a))
		return;
	struct send_job *s = mem_new(sizeof(*s));

	s->job = (struct job){.lane = LANE_NET, .run = send_run, .done = send_done};
	s->agent = a;
	s->w = &a->w;
	s->left = o->left;
	o->job = s;
	o->next = NEVER;
	o->fresh = false;
	jobs_submit(a->jobs, &s->job);
}
