#include "agent/consent.h"

#include <string.h>

#include "proto/wire/json.h"

#define PATH  "consent.json"
#define BYTES 1024

static const char *const words[] = {
	[PRECOND_CONSENT_NONE] = "later",
	[PRECOND_CONSENT_YES] = "yes",
	[PRECOND_CONSENT_NO] = "no",
};

const char *consent_word(const struct consent *c)
{
	return words[c->is];
}

ms_t consent_put_off(const struct consent *c, ms_t now)
{
	ms_t left = c->at + c->put_off - now;

	return MAX(0, MIN(left, c->put_off));
}

int consent_save(struct fs *fs, const struct consent *c, struct err *e)
{
	char hex[SHA256_TEXT];
	JSON_AUTO *j = NULL;
	BUF_AUTO text = {0};

	sha256_format(&c->document, hex);
	j = json_pack("{si ss ss ss ss sI sI sI sb}", "format", 1, "document", hex, "release",
		c->release.s, "answer", consent_word(c), "who", c->who, "at_ms", (json_int_t)c->at,
		"put_off_ms", (json_int_t)c->put_off, "report_seq", (json_int_t)c->report_seq,
		"told", c->told);
	json_write(j, &text);
	return fs_write_file(fs, PATH, text.p, text.n, 0644, e);
}

static int decode(const json_t *j, struct consent *out, struct err *e)
{
	const uint64_t max = (1ULL << 53) - 1;
	struct consent c = {0};
	uint64_t format, at;
	unsigned answer;

	TRY(json_u64(j, PATH, "format", 1, 1, &format, e));
	TRY(json_digest(j, PATH, "document", &c.document, e));
	TRY(json_id(j, PATH, "release", c.release.s, e));
	TRY(json_choice(j, PATH, "answer", words, ARRAY_LEN(words), &answer, e));
	TRY(json_id(j, PATH, "who", c.who, e));
	TRY(json_u64(j, PATH, "at_ms", 0, max, &at, e));
	TRY(json_span_opt(j, PATH, "put_off_ms", 0, &c.put_off, e));
	TRY(json_u64(j, PATH, "report_seq", 1, max, &c.report_seq, e));
	TRY(json_bool_opt(j, PATH, "told", &c.told, e));
	c.is = (enum precond_consent)answer;
	c.at = (ms_t)at;
	*out = c;
	return 0;
}

int consent_load(struct fs *fs, struct consent *out, struct err *e)
{
	JSON_AUTO *j = NULL;
	BUF_AUTO text = {0};
	int rc = fs_read_file(fs, PATH, BYTES, &text, e);

	*out = (struct consent){0};
	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	TRY(json_read(buf_str(&text), BYTES, &j, e));
	return decode(j, out, e);
}
