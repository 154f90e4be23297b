/* When devices were last heard of, and how far their updates are: gathered in memory and written
 * together, because polls that change nothing must not write. */
#ifndef SERVER_RUN_CONTACTS_H
#define SERVER_RUN_CONTACTS_H

#include "server/db/db.h"

struct contact {
	struct dev_id id; /* "" : a free slot */
	ms_t at;
	bool has_progress;
	uint64_t done, total;
};

struct contacts {
	struct contact *v;
	size_t n, cap;
};

void contacts_init(struct contacts *c);
void contacts_fini(struct contacts *c);

/* The device's row, made if it is missing; good until the next call. */
struct contact *contacts_put(struct contacts *c, const char *device, ms_t at);

/* Writes all rows within the transaction that is open. They stay until contacts_clear, which is
 * called when it was committed. */
int contacts_save(const struct contacts *c, struct db *db, struct err *e) MUST_CHECK;
void contacts_clear(struct contacts *c);

#endif
