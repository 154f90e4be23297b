/* What a device tells the server. A report has a sequence number per device, so that one that is
 * sent twice counts once. */
#ifndef PROTO_WIRE_REPORT_H
#define PROTO_WIRE_REPORT_H

#include "lib/id.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/precond.h"

/*  id, name, what it means */
#define REPORT_KIND_TABLE(X)                                                                       \
	X(HELLO, "hello", "the agent has started: who it is and what runs")                        \
	X(STATE, "state", "the update moved to another state")                                     \
	X(PROGRESS, "progress", "bytes staged or soak time done; may be dropped")                  \
	X(OUTCOME, "outcome", "an update ended: committed, reverted, failed or stuck")             \
	X(REFUSED, "refused", "a desired state was refused, with the typed reason")                \
	X(CONSENT, "consent",                                                                      \
		"a person at the device has agreed to an update, said no, or put it off")          \
	X(CONDITION, "condition", "something else of the device failed, or is well again (ok)")    \
	X(SWITCH, "switch",                                                                        \
		"the device has decided to switch, and this is what its preconditions saw")

enum report_kind {
#define X(id, ...) REPORT_##id,
	REPORT_KIND_TABLE(X)
#undef X
		REPORT_KIND_MAX
};

/* What one precondition saw when the switch was decided. */
struct report_condition {
	enum precond_type type;
	bool of_device; /* its configuration asks for it, not the release */
	bool known;     /* false: it could not be seen, and that passes */
	char value[64]; /* as it was seen: "80 %, on mains"; "" when nothing was */
	char limit[96]; /* what is wanted: "mains or at least 50 %" */
};

struct report {
	uint64_t seq; /* 1, 2, 3 ... per device, durable on the device before it is sent */
	enum report_kind kind;
	ms_t at;        /* wall clock of the device */
	char agent[32]; /* version of the agent */
	char hardware[ID_TEXT_MAX];
	char labels[LIMIT_TEXT];      /* HELLO: "line=north,site=berlin", or "" */
	struct rel_id running;        /* "" when nothing is installed */
	struct sha256 running_digest; /* of its release document */
	char slot[8];
	char state[16];          /* upd_state_name */
	char txn[TXN_TEXT];      /* "" when idle */
	struct camp_id campaign; /* of the desired state, or "" */
	struct rel_id target;    /* release being installed, or that ended, or "" */
	struct sha256 target_digest;
	uint64_t director_version; /* of the desired state this is about */
	uint64_t done, total;      /* PROGRESS: bytes or milliseconds */
	enum err_code code;        /* OUTCOME, REFUSED, CONDITION: ERR_OK when committed, or well */
	char cause[ID_TEXT_MAX];   /* trigger type that fired, or "" */
	char text[LIMIT_TEXT];     /* one sentence for people */
	char consent[8];           /* CONSENT: "yes", "no" or "later", to target_digest */
	char who[ID_TEXT_MAX];     /* CONSENT: the person, as the device knows him; when is `at` */
	unsigned n_conditions;     /* SWITCH: at least one */
	struct report_condition conditions[LIMIT_CONDITIONS];
	char *dossier; /* OUTCOME: rollback dossier as JSON text, owned; NULL when none */
};

void report_init(struct report *r);
void report_fini(struct report *r);
/* One line of JSON: {"format": 1, "seq", "kind", "at_ms", ...}, members that are empty or 0 left
 * out. What a foreign program wrote into `text` or `cause` is made printable, and a dossier that is
 * no JSON object, is nested too deep or is larger than LIMIT_DOSSIER_BYTES is left out, because a
 * report that the server refuses would block all later ones. */
void report_encode(const struct report *r, struct buf *out);
/* Known members only; ERR_BAD_INPUT or ERR_TOO_LARGE with the place. report_fini frees what it
 * fills. */
int report_decode(struct str text, struct report *out, struct err *e) MUST_CHECK;
const char *report_kind_name(enum report_kind k);

/* Labels by which devices are selected: NAME=VALUE, separated by commas; names and values are ids
 * (lib/id.h) and no name stands twice. ERR_BAD_INPUT. */
int labels_check(struct str labels, struct err *e) MUST_CHECK;
/* A view of the value of a label, in checked labels. */
bool labels_find(struct str labels, struct str name, struct str *out_value);
/* Are all of the checked labels `wanted` among them? */
bool labels_have(struct str labels, const char *wanted);

#endif
