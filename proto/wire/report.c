#include "proto/wire/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
#define X(id, name, ...) name,
	REPORT_KIND_TABLE(X)
#undef X
};

void report_init(struct report *r)
{
	*r = (struct report){0};
}

void report_fini(struct report *r)
{
	free(r->dossier);
	report_init(r);
}

const char *report_kind_name(enum report_kind k)
{
	return kind_names[k];
}

static const char *const condition_from[] = {"release", "device"};
static const char *const condition_is[] = {"unknown", "met"};

/* ---- writing ---- */

static void put_conditions(json_t *o, const struct report *r)
{
	json_t *list, *one;

	if (!r->n_conditions)
		return;
	list = json_array();
	json_object_set_new(o, "conditions", list);
	for (unsigned i = 0; i < r->n_conditions; i++) {
		const struct report_condition *c = &r->conditions[i];

		one = json_object();
		json_array_append_new(list, one);
		json_put_text(one, "type", precond_type_name(c->type));
		json_put_text(one, "from", condition_from[c->of_device]);
		json_put_text(one, "is", condition_is[c->known]);
		json_put_text(one, "value", c->value);
		json_put_text(one, "limit", c->limit);
	}
}

/* Read inside of an object, as the server will, so that the depth is counted from there. */
static void put_dossier(json_t *o, const char *text)
{
	BUF_AUTO whole = {0};
	JSON_AUTO *j = NULL;

	if (!text)
		return;
	buf_addf(&whole, "{\"dossier\":%s}", text);
	if (json_read(buf_str(&whole), 2 * LIMIT_DOSSIER_BYTES, &j, NULL) < 0 ||
		json_object_size(j) != 1 || !json_is_object(json_object_get(j, "dossier")))
		return;
	buf_clear(&whole);
	json_write(j, &whole);
	if (whole.n <= LIMIT_DOSSIER_BYTES)
		json_object_update(o, j);
}

void report_encode(const struct report *r, struct buf *out)
{
	JSON_AUTO *o = json_object();

	json_put_u64(o, "format", 1);
	json_put_u64(o, "seq", r->seq);
	json_put_text(o, "kind", report_kind_name(r->kind));
	json_put_u64(o, "at_ms", (uint64_t)MAX(r->at, 1));
	json_put_text(o, "agent", r->agent);
	json_put_text(o, "hardware", r->hardware);
	json_put_text(o, "labels", r->labels);
	json_put_text(o, "running", r->running.s);
	json_put_digest(o, "running_digest", &r->running_digest);
	json_put_text(o, "slot", r->slot);
	json_put_text(o, "state", r->state);
	json_put_text(o, "txn", r->txn);
	json_put_text(o, "campaign", r->campaign.s);
	json_put_text(o, "target", r->target.s);
	json_put_digest(o, "target_digest", &r->target_digest);
	json_put_u64(o, "director_version", r->director_version);
	json_put_u64(o, "done", r->done);
	json_put_u64(o, "total", r->total);
	json_put_text(o, "code", err_name(r->code));
	json_put_text(o, "cause", r->cause);
	json_put_text(o, "text", r->text);
	json_put_text(o, "consent", r->consent);
	json_put_text(o, "who", r->who);
	put_conditions(o, r);
	put_dossier(o, r->dossier);
	json_write(o, out);
}

/* ---- reading ---- */

static int code_decode(const json_t *j, enum err_code *out, struct err *e)
{
	char name[32] = "ok", shown[32];
	enum err_code code;

	TRY(json_text_opt(j, "report", "code", name, sizeof name, e));
	code = err_by_name(name);
	if (code == ERR_CODE_MAX)
		return err_set(e, ERR_BAD_INPUT, "report.code: \"%s\" is no kind of error",
			str_printable(str_of(name), shown, sizeof shown));
	*out = code;
	return 0;
}

static int txn_decode(const json_t *j, char out[TXN_TEXT], struct err *e)
{
	struct txn_id txn;

	TRY(json_text_opt(j, "report", "txn", out, TXN_TEXT, e));
	if (out[0] && hex_decode(str_of(out), txn.b, sizeof txn.b, e) < 0)
		return err_wrap(e, "report.txn");
	return 0;
}

static int labels_decode(const json_t *j, char out[LIMIT_TEXT], struct err *e)
{
	TRY(json_text_opt(j, "report", "labels", out, LIMIT_TEXT, e));
	if (labels_check(str_of(out), e) < 0)
		return err_wrap(e, "report.labels");
	return 0;
}

static int dossier_decode(const json_t *j, char **out, struct err *e)
{
	BUF_AUTO text = {0};
	const json_t *dossier;

	if (!json_object_get(j, "dossier"))
		return 0;
	TRY(json_obj(j, "report", "dossier", &dossier, e));
	json_write(dossier, &text);
	*out = mem_strdup(buf_cstr(&text));
	return 0;
}

static int ids_decode(const json_t *j, struct report *r, struct err *e)
{
	TRY(json_id_opt(j, "report", "hardware", r->hardware, e));
	TRY(json_id_opt(j, "report", "running", r->running.s, e));
	TRY(json_id_opt(j, "report", "campaign", r->campaign.s, e));
	TRY(json_id_opt(j, "report", "target", r->target.s, e));
	TRY(json_digest_opt(j, "report", "running_digest", &r->running_digest, e));
	return json_digest_opt(j, "report", "target_digest", &r->target_digest, e);
}

/* Somebody's answer, and whose: one without the other says nothing. */
static int consent_decode(const json_t *j, struct report *r, struct err *e)
{
	static const char *const answers[] = {"yes", "no", "later"};
	unsigned answer;

	if (r->kind != REPORT_CONSENT) {
		if (json_object_get(j, "consent") || json_object_get(j, "who"))
			return err_set(e, ERR_BAD_INPUT, "report.consent: not in a %s",
				report_kind_name(r->kind));
		return 0;
	}
	TRY(json_choice(j, "report", "consent", answers, ARRAY_LEN(answers), &answer, e));
	snprintf(r->consent, sizeof r->consent, "%s", answers[answer]);
	return json_id(j, "report", "who", r->who, e);
}

static int condition_decode(
	const json_t *j, const char *where, struct report_condition *out, struct err *e)
{
	static const char *const known[] = {"type", "from", "is", "value", "limit", NULL};
	const char *types[PRECOND_TYPE_MAX];
	unsigned type, from, is;

	for (unsigned t = 0; t < PRECOND_TYPE_MAX; t++)
		types[t] = precond_type_name((enum precond_type)t);
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_only(j, where, known, e));
	TRY(json_choice(j, where, "type", types, ARRAY_LEN(types), &type, e));
	TRY(json_choice(j, where, "from", condition_from, ARRAY_LEN(condition_from), &from, e));
	TRY(json_choice(j, where, "is", condition_is, ARRAY_LEN(condition_is), &is, e));
	out->type = (enum precond_type)type;
	out->of_device = from != 0;
	out->known = is != 0;
	TRY(json_text_opt(j, where, "value", out->value, sizeof out->value, e));
	return json_text_opt(j, where, "limit", out->limit, sizeof out->limit, e);
}

/* A switch without anything that it waited for is told like every other state. */
static int conditions_decode(const json_t *j, struct report *r, struct err *e)
{
	const json_t *list;
	char where[40];

	if (r->kind != REPORT_SWITCH) {
		if (json_object_get(j, "conditions"))
			return err_set(e, ERR_BAD_INPUT, "report.conditions: not in a %s",
				report_kind_name(r->kind));
		return 0;
	}
	TRY(json_arr(j, "report", "conditions", LIMIT_CONDITIONS, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "report.conditions is empty");
	for (; r->n_conditions < json_array_size(list); r->n_conditions++) {
		snprintf(where, sizeof where, "report.conditions[%u]", r->n_conditions);
		TRY(condition_decode(json_array_get(list, r->n_conditions), where,
			&r->conditions[r->n_conditions], e));
	}
	return 0;
}

static int texts_decode(const json_t *j, struct report *r, struct err *e)
{
	TRY(json_text_opt(j, "report", "agent", r->agent, sizeof r->agent, e));
	TRY(json_text_opt(j, "report", "slot", r->slot, sizeof r->slot, e));
	TRY(json_text_opt(j, "report", "state", r->state, sizeof r->state, e));
	TRY(json_text_opt(j, "report", "cause", r->cause, sizeof r->cause, e));
	TRY(json_text_opt(j, "report", "text", r->text, sizeof r->text, e));
	TRY(txn_decode(j, r->txn, e));
	TRY(labels_decode(j, r->labels, e));
	TRY(consent_decode(j, r, e));
	TRY(conditions_decode(j, r, e));
	return code_decode(j, &r->code, e);
}

static int numbers_decode(const json_t *j, struct report *r, struct err *e)
{
	const uint64_t max = (1ULL << 53) - 1;
	uint64_t format, at;
	unsigned kind;

	TRY(json_u64(j, "report", "format", 1, 1, &format, e));
	TRY(json_u64(j, "report", "seq", 1, max, &r->seq, e));
	TRY(json_choice(j, "report", "kind", kind_names, REPORT_KIND_MAX, &kind, e));
	TRY(json_u64(j, "report", "at_ms", 1, max, &at, e));
	r->kind = (enum report_kind)kind;
	r->at = (ms_t)at;
	TRY(json_u64_opt(j, "report", "director_version", 0, max, &r->director_version, e));
	TRY(json_u64_opt(j, "report", "done", 0, max, &r->done, e));
	return json_u64_opt(j, "report", "total", 0, max, &r->total, e);
}

static int document_decode(const json_t *j, struct report *r, struct err *e)
{
	static const char *const known[] = {"format", "seq", "kind", "at_ms", "agent", "hardware",
		"labels", "running", "running_digest", "slot", "state", "txn", "campaign", "target",
		"target_digest", "director_version", "done", "total", "code", "cause", "text",
		"consent", "who", "conditions", "dossier", NULL};

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "report: an object is wanted");
	TRY(json_only(j, "report", known, e));
	TRY(numbers_decode(j, r, e));
	TRY(ids_decode(j, r, e));
	TRY(texts_decode(j, r, e));
	return dossier_decode(j, &r->dossier, e);
}

int report_decode(struct str text, struct report *out, struct err *e)
{
	struct report r CLEANUP(report_fini) = {0};
	JSON_AUTO *j = NULL;

	TRY(json_read(text, LIMIT_REPORT_BYTES, &j, e));
	TRY(document_decode(j, &r, e));
	*out = r;
	report_init(&r);
	return 0;
}
