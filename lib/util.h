/* The few macros and unit types that every file may use. */
#ifndef LIB_UTIL_H
#define LIB_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK   __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)  __attribute__((cleanup(fn)))
#define UNUSED       __attribute__((unused))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)    ((a) < (b) ? (a) : (b))
#define MAX(a, b)    ((a) > (b) ? (a) : (b))

/* Hands a failure up unchanged. The only macro that hides control flow. */
#define TRY(x)                                                                                     \
	do {                                                                                       \
		int try_rc_ = (x);                                                                 \
		if (try_rc_ < 0)                                                                   \
			return try_rc_;                                                            \
	} while (0)

typedef int64_t ms_t; /* milliseconds, a point in time or a span; the only time unit in the cores */

#define SEC(n)    ((ms_t)(n)*1000)
#define MINUTE(n) ((ms_t)(n)*60 * 1000)

#endif
