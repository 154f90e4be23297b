/* For how long an update has waited in its present place: by the clock that nobody can set, and
 * over power cuts, where there is an end to waiting at all. */
#include "agent/agent_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/log.h"

#define PATH       "waited.json"
#define BYTES      256
#define SAVE_EVERY MINUTE(1) /* what a power cut may take of it */

/* The sooner of both; 0: never. */
static ms_t longest_wait(const struct agent *a)
{
	ms_t ours = a->conf->precond.wait, theirs = a->release ? a->release->precondition_wait : 0;

	if (!ours || !theirs)
		return MAX(ours, theirs);
	return MIN(ours, theirs);
}

static void place_of(const struct agent *a, char out[TXN_TEXT + 16])
{
	char txn[TXN_TEXT];

	txn_format(&a->rec.txn, txn);
	snprintf(out, TXN_TEXT + 16, "%s/%.14s", txn, upd_state_name(a->rec.state));
}

static int read_file(struct agent *a, ms_t *out, struct err *e)
{
	char place[TXN_TEXT + 16], was[TXN_TEXT + 16];
	JSON_AUTO *j = NULL;
	BUF_AUTO text = {0};
	uint64_t ms;

	TRY(fs_read_file(a->w.fs, PATH, BYTES, &text, e));
	TRY(json_read(buf_str(&text), BYTES, &j, e));
	TRY(json_text(j, PATH, "place", was, sizeof(was), e));
	TRY(json_u64(j, PATH, "waited_ms", 0, 2 * LIMIT_SPAN_MS, &ms, e));
	place_of(a, place);
	*out = strcmp(place, was) == 0 ? (ms_t)ms : 0;
	return 0;
}

/* One that cannot be read begins anew: waiting longer is the safe side. */
static void load(struct agent *a)
{
	struct waits *w = &a->waits;
	struct err ignored;

	if (w->loaded)
		return;
	w->loaded = true;
	if (read_file(a, &w->waited, &ignored) < 0)
		w->waited = 0;
	w->saved = w->waited;
}

static void save(struct agent *a)
{
	struct waits *w = &a->waits;
	char place[TXN_TEXT + 16];
	JSON_AUTO *j = NULL;
	BUF_AUTO text = {0};
	struct err e;

	if (w->waited - w->saved < SAVE_EVERY)
		return;
	w->saved = w->waited;
	place_of(a, place);
	j = json_pack("{ss sI}", "place", place, "waited_ms", (json_int_t)w->waited);
	json_write(j, &text);
	if (fs_write_file(a->w.fs, PATH, text.p, text.n, 0644, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=waited");
}

int waits_count(struct agent *a, ms_t *out_again, struct err *e)
{
	ms_t now = MAX(1, agent_mono(a)), most = longest_wait(a);
	struct waits *w = &a->waits;
	char why[LIMIT_TEXT];

	if (most)
		load(a);
	if (w->unmet_at)
		w->waited += now - w->unmet_at;
	w->unmet_at = now;
	if (!most)
		return -(int)e->code;
	save(a);
	if (w->waited < most) {
		*out_again = MIN(*out_again, most - w->waited);
		return -(int)e->code;
	}
	snprintf(why, sizeof(why), "%.*s", (int)sizeof(why) - 1, e->text);
	return err_set(
		e, ERR_EXPIRED, "waited %lld s in vain: %s", (long long)(w->waited / 1000), why);
}
