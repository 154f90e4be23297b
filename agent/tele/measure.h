/* What is seen of machine and workload at one look. Blocking, short. */
#ifndef AGENT_TELE_MEASURE_H
#define AGENT_TELE_MEASURE_H

#include "agent/core/kernel.h"
#include "lib/sys/fs.h"

struct measure_in {
	const char *proc, *sys;  /* where the kernel shows itself */
	struct fs *home;         /* whose room counts */
	const char *metrics_url; /* of the workload; "": none */
	ms_t timeout;            /* of one look at it */
};

struct measure {
	bool has_cpu, has_memory, has_disk, has_temperature, has_pressure, has_page;
	struct kernel_cpu cpu;
	struct kernel_memory memory;
	uint64_t disk_free;    /* bytes */
	int64_t milli_c;       /* of the hottest zone */
	uint64_t cpu_permille; /* pressure: who waited for a processor */
	struct buf page;       /* owned: the workload's Prometheus text */
};

/* What cannot be seen is left out. */
void measure_look(const struct measure_in *in, struct measure *out);
void measure_fini(struct measure *m);

#endif
