/* Child processes with limits, a deadline and captured output. Every call may be made from any
 * thread. A child gets stdin from /dev/null, no descriptor but 0, 1 and 2, no blocked or ignored
 * signal, and a process group of its own. */
#ifndef LIB_SYS_PROC_H
#define LIB_SYS_PROC_H

#include <stdatomic.h>
#include <sys/types.h>

#include "lib/buf.h"

struct proc_spec {
	const char *const
		*argv; /* argv[0] is looked up in PATH unless it has a '/' (then relative to dir) */
	const char *const *env; /* "K=V", added to a small clean environment (PATH, LANG, TMPDIR);
				   NULL: none */
	const char *dir;        /* working directory; NULL: unchanged */
	const char *protect; /* a folder that the child sees read-only, where the kernel lets us (a
				mount namespace: as root only; otherwise it is left as it is); NULL:
				none */
	const char *image; /* a block device that the child sees mounted read-only on `protect`, in
			      place of what lies there. This must be had: ERR_IO; NULL: none */
	const char *image_type;  /* its file system */
	ms_t timeout;            /* 0: none; then SIGTERM to the group, SIGKILL after 2 s */
	uint64_t max_memory;     /* RLIMIT_AS in bytes; 0: no limit */
	uint64_t max_files_size; /* RLIMIT_FSIZE in bytes; 0: no limit */
	unsigned max_cpu_s;      /* RLIMIT_CPU; 0: no limit */
	bool humble; /* last in line for processor and disk, and the first to go when memory runs
			out: it takes what others leave, as far as the kernel lets us */
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
 * child was run, whatever it answered; ERR_NOT_FOUND, ERR_DENIED when there is no such program or
 * folder, or it may not be executed; ERR_IO when the machine would not run it. No child or
 * grandchild of its process group is left behind; should the calling thread die, the kernel kills
 * the child. */
int proc_run(const struct proc_spec *spec, const atomic_bool *cancel, struct proc_result *out,
	struct err *e) MUST_CHECK;

/* Pid and start time (field 22 of /proc/PID/stat) together name a process for ever, within one
 * boot. */
struct proc_id {
	pid_t pid;
	uint64_t start; /* clock ticks since boot */
};

/* Told the identity of a process that stands ready but has not executed anything yet. It runs on
 * when 0 is returned; on a failure, and when the caller dies before it has answered, it ends
 * without having done anything. */
typedef int proc_born_f(void *ctx, const struct proc_id *id, struct err *e);

/* Starts a process that outlives the caller: leader of its own session, child of init (never a
 * zombie of ours), stdout and stderr appended to `log_path`. timeout and max_output do not apply.
 * `born` (may be NULL) is the place to write its identity down: whoever is killed at any instant
 * leaves either a recorded process or none. Returns when the program was executed; ERR_NOT_FOUND,
 * ERR_DENIED when it could not be. */
int proc_spawn(const struct proc_spec *spec, const char *log_path, proc_born_f *born, void *ctx,
	struct proc_id *out, struct err *e) MUST_CHECK;

/* The identity of a process that is alive now; ERR_NOT_FOUND when there is none, or only a zombie.
 */
int proc_id_of(pid_t pid, struct proc_id *out, struct err *e) MUST_CHECK;

/* Is this very process (not a later one with its pid) alive, and no zombie? */
bool proc_is_alive(const struct proc_id *id);

/* SIGTERM to its process group, wait up to `grace`, then SIGKILL; returns when it is gone, and the
 * rest of its group was killed. Harmless when it is gone already. ERR_TIMEOUT when even SIGKILL
 * does not end it within 10 s. */
int proc_stop(const struct proc_id *id, ms_t grace, struct err *e) MUST_CHECK;

#endif
