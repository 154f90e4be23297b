/* Who decides what starts next. One vtable, one file per implementation, chosen by name. */
#ifndef AGENT_BOOT_BOOT_H
#define AGENT_BOOT_BOOT_H

#include "agent/core/facts.h"
#include "lib/sys/fs.h"

struct boot; /* opaque */

struct boot_adapter {
	const char *kind; /* "symlink": the service manager starts what `current` names; "none": one
			     slot for ever */
	const char *help;
	/* A device that has never had a release: active and confirmed are SLOT_NONE. ERR_NEED_HAND
	 * when what is there was not written by this adapter. */
	int (*look)(struct boot *, struct boot_view *out, struct err *) MUST_CHECK;
	/* One atomic change, durable on return: `slot` starts next, on trial, `tries` times at most
	 * where tries are counted. */
	int (*try_next)(struct boot *, unsigned slot, unsigned tries, struct err *) MUST_CHECK;
	/* `slot` is good from now on. Idempotent, durable on return. */
	int (*confirm)(struct boot *, unsigned slot, struct err *) MUST_CHECK;
	/* `slot` starts next and is good; the other one is not tried again. SLOT_NONE: nothing
	 * starts, as before the first release. Idempotent, durable on return. */
	int (*go_back)(struct boot *, unsigned slot, struct err *) MUST_CHECK;
};

const struct boot_adapter *boot_adapter_find(const char *kind);

/* `fs` is rooted at the agent's home and must outlive it. */
int boot_open(struct fs *fs, const char *kind, struct boot **out, struct err *e) MUST_CHECK;
void boot_close(struct boot **b);
const struct boot_adapter *boot_adapter_of(const struct boot *b);

#endif
