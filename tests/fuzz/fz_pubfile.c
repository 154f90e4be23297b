/* A public key in a file of its own: what is taken verifies, and is the same in every reading. */
#include <stdlib.h>
#include <string.h>

#include "keys/pubfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct pub_file a, b;
	BUF_AUTO again = {0};
	struct err e;

	if (pub_file_parse((struct str){(const char *)p, n}, &a, &e) < 0)
		return 0;
	json_canonical(a.json, &again);
	if (a.pub.scheme == SIG_UNKNOWN)
		abort();
	/* Raw control characters, which PEM has, are canonical but not JSON. */
	if (pub_file_parse(buf_str(&again), &b, &e) == 0) {
		if (strcmp(a.keyid, b.keyid) != 0)
			abort();
		pub_file_fini(&b);
	}
	pub_file_fini(&a);
	return 0;
}
