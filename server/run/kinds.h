/* By what devices are alike: counts the values of a label or of the hardware, and makes strata of
 * the most frequent ones. */
#ifndef SERVER_RUN_KINDS_H
#define SERVER_RUN_KINDS_H

#include "lib/id.h"
#include "server/repo/devices.h"

#define KINDS_MAX   256U      /* different values; a label with more says nothing about kinds */
#define KINDS_OTHER KINDS_MAX /* number of every value beyond those */

struct kind {
	char name[ID_TEXT_MAX];
	uint32_t n;
};

struct kinds {
	unsigned n;
	struct kind v[KINDS_MAX];
};

/* What a device has of "hardware" or of a label: "-" when it has not got it. */
void kinds_of(const struct device_row *d, const char *by, char out[ID_TEXT_MAX]);

/* Counts one more of it; its number. */
unsigned kinds_add(struct kinds *k, const char *name);

/* At most `most` strata, the most frequent kinds first and all others together in the last one.
 * out_stratum[number] for each number that kinds_add gave; out_name for each stratum. */
void kinds_rank(const struct kinds *k, unsigned most, unsigned out_stratum[KINDS_MAX + 1],
	char (*out_name)[ID_TEXT_MAX], unsigned *out_n);

#endif
