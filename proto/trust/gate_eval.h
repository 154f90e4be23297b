/* Does the evidence pass the gate? Pure: gate, statements and the time in, a table out. The same
 * code judges for the verifier who signs the summary, and for the server, which believes nobody. */
#ifndef PROTO_TRUST_GATE_EVAL_H
#define PROTO_TRUST_GATE_EVAL_H

#include "proto/trust/attest.h"
#include "proto/wire/gate.h"

/* A statement that comes from tomorrow is a mistake or a lie; clocks differ a little. */
#define GATE_SKEW_S 300

#define GATE_ROWS (LIMIT_GATE_REQUIREMENTS * (LIMIT_GATE_CONDITIONS + 4))

struct gate_row {
	char requirement[ID_TEXT_MAX];
	char wanted[LIMIT_TEXT]; /* "metrics.p99_ms <= 45" */
	char seen[LIMIT_TEXT];   /* "47", "missing" */
	bool met;
};

struct gate_table {
	bool met; /* all of it */
	unsigned n;
	struct gate_row rows[GATE_ROWS];
};

/* `statements` have been verified and are about the release. *out is about 100 KiB. */
void gate_eval(const struct gate *g, const struct statement *statements, unsigned n, int64_t now_s,
	struct gate_table *out);

/* Appends what is not met: "hil: metrics.p99_ms <= 45, seen 47; consent: a statement, seen none".
 */
void gate_missing(const struct gate_table *t, struct buf *out);

#endif
