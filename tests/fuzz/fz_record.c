#include <stdlib.h>
#include <string.h>

#include "agent/core/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for a record is written again as the very same bytes. */
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
	if (again.n != size || memcmp(again.p, data, size) != 0)
		abort();
	return 0;
}
