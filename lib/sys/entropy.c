#include "lib/sys/entropy.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

void entropy_fill(void *p, size_t n)
{
	uint8_t *b = p;

	while (n) {
		ssize_t got = getrandom(b, n, 0);

		if (got < 0)
			abort();
		b += got;
		n -= (size_t)got;
	}
}
