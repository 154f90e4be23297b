#include "agent/precond/precond_priv.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The average of the last minute, for each processor that is there. */
static void see_average(const struct precond_in *in, struct precond_facts *out)
{
	long processors = MAX(1L, sysconf(_SC_NPROCESSORS_ONLN));
	char path[256], text[64];
	struct err e = {.text = "it is not understood"};
	uint64_t n;

	snprintf(path, sizeof path, "%s/loadavg", in->proc);
	if (precond_read_line(path, text, sizeof text, &e) < 0 || !precond_hundredths(text, &n)) {
		precond_why(out, PRECOND_LOAD, "%.80s", e.text);
		return;
	}
	out->loadavg.known = true;
	out->loadavg.percent = n / (uint64_t)processors;
}

/* "some avg10=0.31 avg60=...": the share of ten seconds in which somebody waited for a processor.
 * A kernel without it makes it unknown. */
static void see_pressure(const struct precond_in *in, struct precond_facts *out)
{
	char path[256], text[64];
	const char *avg;
	uint64_t n;

	snprintf(path, sizeof path, "%s/pressure/cpu", in->proc);
	if (precond_read_line(path, text, sizeof text, NULL) < 0)
		return;
	avg = strstr(text, "avg10=");
	if (!avg || !precond_hundredths(avg + strlen("avg10="), &n))
		return;
	out->psi.known = true;
	out->psi.percent = (n + 99) / 100;
}

static void look(const struct precond_in *in, unsigned want UNUSED, struct precond_facts *out)
{
	see_average(in, out);
	see_pressure(in, out);
}

const struct precond_source precond_load = {
	.kind = "load",
	.serves = PRECOND_BIT(PRECOND_LOAD),
	.help = "Load average and pressure, as the kernel counts them.",
	.look = look,
};
