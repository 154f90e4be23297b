/* Folders of numbered files: N.json, or N.NAME.json. */
#ifndef AGENT_TELE_TELE_PRIV_H
#define AGENT_TELE_TELE_PRIV_H

#include "agent/tele/tele.h"

struct tele_entry {
	uint64_t seq;
	char name[64]; /* "" when there is none */
};

/* Owned, in ascending order of seq. */
struct tele_folder {
	struct tele_entry *v;
	unsigned n;
};

/* A missing folder is an empty one; names of another shape are passed over. */
int tele_folder_list(
	struct fs *fs, const char *dir, struct tele_folder *out, struct err *e) MUST_CHECK;
void tele_folder_fini(struct tele_folder *f);
/* Makes the folder if it is missing, durably. */
int tele_folder_make(struct fs *fs, const char *dir, struct err *e) MUST_CHECK;
void tele_folder_path(const char *dir, const struct tele_entry *entry, char out[FS_PATH_MAX]);
/* Removes the oldest until at most `max` are left. */
int tele_folder_trim(struct fs *fs, const char *dir, unsigned max, struct err *e) MUST_CHECK;

#define FOLDER_AUTO CLEANUP(tele_folder_fini) struct tele_folder

#define TELE_REPORTS "reports"
#define TELE_REFUSED "reports/refused"

#endif
