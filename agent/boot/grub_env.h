/* GRUB's environment block: NAME=VALUE lines in a file of exactly 1024 bytes, which GRUB reads
 * (load_env) and rewrites in place (save_env). It can neither make the file nor change its size.
 * Pure. */
#ifndef AGENT_BOOT_GRUB_ENV_H
#define AGENT_BOOT_GRUB_ENV_H

#include "lib/str.h"
#include "proto/wire/limits.h"

#define GRUB_ENV_BYTES 1024

struct grub_env {
	unsigned n;
	struct {
		char name[LIMIT_GRUB_NAME], value[LIMIT_GRUB_VALUE];
	} var[LIMIT_GRUB_VARS];
};

/* ERR_BAD_INPUT when it is no block, ERR_TOO_LARGE when more is in it than the limits allow. A name
 * that comes twice has its last value, as for GRUB. */
int grub_env_parse(struct str bytes, struct grub_env *out, struct err *e) MUST_CHECK;
/* Room is the caller's business: names and values of its own, so few that they fit. Values hold no
 * backslash and no newline. */
void grub_env_format(const struct grub_env *env, char out[GRUB_ENV_BYTES]);

/* The value, "" when there is none of that name. */
const char *grub_env_value(const struct grub_env *env, const char *name);
/* Replaces the value, or adds the variable behind the others. */
void grub_env_put(struct grub_env *env, const char *name, const char *value);

#endif
