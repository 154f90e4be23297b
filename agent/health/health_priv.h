/* What is run, and running it. */
#ifndef AGENT_HEALTH_HEALTH_PRIV_H
#define AGENT_HEALTH_HEALTH_PRIV_H

#include "agent/health/health.h"

struct health_file {
	char *path;
	const char *name; /* "10-disk", in path */
	size_t strength;
	bool masks;
};

/* The files of one kind ("required.d") in all folders: by name, of one name the strongest, and no
 * masks. */
struct health_files {
	struct health_file v[4 * HEALTH_CHECKS_MAX];
	size_t n;
};

void health_files_fini(struct health_files *f);
int health_files_list(
	const char *dirs, const char *kind, struct health_files *out, struct err *e) MUST_CHECK;

#endif
