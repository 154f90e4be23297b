/* The audit log as a chain that anybody can verify offline. Pure.
 *
 * A row is one decision. chain(n) = SHA-256(chain(n-1) || canonical JSON of row n), chain(0) = 32
 * zero bytes: a row is bound to all rows before it. Row numbers have no gaps.
 *
 * A checkpoint is a signed statement of how far the chain has come:
 *   {"signed": {"_type": "x-backstay-audit", "n": N, "chain": HEX, "time": "2026-01-31T12:00:00Z"},
 *    "signatures": [{"keyid", "sig"}]}
 * by whom the director's root names in "x-backstay-audit": {"keyids": [...], "threshold": N}, whose
 * keys stand in the root's "keys".
 *
 * An export is a file of JSON lines: first {"format": 1, "kind": "backstay-audit"}, then rows in
 * order, {"row": {...}, "chain": HEX}, and checkpoints, {"checkpoint": {...}}, each somewhere
 * behind the row that it names; the last line is the checkpoint of the last row. */
#ifndef PROTO_TRUST_AUDITLOG_H
#define PROTO_TRUST_AUDITLOG_H

#include "proto/trust/meta.h"

#define AUDITLOG_TYPE "x-backstay-audit"

struct audit_row {
	uint64_t n; /* from 1, without gaps */
	ms_t at;
	char who[ID_TEXT_MAX]; /* person, device, or "server" */
	char what[32];         /* kind of event: "moved", "publish", "register", ... */
	char campaign[ID_TEXT_MAX], device[ID_TEXT_MAX]; /* or "" */
	char text[2 * LIMIT_TEXT];
	struct sha256 policy; /* digest of the policy that applied, or zero */
	char engine[16];      /* what decided, or "" */
};

/* The row as JSON, the caller's to free: what answers and exports show, and what is chained in its
 * canonical form. Members that are empty are left out. */
json_t *audit_row_encode(const struct audit_row *r);
/* ERR_BAD_INPUT, ERR_TOO_LARGE. `where` names it in the error's text. */
int audit_row_parse(
	const json_t *o, const char *where, struct audit_row *out, struct err *e) MUST_CHECK;

/* Makes its texts fit for the log: control characters become blanks, a character that was cut in
 * two goes. For who writes rows, so that what is written can be read again. */
void audit_row_tidy(struct audit_row *r);

/* The chain's value behind `r`, from the value before it; both may be one object. */
void auditlog_chain(const struct sha256 *before, const struct audit_row *r, struct sha256 *out);

struct auditlog_checkpoint {
	uint64_t n;
	struct sha256 chain;
	int64_t time_s;
};

/* Has `root` anybody who signs checkpoints? */
bool auditlog_has_signers(const struct meta *root);
/* A whole signed file, as it came. ERR_UNSIGNED, ERR_BAD_INPUT, ERR_TOO_LARGE. */
int auditlog_checkpoint_verify(const struct meta *root, struct str bytes,
	struct auditlog_checkpoint *out, struct err *e) MUST_CHECK;

/* What a checkpoint says, whoever signed it. ERR_BAD_INPUT, ERR_TOO_LARGE. */
int auditlog_checkpoint_read(
	struct str bytes, struct auditlog_checkpoint *out, struct err *e) MUST_CHECK;

/* ---- an export, line by line ---- */

/* `roots` are the director's roots, oldest first, each verified by the caller as the successor of
 * the one before. A checkpoint may be signed by whom any of them names; the last one of the file
 * must be signed by whom the newest names. */
struct auditlog_check {
	const struct meta *roots; /* borrowed */
	unsigned n_roots;
	uint64_t lines, rows, checkpoints;
	struct sha256 chain;
	struct auditlog_checkpoint last; /* the newest checkpoint that was verified */
	bool last_is_newest;             /* signed by whom the newest root names */
};

void auditlog_check_init(struct auditlog_check *c, const struct meta *roots, unsigned n_roots);
/* The next line, without its newline. ERR_ALTERED names the first row that was altered, is missing
 * or stands in the wrong place, or the rows between two checkpoints of which one was; ERR_UNSIGNED,
 * ERR_BAD_INPUT, ERR_TOO_LARGE name the line. After an error there is no going on. */
int auditlog_check_line(struct auditlog_check *c, struct str line, struct err *e) MUST_CHECK;
/* Behind the last line. ERR_ALTERED: rows are cut off behind the last checkpoint. */
int auditlog_check_end(const struct auditlog_check *c, struct err *e) MUST_CHECK;

#endif
