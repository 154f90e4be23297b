/* A person's answer on its way: first durable, then told to the history and the server. */
#include "agent/agent_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/log.h"

/* One that was damaged from outside is none: a person is asked again. */
void agree_load(struct agent *a)
{
	struct err e;

	if (consent_load(a->w.fs, &a->consent, &e) == 0)
		return;
	a->consent = (struct consent){0};
	log_err(LOG_ID_ACTION_FAILED, &e, "action=consent");
}

void agree_fill(const struct agent *a, struct precond_facts *f)
{
	const struct consent *c = &a->consent;

	if (sha256_is_zero(&a->rec.goal.document) ||
		!sha256_eq(&c->document, &a->rec.goal.document))
		return;
	f->consent.is = c->is;
	f->consent.put_off = consent_put_off(c, agent_wall(a));
	memcpy(f->consent.who, c->who, sizeof(f->consent.who));
}

static int put_report(struct agent *a, const struct consent *c, struct err *e)
{
	struct report r;

	outbox_fill(a, REPORT_CONSENT, c->report_seq, &r);
	r.at = c->at;
	r.target = c->release;
	r.target_digest = c->document;
	snprintf(r.consent, sizeof(r.consent), "%s", consent_word(c));
	memcpy(r.who, c->who, sizeof(r.who));
	snprintf(r.text, sizeof(r.text), "consent to %s: %s, by %s", c->release.s, consent_word(c),
		c->who);
	int rc = outbox_put(a, &r, e);

	report_fini(&r);
	return rc;
}

/* May be done twice: the number is the same, and the server counts it once. */
static int tell(struct agent *a, struct err *e)
{
	struct consent next = a->consent;

	TRY(put_report(a, &next, e));
	next.told = true;
	TRY(consent_save(a->w.fs, &next, e));
	a->consent = next;
	return 0;
}

void agree_resume(struct agent *a)
{
	struct err e;

	if (sha256_is_zero(&a->consent.document) || a->consent.told)
		return;
	if (tell(a, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=consent");
}

int agree_take(struct agent *a, const struct consent *answer, struct err *e)
{
	struct consent c = *answer;

	if (a->rec.state < UPD_ACCEPTED || a->rec.state > UPD_READY)
		return err_set(e, ERR_CONFLICT, "no update waits for consent: the device is %s",
			upd_state_name(a->rec.state));
	c.document = a->rec.goal.document;
	c.release = a->rec.goal.release;
	c.at = agent_wall(a);
	TRY(outbox_number(a, &c.report_seq, e));
	TRY(consent_save(a->w.fs, &c, e));
	a->consent = c;
	buf_addf(&a->notes, "consent to %s: %s, by %s\n", c.release.s, consent_word(&c), c.who);
	agree_resume(a);
	waits_poke(a);
	return 0;
}

json_t *agree_answer(const struct agent *a)
{
	const struct consent *c = &a->consent;
	bool asked = a->rec.state >= UPD_ACCEPTED && a->rec.state <= UPD_READY;
	bool given = asked && sha256_eq(&c->document, &a->rec.goal.document);
	char hex[SHA256_TEXT];

	if (!asked)
		return json_null();
	sha256_format(&a->rec.goal.document, hex);
	return json_pack("{ss ss ss ss ss sI sI}", "release", a->rec.goal.release.s, "document",
		hex, "notes", a->release ? a->release->notes : "", "answer",
		given ? consent_word(c) : "", "who", given ? c->who : "", "at",
		(json_int_t)(given ? c->at : 0), "put_off_ms",
		(json_int_t)(given ? consent_put_off(c, agent_wall(a)) : 0));
}
