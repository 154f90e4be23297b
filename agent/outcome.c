#include "agent/agent_priv.h"

#include <string.h>

#define PATH  "outcome.json"
#define BYTES 8192

static json_t *encode(const struct outcome *o)
{
	char txn[TXN_TEXT];

	if (o->state == UPD_IDLE)
		return json_null();
	txn_format(&o->txn, txn);
	return json_pack("{ss ss ss ss ss ss sI sI}", "txn", txn, "release", o->release.s, "state",
		upd_state_name(o->state), "code", err_name(o->why), "cause",
		o->cause < TRIG_TYPE_MAX ? trig_type_name(o->cause) : "", "text", o->text, "at",
		(json_int_t)o->at, "report_seq", (json_int_t)o->report_seq);
}

int outcome_save(struct fs *fs, const struct outcomes *o, struct err *e)
{
	JSON_AUTO *j =
		json_pack("{so so}", "last", encode(&o->last), "rollback", encode(&o->rollback));
	BUF_AUTO text = {0};

	json_write(j, &text);
	return fs_write_file(fs, PATH, text.p, text.n, 0644, e);
}

static enum upd_state state_by_name(const char *name)
{
	enum upd_state s = UPD_IDLE;

	while (s < UPD_STATE_MAX && strcmp(upd_state_name(s), name) != 0)
		s++;
	return s;
}

static unsigned cause_by_name(const char *name)
{
	unsigned c = 0;

	while (c < TRIG_TYPE_MAX && strcmp(trig_type_name(c), name) != 0)
		c++;
	return c;
}

static int decode_words(const json_t *j, const char *where, struct outcome *o, struct err *e)
{
	char txn[TXN_TEXT], state[16], code[32], cause[ID_TEXT_MAX];

	TRY(json_text(j, where, "txn", txn, sizeof(txn), e));
	TRY(json_text(j, where, "state", state, sizeof(state), e));
	TRY(json_text(j, where, "code", code, sizeof(code), e));
	TRY(json_text(j, where, "cause", cause, sizeof(cause), e));
	TRY(hex_decode(str_of(txn), o->txn.b, sizeof(o->txn.b), e));
	o->state = state_by_name(state);
	o->why = err_by_name(code);
	o->cause = cause_by_name(cause);
	if (o->state == UPD_STATE_MAX || o->why == ERR_CODE_MAX)
		return err_set(e, ERR_BAD_INPUT, "%s: unknown state or code", where);
	return 0;
}

static int decode(const json_t *root, const char *where, struct outcome *out, struct err *e)
{
	struct outcome o = {0};
	uint64_t at;

	if (json_is_null(json_object_get(root, where)))
		return 0;
	const json_t *j;

	TRY(json_obj(root, PATH, where, &j, e));
	TRY(decode_words(j, where, &o, e));
	TRY(json_text(j, where, "release", o.release.s, sizeof(o.release.s), e));
	TRY(json_text(j, where, "text", o.text, sizeof(o.text), e));
	TRY(json_u64(j, where, "at", 0, INT64_MAX, &at, e));
	TRY(json_u64(j, where, "report_seq", 0, UINT64_MAX, &o.report_seq, e));
	o.at = (ms_t)at;
	*out = o;
	return 0;
}

int outcome_load(struct fs *fs, struct outcomes *out, struct err *e)
{
	struct outcomes o = {0};
	JSON_AUTO *j = NULL;
	BUF_AUTO text = {0};
	int rc = fs_read_file(fs, PATH, BYTES, &text, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	TRY(json_read(buf_str(&text), BYTES, &j, e));
	TRY(decode(j, "last", &o.last, e));
	TRY(decode(j, "rollback", &o.rollback, e));
	*out = o;
	return 0;
}
