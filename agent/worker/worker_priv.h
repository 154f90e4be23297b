/* What the files of this directory share. */
#ifndef AGENT_WORKER_WORKER_PRIV_H
#define AGENT_WORKER_WORKER_PRIV_H

#include "agent/priv/priv.h"
#include "agent/worker/worker.h"

/* ---- chan.c: one end of a line of packets ---- */

struct chan;
/* Takes the descriptor over. `cancel` (may be NULL) ends any wait. */
struct chan *chan_open(int fd, enum priv_side own, const atomic_bool *cancel);
void chan_close(struct chan **c);
/* How long the other side may be silent, and may leave what is said to it unread, and until when
 * all must be over (monotonic); 0: for ever. */
void chan_set_patience(struct chan *c, ms_t patience, ms_t until);
int chan_fd(const struct chan *c);
/* A pair of descriptors, one for each side. */
int chan_pair(int out[2], struct err *e) MUST_CHECK;
/* ERR_WORKER when the other side is gone, ERR_TIMEOUT, ERR_CANCELLED. */
int chan_say(struct chan *c, const struct priv_msg *m, struct err *e) MUST_CHECK;
/* *out is borrowed until the next call. As chan_say, and what priv_decode says. Descriptors that
 * come along are not taken. */
int chan_hear(struct chan *c, struct priv_msg *out, struct err *e) MUST_CHECK;
/* The same, and which process has said it, as the kernel knows; 0: it was not asked to tell. */
int chan_hear_from(struct chan *c, struct priv_msg *out, pid_t *out_pid, struct err *e) MUST_CHECK;
/* Hands a descriptor over, or receives one: ERR_WORKER when the other side is gone. */
int chan_give(struct chan *c, int fd, struct err *e) MUST_CHECK;
int chan_take(struct chan *c, int *out_fd, struct err *e) MUST_CHECK;

/* ---- process.c: the process at the other end ---- */

struct process {
	pid_t pid; /* 0: none */
	int pidfd; /* -1: it is a child */
};
int process_spawn(
	const struct worker_conf *c, int *out_fd, struct process *out, struct err *e) MUST_CHECK;
/* Has the service manager start one; who it is says its first word (chan_hear_from). */
int process_connect(const char *path, int *out_fd, struct err *e) MUST_CHECK;
int process_adopt(pid_t pid, struct process *out, struct err *e) MUST_CHECK;
bool process_is_over(const struct process *p);
/* Kills it, and waits for a child. Nothing, when there is none. */
void process_end(struct process *p);

/* ---- worker.c, call.c: the installer's side ---- */

struct call {
	struct worker *worker;
	uint64_t start; /* which of its lives */
	enum priv_verb ask;
	const atomic_bool *cancel;
	struct chan *chan;
};

/* Opens a line to the running worker, which is started when there is none; *out_start is which of
 * its lives it is. Each line is followed by one worker_hang_up. */
int worker_line(struct worker *w, int *out_fd, uint64_t *out_start, struct err *e) MUST_CHECK;
void worker_hang_up(struct worker *w);
/* Ends that life, unless it is over. */
void worker_end(struct worker *w, uint64_t start);
const struct worker_conf *worker_conf_of(const struct worker *w);

/* Asks. `silence` bounds every wait for the worker, `all` the whole call (0: nothing does). */
int call_begin(struct worker *w, const struct priv_msg *ask, ms_t silence, ms_t all,
	const atomic_bool *cancel, struct call *out, struct err *e) MUST_CHECK;
int call_say(struct call *c, const struct priv_msg *m, struct err *e) MUST_CHECK;
/* The next answer, which is one that the table allows. A FAIL becomes the failure it names. A
 * worker that says anything else, or is silent, is ended: ERR_WORKER. */
int call_hear(struct call *c, struct priv_msg *out, struct err *e) MUST_CHECK;
/* The worker broke a rule that the table does not know. */
int call_refuse(struct call *c, const char *what, struct err *e) MUST_CHECK;
void call_end(struct call *c);

/* ---- ask.c, fetch.c: what is asked for ---- */

int ask_get(void *self, const struct http_conf *c, const char *url, const char *etag, size_t max,
	const atomic_bool *cancel, struct http_answer *out, struct err *e) MUST_CHECK;
int ask_send(void *self, const struct http_conf *c, const char *method, const char *url,
	struct str body, size_t max, const atomic_bool *cancel, struct http_answer *out,
	struct err *e) MUST_CHECK;
int ask_unpack(void *self, const struct stage_pull *p, struct err *e) MUST_CHECK;

/* ---- serve*.c: the worker's side ---- */

/* The same identity as files, for a library that takes nothing else: paths of unnamed files in
 * memory, or "". */
struct serve_files {
	char ca[32], cert[32], key[32];
};

struct serve_call {
	const struct serve_files *files;
	struct chan *chan;
	atomic_bool cancel;
	const struct http_conf *http; /* who to be */
};
/* Each answers one call, to the end. */
int serve_get(struct serve_call *c, const struct priv_msg *ask, struct err *e) MUST_CHECK;
int serve_send(struct serve_call *c, const struct priv_msg *ask, struct err *e) MUST_CHECK;
int serve_unpack(struct serve_call *c, const struct priv_msg *ask, struct err *e) MUST_CHECK;
int serve_listen(struct serve_call *c, const struct priv_msg *ask, struct err *e) MUST_CHECK;

/* ---- confine*.c ---- */

/* Gives up everything that a worker does not need, for ever: user, privileges, files, system calls.
 * *out_landlock is the version in force, 0 where the kernel has none. ERR_DENIED when it cannot be
 * done: then nothing may be read from the network. */
int confine(unsigned uid, unsigned gid, unsigned *out_landlock, struct err *e) MUST_CHECK;
int confine_files(unsigned *out_version, struct err *e) MUST_CHECK;
int confine_calls(struct err *e) MUST_CHECK;

#endif
