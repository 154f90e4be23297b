#include "agent/tele/tele_priv.h"

static int kind_of(
	struct fs *fs, const struct tele_entry *entry, enum report_kind *out, struct err *e)
{
	char path[FS_PATH_MAX];
	BUF_AUTO text = {0};
	struct report r;
	int rc;

	tele_folder_path(TELE_REPORTS, entry, path);
	TRY(fs_read_file(fs, path, LIMIT_REPORT_BYTES, &text, e));
	report_init(&r);
	rc = report_decode(buf_str(&text), &r, e);
	if (rc == 0)
		*out = r.kind;
	report_fini(&r);
	return rc;
}

/* How easily a report is spared: 2 gives way first, 0 never. What is no report (any more) tells
 * nobody anything. */
static int ease(struct fs *fs, const struct tele_entry *entry)
{
	static const int of_kind[REPORT_KIND_MAX] = {
		[REPORT_PROGRESS] = 2,
		[REPORT_STATE] = 2,
		[REPORT_HELLO] = 1,
	};
	enum report_kind kind = REPORT_PROGRESS;

	return kind_of(fs, entry, &kind, NULL) < 0 ? 2 : of_kind[kind];
}

static int make_way(struct fs *fs, const struct tele_folder *f, struct err *e)
{
	const struct tele_entry *victim = NULL;
	char path[FS_PATH_MAX];
	int best = 0;

	for (unsigned i = 0; i < f->n && best < 2; i++) {
		int this = ease(fs, &f->v[i]);

		if (this > best) {
			best = this;
			victim = &f->v[i];
		}
	}
	if (!victim)
		return err_set(e, ERR_NO_SPACE, "%u outcomes wait for the server", f->n);
	tele_folder_path(TELE_REPORTS, victim, path);
	return fs->ops->unlink(fs, path, e);
}

int tele_put(struct fs *fs, const struct report *r, struct err *e)
{
	const struct tele_entry entry = {.seq = r->seq};
	char path[FS_PATH_MAX];
	FOLDER_AUTO f = {0};
	BUF_AUTO text = {0};
	bool is_new = true;

	TRY(tele_folder_make(fs, TELE_REPORTS, e));
	TRY(tele_folder_list(fs, TELE_REPORTS, &f, e));
	for (unsigned i = 0; i < f.n; i++)
		is_new = is_new && f.v[i].seq != r->seq;
	if (is_new && f.n >= TELE_QUEUE_MAX)
		TRY(make_way(fs, &f, e));
	tele_folder_path(TELE_REPORTS, &entry, path);
	report_encode(r, &text);
	return fs_write_file(fs, path, text.p, text.n, 0640, e);
}
