/* The inside of the program: what it does to the machine. Nothing here may wait for a file system,
 * or for anybody but root. */
#ifndef AGENT_DEADMAN_DEADMAN_PRIV_H
#define AGENT_DEADMAN_DEADMAN_PRIV_H

#include "agent/deadman/core/deadman.h"

/* ---- kmsg.c ---- */

/* One line into the kernel's log, where it is there already; `text` is at most 200 bytes. */
void kmsg_say(const char *text);

/* ---- restart.c ---- */

/* Restarts the machine and does not return. What is dirty is written first, but for at most five
 * seconds: it is another process that waits for the file systems. If the kernel itself does not get
 * there within fifteen, sysrq asks it again. */
void restart_now(enum deadman_cause why) __attribute__((noreturn));

/* ---- dog.c ---- */

/* The hardware watchdog. It is opened when it appears, unless somebody else has it then: from there
 * on it is theirs. Once it is open it is never closed, so that it bites when this process is gone.
 */
struct dog {
	int fd;           /* -1: not open */
	unsigned seconds; /* until it bites; 0: it is not ours */
};
void dog_feed(struct dog *d);

/* ---- install.c ---- */

/* Writes this very program as DEADMAN_CPIO into the folder: whole and durable, or not at all. */
int install_into(const char *dir, struct err *e) MUST_CHECK;

/* ---- guard.c ---- */

/* The process that stays. */
void guard_run(const struct deadman_conf *conf) __attribute__((noreturn));

#endif
