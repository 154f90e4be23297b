/* What the kernel says of the machine, in small files. Pure. False: it says nothing of that. */
#ifndef AGENT_CORE_KERNEL_H
#define AGENT_CORE_KERNEL_H

#include "lib/str.h"

/* /proc/stat: time that all processors together have spent since the start, in ticks. */
struct kernel_cpu {
	uint64_t busy, all;
};
bool kernel_cpu_parse(struct str text, struct kernel_cpu *out);

/* /proc/meminfo, in bytes. */
struct kernel_memory {
	uint64_t total, available;
};
bool kernel_memory_parse(struct str text, struct kernel_memory *out);

/* /proc/pressure/...: share of the last ten seconds in which somebody waited, per mille. */
bool kernel_pressure_parse(struct str text, uint64_t *out_permille);

/* A thermal zone's temp, in thousandths of a degree. */
bool kernel_temperature_parse(struct str text, int64_t *out_milli);

#endif
