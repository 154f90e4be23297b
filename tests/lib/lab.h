/* What the campaigns of tests/fault share: devices in a glass that stand before an update, and how
 * one goes through it on a disk to which something happens. A campaign chooses what happens; the
 * lab starts the agent again when it is gone, as a service manager does, and judges the end. */
#ifndef TESTS_LIB_LAB_H
#define TESTS_LIB_LAB_H

#include "tests/lib/crashfs.h"
#include "tests/lib/simdev.h"

#define LAB_KILL UINT64_MAX /* a seed: the process is killed, the machine stays up */

enum lab_slots { LAB_DIR, LAB_RAW };
enum lab_order { LAB_INSTALL, LAB_ROLLBACK };

struct lab_scenario {
	const char *name;
	const char *before[3]; /* releases wanted one after the other, "" at the end */
	const char *wanted;
	enum lab_order order;
	bool may_stay; /* does a good end run the wanted release? */
	enum lab_slots slots;
	bool long_only;
	bool loader; /* after the first release: the machine is started from its slots */
};

extern const struct lab_scenario lab_scenarios[];
extern const unsigned lab_n_scenarios;

struct lab {
	struct sim_vendor vendor;
	bool is_long; /* BACKSTAY_LONG is set */
	unsigned violations;
};

/* Makes every release that a scenario names, in the current folder. */
void lab_init(struct lab *l, const char *name);
void lab_fini(struct lab *l);
const struct sim_release *lab_release(const struct lab *l, const char *id);

/* A device before the update of a scenario: everything on its disk is durable, no agent runs. */
struct lab_start {
	const struct lab_scenario *s;
	struct simdev image;
	struct crashfs *disk;
};

void lab_start_init(struct lab *l, const struct lab_scenario *s, struct lab_start *out);
void lab_start_fini(struct lab_start *t);

/* A copy of it that has got its order; give it back with lab_leave. */
struct lab_life {
	struct lab *lab;
	const struct lab_start *start;
	struct crashfs *disk;
	struct simdev dev;
};

void lab_enter(struct lab *l, const struct lab_start *t, struct lab_life *out);
/* Prints and counts the violation, if there is one; `what` says what was done to it. */
void lab_leave(struct lab_life *x, const char *what);

/* The agent is started, again if it cannot start, and runs until the device rests or its disk is
 * gone. One that does not start however often is a violation. */
void lab_run_agent(struct lab_life *x);
/* The same after a start of the machine. */
void lab_run_machine(struct lab_life *x);
/* The power is gone, or (LAB_KILL) the agent; what the disk has kept is decided by the seed. */
void lab_go_on(struct lab_life *x, uint64_t seed, uint64_t cut_at);

/* The laws at rest; that a bad release is not kept, is in quarantine and was never said to be
 * committed; that what was in quarantine before still is. With `strict` a good release must not
 * have been given up. Whether the wanted release runs. */
bool lab_check_end(struct lab_life *x, bool strict);

#endif
