/* The inside of a simulated device. */
#ifndef TESTS_SIM_MATRIX_PRIV_H
#define TESTS_SIM_MATRIX_PRIV_H

#include "lib/buf.h"
#include "tests/sim/matrix.h"

struct trouble_state {
	enum trouble kind;
	enum trouble now; /* what happens just now; NONE: nothing */
	ms_t until;       /* that ends then; or the next begins then */
};

struct device {
	struct prng r;
	enum fault_kind fault; /* of the new version */
	struct safeguards with;
	struct trouble_state trouble;
	struct load load;
	ms_t mono, wall,
		total; /* total: of this episode, whatever clocks say; without power it stands */
	uint64_t boot_id;
	/* what the driver holds */
	unsigned n;
	struct trig_rule rule[LIMIT_TRIGGERS];
	struct trig_state state[LIMIT_TRIGGERS];
	struct trig_window window[LIMIT_TRIGGERS];
	uint32_t ended_seen;
	ms_t looked, soak, soaked, switched;
	bool ended;
	/* the machine */
	struct boot_view boot;
	struct upd_record rec;
	struct buf journal; /* what stands on the disk */
	struct upd_act todo;
	struct outcome *out;
};

/* matrix_trouble.c */
void trouble_begin(struct device *d);
/* Before *span passes: something may begin or end. True: the power goes, and is back. A machine
 * that sleeps makes *span longer. */
bool trouble_pass(struct device *d, ms_t *span);

/* matrix_rules.c: what the release asks for: the catalogue with its defaults. */
void rules_make(const struct episode *e, ms_t start_timeout, unsigned *out_n,
	struct trig_rule out[LIMIT_TRIGGERS]);

#endif
