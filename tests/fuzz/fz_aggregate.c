/* The store's text of an aggregate: what is taken comes out the same. */
#include <stdlib.h>

#include "server/core/aggregate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AGGREGATE_AUTO a = {0}, b = {0};
	BUF_AUTO x = {0}, y = {0};
	struct err e;

	if (aggregate_decode((struct str){(const char *)data, n}, &a, &e) < 0)
		return 0;
	aggregate_encode(&a, &x);
	if (aggregate_decode(buf_str(&x), &b, &e) < 0)
		abort();
	aggregate_encode(&b, &y);
	if (!str_eq(buf_str(&x), buf_str(&y)))
		abort();
	aggregate_merge(&a, &b);
	return 0;
}
