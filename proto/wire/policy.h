/* How a campaign goes through the fleet. A file in version control; its digest stands in every
 * decision. */
#ifndef PROTO_WIRE_POLICY_H
#define PROTO_WIRE_POLICY_H

#include "lib/id.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

struct policy_wave {
	char name[ID_TEXT_MAX];
	uint32_t count;    /* devices of this wave, or 0 when a share is given */
	uint32_t permille; /* share of all recipients that this wave *adds*, rounded up; the last
			      wave takes the rest */
	uint32_t parallel; /* at most so many at once; 0: no limit */
	ms_t soak; /* after the last device of the wave has ended, before the next wave opens */
};

struct policy {
	char name[ID_TEXT_MAX];
	bool first_alone; /* the very first device must commit before the second starts; default
			     true */
	unsigned n_waves;
	struct policy_wave waves[LIMIT_WAVES];
	uint32_t max_failures;   /* more device-level failures than this abort the campaign */
	ms_t silence;            /* an admitted device not heard of for so long counts as failed */
	bool roll_back_on_abort; /* devices that have the release already are ordered back; default
				    true */
};

/* JSON: {"format": 1, "name", "first_alone", "max_failures", "silence_ms", "roll_back_on_abort",
 * "waves": [{"name", "count" | "share_permille", "parallel", "soak_ms"}]}. Shares of all waves
 * together at most 1000. What may be missing: first_alone (true), roll_back_on_abort (true),
 * max_failures (0), silence_ms (an hour), parallel (0), soak_ms (ten minutes). */
int policy_parse(struct str text, struct policy *out, struct err *e) MUST_CHECK;
/* Canonical JSON of all members: one policy, one digest. */
void policy_encode(const struct policy *p, struct buf *out);

#endif
