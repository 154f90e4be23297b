/* How telemetry waits on the disk, and what of it gives way when there is too much. Pure.
 *
 * It lies in pieces, files that only grow: a head, and a line for each item. A line carries its own
 * checksum, so that what a power cut has torn off is seen: a piece counts as far as its lines are
 * whole. Whatever stands behind was never promised to anybody. */
#ifndef AGENT_CORE_SPOOL_H
#define AGENT_CORE_SPOOL_H

#include "lib/buf.h"
#include "proto/wire/limits.h"

#define SPOOL_BLOCK 4096ULL /* what a file takes on the disk comes in such */

struct spool_head {
	uint64_t epoch; /* of all its items; not 0 */
	uint64_t first; /* number of its first item, and of the first that follows if it has none */
};

struct spool_line {
	uint64_t seq;
	bool detail;     /* it gives way */
	struct str item; /* its JSON, borrowed */
};

void spool_head_format(const struct spool_head *h, struct buf *out);
void spool_line_format(const struct spool_line *l, struct buf *out);

/* Takes the head off the text of a piece. ERR_BAD_INPUT: there is none. */
int spool_head_parse(struct str *rest, struct spool_head *out, struct err *e) MUST_CHECK;
/* Takes the next line off. False at the end, and where a line is not whole or does not go on from
 * the number `after`; then *rest is as it was. */
bool spool_line_parse(struct str *rest, uint64_t after, struct spool_line *out);

/* ---- what gives way ---- */

struct spool_piece {
	uint64_t bytes;  /* of the file */
	uint64_t keeper; /* of that, what would stay if all details were taken out of it */
	bool has_keepers, has_details;
};
enum spool_fate { SPOOL_STAYS, SPOOL_THINNED, SPOOL_DROPPED };

/* Makes room for `need` bytes below `limit`, the oldest details first, as few as possible, piece by
 * piece; what is no detail never goes. v[0] is the oldest. False when it cannot be done: then
 * nothing is to be done at all, and what was to be stored is not. */
bool spool_plan(const struct spool_piece *v, unsigned n, uint64_t limit, uint64_t need,
	enum spool_fate *out);
/* Bytes on the disk. */
uint64_t spool_room(uint64_t bytes);

#endif
