#include "server/signd/core/chain.h"

#include <stdio.h>
#include <string.h>

#define MARK     ",\"line\":\""
#define MARK_LEN (sizeof MARK - 1)
#define TAIL_LEN (MARK_LEN + SHA256_TEXT - 1 + 2) /* and "} */

static void put_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

static void put_digest(json_t *o, const char *key, const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	sha256_format(d, hex);
	json_object_set_new(o, key, json_string(hex));
}

static json_t *object_of(const struct chain *c, const struct chain_note *note)
{
	json_t *o =
		json_pack("{s:I, s:I}", "n", (json_int_t)c->n + 1, "at_ms", (json_int_t)note->at);
	char reason[sizeof note->why.text];

	put_text(o, "peer", note->peer);
	put_text(o, "what", note->what);
	put_text(o, "device", note->device);
	if (note->version)
		json_object_set_new(o, "version", json_integer((json_int_t)note->version));
	if (!sha256_is_zero(&note->digest))
		put_digest(o, "digest", &note->digest);
	put_text(o, "release", note->release);
	put_text(o, "order", note->order);
	if (note->why.code != ERR_OK) {
		put_text(o, "error", err_name(note->why.code));
		put_text(o, "reason", str_printable(str_of(note->why.text), reason, sizeof reason));
	}
	put_digest(o, "before", &c->last);
	return o;
}

void chain_add(struct chain *c, const struct chain_note *note, struct buf *out)
{
	JSON_AUTO *o = object_of(c, note);
	BUF_AUTO line = {0};
	char hex[SHA256_TEXT];

	json_write(o, &line);
	line.n--; /* the brace comes at the end */
	digest_of(line.p, line.n, &c->last);
	c->n++;
	sha256_format(&c->last, hex);
	buf_add(out, line.p, line.n);
	buf_addf(out, "%s%s\"}\n", MARK, hex);
	c->size += line.n + TAIL_LEN + 1;
}

/* A line's own digest, which must be that of everything before it, letter by letter. */
static int check_own(struct str line, struct sha256 *out, struct err *e)
{
	char tail[TAIL_LEN + 1], hex[SHA256_TEXT];
	struct sha256 is;

	if (line.n <= TAIL_LEN || line.n > LIMIT_SIGN_LINE)
		return err_set(e, ERR_BAD_INPUT, "no line of this log");
	digest_of(line.p, line.n - TAIL_LEN, &is);
	sha256_format(&is, hex);
	snprintf(tail, sizeof tail, "%s%s\"}", MARK, hex);
	if (memcmp(line.p + line.n - TAIL_LEN, tail, TAIL_LEN) != 0)
		return err_set(e, ERR_ALTERED, "its bytes are not those that were written");
	*out = is;
	return 0;
}

static int read_line(struct str line, struct chain *out, struct sha256 *out_before, struct err *e)
{
	JSON_AUTO *o = NULL;
	struct chain c = {.n = 0};

	TRY(check_own(line, &c.last, e));
	TRY(json_read(line, LIMIT_SIGN_LINE, &o, e));
	TRY(json_u64(o, "line", "n", 1, INT64_MAX, &c.n, e));
	TRY(json_digest(o, "line", "before", out_before, e));
	*out = c;
	return 0;
}

int chain_check(struct chain *io, struct str line, struct err *e)
{
	struct sha256 before;
	struct chain c;

	TRY(read_line(line, &c, &before, e));
	if (c.n != io->n + 1)
		return err_set(e, ERR_ALTERED, "it is line %llu of the log, %llu was to follow",
			(unsigned long long)c.n, (unsigned long long)io->n + 1);
	if (!sha256_eq(&before, &io->last))
		return err_set(e, ERR_ALTERED, "it does not follow on the line before it");
	c.size = io->size + line.n + 1;
	*io = c;
	return 0;
}

int chain_is_last(const struct chain *c, struct str line, struct err *e)
{
	struct sha256 before;
	struct chain is;

	TRY(read_line(line, &is, &before, e));
	if (is.n != c->n || !sha256_eq(&is.last, &c->last))
		return err_set(e, ERR_ALTERED, "line %llu is not the one that was written",
			(unsigned long long)c->n);
	return 0;
}
