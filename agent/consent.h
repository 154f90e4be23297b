/* What a person at the device has said to an update: bound to the digest of its release document,
 * so that consent to one is none to another, and durable. Nothing but the newest answer is kept;
 * all of them stand in the history and go to the server. */
#ifndef AGENT_CONSENT_H
#define AGENT_CONSENT_H

#include "agent/core/precond.h"
#include "lib/sys/fs.h"

struct consent {
	struct sha256 document; /* zero: nobody was asked yet */
	struct rel_id release;
	enum precond_consent is; /* NONE: only put off */
	char who[ID_TEXT_MAX];
	ms_t at;             /* wall clock */
	ms_t put_off;        /* for so long from `at`; 0: not */
	uint64_t report_seq; /* of the report that tells the server */
	bool told;           /* it is queued */
};

/* consent.json in home; durable on return. Loading: zero when there is none; ERR_BAD_INPUT. */
int consent_save(struct fs *fs, const struct consent *c, struct err *e) MUST_CHECK;
int consent_load(struct fs *fs, struct consent *out, struct err *e) MUST_CHECK;

/* "yes", "no", "later": an answer that was only put off is later. */
const char *consent_word(const struct consent *c);
/* For how long it is put off yet. A clock that was set back does not make that longer. */
ms_t consent_put_off(const struct consent *c, ms_t now);

#endif
