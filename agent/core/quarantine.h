/* Releases that have failed on this device, by digest of their document. The device does not take
 * one of them again by itself until the entry expires or a person clears it. */
#ifndef AGENT_CORE_QUARANTINE_H
#define AGENT_CORE_QUARANTINE_H

#include "lib/buf.h"
#include "lib/id.h"

#define QUARANTINE_MAX 32

struct quarantine_entry {
	struct sha256 document;
	struct rel_id release;
	enum err_code why;
	char text[160];
	ms_t since, until; /* wall clock; until 0: for ever */
};

struct quarantine {
	unsigned n;
	struct quarantine_entry v[QUARANTINE_MAX];
};

/* Newest first; an entry for the same document is replaced; the oldest goes when it is full. */
void quarantine_add(struct quarantine *q, const struct quarantine_entry *e);
/* What either of them knows, newest first; of two entries for one document the one that holds
 * longer.
 */
void quarantine_join(struct quarantine *q, const struct quarantine *other);
const struct quarantine_entry *quarantine_find(
	const struct quarantine *q, const struct sha256 *document, ms_t wall);
bool quarantine_remove(struct quarantine *q, const struct sha256 *document);
/* Text of one line per entry, for a file that people may read. Decoding refuses what encoding would
 * not write: ERR_BAD_INPUT, ERR_TOO_LARGE with the entry's number. */
void quarantine_encode(const struct quarantine *q, struct buf *out);
int quarantine_decode(struct str text, struct quarantine *out, struct err *e) MUST_CHECK;

#endif
