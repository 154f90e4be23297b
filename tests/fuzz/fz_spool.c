/* A piece of the telemetry queue. What is read of it is written and read again; no line is taken
 * that does not go on from the one before. */
#include <assert.h>

#include "agent/core/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str rest = {(const char *)p, n}, before;
	struct spool_head h, h2;
	struct spool_line l, l2;
	uint64_t after;

	if (spool_head_parse(&rest, &h, NULL) < 0)
		return 0;
	assert(h.epoch && h.first);
	for (after = h.first - 1, before = rest; spool_line_parse(&rest, after, &l);
		after = l.seq, before = rest) {
		BUF_AUTO text = {0};
		struct str again;

		assert(l.seq > after && rest.n < before.n);
		spool_head_format(&h, &text);
		spool_line_format(&l, &text);
		again = buf_str(&text);
		assert(spool_head_parse(&again, &h2, NULL) == 0 && h2.epoch == h.epoch);
		assert(spool_line_parse(&again, after, &l2) && l2.seq == l.seq);
		assert(l2.detail == l.detail && str_eq(l2.item, l.item) && again.n == 0);
	}
	return 0;
}
