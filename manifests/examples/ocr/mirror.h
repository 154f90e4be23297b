/* Gives every input away, with the answer it got, to whoever compares another version with this one
 * (release documents of strategy "shadow"; proto/wire/shadow.h says what a packet holds). It never
 * waits: what does not fit the other's queue is dropped, and counted. */
#ifndef OCR_MIRROR_H
#define OCR_MIRROR_H

#include <stdatomic.h>

#include "lib/str.h"

struct mirror {
	int fd; /* -1: nobody will ever ask */
	char path[108];
	atomic_uint dropped; /* since the last that was taken */
};

/* `path` is the socket's, of the environment; NULL or "": inputs are given to nobody. */
void mirror_init(struct mirror *m, const char *path);
void mirror_fini(struct mirror *m);

/* Any thread. `answer` NULL: there was none. While nobody listens it costs one look for a name. */
void mirror_offer(struct mirror *m, struct str input, const char *answer, uint64_t took_us);

#endif
