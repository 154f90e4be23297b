/* The reader in service, and how another takes its place without anybody waiting longer than for
 * the plate before. */
#ifndef OCR_DESK_H
#define OCR_DESK_H

#include <limits.h>
#include <pthread.h>

#include "manifests/examples/ocr/reader.h"

struct desk {
	pthread_mutex_t turn; /* held while a plate is read: one at a time */
	pthread_mutex_t
		reload;       /* held while the next reader is loaded, beside the one in service */
	pthread_mutex_t note; /* guards `facts` and `good_at`, never held for long */
	struct reader *reader;
	char slot_dir[PATH_MAX]; /* absolute; guarded by `reload` */
	struct reader_facts facts;
	ms_t good_at; /* monotonic, when a plate was last read */
};

/* Loads the slot. Errors as reader_open. */
int desk_init(struct desk *d, const char *slot_dir, struct err *e) MUST_CHECK;
void desk_fini(struct desk *d);

/* Reads a plate when its turn comes; *out_by tells who read it. Any thread. */
int desk_read(struct desk *d, PIX *pix, struct reader_answer *out, struct reader_facts *out_by,
	struct err *e) MUST_CHECK;

/* Loads another slot (NULL: the present one anew) while the present reader goes on, then puts it in
 * its place. On failure the present one stays. Any thread. */
int desk_reload(struct desk *d, const char *slot_dir, struct err *e) MUST_CHECK;

/* Has a plate been read in the last seconds, or can a drawn one be read now? ERR_TIMEOUT when the
 * turn does not come within two seconds, otherwise what reader_check found. Any thread. */
int desk_check(struct desk *d, struct err *e) MUST_CHECK;

/* Who is in service. Does not wait for a turn. */
void desk_look(struct desk *d, struct reader_facts *out);

#endif
