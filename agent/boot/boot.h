/* Who decides what starts next. One vtable, one file per implementation, chosen by name. */
#ifndef AGENT_BOOT_BOOT_H
#define AGENT_BOOT_BOOT_H

#include "agent/core/facts.h"
#include "lib/sys/fs.h"
#include "proto/wire/limits.h"

#define BOOT_TRIES_MAX 3U /* starts that a boot loader grants a slot on trial */

struct boot_conf {
	char kind[16];
	char name[SLOT_COUNT][LIMIT_BOOT_NAME]; /* bootnames: what the boot loader calls a and b */
	char cmdline[256];                      /* file with the kernel's command line */
	char pstore[256], pstore_kept[256];     /* folders of crash records: new, and moved there */
	char fw_env_config[256];                /* uboot: where its environment is */
	char esp[256];                          /* efi: where its system partition is mounted */
	char grub_env[256];                     /* grub: folder of its environment */
};

/* What an adapter works on. */
struct boot_place {
	struct fs *home;  /* of the agent */
	struct fs *files; /* the boot loader's; NULL: opened where the configuration says */
	unsigned booted;  /* the slot that the running system was started from, or SLOT_NONE */
	bool crashed;     /* the start before has left a record of a crash */
};

struct boot; /* opaque */

struct boot_adapter {
	const char *kind;
	const char *help;
	bool boots; /* a slot is what the machine is started from */
	int (*open)(struct boot *, const struct boot_conf *, struct err *) MUST_CHECK;
	void (*close)(struct boot *);
	/* A device that has never had a release: active and confirmed are SLOT_NONE, or the slot
	 * that it was started from. ERR_NEED_HAND when what is there was not written by this
	 * adapter. */
	int (*look)(struct boot *, struct boot_view *out, struct err *) MUST_CHECK;
	/* One atomic change, durable on return: `slot` starts next, on trial, `tries` times at most
	 * where tries are counted. Called again, it grants the tries anew. */
	int (*try_next)(struct boot *, unsigned slot, unsigned tries, struct err *) MUST_CHECK;
	/* `slot` is good from now on. Idempotent, durable on return. */
	int (*confirm)(struct boot *, unsigned slot, struct err *) MUST_CHECK;
	/* `slot` starts next and is good; the other one is not tried again. SLOT_NONE: nothing
	 * starts, as before the first release. Idempotent, durable on return. */
	int (*go_back)(struct boot *, unsigned slot, struct err *) MUST_CHECK;
	/* Appends what it decides by, for people: a line NAME=VALUE each. Changes nothing. NULL:
	 * there is nothing to tell. */
	int (*list)(struct boot *, struct buf *out, struct err *) MUST_CHECK;
};

const struct boot_adapter *boot_adapter_find(const char *kind);

/* Letters, digits and '_', so that a name can be part of a variable's; the two differ. */
int boot_conf_check(const struct boot_conf *c, struct err *e) MUST_CHECK;

/* The slot that the kernel's command line names (`backstay.slot=BOOTNAME`); SLOT_NONE when it says
 * nothing of the kind. ERR_NEED_HAND when it names no slot of this configuration. */
int boot_look_booted(const struct boot_conf *c, unsigned *out_slot, struct err *e) MUST_CHECK;
int boot_parse_cmdline(const struct boot_conf *c, struct str cmdline, unsigned *out_slot,
	struct err *e) MUST_CHECK;

/* Has the start before this one left a record of a crash? What cannot be looked at says no. */
bool boot_look_crashed(const struct boot_conf *c);

/* `at->home` and `at->files` must outlive it. */
int boot_open(const struct boot_place *at, const struct boot_conf *c, struct boot **out,
	struct err *e) MUST_CHECK;
void boot_close(struct boot **b);
const struct boot_adapter *boot_adapter_of(const struct boot *b);

#endif
