/* Reports that wait for the server, rollback dossiers and the history: durable, bounded, sent in
 * order when the link is there. Everything goes through the fs seam; one caller at a time, but for
 * tele_put, which may be called while tele_send works in another thread. */
#ifndef AGENT_TELE_TELE_H
#define AGENT_TELE_TELE_H

#include "agent/net/http.h"
#include "lib/sys/fs.h"
#include "proto/wire/report.h"

#define TELE_QUEUE_MAX   256 /* reports that wait */
#define TELE_REFUSED_MAX 16  /* reports that the server did not want, kept for people */
#define DOSSIER_MAX      16
#define HISTORY_BYTES    (256 * 1024)
#define HISTORY_LINE_MAX 1024

/* Stores reports/SEQ.json, durable on return; the same seq again replaces it. r->seq must be set
 * (from the journal's record). When the queue is full, the oldest PROGRESS or STATE gives way, then
 * the oldest HELLO, never an OUTCOME, REFUSED, CONSENT or SWITCH: when only these wait,
 * ERR_NO_SPACE. */
int tele_put(struct fs *fs, const struct report *r, struct err *e) MUST_CHECK;

/* Sends what waits, oldest first, and removes what the server has acknowledged. *out_left is what
 * still waits and *out_retry_after the pause that the server asked for (0: none); both are set on
 * failure, too. Stops at the first that cannot be sent (ERR_NET, ERR_BUSY, ...); one that the
 * server refuses for good (400, 409, 413, 422) is moved to reports/refused/. A report may reach the
 * server twice, never not at all. `server` is its URL without a slash at the end. */
int tele_send(struct fs *fs, const struct http_conf *http, const char *server, const char *device,
	const atomic_bool *cancel, unsigned *out_left, ms_t *out_retry_after,
	struct err *e) MUST_CHECK;

/* The oldest that waits, for whoever sends it another way: appends what tele_send would send.
 * ERR_NOT_FOUND: none waits; ERR_TOO_LARGE: it has more than `max` bytes. */
int tele_oldest(
	struct fs *fs, size_t max, uint64_t *out_seq, struct buf *out, struct err *e) MUST_CHECK;
/* The server has it: it waits no more. A removal that a power cut takes back only makes it be sent
 * twice. */
int tele_done(struct fs *fs, uint64_t seq, struct err *e) MUST_CHECK;

/* Keeps a dossier under the name of its transaction (the newest DOSSIER_MAX), durable on return;
 * the same transaction again replaces it. */
int dossier_save(struct fs *fs, const char *txn, struct str json, struct err *e) MUST_CHECK;
/* Appends the text; ERR_NOT_FOUND. */
int dossier_load(struct fs *fs, const char *txn, struct buf *out, struct err *e) MUST_CHECK;

/* history.log: one line per state change and outcome, for people, durable on return; rotated to
 * history.log.1 at HISTORY_BYTES; never read by the agent itself but for answering `backstay
 * history`. The time is written before the line; control characters in it become blanks, and what
 * is over HISTORY_LINE_MAX is cut off. */
int history_add(struct fs *fs, ms_t wall, const char *line, struct err *e) MUST_CHECK;
/* Appends the newest last_n lines, oldest first. */
int history_read(struct fs *fs, unsigned last_n, struct buf *out, struct err *e) MUST_CHECK;

#endif
