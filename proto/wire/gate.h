/* A gate: which evidence a release needs before it may go out. A file in version control; its
 * digest stands in the signed metadata and in the summary of whoever passed it. The page is
 * manifests/schema/gate.md; proto/trust/gate_eval.h judges by it. */
#ifndef PROTO_WIRE_GATE_H
#define PROTO_WIRE_GATE_H

#include "lib/id.h"
#include "proto/wire/decimal.h"
#include "proto/wire/json.h"
#include "proto/wire/predicate.h"

enum gate_op { GATE_EQ, GATE_NE, GATE_LE, GATE_LT, GATE_GE, GATE_GT, GATE_OP_MAX };
enum gate_value { GATE_NUMBER, GATE_FLAG, GATE_TEXT, GATE_VALUE_MAX };

/* One field of a predicate against one value. Fractions are written as text ("45.5"): documents
 * carry none. */
struct gate_condition {
	char field[LIMIT_GATE_NAME]; /* "metrics.p99_ms", "configuration.0.name" */
	enum gate_op op;
	enum gate_value kind;
	struct decimal number;      /* GATE_NUMBER */
	bool flag;                  /* GATE_FLAG: == and != only */
	char text[LIMIT_TEXT];      /* GATE_TEXT: == and != only */
	char shown[LIMIT_TEXT + 2]; /* the value as people read it */
};

/* Evidence of one kind. Every statement that fits kind, suite and device class must hold, and at
 * least one must be there: evidence that contradicts itself is none. */
struct gate_requirement {
	char name[ID_TEXT_MAX];
	char predicate[32];             /* a short name of predicate.tbl.h */
	char suite[ID_TEXT_MAX];        /* test-result: name of its first configuration; "": any */
	char device_class[ID_TEXT_MAX]; /* test-result: where it ran; "": anywhere */
	ms_t max_age;                   /* 0: any */
	unsigned n_scenarios;           /* test-result: must be among passedTests */
	char scenarios[LIMIT_GATE_SCENARIOS][LIMIT_GATE_NAME];
	unsigned n_conditions;
	struct gate_condition conditions[LIMIT_GATE_CONDITIONS];
};

struct gate {
	char name[ID_TEXT_MAX];
	unsigned n;
	struct gate_requirement require[LIMIT_GATE_REQUIREMENTS];
};

/* About 100 KiB: keep it off small stacks. ERR_BAD_INPUT or ERR_TOO_LARGE with the place. */
int gate_parse(struct str text, struct gate *out, struct err *e) MUST_CHECK;

const char *gate_op_name(enum gate_op op); /* "<=" */

#endif
