#include "agent/core/backoff.h"

static const struct {
	ms_t first, last; /* 0: not by itself */
} steps[] = {
	[ERR_RETRY_NEVER] = {0, 0},
	[ERR_RETRY_SOON] = {SEC(2), MINUTE(5)},
	[ERR_RETRY_LATER] = {MINUTE(1), MINUTE(60)},
	[ERR_RETRY_OPERATOR] = {0, 0},
};

ms_t backoff_wait(enum err_retry class_, uint32_t tries, uint64_t random, ms_t floor)
{
	ms_t step = steps[class_].first, wait;

	if (step == 0)
		return -1;
	while (tries-- > 1 && step < steps[class_].last)
		step *= 2;
	step = MIN(step, steps[class_].last);
	wait = step / 2 + (ms_t)(random % (uint64_t)(step / 2 + 1));
	return MAX(wait, floor);
}
