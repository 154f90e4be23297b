/* The agent, whole, but with a worker that was taken over: asking and sending go on as they should,
 * and whatever is to be unpacked is answered in another way each time the worker is started. */
#define serve_run taken_over
#include "agent/main.c"

#include <fcntl.h>

#include "tests/lib/hostile.h"

/* The first ways end the worker, and are tried again; then comes one that ends the update. */
#define FIRST 20U
#define STEP  12U

/* Counts its lives in the file that it was started beside, which it can no longer do once it is
 * confined. */
static unsigned count_lives(void)
{
	int fd = open("lives", O_RDWR | O_CREAT | O_APPEND, 0600);
	off_t n = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (fd < 0 || write(fd, ".", 1) != 1)
		return 0;
	close(fd);
	return (unsigned)n;
}

int taken_over(int fd, struct err *e)
{
	return hostile_run(fd, (FIRST + count_lives() * STEP) % hostile_ways(), true, e);
}
