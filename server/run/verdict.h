/* What a report means for the device's place in its campaign. A pure function. */
#ifndef SERVER_RUN_VERDICT_H
#define SERVER_RUN_VERDICT_H

#include "proto/wire/report.h"
#include "server/core/wave.h"

struct verdict_in {
	enum recipient_state state;   /* where the recipient is */
	bool ordered_back;            /* and whether it has an order to go back */
	const struct sha256 *release; /* document of the campaign's release */
	const struct sha256 *before;  /* of what it ran when it was admitted; may be zero */
	uint64_t director_version;    /* of what it is told now */
};

/* Was it admitted, has it given up because of something transient, and may it be admitted again
 * after `tries` such failures? What the device said of the release itself is final: it holds that
 * against the release and would refuse it. */
bool verdict_is_again(const struct policy *p, enum recipient_state was, enum recipient_state is,
	const struct report *r, uint32_t tries);

/* The state that the recipient is in after this report; its present one when nothing follows. */
enum recipient_state verdict_eval(const struct verdict_in *in, const struct report *r);

#endif
