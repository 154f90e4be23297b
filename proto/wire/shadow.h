/* A challenger beside the champion: the rule by which a release of strategy "shadow" is promoted or
 * refused, and what the champion says of each of its inputs.
 *
 * The champion's word is one packet, of a line of JSON and, after the line's end, the input itself:
 *   {"format":1,"answer":"M-AB 123","took_us":41200,"type":"image/png","id":"4711"}\n<bytes>
 * An input that is too large for a packet comes in a memory file instead (memfd_create, sealed
 * against writing and shrinking), whose descriptor the packet carries; nothing stands behind the
 * line then. `failed` (default false) says that it had no answer, `dropped` how many inputs it has
 * kept back since the packet before. */
#ifndef PROTO_WIRE_SHADOW_H
#define PROTO_WIRE_SHADOW_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

enum shadow_match { SHADOW_MATCH_EXACT, SHADOW_MATCH_NUMBER, SHADOW_MATCH_MAX };
/* What becomes of a challenger that is neither shown to be good nor shown to be bad in time. */
enum shadow_undecided { SHADOW_REFUSE, SHADOW_HOLD, SHADOW_UNDECIDED_MAX };

struct shadow_rule {
	unsigned argc; /* the challenger: started in its slot, told its port by BACKSTAY_PORT */
	char argv[LIMIT_ARGV][LIMIT_ARG_BYTES];
	char path[LIMIT_TARGET_NAME];  /* inputs are sent there by POST */
	char ready[LIMIT_TARGET_NAME]; /* GET answers other than 503 once it is loaded */
	char answer[ID_TEXT_MAX]; /* member of its JSON answer that is compared; "": the whole */
	enum shadow_match match;
	uint64_t within_micro; /* NUMBER: so far apart they are the same */
	ms_t timeout;          /* of one input */
	ms_t deadline;         /* of running side by side, until it must be decided */
	enum shadow_undecided undecided;
	uint64_t min_pairs;
	uint32_t agreement;     /* per mille of the pairs, at least */
	uint32_t errors;        /* per mille of the pairs, at most */
	uint32_t confidence;    /* per mille: how sure a verdict must be */
	uint32_t quantile;      /* per mille: of the latencies that are compared */
	uint32_t latency_ratio; /* thousandths of the champion's, at most; 0: not judged */
	ms_t latency_limit;     /* at most; 0: not judged */
	uint32_t crashes;       /* that are allowed */
	uint64_t max_memory;    /* bytes; 0: the device's default for smoke tests */
	uint32_t cpu_percent; /* of one processor, where the device can limit it; 0: what is left */
};

/* `input` and the texts of one packet; `input` points into it. */
struct shadow_note {
	char id[ID_TEXT_MAX]; /* "" : none was given */
	char answer[LIMIT_SHADOW_ANSWER];
	char type[32]; /* of the input, as HTTP names it */
	uint64_t took_us, dropped;
	bool failed;
	struct str input;
};

/* The member "shadow" of a release. ERR_BAD_INPUT names the place. */
int shadow_rule_parse(
	const json_t *j, const char *where, struct shadow_rule *out, struct err *e) MUST_CHECK;

/* ERR_BAD_INPUT, ERR_TOO_LARGE. */
int shadow_note_parse(struct str packet, struct shadow_note *out, struct err *e) MUST_CHECK;

/* What is compared of a challenger's answer: the member, as text, or the whole body without blanks
 * around it. ERR_BAD_INPUT when there is no such member, ERR_TOO_LARGE. */
int shadow_answer_of(struct str body, const char *member, char out[LIMIT_SHADOW_ANSWER],
	struct err *e) MUST_CHECK;

/* Do the two say the same? What is no number is never within anything of another. */
bool shadow_is_match(const struct shadow_rule *r, const char *champion, const char *challenger);

const char *shadow_match_name(enum shadow_match m);

#endif
