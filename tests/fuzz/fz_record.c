#include <stdlib.h>
#include <string.h>

#include "agent/core/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again_the_same(const struct buf *bytes)
{
	struct upd_record r;
	BUF_AUTO once_more = {0};
	struct err e;

	if (record_decode(buf_str(bytes), &r, &e) < 0)
		abort();
	record_encode(&r, &once_more);
	if (once_more.n != bytes->n || memcmp(once_more.p, bytes->p, bytes->n) != 0)
		abort();
}

/* Whatever is taken for a record is written again as the very same bytes; one of an older format,
 * whose first four bytes are others, as one of this format. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upd_record r;
	BUF_AUTO again = {0};
	struct err e;

	if (record_decode((struct str){(const char *)data, size}, &r, &e) < 0) {
		if (e.code != ERR_BAD_INPUT)
			abort();
		return 0;
	}
	record_encode(&r, &again);
	again_the_same(&again);
	if (memcmp(again.p, data, 4) == 0 && (again.n != size || memcmp(again.p, data, size) != 0))
		abort();
	return 0;
}
