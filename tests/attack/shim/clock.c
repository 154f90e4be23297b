/* Preloaded into an agent, it sets its wall clock: BACKSTAY_TEST_CLOCK is the seconds since 1970
 * that it shall say now. Everything else of the program is as it is. */
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>

int clock_gettime(clockid_t id, struct timespec *out)
{
	static time_t offset;
	const char *wanted = getenv("BACKSTAY_TEST_CLOCK");
	int rc = (int)syscall(SYS_clock_gettime, id, out);

	if (rc < 0 || id != CLOCK_REALTIME || !wanted)
		return rc;
	if (!offset)
		offset = (time_t)strtoll(wanted, NULL, 10) - out->tv_sec;
	out->tv_sec += offset;
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	*out = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -1;
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
