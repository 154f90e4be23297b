/* Which devices a campaign is for: {"all": true}, {"labels": {"line": "north", ...}} (all of them
 * must fit), or {"devices": ["lane-1", ...]}. */
#ifndef SERVER_RUN_SELECTOR_H
#define SERVER_RUN_SELECTOR_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"

struct selector {
	bool all;
	char labels[LIMIT_TEXT]; /* as in a report, or "" */
	struct dev_id *devices;  /* sorted, owned */
	bool *seen;              /* was devices[i] matched? */
	size_t n_devices;
};

void selector_fini(struct selector *s);

/* ERR_BAD_INPUT with the place; a device that stands twice is refused. */
int selector_parse(const json_t *j, struct selector *out, struct err *e) MUST_CHECK;

/* Does it select this device? Remembers which of the named ones were asked for. */
bool selector_takes(struct selector *s, const char *device, const char *labels);

#endif
