/* A small world for the update machine to live in: two slots, a boot layer, a workload, a driver
 * that does what it is asked, and a power supply that does not. Every field is a byte, so that a
 * world is its own key and all of them can be visited.
 *
 * The real upd_step decides; only the driver and the machine around it are modelled. The record and
 * single effects are atomic here; what a disk does in between belongs to tests/fault. */
#ifndef TESTS_LIB_WORLD_H
#define TESTS_LIB_WORLD_H

#include "agent/core/update.h"

/* Directory slots and a symlink: the service manager starts what the symlink names. A boot loader:
 * it counts the starts of a slot on trial and falls back; to apply and to restore is to reboot. */
enum world_mode { WORLD_DIR, WORLD_BOOT, WORLD_MODE_MAX };

#define WORLD_RELEASES(X)                                                                          \
	X(GOOD, "good")                                                                            \
	X(BAD, "bad: a trigger fires in its soak")                                                 \
	X(NO_BOOT, "no-boot: it does not start")                                                   \
	X(DIES, "dies: it starts and ends in its soak")                                            \
	X(NO_SMOKE, "no-smoke: its smoke test fails")                                              \
	X(PANICS, "panics: the machine crashes in its soak, and there is a record of it")          \
	X(HANGS, "hangs: the machine restarts in its soak, and nobody knows why")
enum world_release {
#define X(id, ...) WORLD_##id,
	WORLD_RELEASES(X)
#undef X
		WORLD_RELEASE_MAX
};

/* Mistakes that somebody could make, to show that the laws find them. */
#define WORLD_MISTAKES(X)                                                                          \
	X(NONE, "none")                                                                            \
	X(SEAL_HALF, "a slot is called sealed before it was")                                      \
	X(NO_INVALIDATE, "a slot is written without being marked invalid first")                   \
	X(LIE_CONFIRM, "the confirm is reported before it was done")                               \
	X(EARLY_CONFIRM, "the confirm is done while the soak goes on, and kept on the way back")   \
	X(FORGET_BACK, "a trial that is called off ends without going back")
enum world_mistake {
#define X(id, ...) WORLD_MISTAKE_##id,
	WORLD_MISTAKES(X)
#undef X
	/* No mistake of the driver's but an accident: a cut takes the newest record, and the first
	 * effect of its action stands. A damaged journal file could do that. */
	WORLD_RECORD_LOST,
	WORLD_MISTAKE_MAX = WORLD_RECORD_LOST
};

struct world {
	/* what kind of world */
	uint8_t mode, release, tells_slot;
	uint8_t first;  /* nothing ran before: the old slot is none at all */
	uint8_t broken; /* the way back fails, whenever it is tried */
	/* the record, as far as it differs between worlds */
	uint8_t state, attempt, rearms, retries, waits, same_boot, soak_done, sealed, why, cause,
		floor;
	/* the machine: slot 0 is old, 1 new, 2 none */
	uint8_t active, confirmed, tries, fell_back, crashed, runs;
	uint8_t mark;  /* of the new slot */
	uint8_t holds; /* 0: another release, 1: half of this one, 2: all of it */
	/* the driver */
	uint8_t up, todo[4], work, phase, timer;
	/* what fate has left: power cuts, restarts of the agent, failing calls; orders */
	uint8_t faults, orders;
};

#define WORLD_NEXT_MAX 14

struct world_next {
	unsigned n;
	struct {
		struct world w;
		bool by_fate; /* a cut, a restart, a fault or an order led there */
	} v[WORLD_NEXT_MAX];
};

/* Of the last two only a boot loader gets rid: it counts. Nothing counts the starts of a machine
 * whose slots are folders. */
static inline bool world_is_modelled(enum world_mode mode, enum world_release r)
{
	return mode == WORLD_BOOT || r < WORLD_PANICS;
}

/* An old release runs, the desired state names a new one. */
void world_init(struct world *w, enum world_mode mode, enum world_release release, bool tells_slot,
	unsigned faults, unsigned orders);

/* The update has ended. */
bool world_is_over(const struct world *w);

/* All micro-steps that can follow. NULL, or the law that one of them breaks. */
const char *world_step(const struct world *w, enum world_mistake mistake, struct world_next *out);

/* NULL, or the law that does not hold here. */
const char *world_check(const struct world *w);

const char *world_release_text(enum world_release r);
const char *world_mistake_text(enum world_mistake m);

#endif
