/* The update record on disk. Two files, state.0 and state.1, are written in turn, each one block:
 *
 *     0  magic "BKSTATE" NUL
 *     8  length of the record, 4 bytes little-endian
 *    12  sequence number, 8 bytes little-endian
 *    20  the record (agent/core/record.h)
 *    ..  zeros
 *  4092  CRC-32C of everything before, 4 bytes little-endian
 *
 * Number n stands in state.(n mod 2), so a save never touches the newest whole record: a torn write
 * costs one step, never the machine. Both files exist, whole, before the first save; so two bad
 * ones are damage and never a beginning. No compaction, bounded wear. */
#ifndef AGENT_JOURNAL_JOURNAL_H
#define AGENT_JOURNAL_JOURNAL_H

#include "agent/core/record.h"
#include "lib/sys/fs.h"

#define JOURNAL_BLOCK 4096

struct journal {
	struct fs *fs; /* borrowed */
	char path[2][FS_PATH_MAX];
	uint64_t seq; /* of the newest whole record */
	/* Found by journal_load: the other file is not whole, or holds another record than the one
	 * before, so there may have been a newer record than this. A save that the power
	 * interrupted looks the same; a file that was replaced by the one right before it does not
	 * show. */
	bool behind;
};

/* Makes the folder and the two files where they are missing; both then hold the record of a device
 * that has never updated. Durable on return. */
int journal_open(struct fs *fs, const char *dir, struct journal *out, struct err *e) MUST_CHECK;

/* The newest whole record as it stands there now, for somebody who does not have the home: an agent
 * may be writing. Changes nothing. ERR_NOT_FOUND when there is no journal. */
int journal_peek(struct fs *fs, const char *dir, struct upd_record *out, struct err *e) MUST_CHECK;

/* The newest whole record, written again so that it is durable on return: an agent that died in a
 * save may have left bytes that only the cache holds. ERR_NEED_HAND when neither file is whole. */
int journal_load(struct journal *j, struct upd_record *out, struct err *e) MUST_CHECK;

/* Durable on return; sets r->seq. On failure the record before still stands, and the next save
 * writes to the same place. journal_load comes first. */
int journal_save(struct journal *j, struct upd_record *r, struct err *e) MUST_CHECK;

#endif
