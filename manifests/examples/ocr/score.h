/* How a service did: answers, and how long they took. Values; the caller locks. */
#ifndef OCR_SCORE_H
#define OCR_SCORE_H

#include "proto/wire/json.h"

#define SCORE_STEPS   16 /* buckets per doubling: a quantile is known to within 4.4 % */
#define SCORE_BUCKETS (24 * SCORE_STEPS)

struct score {
	uint64_t requests;              /* all that were asked for */
	uint64_t failed;                /* no answer, or one that was not 200 */
	uint64_t wrong;                 /* an answer, and not what stands on the plate */
	uint64_t bucket[SCORE_BUCKETS]; /* answers by the time they took */
};

void score_failed(struct score *s);
void score_answer(struct score *s, uint64_t us, bool right);
void score_add(struct score *into, const struct score *more);
/* The time in microseconds within which `permille` of the answers came; 0 without answers. */
uint64_t score_quantile(const struct score *s, unsigned permille);
/* Sets requests, failed, wrong, p50_us and p99_us in the object. */
void score_write(const struct score *s, json_t *object);

#endif
