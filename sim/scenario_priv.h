/* What the two halves of the reader of scenarios share: the document (scenario.c), and who and what
 * is in the fleet (scenario_fleet.c). */
#ifndef SIM_SCENARIO_PRIV_H
#define SIM_SCENARIO_PRIV_H

#include "sim/scenario.h"

#define SCENARIO_WHERE_MAX 80
#define SCENARIO_KEYS_MAX  24

/* One number of an object: its key, where it goes (32 or 64 bits wide), its bounds. */
struct scenario_row {
	const char *key;
	size_t offset, size;
	uint64_t min, max;
};
#define SCENARIO_ROW(type, key, member, min, max)                                                  \
	{                                                                                          \
		key, offsetof(type, member), sizeof(((type *)0)->member), min, max                 \
	}

/* Reads those numbers that are there; the others stay. */
int scenario_rows(const json_t *o, const char *where, const struct scenario_row *rows, size_t n,
	void *base, struct err *e) MUST_CHECK;
/* An object with no other members than the rows' and `others` (NULL at the end). */
int scenario_only(const json_t *o, const char *where, const struct scenario_row *rows, size_t n,
	const char *const *others, struct err *e) MUST_CHECK;

typedef int scenario_item_f(
	const json_t *j, const char *where, struct scenario *s, unsigned i, struct err *e);
/* A list that may be missing; *out_n counts what was read. */
int scenario_list(const json_t *j, const char *key, unsigned max, scenario_item_f *item,
	struct scenario *s, unsigned *out_n, struct err *e) MUST_CHECK;

/* fleet, faults, weather; one group of everybody when the document has none. */
int scenario_fleet_parse(const json_t *j, struct scenario *s, struct err *e) MUST_CHECK;

#endif
