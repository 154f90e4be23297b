/* What the files of this directory share. */
#ifndef AGENT_BOOT_BOOT_PRIV_H
#define AGENT_BOOT_BOOT_PRIV_H

#include "agent/boot/boot.h"

struct boot {
	const struct boot_adapter *adapter;
	struct fs *home;
	struct fs *files; /* the boot loader's */
	struct fs own;    /* behind `files`, when it was opened here */
	unsigned booted;
	bool crashed;
	void *self; /* the adapter's */
	char name[SLOT_COUNT][LIMIT_BOOT_NAME];
};

extern const struct boot_adapter boot_symlink, boot_none, boot_grub, boot_uboot, boot_efi;

/* `open` and `close` of adapters with nothing of their own. */
int boot_open_nothing(struct boot *b, const struct boot_conf *c, struct err *e) MUST_CHECK;
void boot_close_nothing(struct boot *b);
/* The files of a boot loader: those that came in, else what lies in the folder `dir`. */
int boot_open_files(struct boot *b, const char *dir, struct err *e) MUST_CHECK;
void boot_close_files(struct boot *b);

/* The slot of this bootname, or SLOT_NONE. */
unsigned boot_slot_named(const char name[SLOT_COUNT][LIMIT_BOOT_NAME], struct str text);

#endif
