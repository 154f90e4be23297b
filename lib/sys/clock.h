/* Time comes in as a value. `mono` never goes back while the machine is up and counts suspended
 * time (CLOCK_BOOTTIME); `wall` is civil time since 1970 and may jump. */
#ifndef LIB_SYS_CLOCK_H
#define LIB_SYS_CLOCK_H

#include "lib/util.h"

struct clock {
	ms_t (*mono)(void *self);
	ms_t (*wall)(void *self);
	void *self;
};

/* The machine's clocks. */
extern const struct clock clock_system;

#endif
