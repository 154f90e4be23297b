#include <stdlib.h>
#include <string.h>

#include "proto/wire/fsimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says what it should be, eight more how long it is. What is found to lie within so
 * many bytes lies within more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str head = {(const char *)data + 9, size - 9};
	uint64_t length;
	struct err e = {0};

	if (size < 9)
		return 0;
	enum fsimage what = data[0] % FSIMAGE_MAX;

	memcpy(&length, data + 1, sizeof length);
	if (fsimage_check(what, head, length, &e) < 0) {
		if (e.code != ERR_BAD_INPUT)
			abort();
		return 0;
	}
	if (fsimage_check(what, head, UINT64_MAX, &e) < 0)
		abort();
	return 0;
}
