#include "tests/lib/vector.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err e;
	int rc UNUSED = vector_check("scenario", (struct str){(const char *)p, n}, &e);

	return 0;
}
