/* What the files of this directory share. */
#ifndef AGENT_BOOT_BOOT_PRIV_H
#define AGENT_BOOT_BOOT_PRIV_H

#include "agent/boot/boot.h"

struct boot {
	const struct boot_adapter *adapter;
	struct fs *fs;
};

extern const struct boot_adapter boot_symlink, boot_none;

#endif
