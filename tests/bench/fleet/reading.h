/* What a simulated device reads of both repositories for one update: every file is fetched, parsed
 * and held against what lists it. With `verifies`, every signature and the agreement are checked,
 * too, by the code of the real agent (proto/trust). */
#ifndef TESTS_BENCH_FLEET_READING_H
#define TESTS_BENCH_FLEET_READING_H

#include "proto/trust/director.h"

/* The first roots, as devices are provisioned with them. */
struct roots {
	struct buf director, image;
};

struct reading;

int reading_new(const struct roots *roots, const struct device_facts *facts, bool verifies,
	struct reading **out, struct err *e) MUST_CHECK;
void reading_free(struct reading **r);

/* The path of the next file; false when all have come. *out_may_miss: 404 is an answer, too. */
bool reading_next(const struct reading *r, char *out, size_t cap, bool *out_may_miss);
/* Its bytes; empty: there is no such file. An error ends the reading. */
int reading_take(struct reading *r, struct str bytes, struct err *e) MUST_CHECK;
/* When all have come: what the device shall run. */
int reading_end(struct reading *r, struct desired *out, struct err *e) MUST_CHECK;

#endif
