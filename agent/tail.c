#include "agent/agent_priv.h"

#include <string.h>

#include "lib/sys/log.h"

#define LOG_BYTES 16384

/* The workload's last words are worth having and not worth failing for. */
int tail_run(struct work *k, struct err *e UNUSED)
{
	struct err ignored;

	if (k->rec.state != UPD_COMMITTED &&
		k->w->log_tail(k->w->self, LOG_BYTES, &k->log, &ignored) < 0)
		buf_clear(&k->log);
	return 0;
}

static int save(struct agent *a, const json_t *f, struct err *e)
{
	char txn[TXN_TEXT];
	BUF_AUTO text = {0};

	txn_format(&a->rec.txn, txn);
	json_write(f, &text);
	return dossier_save(a->w.fs, txn, buf_str(&text), e);
}

void tail_draft(struct agent *a)
{
	JSON_AUTO *f = findings_draft(a);
	struct err e;

	if (save(a, f, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=dossier");
}

static json_t *load_draft(struct agent *a)
{
	char txn[TXN_TEXT];
	json_t *f = NULL;
	struct err e;
	BUF_AUTO text = {0};

	txn_format(&a->rec.txn, txn);
	if (dossier_load(a->w.fs, txn, &text, &e) < 0 ||
		json_read(buf_str(&text), LIMIT_REPORT_BYTES, &f, &e) < 0 || !json_is_object(f))
		json_release(&f);
	return f;
}

/* What was kept before the power went, or, when even that is lost, what the record knows. */
static int complete_dossier(struct agent *a, struct str log, char **out_text, struct err *e)
{
	JSON_AUTO *f = load_draft(a);
	BUF_AUTO text = {0};

	if (!f)
		f = findings_draft(a);
	if (!json_object_get(f, "outcome"))
		findings_complete(f, a, log);
	TRY(save(a, f, e));
	json_write(f, &text);
	*out_text = mem_strdup(buf_cstr(&text));
	return 0;
}

static bool is_blamed(const struct upd_record *r)
{
	return r->state != UPD_COMMITTED && upd_is_blamed(r);
}

/* One number for one outcome, however often the tail is begun: a report that is sent twice counts
 * once. */
static int note_outcome(struct agent *a, struct err *e)
{
	const struct upd_record *r = &a->rec;
	struct outcomes next = a->outcomes;
	struct outcome o = {.txn = r->txn,
		.release = r->goal.release,
		.state = r->state,
		.why = r->why,
		.cause = r->cause,
		.at = agent_wall(a)};

	if (next.last.state != UPD_IDLE && memcmp(&next.last.txn, &r->txn, sizeof(r->txn)) == 0)
		return 0;
	memcpy(o.text, r->why_text, sizeof(o.text));
	TRY(outbox_number(a, &o.report_seq, e));
	next.last = o;
	if (is_blamed(r))
		next.rollback = o;
	TRY(outcome_save(a->w.fs, &next, e));
	a->outcomes = next;
	return 0;
}

static int quarantine(struct agent *a, struct quarantine_entry *q, struct err *e)
{
	struct quarantine next = a->quarantine;
	ms_t span = a->conf->agent.quarantine;

	q->since = agent_wall(a);
	q->until = span ? q->since + span : 0;
	quarantine_add(&next, q);
	return agent_save_quarantine(a, &next, e);
}

static int quarantine_goal(struct agent *a, struct err *e)
{
	const struct upd_record *r = &a->rec;
	struct quarantine_entry q = {
		.document = r->goal.document, .release = r->goal.release, .why = r->why};

	memcpy(q.text, r->why_text, sizeof(q.text));
	return quarantine(a, &q, e);
}

/* A person took the device back from it: the fleet's standing order must not undo that. */
static int quarantine_left(struct agent *a, struct err *e)
{
	const struct upd_record *r = &a->rec;
	struct quarantine_entry q = {.document = r->from_document,
		.release = r->from,
		.why = ERR_CANCELLED,
		.text = "taken back by hand"};

	return quarantine(a, &q, e);
}

/* No fleet ordered it: there is no manifest. */
static bool is_by_hand(const struct upd_record *r)
{
	return r->goal.rollback && sha256_is_zero(&r->goal.manifest);
}

static int report_outcome(struct agent *a, char *dossier, struct err *e)
{
	const struct outcome *o = &a->outcomes.last;
	struct report r;

	outbox_fill(a, REPORT_OUTCOME, o->report_seq, &r);
	r.code = o->why;
	r.dossier = dossier;
	if (o->cause < TRIG_TYPE_MAX)
		snprintf(r.cause, sizeof(r.cause), "%s", trig_type_name(o->cause));
	if (o->state == UPD_COMMITTED)
		snprintf(r.text, sizeof(r.text), "%s is accepted", o->release.s);
	else
		snprintf(r.text, sizeof(r.text), "%s", o->text);
	int rc = outbox_put(a, &r, e);

	report_fini(&r);
	return rc;
}

static int end(struct agent *a, struct str log, struct err *e)
{
	char *dossier CLEANUP(mem_free) = NULL;

	TRY(note_outcome(a, e));
	if (a->rec.state != UPD_COMMITTED)
		TRY(complete_dossier(a, log, &dossier, e));
	if (is_blamed(&a->rec))
		TRY(quarantine_goal(a, e));
	else if (a->rec.state == UPD_COMMITTED && is_by_hand(&a->rec))
		TRY(quarantine_left(a, e));
	char *given = dossier;

	dossier = NULL;
	return report_outcome(a, given, e);
}

static void log_outcome(const struct agent *a, const struct outcome *o)
{
	char txn[TXN_TEXT];

	txn_format(&o->txn, txn);
	log_ev(LOG_ID_OUTCOME, "state=%s txn=%s release=%s slot=%s cause=%s why=%s text=\"%s\"",
		upd_state_name(o->state), txn, o->release.s, slot_name(a->rec.slot_new),
		o->cause < TRIG_TYPE_MAX ? trig_type_name(o->cause) : "-", err_name(o->why),
		o->text);
}

int tail_finish(struct agent *a, struct work *k, struct err *e)
{
	a->draft = false;
	TRY(end(a, buf_str(&k->log), e));
	log_outcome(a, &a->outcomes.last);
	return 0;
}
