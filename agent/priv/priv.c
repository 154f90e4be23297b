#include "agent/priv/priv.h"

#include <assert.h>
#include <string.h>

#define LIST(...) __VA_ARGS__

/* A number or text whose bound is 0 is not there, nor is any behind it. */
static const struct row {
	const char *name;
	unsigned side, answers;
	uint64_t num[PRIV_NUMS];
	size_t text[PRIV_TEXTS];
	size_t bytes;
	const char *help;
} rows[PRIV_VERB_MAX] = {
#define X(id, name, side, answers, nums, texts, bytes, help)                                       \
	[PRIV_##id] = {name, side, answers, {LIST nums}, {LIST texts}, bytes, help},
	PRIV_TABLE(X)
#undef X
};

const char *priv_name(enum priv_verb verb)
{
	return rows[verb].name;
}

const char *priv_help(enum priv_verb verb)
{
	return rows[verb].help;
}

bool priv_says(enum priv_verb verb, enum priv_side side)
{
	return (rows[verb].side & (unsigned)side) != 0;
}

bool priv_answers(enum priv_verb verb, enum priv_verb ask)
{
	return (rows[verb].answers & (1U << ask)) != 0;
}

/* ---- what a row allows, on both ways ---- */

static int check_verb(uint64_t verb, enum priv_side from, struct err *e)
{
	if (verb >= PRIV_VERB_MAX)
		return err_set(e, ERR_BAD_INPUT, "verb %llu", (unsigned long long)verb);
	if (!priv_says((enum priv_verb)verb, from))
		return err_set(e, ERR_DENIED, "verb %s from the wrong side", rows[verb].name);
	return 0;
}

static int check_num(const struct row *r, unsigned i, uint64_t v, struct err *e)
{
	if (v > r->num[i])
		return err_set(e, ERR_TOO_LARGE, "%s: number %u is %llu", r->name, i,
			(unsigned long long)v);
	return 0;
}

static int check_text(const struct row *r, unsigned i, struct str s, struct err *e)
{
	if (s.n > r->text[i])
		return err_set(e, ERR_TOO_LARGE, "%s: text %u has %zu bytes", r->name, i, s.n);
	for (size_t k = 0; k < s.n; k++)
		if ((unsigned char)s.p[k] < 0x20 || s.p[k] == 0x7f)
			return err_set(
				e, ERR_BAD_INPUT, "%s: a control character in text %u", r->name, i);
	return 0;
}

static int check_bytes(const struct row *r, size_t n, struct err *e)
{
	if (n > r->bytes)
		return err_set(e, ERR_TOO_LARGE, "%s: %zu bytes behind it", r->name, n);
	return 0;
}

/* ---- encoding: verb, numbers of 8 bytes, texts behind a length of 2; little end first ---- */

static void put(struct buf *out, uint64_t v, unsigned n)
{
	uint8_t *p = buf_reserve(out, n);

	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
	out->n += n;
}

static int encode(const struct row *r, const struct priv_msg *m, struct buf *out, struct err *e)
{
	put(out, m->verb, 1);
	for (unsigned i = 0; i < PRIV_NUMS && r->num[i]; i++) {
		TRY(check_num(r, i, m->num[i], e));
		put(out, m->num[i], 8);
	}
	for (unsigned i = 0; i < PRIV_TEXTS && r->text[i]; i++) {
		TRY(check_text(r, i, m->text[i], e));
		put(out, m->text[i].n, 2);
		buf_add(out, m->text[i].p, m->text[i].n);
	}
	return check_bytes(r, m->bytes.n, e);
}

int priv_encode(const struct priv_msg *m, enum priv_side from, struct buf *out, struct err *e)
{
	size_t before = out->n;

	TRY(check_verb(m->verb, from, e));
	int rc = encode(&rows[m->verb], m, out, e);
	if (rc < 0)
		out->n = before;
	assert(out->n - before + m->bytes.n <= PRIV_PACKET_MAX || rc < 0);
	return rc;
}

/* ---- decoding ---- */

static int take(struct str *rest, unsigned n, uint64_t *out, struct err *e)
{
	uint64_t v = 0;

	if (rest->n < n)
		return err_set(e, ERR_BAD_INPUT, "cut off");
	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)(uint8_t)rest->p[i] << (8 * i);
	*rest = (struct str){rest->p + n, rest->n - n};
	*out = v;
	return 0;
}

static int take_text(struct str *rest, struct str *out, struct err *e)
{
	uint64_t n;

	TRY(take(rest, 2, &n, e));
	if (rest->n < n)
		return err_set(e, ERR_BAD_INPUT, "cut off");
	*out = (struct str){rest->p, (size_t)n};
	*rest = (struct str){rest->p + n, rest->n - (size_t)n};
	return 0;
}

static int decode(const struct row *r, struct str rest, struct priv_msg *m, struct err *e)
{
	for (unsigned i = 0; i < PRIV_NUMS && r->num[i]; i++) {
		TRY(take(&rest, 8, &m->num[i], e));
		TRY(check_num(r, i, m->num[i], e));
	}
	for (unsigned i = 0; i < PRIV_TEXTS && r->text[i]; i++) {
		TRY(take_text(&rest, &m->text[i], e));
		TRY(check_text(r, i, m->text[i], e));
	}
	m->bytes = rest;
	return check_bytes(r, rest.n, e);
}

int priv_decode(struct str packet, enum priv_side from, struct priv_msg *out, struct err *e)
{
	struct priv_msg m = {0};
	uint64_t verb;

	TRY(take(&packet, 1, &verb, e));
	TRY(check_verb(verb, from, e));
	m.verb = (enum priv_verb)verb;
	TRY(decode(&rows[verb], packet, &m, e));
	*out = m;
	return 0;
}
