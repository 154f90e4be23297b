/* What an update waits for before the switch. Lanes look, the loop judges. The way back is no
 * business of this file: nothing here is asked once the switch has begun. */
#include "agent/agent_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"
#include "lib/sys/log.h"

#define BEFORE_STAGING (PRECOND_DOWNLOAD | PRECOND_INSTALL)
#define LONGEST        MINUTE(60) /* a clock that is set may bring a window nearer */

/* ---- which rules ---- */

/* What somebody orders back, or orders at the device itself, waits for what makes a restart
 * dangerous, and for nothing else. */
static bool counts(const struct agent *a, const struct precond_rule *r, unsigned phases)
{
	bool by_hand = sha256_is_zero(&a->rec.goal.manifest);

	return r->before & phases &&
	       (!(a->rec.goal.rollback || by_hand) || precond_holds_rollback(r->type));
}

static void take(struct agent *a, const struct precond_rule *r, bool of_device, unsigned phases,
	struct wait_list *out)
{
	struct wait_rule *w = &out->v[out->n];

	if (out->n == WAITS_MAX || !counts(a, r, phases))
		return;
	*w = (struct wait_rule){.rule = *r, .of_device = of_device};
	if (r->type == PRECOND_LEASE && a->conf->precond.lease_offline)
		w->rule.on_unknown = PRECOND_UNKNOWN_PASS;
	out->want |= PRECOND_BIT(r->type);
	out->n++;
}

/* The texts were read once when the configuration was checked. */
static void take_configured(
	struct agent *a, enum precond_type type, unsigned phases, struct wait_list *out)
{
	struct precond_rule rules[LIMIT_PRECONDITIONS];
	unsigned n = 0;

	if (precond_text_parse(
		    type, str_of(a->conf->precond.rule[type]), "precond", rules, &n, NULL) < 0)
		return;
	for (unsigned i = 0; i < n; i++)
		take(a, &rules[i], true, phases, out);
}

void waits_gather(struct agent *a, unsigned phases, struct wait_list *out)
{
	*out = (struct wait_list){0};
	agree_fill(a, &out->told);
	for (unsigned i = 0; a->release && i < a->release->n_preconditions; i++)
		take(a, &a->release->preconditions[i], false, phases, out);
	for (enum precond_type t = 0; t < PRECOND_TYPE_MAX; t++)
		take_configured(a, t, phases, out);
}

unsigned waits_phases(const struct agent *a)
{
	bool carried =
		a->carry.state == CARRY_DONE && sha256_eq(&a->carry.wants, &a->rec.goal.document);

	return carried ? PRECOND_INSTALL : BEFORE_STAGING;
}

/* ---- looking and judging ---- */

void waits_look(const struct agent_world *w, const struct wait_list *l, struct precond_facts *out)
{
	*out = (struct precond_facts){0};
	if (l->want && w->facts)
		w->facts(w->self, l->want, out);
	out->consent = l->told.consent;
}

int waits_hold(const struct wait_list *l, const struct precond_facts *f, struct err *e)
{
	struct precond_verdict v;

	for (unsigned i = 0; i < l->n; i++) {
		precond_eval(&l->v[i].rule, f, &v);
		if (!v.holds)
			return err_set(e, ERR_UNMET, "%s", v.sentence);
	}
	return 0;
}

/* What stays the same while only numbers change. */
static uint64_t hash_of(const struct agent *a, const struct waits *w)
{
	uint64_t h = a->rec.state + 1;

	for (unsigned i = 0; i < w->list.n; i++) {
		uint8_t bytes[3] = {
			(uint8_t)i, (uint8_t)w->list.v[i].rule.type, (uint8_t)w->verdict[i].is};

		if (!w->verdict[i].holds)
			h = hash64(h, bytes, sizeof(bytes));
	}
	return h;
}

static void tell(struct agent *a, const struct err *why)
{
	struct waits *w = &a->waits;
	uint64_t hash = hash_of(a, w);

	snprintf(w->text, sizeof(w->text), "%.*s", (int)sizeof(w->text) - 1, why->text);
	if (hash == w->told)
		return;
	w->told = hash;
	log_err(LOG_ID_WAITS, why, "state=%s release=%s", upd_state_name(a->rec.state),
		a->rec.goal.release.s);
	buf_addf(&a->notes, "waits in %s: %s\n", upd_state_name(a->rec.state), why->text);
	a->tell = true;
}

/* When it is worth looking again: not before the last of them can hold. */
static ms_t again_in(const struct agent *a)
{
	const struct waits *w = &a->waits;
	ms_t again = 0;

	for (unsigned i = 0; i < w->list.n; i++) {
		const struct precond_verdict *v = &w->verdict[i];

		if (!v->holds)
			again = MAX(
				again, v->look_in ? v->look_in : a->conf->precond.look_interval);
	}
	return MIN(again, LONGEST);
}

static int first_unmet(const struct waits *w, struct err *e)
{
	unsigned more = 0;
	const char *first = NULL;

	for (unsigned i = 0; i < w->list.n; i++) {
		if (w->verdict[i].holds)
			continue;
		more += first != NULL;
		first = first ? first : w->verdict[i].sentence;
	}
	if (!first)
		return 0;
	return more ? err_set(e, ERR_UNMET, "%s; and %u more", first, more)
		    : err_set(e, ERR_UNMET, "%s", first);
}

int waits_judge(struct agent *a, unsigned phases, const struct wait_list *l,
	const struct precond_facts *f, ms_t *out_again, struct err *e)
{
	struct waits *w = &a->waits;

	w->phases = phases;
	w->list = *l;
	w->facts = *f;
	w->looked = agent_mono(a);
	for (unsigned i = 0; i < l->n; i++)
		precond_eval(&l->v[i].rule, f, &w->verdict[i]);
	int rc = first_unmet(w, e);

	if (rc == 0) {
		w->unmet_at = 0;
		w->told = 0;
		w->text[0] = '\0';
		return 0;
	}
	tell(a, e);
	*out_again = again_in(a);
	return waits_count(a, out_again, e);
}

/* ---- before the switch ---- */

struct wait_job {
	struct job job;
	struct agent *agent;
	const struct agent_world *w;
	struct txn_id txn;
	enum upd_state state;
	unsigned phases;
	struct wait_list list;
	struct precond_facts facts;
};

static void run(struct job *job)
{
	struct wait_job *j = (struct wait_job *)job;

	waits_look(j->w, &j->list, &j->facts);
}

static bool is_present(const struct agent *a, const struct wait_job *j)
{
	return !a->closing && a->rec.state == j->state &&
	       memcmp(&a->rec.txn, &j->txn, sizeof(j->txn)) == 0;
}

void waits_end_swap(struct agent *a, const struct wait_list *l, const struct precond_facts *f)
{
	struct err e = {0};
	ms_t again = 0;

	if (waits_judge(a, PRECOND_SWAP, l, f, &again, &e) < 0) {
		window_wait(a, &e, again);
		return;
	}
	a->waits.may_swap = true;
	window_answer(a);
}

static void drop_lease(struct wait_list *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i].rule.type != PRECOND_LEASE)
			l->v[n++] = l->v[i];
	l->n = n;
}

/* The server is asked for a lease when all the rest holds. */
static void judge_swap(struct agent *a, struct wait_job *j)
{
	struct wait_list whole = j->list;

	drop_lease(&j->list);
	if (whole.n > j->list.n && a->w.lease && waits_hold(&j->list, &j->facts, NULL) == 0)
		waits_ask_lease(a, &whole, &j->facts);
	else
		waits_end_swap(a, a->w.lease ? &j->list : &whole, &j->facts);
}

/* It has stopped to hold while the release was being staged: the transfer pauses. */
static void judge_staging(struct agent *a, struct wait_job *j)
{
	struct upd_event ev = {.kind = UEV_PRECOND, .txn = a->rec.txn};

	if (!a->work ||
		waits_judge(a, j->phases, &j->list, &j->facts, &ev.retry_after, &ev.err) == 0)
		return;
	a->failed = ev.err;
	agent_post(a, &ev);
}

static void done(struct job *job)
{
	struct wait_job *j = (struct wait_job *)job;
	struct agent *a = j->agent;

	a->waits.job = NULL;
	if (is_present(a, j))
		(j->phases == PRECOND_SWAP ? judge_swap : judge_staging)(a, j);
	mem_free(&j);
}

static void begin(struct agent *a, unsigned phases)
{
	struct wait_job *j = mem_new(sizeof(*j));

	j->job = (struct job){.lane = LANE_SVC, .run = run, .done = done};
	j->agent = a;
	j->w = &a->w;
	j->txn = a->rec.txn;
	j->state = a->rec.state;
	j->phases = phases;
	waits_gather(a, phases, &j->list);
	a->waits.job = j;
	jobs_submit(a->jobs, &j->job);
}

static bool asks(struct agent *a, unsigned phases)
{
	struct wait_list *l CLEANUP(mem_free) = mem_new(sizeof(*l));

	waits_gather(a, phases, l);
	return l->n > 0;
}

bool waits_allow(struct agent *a)
{
	bool may = a->waits.may_swap;

	a->waits.may_swap = false;
	if (may || !asks(a, PRECOND_SWAP))
		return true;
	if (!a->waits.job && !a->waits.lease)
		begin(a, PRECOND_SWAP);
	return false;
}

/* ---- while it is staged ---- */

static bool is_staging(const struct agent *a)
{
	return a->rec.state == UPD_STAGING && a->work;
}

void waits_due(struct agent *a, ms_t now)
{
	struct waits *w = &a->waits;

	if (!is_staging(a) || w->job || now < w->next)
		return;
	w->next = now + a->conf->precond.look_interval;
	if (asks(a, waits_phases(a)))
		begin(a, waits_phases(a));
	else
		w->next = NEVER;
}

ms_t waits_next(const struct agent *a)
{
	return is_staging(a) && !a->waits.job ? a->waits.next : NEVER;
}

void waits_moved(struct agent *a)
{
	struct waits *w = &a->waits;
	struct waits fresh = {.job = w->job, .lease = w->lease};

	*w = fresh;
	w->next = agent_mono(a) + a->conf->precond.look_interval;
}

void waits_poke(struct agent *a)
{
	if (a->waits.text[0] && a->wake_at != NEVER)
		a->wake_at = agent_mono(a);
}
