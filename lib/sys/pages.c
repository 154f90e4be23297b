#include "lib/sys/pages.h"

#include <stdlib.h>
#include <sys/mman.h>

void *pages_new(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void pages_free(void *p, size_t n)
{
	if (p && munmap(p, n) < 0)
		abort();
}
