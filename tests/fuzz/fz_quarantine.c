#include <stdlib.h>

#include "agent/core/quarantine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for a quarantine is written as text that says the same when it is read again.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quarantine q, back;
	BUF_AUTO first = {0};
	BUF_AUTO second = {0};
	struct err e;

	if (quarantine_decode((struct str){(const char *)data, size}, &q, &e) < 0)
		return 0;
	quarantine_encode(&q, &first);
	if (quarantine_decode(buf_str(&first), &back, &e) < 0)
		abort();
	quarantine_encode(&back, &second);
	if (!str_eq(buf_str(&first), buf_str(&second)))
		abort();
	return 0;
}
