#include "agent/tele/telequeue_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER     "telemetry"
#define PIECES_MIN 8U           /* that the limit holds: what gives way at once is one of them */
#define PIECE_MAX  (64U * 1024) /* then another one is begun */

static void piece_path(const struct piece *p, char out[FS_PATH_MAX])
{
	snprintf(out, FS_PATH_MAX, FOLDER "/%016" PRIx64, p->ordinal);
}

static void count_line(struct piece *p, const struct spool_line *l, uint64_t bytes)
{
	p->last = l->seq;
	p->waiting++;
	p->size.bytes += bytes;
	p->size.keeper += l->detail ? 0 : bytes;
	p->size.has_details |= l->detail;
	p->size.has_keepers |= !l->detail;
}

static void begin_piece(struct piece *p, uint64_t head_bytes)
{
	p->last = p->head.first - 1;
	p->waiting = 0;
	p->size = (struct spool_piece){.bytes = head_bytes, .keeper = head_bytes};
}

/* ---- reading what waits ---- */

int piece_load(const struct telequeue *q, const struct piece *p, struct buf *text,
	struct spool_head *out_head, struct str *out_lines, struct err *e)
{
	char path[FS_PATH_MAX];

	piece_path(p, path);
	TRY(fs_read_file(q->fs, path, LIMIT_SPOOL_BYTES, text, e));
	*out_lines = buf_str(text);
	return spool_head_parse(out_lines, out_head, e);
}

static int read_piece(const struct telequeue *q, struct piece *p, struct err *e)
{
	BUF_AUTO text = {0};
	struct str rest;

	TRY(piece_load(q, p, &text, &p->head, &rest, e));
	begin_piece(p, text.n - rest.n);
	for (;;) {
		struct spool_line l;
		size_t before = rest.n;

		if (!spool_line_parse(&rest, p->last, &l))
			return 0;
		count_line(p, &l, before - rest.n);
	}
}

static bool parse_name(const char *name, uint64_t *out)
{
	uint8_t b[8];

	*out = 0;
	if (hex_decode(str_of(name), b, sizeof b, NULL) < 0)
		return false;
	for (size_t i = 0; i < sizeof b; i++)
		*out = *out << 8 | b[i];
	return true;
}

static struct piece *add_piece(struct telequeue *q)
{
	q->v = mem_resize(q->v, (q->n + 1) * sizeof *q->v);
	q->v[q->n] = (struct piece){0};
	return &q->v[q->n++];
}

static int add_name(void *ctx, const char *name, enum fs_kind kind, struct err *e UNUSED)
{
	uint64_t ordinal;

	if (kind == FS_FILE && parse_name(name, &ordinal))
		add_piece(ctx)->ordinal = ordinal;
	return 0;
}

static int by_ordinal(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

void piece_remove(struct telequeue *q, unsigned i)
{
	char path[FS_PATH_MAX];

	piece_path(&q->v[i], path);
	(void)!q->fs->ops->unlink(q->fs, path, NULL);
	memmove(&q->v[i], &q->v[i + 1], (q->n - i - 1) * sizeof *q->v);
	q->n--;
}

/* Numbers go on from the newest piece. Nobody knows whether its last line was written to the end
 * and not promised, or is whole: so it is read only, and the next item begins another one. */
static int load(struct telequeue *q, struct err *e)
{
	int rc = q->fs->ops->list(q->fs, FOLDER, add_name, q, e);

	if (rc < 0 && rc != -(int)ERR_NOT_FOUND)
		return rc;
	if (q->n)
		qsort(q->v, q->n, sizeof *q->v, by_ordinal);
	for (unsigned i = 0; i < q->n;) {
		if (read_piece(q, &q->v[i], NULL) < 0)
			piece_remove(q, i);
		else
			i++;
	}
	q->closed = true;
	q->next = 1;
	if (q->n) {
		q->epoch = q->v[q->n - 1].head.epoch;
		q->next = q->v[q->n - 1].last + 1;
	}
	return 0;
}

int telequeue_open(
	struct fs *fs, uint64_t limit, uint64_t random, struct telequeue **out, struct err *e)
{
	struct telequeue *q = mem_new(sizeof *q);
	int rc;

	q->fs = fs;
	q->limit = limit;
	q->epoch = MAX(random, 1);
	rc = load(q, e);
	if (rc < 0)
		telequeue_close(&q);
	else
		*out = q;
	return rc;
}

void telequeue_close(struct telequeue **pq)
{
	struct telequeue *q = *pq;

	if (!q)
		return;
	free(q->v);
	mem_free(pq);
	*pq = NULL;
}

/* ---- what gives way ---- */

static void keep_line(const struct spool_line *l, struct piece *p, struct buf *out)
{
	size_t before = out->n;

	spool_line_format(l, out);
	count_line(p, l, out->n - before);
}

/* Writes it anew without its details. */
static int thin(struct telequeue *q, struct piece *p, struct err *e)
{
	BUF_AUTO text = {0}, kept = {0};
	char path[FS_PATH_MAX];
	struct piece now = *p;
	struct spool_line l;
	struct str rest;
	uint64_t after;

	piece_path(p, path);
	TRY(piece_load(q, p, &text, &now.head, &rest, e));
	spool_head_format(&now.head, &kept);
	begin_piece(&now, kept.n);
	for (after = now.last; spool_line_parse(&rest, after, &l); after = l.seq)
		if (!l.detail)
			keep_line(&l, &now, &kept);
	TRY(fs_write_file(q->fs, path, kept.p, kept.n, 0640, e));
	q->dropped += p->waiting - now.waiting;
	*p = now;
	return 0;
}

static void drop(struct telequeue *q, unsigned i)
{
	q->dropped += q->v[i].waiting;
	piece_remove(q, i);
}

/* All but the newest piece may give way: that one knows the number. */
static int make_room(struct telequeue *q, uint64_t need, struct err *e)
{
	unsigned n = q->n ? q->n - 1 : 0;
	struct spool_piece *size CLEANUP(mem_free) = mem_new((n + 1) * sizeof *size);
	enum spool_fate *fate CLEANUP(mem_free) = mem_new((n + 1) * sizeof *fate);

	for (unsigned i = 0; i < n; i++)
		size[i] = q->v[i].size;
	if (q->n)
		need += spool_room(q->v[n].size.bytes);
	if (!spool_plan(size, n, q->limit, need, fate))
		return err_set(e, ERR_NO_SPACE, "telemetry: %u pieces wait for the server", q->n);
	for (unsigned i = n; i-- > 0;) {
		if (fate[i] == SPOOL_DROPPED)
			drop(q, i);
		else if (fate[i] == SPOOL_THINNED)
			TRY(thin(q, &q->v[i], e));
	}
	return 0;
}

/* ---- storing ---- */

static int encode(
	struct telemetry_item *t, uint64_t seq, struct piece *p, struct buf *out, struct err *e)
{
	BUF_AUTO json = {0};
	struct spool_line l = {.seq = seq, .detail = telemetry_is_detail(t->kind)};

	t->seq = seq;
	t->dropped = 0;
	telemetry_item_encode(t, &json);
	if (json.n > LIMIT_TELEMETRY_BYTES - TELEQUEUE_ENVELOPE)
		return err_set(e, ERR_TOO_LARGE, "a %s of %zu bytes", telemetry_kind_name(t->kind),
			json.n);
	l.item = buf_str(&json);
	keep_line(&l, p, out);
	return 0;
}

static int write_at(
	struct telequeue *q, const char *path, struct str text, uint64_t at, struct err *e)
{
	struct fs *fs = q->fs;
	int fd, rc;

	TRY(fs->ops->open(fs, path, at ? FS_WRITE : FS_CREATE | FS_TRUNC, &fd, e));
	rc = fs->ops->pwrite(fs, fd, text.p, text.n, at, e);
	if (rc == 0)
		rc = fs->ops->sync(fs, fd, e);
	if (rc < 0) {
		(void)!fs->ops->close(fs, fd, NULL);
		return rc;
	}
	TRY(fs->ops->close(fs, fd, e));
	return at ? 0 : fs->ops->sync_dir(fs, FOLDER, e);
}

static int make_folder(struct fs *fs, struct err *e)
{
	struct fs_stat st;

	TRY(fs->ops->stat(fs, FOLDER, &st, e));
	return st.kind == FS_DIR ? 0 : fs_make_dirs(fs, FOLDER, e);
}

static uint64_t piece_limit(const struct telequeue *q)
{
	return MIN(q->limit / PIECES_MIN, PIECE_MAX);
}

static bool is_full(const struct telequeue *q, uint64_t more)
{
	const struct piece *p = &q->v[q->n - 1];

	return q->closed || p->size.bytes + more > piece_limit(q);
}

/* Where the items go: behind the newest piece, or to a new one. */
static void choose(const struct telequeue *q, uint64_t more, struct piece *out, struct buf *text)
{
	if (q->n && !is_full(q, more)) {
		*out = q->v[q->n - 1];
		return;
	}
	*out = (struct piece){
		.ordinal = q->n ? q->v[q->n - 1].ordinal + 1 : 1, .head = {q->epoch, q->next}};
	spool_head_format(&out->head, text);
	begin_piece(out, text->n);
}

/* A piece whose writing failed has an unknown end: it is read no further than what was promised,
 * because the next piece begins with the very number that failed. */
static int append(struct telequeue *q, const struct piece *to, struct str text, struct err *e)
{
	char path[FS_PATH_MAX];
	bool is_new = q->n == 0 || to->ordinal != q->v[q->n - 1].ordinal;
	uint64_t at = is_new ? 0 : q->v[q->n - 1].size.bytes;

	piece_path(to, path);
	q->closed = true;
	TRY(write_at(q, path, text, at, e));
	q->closed = false;
	if (is_new)
		(void)add_piece(q);
	q->v[q->n - 1] = *to;
	return 0;
}

int telequeue_put(struct telequeue *q, struct telemetry_item *v, unsigned n, struct err *e)
{
	BUF_AUTO trial = {0}, text = {0};
	struct piece to = {0}, ignored = {0};

	for (unsigned i = 0; i < n; i++)
		TRY(encode(&v[i], q->next + i, &ignored, &trial, e));
	if (trial.n > LIMIT_SPOOL_BYTES - SPOOL_BLOCK)
		return err_set(e, ERR_TOO_LARGE, "%zu bytes of telemetry at once", trial.n);
	choose(q, trial.n, &to, &text);
	for (unsigned i = 0; i < n; i++)
		TRY(encode(&v[i], q->next + i, &to, &text, e));
	TRY(make_room(q, spool_room(text.n) + SPOOL_BLOCK, e));
	TRY(make_folder(q->fs, e));
	TRY(append(q, &to, buf_str(&text), e));
	q->next += n;
	telequeue_forget(q);
	return 0;
}
