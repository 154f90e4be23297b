#include "agent/agent_priv.h"

#include <string.h>

#define HISTORY_MAX 1000

typedef int answer_f(struct agent *a, const json_t *request, json_t **out, struct err *e);

static int give(json_t *j, json_t **out)
{
	*out = j;
	return 0;
}

static int give_state(struct agent *a, json_t **out)
{
	return give(json_pack("{sb ss}", "ok", true, "state", upd_state_name(a->rec.state)), out);
}

static int answer_status(
	struct agent *a, const json_t *request UNUSED, json_t **out, struct err *e UNUSED)
{
	return give(status_answer(a), out);
}

static int answer_explain(
	struct agent *a, const json_t *request UNUSED, json_t **out, struct err *e UNUSED)
{
	return give(explain_answer(a), out);
}

static int answer_boot(struct agent *a, const json_t *request UNUSED, json_t **out, struct err *e)
{
	return status_boot(a, out, e);
}

static int answer_history(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	uint64_t n = 20;
	BUF_AUTO text = {0};
	struct str rest, line;

	TRY(json_u64_opt(request, "request", "n", 1, HISTORY_MAX, &n, e));
	TRY(history_read(a->w.fs, (unsigned)n, &text, e));
	json_t *lines = json_array();

	rest = buf_str(&text);
	while (str_split(&rest, '\n', &line))
		if (line.n)
			json_array_append_new(lines, findings_text(line, line.n));
	return give(json_pack("{so}", "lines", lines), out);
}

int answer_reason(const json_t *request, char out[LIMIT_TEXT], struct err *e)
{
	snprintf(out, LIMIT_TEXT, "ordered by hand");
	return json_text_opt(request, "request", "reason", out, LIMIT_TEXT, e);
}

static int answer_check(struct agent *a, const json_t *request UNUSED, json_t **out, struct err *e)
{
	if (!a->conf->server.url[0])
		return err_set(e, ERR_CONFLICT, "no server is configured");
	poll_now(a);
	agent_run(a);
	return give_state(a, out);
}

static int answer_rollback(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	struct upd_event ev = {.kind = UEV_CANCEL, .ok = true, .cause = TRIG_OPERATOR};
	char reason[LIMIT_TEXT];

	TRY(answer_reason(request, reason, e));
	if (a->rec.state == UPD_STUCK)
		return err_set(e, ERR_CONFLICT, "the update is stuck; look at it and reset it");
	if (a->rec.state > UPD_SOAKING)
		return err_set(e, ERR_CONFLICT, "too late: the update is %s",
			upd_state_name(a->rec.state));
	if (upd_is_busy(a->rec.state)) {
		(void)err_set(&ev.err, ERR_CANCELLED, "%s", reason);
		agent_post(a, &ev);
	} else {
		TRY(marks_go_to_other(a, e));
	}
	agent_run(a);
	return give_state(a, out);
}

/* The same order may then be carried out again, so the version it came in is forgotten, too. */
static int answer_clear(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	struct quarantine next = a->quarantine;
	char release[ID_TEXT_MAX];
	unsigned cleared = 0;

	TRY(json_text(request, "request", "release", release, sizeof(release), e));
	for (unsigned i = 0; i < a->quarantine.n; i++)
		if (strcmp(a->quarantine.v[i].release.s, release) == 0)
			cleared += quarantine_remove(&next, &a->quarantine.v[i].document);
	if (!cleared)
		return err_set(e, ERR_NOT_FOUND, "%s is not in quarantine", release);
	TRY(agent_save_quarantine(a, &next, e));
	TRY(agent_note(a, a->rec.report_seq, 0, e));
	poll_now(a);
	agent_run(a);
	return give_state(a, out);
}

static int answer_reset(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	struct upd_event ev = {.kind = UEV_RESET, .ok = true};
	char reason[LIMIT_TEXT];

	TRY(answer_reason(request, reason, e));
	if (a->rec.state != UPD_STUCK)
		return err_set(e, ERR_CONFLICT, "nothing is stuck: the update is %s",
			upd_state_name(a->rec.state));
	(void)err_set(&ev.err, ERR_CANCELLED, "%s", reason);
	work_look_then_post(a, &ev);
	agent_run(a);
	return give_state(a, out);
}

static int answer_from(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	char dir[sizeof a->carry.dir];

	TRY(json_text(request, "request", "dir", dir, sizeof dir, e));
	TRY(agent_carry(a, dir, e));
	agent_run(a);
	return give_state(a, out);
}

static int mark(struct agent *a, const json_t *request, json_t **out, struct err *e,
	int (*how)(struct agent *, const json_t *, const char **, struct err *))
{
	const char *text;

	TRY(how(a, request, &text, e));
	agent_run(a);
	return give(json_pack("{sb ss ss}", "ok", true, "state", upd_state_name(a->rec.state),
			    "text", text),
		out);
}

static int answer_mark_good(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	return mark(a, request, out, e, marks_good);
}

static int answer_mark_bad(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	return mark(a, request, out, e, marks_bad);
}

static int answer_mark_active(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	return mark(a, request, out, e, marks_active);
}

static int answer_consent(struct agent *a, const json_t *request, json_t **out, struct err *e)
{
	static const char *const words[] = {"later", "yes", "no"};
	struct consent c = {0};
	unsigned answer;

	TRY(json_choice(request, "request", "answer", words, ARRAY_LEN(words), &answer, e));
	TRY(json_span_opt(request, "request", "span_ms", 1, &c.put_off, e));
	TRY(json_id(request, "request", "who", c.who, e));
	c.is = (enum precond_consent)answer;
	if (c.is == PRECOND_CONSENT_NONE && !c.put_off)
		return err_set(e, ERR_BAD_INPUT, "request.span_ms: later than what?");
	TRY(agree_take(a, &c, e));
	agent_run(a);
	return give_state(a, out);
}

static answer_f *const answers[CTL_CMD_MAX] = {
	[CTL_STATUS] = answer_status,
	[CTL_EXPLAIN] = answer_explain,
	[CTL_HISTORY] = answer_history,
	[CTL_CHECK] = answer_check,
	[CTL_FROM] = answer_from,
	[CTL_ROLLBACK] = answer_rollback,
	[CTL_CLEAR] = answer_clear,
	[CTL_RESET] = answer_reset,
	[CTL_CONSENT] = answer_consent,
	[CTL_BOOT] = answer_boot,
	[CTL_MARK_GOOD] = answer_mark_good,
	[CTL_MARK_BAD] = answer_mark_bad,
	[CTL_MARK_ACTIVE] = answer_mark_active,
};

int agent_answer(
	void *ctx, enum ctl_cmd cmd, const json_t *request, json_t **out_answer, struct err *e)
{
	struct agent *a = ctx;

	if (!a->up && cmd != CTL_STATUS && cmd != CTL_HISTORY)
		return err_set(e, ERR_BUSY, "the agent has not seen the machine yet");
	return answers[cmd](a, request, out_answer, e);
}
