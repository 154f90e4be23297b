#include "agent/journal/journal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/prng.h"

#define MAGIC      "BKSTATE"
#define AT_LENGTH  8
#define AT_SEQ     12
#define AT_RECORD  20
#define AT_CRC     (JOURNAL_BLOCK - 4)
#define LENGTH_MAX (AT_CRC - AT_RECORD)

static void put_le(uint8_t *p, uint64_t v, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get_le(const uint8_t *p, unsigned width)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < width; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static void encode_block(const struct upd_record *r, uint8_t block[JOURNAL_BLOCK])
{
	BUF_AUTO record = {0};

	record_encode(r, &record);
	assert(record.n <= LENGTH_MAX);
	memset(block, 0, JOURNAL_BLOCK);
	memcpy(block, MAGIC, sizeof MAGIC);
	put_le(block + AT_LENGTH, record.n, 4);
	put_le(block + AT_SEQ, r->seq, 8);
	memcpy(block + AT_RECORD, record.p, record.n);
	put_le(block + AT_CRC, crc32c(0, block, AT_CRC), 4);
}

static int decode_block(
	const uint8_t block[JOURNAL_BLOCK], size_t n, struct upd_record *out, struct err *e)
{
	struct upd_record r;
	uint64_t length;

	if (n != JOURNAL_BLOCK)
		return err_set(e, ERR_BAD_INPUT, "%zu bytes, not %d", n, JOURNAL_BLOCK);
	if (memcmp(block, MAGIC, sizeof MAGIC) != 0)
		return err_set(e, ERR_BAD_INPUT, "no journal file");
	if (get_le(block + AT_CRC, 4) != crc32c(0, block, AT_CRC))
		return err_set(e, ERR_BAD_INPUT, "wrong checksum");
	length = get_le(block + AT_LENGTH, 4);
	if (length > LENGTH_MAX)
		return err_set(e, ERR_BAD_INPUT, "wrong length");
	TRY(record_decode((struct str){(const char *)block + AT_RECORD, length}, &r, e));
	if (r.seq != get_le(block + AT_SEQ, 8))
		return err_set(e, ERR_BAD_INPUT, "two sequence numbers");
	*out = r;
	return 0;
}

static int read_block(
	struct fs *fs, const char *path, uint8_t block[JOURNAL_BLOCK], size_t *out_n, struct err *e)
{
	int fd, rc;

	TRY(fs->ops->open(fs, path, FS_READ, &fd, e));
	rc = fs->ops->pread(fs, fd, block, JOURNAL_BLOCK, 0, out_n, e);
	if (rc < 0) {
		(void)!fs->ops->close(fs, fd, NULL);
		return rc;
	}
	return fs->ops->close(fs, fd, e);
}

/* A file that cannot be read is not a torn one: to go on with the other would forget a step that
 * was carried out. So only what was read and makes no sense is passed over. */
static int look_at(struct journal *j, unsigned i, struct upd_record *out, bool *out_whole,
	struct err *why, struct err *e)
{
	uint8_t block[JOURNAL_BLOCK];
	size_t n;

	if (read_block(j->fs, j->path[i], block, &n, e) < 0)
		return err_wrap(e, "journal");
	*out_whole = decode_block(block, n, out, why) == 0;
	if (!*out_whole)
		err_wrap(why, "%s", j->path[i]);
	return 0;
}

static int write_block(struct journal *j, const struct upd_record *r, struct err *e)
{
	const struct fs_ops *ops = j->fs->ops;
	uint8_t block[JOURNAL_BLOCK];
	int fd, rc;

	encode_block(r, block);
	TRY(ops->open(j->fs, j->path[r->seq % 2], FS_WRITE, &fd, e));
	rc = ops->pwrite(j->fs, fd, block, sizeof block, 0, e);
	if (rc == 0)
		rc = ops->sync(j->fs, fd, e);
	if (rc < 0) {
		(void)!ops->close(j->fs, fd, NULL);
		return rc;
	}
	return ops->close(j->fs, fd, e);
}

/* The first two records are put in place by a rename, so that no power cut leaves a half one where
 * there was none. */
static int make_file(struct journal *j, unsigned i, struct err *e)
{
	struct upd_record fresh;
	struct fs_stat st;
	uint8_t block[JOURNAL_BLOCK];

	TRY(j->fs->ops->stat(j->fs, j->path[i], &st, e));
	if (st.kind != FS_NONE)
		return 0;
	upd_record_init(&fresh);
	fresh.seq = i;
	encode_block(&fresh, block);
	return fs_write_file(j->fs, j->path[i], block, sizeof block, 0600, e);
}

static int name_files(struct journal *j, const char *dir, struct err *e)
{
	for (unsigned i = 0; i < 2; i++) {
		int n = snprintf(
			j->path[i], sizeof j->path[i], "%s%sstate.%u", dir, *dir ? "/" : "", i);

		if (n < 0 || (size_t)n >= sizeof j->path[i])
			return err_set(e, ERR_TOO_LARGE, "%s: the path is too long", dir);
	}
	return 0;
}

int journal_open(struct fs *fs, const char *dir, struct journal *out, struct err *e)
{
	struct journal j = {.fs = fs};

	TRY(name_files(&j, dir, e));
	TRY(fs_make_dirs(fs, dir, e));
	for (unsigned i = 0; i < 2; i++)
		if (make_file(&j, i, e) < 0)
			return err_wrap(e, "journal");
	*out = j;
	return 0;
}

/* Two whole records that were saved one after the other differ by one. */
static int newest_of(struct journal *j, struct upd_record r[2], unsigned *out_newest, struct err *e)
{
	struct err why[2];
	bool whole[2];

	for (unsigned i = 0; i < 2; i++)
		TRY(look_at(j, i, &r[i], &whole[i], &why[i], e));
	if (!whole[0] && !whole[1])
		return err_set(e, ERR_NEED_HAND, "the journal is damaged: %.140s; %.140s",
			why[0].text, why[1].text);
	*out_newest = whole[0] && whole[1] ? r[1].seq > r[0].seq : whole[1];
	j->behind = !whole[0] || !whole[1] || r[*out_newest].seq != r[!*out_newest].seq + 1;
	return 0;
}

int journal_peek(struct fs *fs, const char *dir, struct upd_record *out, struct err *e)
{
	struct journal j = {.fs = fs};
	struct upd_record r[2];
	unsigned newest = 0;

	TRY(name_files(&j, dir, e));
	TRY(newest_of(&j, r, &newest, e));
	*out = r[newest];
	return 0;
}

int journal_load(struct journal *j, struct upd_record *out, struct err *e)
{
	struct upd_record r[2];
	unsigned newest = 0;

	TRY(newest_of(j, r, &newest, e));
	/* The same bytes at the same place: a cut in the middle of it changes nothing. */
	if (write_block(j, &r[newest], e) < 0)
		return err_wrap(e, "journal");
	j->seq = r[newest].seq;
	*out = r[newest];
	return 0;
}

int journal_save(struct journal *j, struct upd_record *r, struct err *e)
{
	struct upd_record next = *r;

	next.seq = j->seq + 1;
	if (write_block(j, &next, e) < 0)
		return err_wrap(e, "journal");
	j->seq = next.seq;
	r->seq = next.seq;
	return 0;
}
