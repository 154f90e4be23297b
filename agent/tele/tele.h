/* Reports that wait for the server, and rollback dossiers: durable, bounded, sent in order when the
 * link is there. */
#ifndef AGENT_TELE_TELE_H
#define AGENT_TELE_TELE_H

#include "agent/net/http.h"
#include "lib/sys/fs.h"
#include "proto/wire/report.h"

#define TELE_QUEUE_MAX                                                                             \
	256 /* reports; the oldest PROGRESS and STATE go first, never an OUTCOME or REFUSED */

/* Stores reports/SEQ.json, durable on return. r->seq must be set (from the journal's record). */
int tele_put(struct fs *fs, const struct report *r, struct err *e) MUST_CHECK;

/* Sends what waits, oldest first, and removes what the server has acknowledged. *out_left is what
 * still waits. Stops at the first that cannot be sent (ERR_NET, ...); one that the server refuses
 * for good (400) is moved to reports/refused/. */
int tele_send(struct fs *fs, const struct http_conf *http, const char *server, const char *device,
	const atomic_bool *cancel, unsigned *out_left, ms_t *out_retry_after,
	struct err *e) MUST_CHECK;

/* Keeps dossiers/TXN.json (the newest 16), durable on return. */
int dossier_save(struct fs *fs, const char *txn, struct str json, struct err *e) MUST_CHECK;
int dossier_load(struct fs *fs, const char *txn, struct buf *out, struct err *e) MUST_CHECK;

/* history.log: one line per state change and outcome, for people; rotated at 256 KiB; never read by
 * the agent itself but for answering `backstay history`. */
int history_add(struct fs *fs, ms_t wall, const char *line, struct err *e) MUST_CHECK;
int history_read(struct fs *fs, unsigned last_n, struct buf *out, struct err *e) MUST_CHECK;

#endif
