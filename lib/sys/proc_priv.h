/* What the three files about processes share: everything a child needs is made before the fork,
 * because between fork and exec only async-signal-safe calls are allowed (other threads may hold
 * any lock). */
#ifndef LIB_SYS_PROC_PRIV_H
#define LIB_SYS_PROC_PRIV_H

#include "lib/sys/proc.h"

/* Where a child can fail, and the words for it. */
#define PROC_STEP_TABLE(X)                                                                         \
	X(BORN, "be started")                                                                      \
	X(SESSION, "get a session or group of its own")                                            \
	X(FDS, "get its files")                                                                    \
	X(IMAGE, "get its image mounted")                                                          \
	X(USER, "change its user")                                                                 \
	X(DIR, "enter its folder")                                                                 \
	X(LIMIT, "get its limits")                                                                 \
	X(EXEC, "be executed")

enum proc_step {
#define X(id, ...) PROC_STEP_##id,
	PROC_STEP_TABLE(X)
#undef X
};

/* What a child tells its parent before exec; nothing more comes when exec succeeds, because the
 * channel is closed by it. */
struct proc_news {
	enum proc_step step; /* BORN with sys 0: id is filled; else it failed there */
	int sys;
	struct proc_id id;
};

struct proc_plan {
	const struct proc_spec *spec;
	char path[512];
	char **env;   /* owned, with `text` */
	char *text;   /* owned */
	int out;      /* becomes 1 and 2 */
	int channel;  /* the child's end; closed by exec */
	pid_t parent; /* dies with it; 0: outlives it, in a session of its own, and waits for a byte
			 before exec */
};

/* Resolves the program and builds the environment. ERR_NOT_FOUND. proc_child_fini in any case. */
int proc_child_plan(const struct proc_spec *spec, struct proc_plan *out, struct err *e) MUST_CHECK;
void proc_child_fini(struct proc_plan *p);

/* In the child: becomes the program, or tells the channel why not and ends with 127. */
_Noreturn void proc_child_become(const struct proc_plan *p);

/* In the child: ends it. */
_Noreturn void proc_child_leave(int code);

/* Forks with all signals blocked, so that no handler of ours runs in the child. The child returns
 * 0, still blocked. */
pid_t proc_child_fork(void);

/* In the parent: reads the next news; *out_end is true when exec has succeeded (or the child is
 * dead). */
int proc_child_hear(int channel, const char *name, struct proc_news *out, bool *out_end,
	struct err *e) MUST_CHECK;

/* Start time and state out of the text of /proc/PID/stat; async-signal-safe. */
bool proc_child_parse_stat(const char *text, size_t n, char *out_state, uint64_t *out_start);

#endif
