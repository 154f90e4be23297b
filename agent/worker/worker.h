/* The agent's second process. All that comes from the network is received, decrypted, decompressed
 * and taken apart there: it runs as a user of its own, without privileges, and may neither write a
 * file nor start a program. What it hands over are bytes and entries, which the installer (this
 * process) checks against signatures itself. See agent/priv/priv.h for the language between them.
 *
 * The worker is started when it is first needed. When it dies, or does not do as it must, all calls
 * that run end with ERR_WORKER, and the next one starts it again, with a pause that grows. Calls
 * may be made from any thread, several at once. */
#ifndef AGENT_WORKER_WORKER_H
#define AGENT_WORKER_WORKER_H

#include <sys/types.h>

#include "agent/net/http.h"
#include "agent/stage/stage.h"

#define WORKER_FD 3 /* where a worker finds its end of the line */

struct worker_conf {
	const char *program; /* that calls serve_run */
	const char *const *argv;
	struct http_conf http; /* who to be towards the server; file names count, not bytes */
	const char *server;    /* artifacts are fetched from here */
	unsigned uid, gid;     /* to become; 0: stay */
	const char *socket;    /* where the service manager starts one for each connection, as that
				  user; NULL, "": it does not */
};

struct worker; /* opaque */

/* Starts nothing yet. What `conf` points to must outlive it. */
struct worker *worker_new(const struct worker_conf *conf);
/* Ends the process, too. No call may run. */
void worker_free(struct worker **w);

/* Ends the process when no call runs, so that the next one is started anew and reads the files of
 * its configuration again. False when one does. */
bool worker_refresh(struct worker *w);

/* http_get and http_send, done by the worker. ERR_WORKER besides their errors. */
const struct http_via *worker_via(struct worker *w);
/* Artifacts, fetched and unpacked by the worker: a source with nothing but `unpack`. */
struct stage_source worker_source(struct worker *w);

/* ---- listening to a broker ---- */

#define LISTEN_TOPIC_MAX 128

struct listen_ask {
	const char *url;      /* "tcp://HOST:PORT" or "ssl://HOST:PORT" */
	const char *client;   /* name towards the broker */
	const char *topic;    /* a message there, whatever is in it, is a wake */
	const char *presence; /* says "online" or, by last will, "offline"; retained */
	const char *acks;     /* what comes there is handed on; "": nothing is listened to */
	int post_fd;          /* readable: there is something to post; -1: there never is */
};
enum listen_news { LISTEN_CONNECTED, LISTEN_WAKE, LISTEN_ACK };
/* `bytes`: of an ack, at most LIMIT_TELEMETRY_ACK, of anybody. */
typedef void listen_f(void *ctx, enum listen_news news, struct str bytes);

struct listen_post {
	const char *topic;
	struct str bytes; /* at most PRIV_PIECE */
};
/* The next message that is to be passed to the broker, borrowed until the next call; false: there
 * is none. Whether it arrived says nobody: that is for the ack. */
typedef bool listen_post_f(void *ctx, struct listen_post *out);

/* Listens until the connection ends (ERR_NET, ERR_WORKER) or `cancel` is set (ERR_CANCELLED); never
 * returns 0. `on`, and `post` from LISTEN_CONNECTED on, are called in the caller's thread. */
int worker_listen(struct worker *w, const struct listen_ask *ask, listen_f *on, listen_post_f *post,
	void *ctx, const atomic_bool *cancel, struct err *e) MUST_CHECK;

struct worker_view {
	pid_t pid; /* 0: it does not run */
	unsigned uid;
	bool seccomp, no_new_privs; /* as the kernel says */
	unsigned landlock;          /* version in force; 0: none */
	unsigned starts;            /* so far */
	bool unit;                  /* the service manager has started it */
};
/* Also gathers up a worker that died unnoticed. */
void worker_look(struct worker *w, struct worker_view *out);
/* Ends a worker that has had no call for `idle`: it would cost memory, and somebody who has taken
 * it over would stay. */
void worker_rest(struct worker *w, ms_t idle);

/* ---- inside the worker's process ---- */

/* Takes its orders from `fd`, gives up all rights, and answers calls until the installer is gone.
 * Nothing of the network is read before the rights are gone; without seccomp it answers none. */
int serve_run(int fd, struct err *e) MUST_CHECK;

#endif
