#include "agent/agent_priv.h"

#include <math.h>
#include <string.h>

#include "lib/sys/log.h"

#define CHECKPOINT_MAX  SEC(5) /* between two checkpoints, in a long soak */
#define CHECKPOINTS_MIN 8      /* of a short one */
#define ANSWER_AGAIN    SEC(5) /* an answer that changed nothing is given again after this */

struct look {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	void *probe; /* may be NULL */
	bool orphan; /* the watch has let go of the probe */
	ms_t mono;
	int rc;
	struct svc_view svc;
	struct sample sample[LIMIT_TRIGGERS];
};

bool watch_is_looked_at(const struct trig_rule *r)
{
	return trig_kind(r) != TRIG_KIND_EVENT;
}

bool watch_wants_baseline(const struct trig_rule *r)
{
	return r->comparator == TRIG_CMP_BASELINE && watch_is_looked_at(r);
}

bool watch_has_baseline(const struct watch *w, unsigned i)
{
	return trig_is_ready(&w->rule[i], &w->window[i]);
}

/* ---- the lane ---- */

static void look_run(struct job *job)
{
	struct look *l = (struct look *)job;

	l->rc = l->w->look(l->w->self, &l->svc, NULL);
	l->mono = l->w->clock.mono(l->w->clock.self);
	if (l->probe)
		l->w->probe_look(l->probe, l->mono, l->sample);
}

/* ---- what a look says ---- */

static void see_service(struct watch *w, const struct svc_view *v)
{
	if (!w->known || w->svc.alive != v->alive || w->svc.slot != v->slot)
		log_ev(LOG_ID_SERVICE, "alive=%s slot=%s ended=%u", v->alive ? "yes" : "no",
			slot_name(v->slot), v->ended);
	w->svc = *v;
	w->known = true;
}

/* A look is a window of one sample. */
static void see_rule(struct watch *w, unsigned i, const struct sample *x, struct seen *out)
{
	const struct trig_rule *r = &w->rule[i];
	struct trig_window one = {
		.own = {.n = x->n, .bad = x->bad, .sum = x->sum, .hist = x->hist}};

	out->rule[i].blind = x->blind;
	out->rule[i].n = trig_samples(r, &one);
	out->rule[i].bad = x->bad;
	out->rule[i].value =
		trig_kind(r) == TRIG_KIND_TALLY ? (double)x->n : trig_value(r, &w->state[i], &one);
}

static void remember(struct agent *a, const struct look *l)
{
	struct watch *w = &a->watch;

	if (!w->ring)
		w->ring = mem_new(WATCH_RING * sizeof(*w->ring));
	struct seen *s = &w->ring[w->looks++ % WATCH_RING];

	*s = (struct seen){.wall = agent_wall(a), .alive = l->svc.alive};
	for (unsigned i = 0; i < w->n; i++)
		see_rule(w, i, &l->sample[i], s);
}

/* ---- baseline ---- */

static void gather(struct watch *w, const struct look *l)
{
	for (unsigned i = 0; i < w->n; i++)
		if (watch_wants_baseline(&w->rule[i]))
			trig_gather(&w->rule[i], &w->window[i], &l->sample[i]);
}

/* ---- soak ---- */

static struct upd_event soak_event(const struct agent *a, enum upd_ev kind)
{
	const struct watch *w = &a->watch;
	struct upd_event ev = {.kind = kind,
		.ok = true,
		.txn = a->rec.txn,
		.n_trig = w->n,
		.soak_done = MIN(w->soak_done, w->soak_want)};

	memcpy(ev.trig, w->state, w->n * sizeof(ev.trig[0]));
	return ev;
}

static void fire(struct agent *a, enum trig_type cause, const char *text)
{
	struct upd_event ev = soak_event(a, UEV_TRIGGER);
	char txn[TXN_TEXT];

	ev.cause = cause;
	(void)err_set(&ev.err, ERR_TRIGGERED, "%s", text);
	a->watch.answered = agent_mono(a);
	txn_format(&a->rec.txn, txn);
	log_ev(LOG_ID_TRIGGER, "trigger=%s txn=%s release=%s slot=%s why=\"%s\"",
		trig_type_name(cause), txn, a->rec.goal.release.s, slot_name(a->rec.slot_new),
		text);
	agent_post(a, &ev);
	ring_mark(a, trig_type_name(cause), text);
}

static bool may_fire(const struct agent *a, const struct trig_rule *r)
{
	return watch_is_looked_at(r) && (!a->rec.goal.rollback || trig_stops_way_back(r));
}

static bool feed(struct agent *a, const struct look *l)
{
	struct watch *w = &a->watch;
	char text[sizeof(((struct err *)0)->text)];

	for (unsigned i = 0; i < w->n; i++) {
		if (!watch_is_looked_at(&w->rule[i]))
			continue;
		trig_feed(&w->rule[i], &w->state[i], &w->window[i], &l->sample[i]);
		if (trig_eval(&w->rule[i], &w->state[i]) == TRIG_ALARM)
			drift_tell(a, &a->rec.goal.document, &w->rule[i], &w->state[i],
				&w->alarmed[i]);
	}
	for (unsigned i = 0; i < w->n; i++) {
		if (!may_fire(a, &w->rule[i]) || trig_eval(&w->rule[i], &w->state[i]) != TRIG_FIRE)
			continue;
		trig_explain(&w->rule[i], &w->state[i], text, sizeof(text));
		fire(a, w->rule[i].type, text);
		return true;
	}
	return false;
}

/* A version that does not run cannot be accepted, whatever its triggers say: that much is watched
 * for every release. */
static bool is_gone(struct agent *a, bool runs, ms_t now)
{
	struct watch *w = &a->watch;
	char text[96];

	if (runs || !w->dead_since) {
		w->dead_since = runs ? 0 : now;
		return false;
	}
	if (now - w->dead_since < a->rec.start_timeout)
		return false;
	snprintf(text, sizeof(text), "the workload has not run for %lld ms",
		(long long)(now - w->dead_since));
	fire(a, TRIG_START_FAILED, text);
	return true;
}

/* A soak that gets nowhere, because the workload comes and goes or cannot be seen, is a decision
 * too. */
static bool is_stale(struct agent *a)
{
	struct watch *w = &a->watch;
	char text[96];

	if (w->waited < w->patience)
		return false;
	snprintf(text, sizeof(text), "%lld of %lld ms could be watched in %lld ms",
		(long long)w->soak_done, (long long)w->soak_want, (long long)w->waited);
	fire(a, TRIG_UNDECIDED, text);
	return true;
}

/* Whatever the release's triggers say, the machine's owner has the last word. */
static bool is_unwell(struct agent *a)
{
	char text[sizeof(((struct err *)0)->text)];

	if (!checks_are_red(a, text, sizeof(text)))
		return false;
	fire(a, TRIG_HEALTH_FAILED, text);
	return true;
}

/* Time counts only while it is watched: a look that was late, because the machine slept or was
 * busy, vouches for no more than a few intervals. */
static void count_time(struct agent *a, bool runs, ms_t now)
{
	struct watch *w = &a->watch;
	ms_t most = 3 * a->conf->agent.watch_interval + a->conf->service.probe_timeout;

	if (runs)
		w->soak_done += MIN(now - w->counted, most);
	w->waited += MIN(now - w->counted, most);
	w->counted = now;
}

/* What a power cut may take of the soak: little of it, and not much of anybody's time. */
static ms_t checkpoint_every(const struct watch *w)
{
	return MIN(CHECKPOINT_MAX, w->soak_want / CHECKPOINTS_MIN);
}

/* A count that is lost with the agent would let both go down together for ever. */
static bool has_ended(const struct watch *w, const struct look *l)
{
	for (unsigned i = 0; i < w->n; i++)
		if (trig_kind(&w->rule[i]) == TRIG_KIND_TALLY && l->sample[i].n > 0)
			return true;
	return false;
}

/* A rule may want to be judged before anything is accepted (on_blind). */
static bool may_accept(const struct watch *w)
{
	for (unsigned i = 0; i < w->n; i++)
		if (!trig_may_accept(&w->rule[i], &w->state[i]))
			return false;
	return true;
}

static void soak(struct agent *a, const struct look *l)
{
	struct watch *w = &a->watch;
	bool runs = l->rc == 0 && l->svc.alive &&
		    (l->svc.slot == SLOT_NONE || l->svc.slot == a->rec.slot_new);

	count_time(a, runs, l->mono);
	if (w->answered && l->mono - w->answered < ANSWER_AGAIN)
		return;
	if (feed(a, l) || (l->rc == 0 && is_gone(a, runs, l->mono)) || is_unwell(a))
		return;
	if (runs && w->soak_done >= w->soak_want && checks_are_green(a) && may_accept(w)) {
		struct upd_event over = soak_event(a, UEV_SOAK_OVER);

		w->answered = l->mono;
		work_look_then_post(a, &over);
	} else if (is_stale(a)) {
		return;
	} else if (l->mono - w->checkpoint >= checkpoint_every(w) || has_ended(w, l)) {
		struct upd_event mark = soak_event(a, UEV_CHECKPOINT);

		w->checkpoint = l->mono;
		agent_post(a, &mark);
	}
}

static void look_done(struct job *job)
{
	struct look *l = (struct look *)job;
	struct agent *a = l->agent;
	struct watch *w = &a->watch;

	w->look = NULL;
	if (l->orphan)
		a->w.probe_close(l->probe);
	if (!a->closing && l->rc == 0)
		see_service(w, &l->svc);
	if (!a->closing && l->probe && !l->orphan) {
		remember(a, l);
		if (w->mode == WATCH_BASELINE) {
			gather(w, l);
			window_answer(a);
		} else {
			soak(a, l);
		}
	}
	mem_free(&l);
}

void watch_due(struct agent *a, ms_t now)
{
	struct watch *w = &a->watch;

	if (w->look || now < w->next)
		return;
	if (w->mode == WATCH_SOAK)
		checks_due(a, now);
	w->next = now + a->conf->agent.watch_interval;
	/* Whoever starts or stops the workload looks at it himself. */
	if (a->work && a->work->job.lane == LANE_SVC)
		return;
	struct look *l = mem_new(sizeof(*l));

	l->job = (struct job){.lane = LANE_SVC, .run = look_run, .done = look_done};
	l->agent = a;
	l->w = &a->w;
	l->probe = w->probe;
	w->look = l;
	jobs_submit(a->jobs, &l->job);
}

/* ---- which mode ---- */

void watch_init(struct watch *w)
{
	*w = (struct watch){.next = 0};
}

static void let_go(struct agent *a)
{
	struct watch *w = &a->watch;

	w->mode = WATCH_IDLE;
	w->asked = 0;
	w->asked_first = 0;
	w->answered = 0;
	checks_end(a);
	if (w->probe && w->look && w->look->probe == w->probe)
		w->look->orphan = true;
	else if (w->probe)
		a->w.probe_close(w->probe);
	w->probe = NULL;
}

void watch_fini(struct agent *a)
{
	let_go(a);
	checks_fini(a);
	mem_free(&a->watch.ring);
}

static void take_up(struct agent *a, enum watch_mode mode)
{
	struct watch *w = &a->watch;
	struct err e = {0};

	let_go(a);
	w->n = a->release ? a->release->n_triggers : 0;
	for (unsigned i = 0; i < w->n; i++) {
		w->rule[i] = a->release->triggers[i];
		trig_init(&w->state[i], &w->window[i]);
	}
	if (a->w.probe_open(a->w.self, w->rule, w->n, &w->probe, &e) < 0) {
		w->probe = NULL;
		log_err(LOG_ID_ACTION_FAILED, &e, "action=probe");
		return;
	}
	w->mode = mode;
	w->next = agent_mono(a);
}

void watch_begin_soak(struct agent *a)
{
	struct watch *w = &a->watch;

	if (w->mode == WATCH_SOAK)
		return;
	take_up(a, WATCH_SOAK);
	memset(w->alarmed, 0, sizeof(w->alarmed));
	checks_begin(a);
	if (a->rec.n_trig == w->n)
		memcpy(w->state, a->rec.trig, w->n * sizeof(w->state[0]));
	w->soak_done = a->rec.soak_done;
	w->soak_want = a->rec.soak_want;
	w->counted = agent_mono(a);
	w->waited = 0;
	w->patience = promise_patience(w->soak_want - w->soak_done, a->conf->agent.lost);
	w->checkpoint = w->counted;
	w->dead_since = 0;
}

void watch_ask_window(struct agent *a)
{
	a->watch.asked = MAX(1, agent_mono(a));
	if (!a->watch.asked_first)
		a->watch.asked_first = a->watch.asked;
	window_answer(a);
}

void watch_moved(struct agent *a)
{
	struct watch *w = &a->watch;
	enum upd_state s = a->rec.state;
	bool before = s >= UPD_ACCEPTED && s <= UPD_READY;

	if (s == UPD_ACCEPTED || s == UPD_IDLE) {
		mem_free(&w->ring);
		w->looks = 0;
	}
	if (before && w->mode != WATCH_BASELINE)
		take_up(a, WATCH_BASELINE);
	else if (!before && !(s == UPD_SOAKING && w->mode == WATCH_SOAK))
		let_go(a);
}
