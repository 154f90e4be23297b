/* Checks of the machine's owner: executables in required.d and wanted.d of a few folders, which the
 * new version must pass, or should. Laid out as greenboot has it, so that existing checks serve.
 * Blocking. */
#ifndef AGENT_HEALTH_HEALTH_H
#define AGENT_HEALTH_HEALTH_H

#include <stdatomic.h>

#include "lib/buf.h"

#define HEALTH_CHECKS_MAX 32   /* required and wanted together */
#define HEALTH_OUTPUT_MAX 2048 /* kept of one that failed */

struct health_in {
	const char
		*dirs; /* the weakest first, separated by ':'; of one name the strongest counts */
	const char *slot_dir, *release; /* told to them; slot_dir "": none */
	ms_t timeout;                   /* of one check */
	const atomic_bool *cancel;
};

struct health_check {
	char name[64]; /* "required.d/10-disk" */
	bool required, ok;
	char text[160];    /* why it failed */
	struct buf output; /* of one that failed */
};

/* One round. All zero: none was. */
struct health_round {
	unsigned n, failed; /* failed: of the required ones */
	struct health_check v[HEALTH_CHECKS_MAX];
};

void health_round_fini(struct health_round *r);

/* Runs all checks, required ones first, each kind in order of name, even if one fails. A regular
 * file is a check, and one that cannot be executed has failed; anything else (a link to /dev/null)
 * masks those of its name in weaker folders; names that begin with '.' or end with '~' are
 * nobody's. A folder that is missing has no checks; one that cannot be read, or too many checks, is
 * a required check that failed. Each gets BACKSTAY_SLOT_DIR and BACKSTAY_RELEASE, and nothing that
 * it started is left behind. ERR_CANCELLED: the round does not count, and *out is untouched. */
int health_run(const struct health_in *in, struct health_round *out, struct err *e) MUST_CHECK;

#endif
