/* What the parts of the modelled world share: world.c (the machine, the driver's loop, fate and the
 * laws) and world_works.c (what the driver does). */
#ifndef TESTS_LIB_WORLD_PRIV_H
#define TESTS_LIB_WORLD_PRIV_H

#include "tests/lib/world.h"

#define OLD   0
#define NEW   1
#define NONE  2
#define NOW   1000000
#define SOAK  2 /* checkpoints */
#define TRIES 3

/* One micro-step under way: from `from`, into `out`. */
struct maker {
	const struct world *from;
	enum world_mistake mistake;
	struct world_next *out;
	const char *broken;
};

/* What the driver says, having looked. */
struct upd_event world_event(const struct world *w, enum upd_ev kind);
struct upd_event world_failure(const struct world *w, enum upd_ev kind, enum err_code code);

/* The machine starts; a boot loader counts a slot on trial down, or falls back. */
void world_start_machine(struct world *w);

/* One more world that can follow. */
void world_add(struct maker *m, const struct world *w, bool by_fate);
/* The one place where the real machine is asked. */
void world_tell(struct maker *m, struct world w, const struct upd_event *ev, bool by_fate);
/* The same, and what was begun has ended. */
void world_answer(struct maker *m, struct world w, const struct upd_event *ev, bool by_fate);

/* What to do for each action, or NULL. */
extern void (*const world_works[UACT_KIND_MAX])(struct maker *, const struct world *);

#endif
