/* An image repository for tests whose roles delegate to each other in any way: trepo's root,
 * timestamp and snapshot, top-level targets without anything, and whatever is added.
 *
 *	tgraph_delegate(&g, "targets", "a", "[\"x\"]", false);
 *	tgraph_list(&g, "a", "x", STR("bytes"));
 *	tgraph_publish(&g);
 */
#ifndef TESTS_LIB_TGRAPH_H
#define TESTS_LIB_TGRAPH_H

#include "tests/lib/trepo.h"

#define TGRAPH_ROLES 40

struct tgraph_role {
	char name[LIMIT_ROLE_NAME];
	struct sign_key key;
	json_t *part;
	struct buf file;
	bool unlisted; /* snapshot says nothing of it */
};

struct tgraph {
	struct trepo r;
	unsigned n;
	struct tgraph_role role[TGRAPH_ROLES];
};

void tgraph_init(struct tgraph *g);
void tgraph_fini(struct tgraph *g);

/* By the role's one key; `paths` is JSON. A role is made when it is first delegated to. */
struct tgraph_role *tgraph_delegate(
	struct tgraph *g, const char *from, const char *to, const char *paths, bool terminating);
/* The delegation itself, to be changed. */
json_t *tgraph_delegation(struct tgraph *g, const char *from, const char *to);
/* The keys that `from` lists for those it delegates to. */
json_t *tgraph_keys(struct tgraph *g, const char *from);
void tgraph_list(struct tgraph *g, const char *role, const char *path, struct str bytes);
/* Signs every part, and pins it. */
void tgraph_publish(struct tgraph *g);

/* "targets" or one that was delegated to; NULL when there is none. */
struct tgraph_role *tgraph_role(struct tgraph *g, const char *name);
/* Root, timestamp, snapshot and targets into a new set. */
void tgraph_trust(struct tgraph *g, struct trusted_set *t);

#endif
