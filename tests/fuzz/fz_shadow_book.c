#include <stdlib.h>

#include "agent/core/shadow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for a comparison says the same when it is written and read again, and can be
 * judged. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct shadow_rule rule = {.min_pairs = 10,
		.agreement = 980,
		.errors = 10,
		.confidence = 950,
		.quantile = 990,
		.latency_ratio = 3000,
		.deadline = 1000};
	struct shadow_tally t, back;
	BUF_AUTO first = {0}, second = {0};
	struct err e;

	if (shadow_decode((struct str){(const char *)data, size}, &t, &e) < 0)
		return 0;
	shadow_encode(&t, &first);
	if (shadow_decode(buf_str(&first), &back, &e) < 0)
		abort();
	shadow_encode(&back, &second);
	if (!str_eq(buf_str(&first), buf_str(&second)))
		abort();
	shadow_eval(&rule, &t);
	return 0;
}
