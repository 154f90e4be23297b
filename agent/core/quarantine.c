#include "agent/core/quarantine.h"

#include <string.h>

#define HEAD "backstay quarantine 1"

static unsigned index_of(const struct quarantine *q, const struct sha256 *document)
{
	unsigned i = 0;

	while (i < q->n && !sha256_eq(&q->v[i].document, document))
		i++;
	return i;
}

bool quarantine_remove(struct quarantine *q, const struct sha256 *document)
{
	unsigned i = index_of(q, document);

	if (i == q->n)
		return false;
	q->n--;
	memmove(&q->v[i], &q->v[i + 1], (q->n - i) * sizeof q->v[0]);
	return true;
}

void quarantine_add(struct quarantine *q, const struct quarantine_entry *e)
{
	struct quarantine_entry entry = *e; /* it may be one of q's own */

	quarantine_remove(q, &entry.document);
	q->n = MIN(q->n, QUARANTINE_MAX - 1);
	memmove(&q->v[1], &q->v[0], q->n * sizeof q->v[0]);
	q->v[0] = entry;
	q->n++;
}

static bool holds_longer(const struct quarantine_entry *a, const struct quarantine_entry *b)
{
	return a->until == 0 || (b->until != 0 && a->until > b->until);
}

/* At its place by age; the oldest goes when it is full. */
static void insert(struct quarantine *q, const struct quarantine_entry *e)
{
	unsigned i = 0;

	while (i < q->n && q->v[i].since >= e->since)
		i++;
	if (i == QUARANTINE_MAX)
		return;
	q->n = MIN(q->n, QUARANTINE_MAX - 1);
	memmove(&q->v[i + 1], &q->v[i], (q->n - i) * sizeof q->v[0]);
	q->v[i] = *e;
	q->n++;
}

void quarantine_join(struct quarantine *q, const struct quarantine *other)
{
	for (unsigned i = 0; i < other->n; i++) {
		unsigned at = index_of(q, &other->v[i].document);

		if (at == q->n)
			insert(q, &other->v[i]);
		else if (holds_longer(&other->v[i], &q->v[at]))
			q->v[at] = other->v[i];
	}
}

const struct quarantine_entry *quarantine_find(
	const struct quarantine *q, const struct sha256 *document, ms_t wall)
{
	unsigned i = index_of(q, document);

	if (i == q->n || (q->v[i].until != 0 && q->v[i].until <= wall))
		return NULL;
	return &q->v[i];
}

/* One line per entry: digest, since, until, error, release, text up to the end of the line. */
void quarantine_encode(const struct quarantine *q, struct buf *out)
{
	char digest[SHA256_TEXT];

	buf_add_str(out, HEAD "\n");
	for (unsigned i = 0; i < q->n; i++) {
		const struct quarantine_entry *x = &q->v[i];

		sha256_format(&x->document, digest);
		buf_addf(out, "%s %lld %lld %s %s ", digest, (long long)x->since,
			(long long)x->until, err_name(x->why), x->release.s);
		for (const char *c = x->text; *c; c++)
			buf_add_char(out, (unsigned char)*c < ' ' ? ' ' : *c);
		buf_add_char(out, '\n');
	}
}

static int parse_time(struct str *line, ms_t *out, struct err *e)
{
	struct str field = {0};
	uint64_t v;

	(void)str_split(line, ' ', &field);
	TRY(str_to_u64(field, 0, INT64_MAX, &v, e));
	*out = (ms_t)v;
	return 0;
}

static int parse_why(struct str field, enum err_code *out, struct err *e)
{
	char name[32];

	TRY(str_copy(field, name, sizeof name, e));
	*out = err_by_name(name);
	return *out < ERR_CODE_MAX ? 0 : err_set(e, ERR_BAD_INPUT, "\"%s\" is no error", name);
}

static int parse_entry(struct str line, struct quarantine_entry *out, struct err *e)
{
	struct str digest = {0}, why = {0}, release = {0};

	*out = (struct quarantine_entry){0};
	(void)str_split(&line, ' ', &digest);
	TRY(sha256_parse(digest, &out->document, e));
	TRY(parse_time(&line, &out->since, e));
	TRY(parse_time(&line, &out->until, e));
	(void)str_split(&line, ' ', &why);
	TRY(parse_why(why, &out->why, e));
	(void)str_split(&line, ' ', &release);
	TRY(id_parse(release, "release", out->release.s, e));
	return str_copy(line, out->text, sizeof out->text, e);
}

static int parse_lines(struct str text, struct quarantine *q, struct err *e)
{
	struct str line;

	if (!str_split(&text, '\n', &line) || !str_is(line, HEAD))
		return err_set(e, ERR_BAD_INPUT, "quarantine: does not begin with \"" HEAD "\"");
	while (text.n > 0 && str_split(&text, '\n', &line)) {
		if (q->n == QUARANTINE_MAX)
			return err_set(e, ERR_TOO_LARGE, "quarantine: more than %d entries",
				QUARANTINE_MAX);
		if (parse_entry(line, &q->v[q->n], e) < 0)
			return err_wrap(e, "quarantine: entry %u", q->n + 1);
		if (index_of(q, &q->v[q->n].document) < q->n)
			return err_set(
				e, ERR_BAD_INPUT, "quarantine: entry %u is there twice", q->n + 1);
		q->n++;
	}
	return 0;
}

int quarantine_decode(struct str text, struct quarantine *out, struct err *e)
{
	struct quarantine q = {0};

	TRY(parse_lines(text, &q, e));
	*out = q;
	return 0;
}
