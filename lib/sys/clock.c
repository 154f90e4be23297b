#include "lib/sys/clock.h"

#include <time.h>

static ms_t read_clock(clockid_t id)
{
	struct timespec t = {0};

	clock_gettime(id, &t);
	return (ms_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static ms_t system_mono(void *self UNUSED)
{
	return read_clock(CLOCK_BOOTTIME);
}

static ms_t system_wall(void *self UNUSED)
{
	return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {system_mono, system_wall, NULL};
