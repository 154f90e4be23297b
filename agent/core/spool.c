#include "agent/core/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/prng.h"

#define HEAD "telemetry 1"
#define SUM  8 /* digits of a checksum; a blank follows */

/* ---- lines ---- */

/* Adds the line with its checksum before it. */
static void seal(struct buf *line, struct buf *out)
{
	buf_addf(out, "%08" PRIx32 " ", crc32c(0, line->p, line->n));
	buf_add(out, line->p, line->n);
	buf_add_char(out, '\n');
}

void spool_head_format(const struct spool_head *h, struct buf *out)
{
	BUF_AUTO line = {0};

	buf_addf(&line, HEAD " %016" PRIx64 " %" PRIu64, h->epoch, h->first);
	seal(&line, out);
}

void spool_line_format(const struct spool_line *l, struct buf *out)
{
	BUF_AUTO line = {0};

	buf_addf(&line, "%" PRIu64 " %c ", l->seq, l->detail ? 'd' : 'k');
	buf_add(&line, l->item.p, l->item.n);
	seal(&line, out);
}

/* The next line without its checksum, if it is whole. */
static bool unseal(struct str *rest, struct str *out)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end ? (size_t)(end - rest->p) : 0;
	char sum[SUM + 1];

	if (n <= SUM || n > LIMIT_SPOOL_LINE || rest->p[SUM] != ' ')
		return false;
	*out = (struct str){rest->p + SUM + 1, n - SUM - 1};
	snprintf(sum, sizeof sum, "%08" PRIx32, crc32c(0, out->p, out->n));
	if (memcmp(sum, rest->p, SUM) != 0)
		return false;
	*rest = (struct str){rest->p + n + 1, rest->n - n - 1};
	return true;
}

static bool take_number(struct str *line, uint64_t *out)
{
	struct str word;

	return str_split(line, ' ', &word) && str_to_u64(word, 1, UINT64_MAX >> 11, out, NULL) == 0;
}

static bool read_epoch(struct str hex, uint64_t *out)
{
	uint8_t b[8];
	uint64_t v = 0;

	if (hex_decode(hex, b, sizeof b, NULL) < 0)
		return false;
	for (size_t i = 0; i < sizeof b; i++)
		v = v << 8 | b[i];
	*out = v;
	return v != 0;
}

static bool read_head(struct str line, struct spool_head *out)
{
	struct str epoch;

	if (!str_has_prefix(line, HEAD " "))
		return false;
	line = (struct str){line.p + sizeof HEAD, line.n - sizeof HEAD};
	return str_split(&line, ' ', &epoch) && read_epoch(epoch, &out->epoch) &&
	       take_number(&line, &out->first) && line.n == 0;
}

int spool_head_parse(struct str *rest, struct spool_head *out, struct err *e)
{
	struct str after = *rest, line;
	struct spool_head h;

	if (!unseal(&after, &line) || !read_head(line, &h))
		return err_set(e, ERR_BAD_INPUT, "no head of a telemetry piece");
	*out = h;
	*rest = after;
	return 0;
}

bool spool_line_parse(struct str *rest, uint64_t after, struct spool_line *out)
{
	struct str next = *rest, line, kind;
	struct spool_line l;

	if (!unseal(&next, &line) || !take_number(&line, &l.seq) || l.seq <= after ||
		!str_split(&line, ' ', &kind) || line.n == 0)
		return false;
	if (!str_is(kind, "d") && !str_is(kind, "k"))
		return false;
	l.detail = str_is(kind, "d");
	l.item = line;
	*out = l;
	*rest = next;
	return true;
}

/* ---- what gives way ---- */

uint64_t spool_room(uint64_t bytes)
{
	return (bytes + SPOOL_BLOCK - 1) / SPOOL_BLOCK * SPOOL_BLOCK;
}

static uint64_t gain(const struct spool_piece *p)
{
	return spool_room(p->bytes) - (p->has_keepers ? spool_room(p->keeper) : 0);
}

bool spool_plan(const struct spool_piece *v, unsigned n, uint64_t limit, uint64_t need,
	enum spool_fate *out)
{
	uint64_t all = need;

	for (unsigned i = 0; i < n; i++) {
		all += spool_room(v[i].bytes);
		out[i] = SPOOL_STAYS;
	}
	for (unsigned i = 0; i < n && all > limit; i++) {
		if (!v[i].has_details || gain(&v[i]) == 0)
			continue;
		out[i] = v[i].has_keepers ? SPOOL_THINNED : SPOOL_DROPPED;
		all -= gain(&v[i]);
	}
	return all <= limit;
}
