#include "proto/wire/lease.h"

void lease_ask_encode(const struct lease_ask *a, struct buf *out)
{
	char hex[SHA256_TEXT];

	sha256_format(&a->document, hex);
	JSON_AUTO *j = json_pack(
		"{s:i, s:s, s:I}", "format", 1, "document", hex, "need_ms", (json_int_t)a->need);
	json_write(j, out);
}

static int read_head(
	struct str text, const char *where, const char *const *known, json_t **out, struct err *e)
{
	JSON_AUTO *j = NULL;
	uint64_t format;

	TRY(json_read(text, LIMIT_LEASE_BYTES, &j, e));
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_u64(j, where, "format", 1, 1, &format, e));
	TRY(json_only(j, where, known, e));
	*out = json_incref(j);
	return 0;
}

int lease_ask_decode(struct str text, struct lease_ask *out, struct err *e)
{
	static const char *const known[] = {"format", "document", "need_ms", NULL};
	struct lease_ask a = {.need = MINUTE(1)};
	JSON_AUTO *j = NULL;

	TRY(read_head(text, "lease", known, &j, e));
	TRY(json_digest(j, "lease", "document", &a.document, e));
	TRY(json_span_opt(j, "lease", "need_ms", 1, &a.need, e));
	*out = a;
	return 0;
}

void lease_answer_encode(const struct lease_answer *a, struct buf *out)
{
	JSON_AUTO *j = json_pack("{s:i, s:b, s:I, s:I, s:s}", "format", 1, "granted", a->granted,
		"life_ms", (json_int_t)a->life, "again_in_ms", (json_int_t)a->again, "text",
		a->text);

	json_write(j, out);
}

int lease_answer_decode(struct str text, struct lease_answer *out, struct err *e)
{
	static const char *const known[] = {
		"format", "granted", "life_ms", "again_in_ms", "text", NULL};
	struct lease_answer a = {0};
	JSON_AUTO *j = NULL;

	TRY(read_head(text, "lease", known, &j, e));
	TRY(json_bool_opt(j, "lease", "granted", &a.granted, e));
	TRY(json_span_opt(j, "lease", "life_ms", 0, &a.life, e));
	TRY(json_span_opt(j, "lease", "again_in_ms", 0, &a.again, e));
	TRY(json_text_opt(j, "lease", "text", a.text, sizeof a.text, e));
	*out = a;
	return 0;
}
