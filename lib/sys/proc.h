/* Child processes with limits, a deadline and captured output. */
#ifndef LIB_SYS_PROC_H
#define LIB_SYS_PROC_H

#include <stdatomic.h>
#include <sys/types.h>

#include "lib/buf.h"

struct proc_spec {
	const char *const
		*argv; /* argv[0] is looked up in PATH unless it has a '/' (then relative to dir) */
	const char *const *env;  /* "K=V", added to a small clean environment (PATH, LANG, TMPDIR);
				    NULL: none */
	const char *dir;         /* working directory; NULL: unchanged */
	ms_t timeout;            /* 0: none; then SIGTERM to the group, SIGKILL after 2 s */
	uint64_t max_memory;     /* RLIMIT_AS in bytes; 0: no limit */
	uint64_t max_files_size; /* RLIMIT_FSIZE in bytes; 0: no limit */
	unsigned max_cpu_s;      /* RLIMIT_CPU; 0: no limit */
	unsigned uid, gid; /* 0: unchanged; else the child runs as these, without capabilities */
	size_t max_output; /* stdout and stderr together are kept up to this many bytes, the rest is
			      read and dropped */
};

struct proc_result {
	int exit;   /* exit status, or -1 when a signal ended it */
	int signal; /* 0, or the signal */
	bool timed_out;
	bool cancelled;
	ms_t took;
	struct buf output; /* the caller's to buf_fini */
};

/* Runs to the end and waits. `cancel` (may be NULL) ends it early when it becomes true. 0 when the
 * child was run, whatever it answered; ERR_NOT_FOUND, ERR_DENIED when it could not be started. No
 * child or grandchild of its process group is left behind. */
int proc_run(const struct proc_spec *spec, const atomic_bool *cancel, struct proc_result *out,
	struct err *e) MUST_CHECK;

/* Starts a process that outlives the caller (its own session, stdout and stderr appended to
 * `log_path`), and returns its pid and start time (field 22 of /proc/PID/stat), which together name
 * it for ever. */
struct proc_id {
	pid_t pid;
	uint64_t start; /* clock ticks since boot */
};
int proc_spawn(const struct proc_spec *spec, const char *log_path, struct proc_id *out,
	struct err *e) MUST_CHECK;

/* Is this very process (not a later one with its pid) alive, and no zombie? */
bool proc_is_alive(const struct proc_id *id);

/* SIGTERM to its process group, wait up to `grace`, then SIGKILL; returns when it is gone. Harmless
 * when it is gone already. */
int proc_stop(const struct proc_id *id, ms_t grace, struct err *e) MUST_CHECK;

#endif
