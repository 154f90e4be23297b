#include "agent/tele/tele_priv.h"

#include <string.h>

#define DOSSIERS "dossiers"

/* Numbered in the order in which they were made, so that the oldest can be told without a clock. */
static const struct tele_entry *find(const struct tele_folder *f, const char *txn)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, txn) == 0)
			return &f->v[i];
	return NULL;
}

int dossier_save(struct fs *fs, const char *txn, struct str json, struct err *e)
{
	struct tele_entry entry = {.seq = 1};
	const struct tele_entry *old;
	char path[FS_PATH_MAX];
	FOLDER_AUTO f = {0};

	TRY(str_copy(str_of(txn), entry.name, sizeof entry.name, e));
	TRY(tele_folder_make(fs, DOSSIERS, e));
	TRY(tele_folder_list(fs, DOSSIERS, &f, e));
	old = find(&f, txn);
	if (old)
		entry = *old;
	else if (f.n)
		entry.seq = f.v[f.n - 1].seq + 1;
	tele_folder_path(DOSSIERS, &entry, path);
	TRY(fs_write_file(fs, path, json.p, json.n, 0640, e));
	return tele_folder_trim(fs, DOSSIERS, DOSSIER_MAX, e);
}

int dossier_load(struct fs *fs, const char *txn, struct buf *out, struct err *e)
{
	const struct tele_entry *entry;
	char path[FS_PATH_MAX];
	FOLDER_AUTO f = {0};

	TRY(tele_folder_list(fs, DOSSIERS, &f, e));
	entry = find(&f, txn);
	if (!entry)
		return err_set(e, ERR_NOT_FOUND, "no dossier of transaction %.40s", txn);
	tele_folder_path(DOSSIERS, entry, path);
	return fs_read_file(fs, path, LIMIT_DOSSIER_BYTES, out, e);
}
