/* Taking over what people have signed about keys: new roots, new targets, role files signed anew.
 * The server believes them for the reason a device does, and publishes nothing that a device would
 * not believe. */
#ifndef SERVER_RUN_ADOPT_H
#define SERVER_RUN_ADOPT_H

#include "server/run/rolefiles.h"

struct adopt_in {
	const char *repo; /* REPO_IMAGE or REPO_DIRECTOR */
	unsigned n_roots;
	struct str roots[LIMIT_ROOT_ROTATIONS]; /* in order; those that are here already are passed
						   over */
	unsigned n_roles;                       /* of the image repository; the same */
	struct role_file roles[LIMIT_ROLES];
	const char *who;
};

/* Roots follow on each other from the one that is stored; role files as rolefiles_add says. Then
 * snapshot and timestamp are signed anew (or all files of the director's devices, as they ask), and
 * everything is looked at as a device would. All or nothing; durable on return. *out_stored counts
 * new files. ERR_CONFLICT for a file that is here with the same version and says something else.
 * ERR_UNSIGNED, too, when the keys that sign here are none of those that the new root
 * lists: they have to be there before the root. */
int adopt_metadata(
	struct run *r, const struct adopt_in *in, unsigned *out_stored, struct err *e) MUST_CHECK;

#endif
