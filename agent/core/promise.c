#include "agent/core/promise.h"

#include <stdio.h>
#include <string.h>

#define RENEWALS    4       /* of a sign of life, before it is missed */
#define RENEW_MAX   SEC(15) /* between two of them */
#define GENEROSITY  2       /* how much longer than planned everything may take */
#define NOTE_FIELDS 5

#define TRIAL                                                                                      \
	(1U << UPD_SWITCHING | 1U << UPD_STARTING | 1U << UPD_SOAKING | 1U << UPD_COMMITTING |     \
		1U << UPD_REVERTING | 1U << UPD_RESTORING)

static bool is_on_trial(enum upd_state s)
{
	return TRIAL & 1U << s;
}

static ms_t soak_left(const struct upd_record *r)
{
	switch (r->state) {
	case UPD_SWITCHING:
	case UPD_STARTING:
	case UPD_SOAKING:
		return MAX(0, r->soak_want - r->soak_done);
	default:
		return 0;
	}
}

void promise_eval(const struct upd_record *r, ms_t lost, struct promise *out)
{
	*out = (struct promise){.on_trial = is_on_trial(r->state)};
	if (!out->on_trial)
		return;
	out->message_in = lost;
	out->decision_in = GENEROSITY * (r->start_timeout + soak_left(r)) + lost;
}

ms_t promise_every(const struct promise *p)
{
	return MIN(p->message_in / RENEWALS, RENEW_MAX);
}

ms_t promise_patience(ms_t left, ms_t lost)
{
	return GENEROSITY * left + lost / 2;
}

/* ---- the note ---- */

void promise_note(const struct promise *p, const struct txn_id *txn, ms_t awake,
	const struct promise_note *before, struct promise_note *out)
{
	bool same = before && memcmp(&before->txn, txn, sizeof *txn) == 0;
	ms_t due = awake + p->decision_in;

	out->txn = *txn;
	out->message_due = awake + p->message_in;
	out->decision_due = same ? MIN(due, before->decision_due) : due;
}

const char *promise_format(const struct promise_note *n, char out[PROMISE_NOTE_MAX])
{
	char txn[TXN_TEXT];

	txn_format(&n->txn, txn);
	snprintf(out, PROMISE_NOTE_MAX, "%s %llu %llu %lld %lld\n", txn, (unsigned long long)n->pid,
		(unsigned long long)n->start, (long long)n->message_due,
		(long long)n->decision_due);
	return out;
}

static int parse_due(struct str s, ms_t *out, struct err *e)
{
	uint64_t v;

	TRY(str_to_u64(s, 0, INT64_MAX, &v, e));
	*out = (ms_t)v;
	return 0;
}

int promise_parse(struct str line, struct promise_note *out, struct err *e)
{
	struct promise_note n;
	struct str f[NOTE_FIELDS] = {{0}};

	if (line.n >= PROMISE_NOTE_MAX || line.n == 0 || line.p[line.n - 1] != '\n')
		return err_set(e, ERR_BAD_INPUT, "promise: not one line");
	line.n--;
	for (unsigned i = 0; i < NOTE_FIELDS; i++)
		if (!str_split(&line, ' ', &f[i]))
			return err_set(e, ERR_BAD_INPUT, "promise: too few fields");
	if (line.p)
		return err_set(e, ERR_BAD_INPUT, "promise: too many fields");
	TRY(hex_decode(f[0], n.txn.b, sizeof n.txn.b, e));
	TRY(str_to_u64(f[1], 1, INT32_MAX, &n.pid, e));
	TRY(str_to_u64(f[2], 0, UINT64_MAX, &n.start, e));
	TRY(parse_due(f[3], &n.message_due, e));
	TRY(parse_due(f[4], &n.decision_due, e));
	*out = n;
	return 0;
}

/* ---- who holds the agent to it ---- */

enum promise_fault promise_look(
	const struct upd_record *r, const struct promise_note *n, ms_t awake, ms_t lost)
{
	if (!is_on_trial(r->state))
		return PROMISE_KEPT;
	if (!n || memcmp(&n->txn, &r->txn, sizeof r->txn) != 0)
		return awake >= lost ? PROMISE_SILENT : PROMISE_KEPT;
	if (awake >= n->decision_due)
		return PROMISE_UNDECIDED;
	return awake >= n->message_due ? PROMISE_SILENT : PROMISE_KEPT;
}

const char *promise_fault_text(enum promise_fault f)
{
	static const char *const texts[] = {
		[PROMISE_KEPT] = "nothing is overdue",
		[PROMISE_SILENT] = "the agent was silent for too long during the trial",
		[PROMISE_UNDECIDED] = "the trial was not decided in time",
	};

	return texts[f];
}

enum upd_ev promise_rescue(enum upd_state s)
{
	switch (s) {
	case UPD_SWITCHING:
		return UEV_CANCEL;
	case UPD_STARTING:
	case UPD_SOAKING:
	case UPD_COMMITTING:
		return UEV_TRIGGER;
	default:
		return UEV_MAX;
	}
}
