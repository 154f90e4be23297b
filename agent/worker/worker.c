#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"
#include "lib/sys/clock.h"

#define START_PATIENCE SEC(10)
#define LIVED_WELL     SEC(10) /* dying after this long does not lengthen the pause */
#define PAUSE_FIRST    ((ms_t)100)
#define PAUSE_MAX      SEC(5)
#define STATUS_MAX     4096

struct worker {
	struct worker_conf conf;
	struct http_via via;
	pthread_mutex_t lock;    /* of everything below */
	struct chan *chan;       /* NULL: it does not run */
	struct worker_view view; /* of the life that runs, and how many there were */
	ms_t born, not_before;
	unsigned lines;  /* that are open */
	ms_t busy;       /* when the last one was closed */
	unsigned deaths; /* in a row, each soon after its birth */
};

struct worker *worker_new(const struct worker_conf *conf)
{
	struct worker *w = mem_new(sizeof *w);

	*w = (struct worker){.conf = *conf};
	w->via = (struct http_via){.get = ask_get, .send = ask_send, .self = w};
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

const struct worker_conf *worker_conf_of(const struct worker *w)
{
	return &w->conf;
}

const struct http_via *worker_via(struct worker *w)
{
	return &w->via;
}

struct stage_source worker_source(struct worker *w)
{
	return (struct stage_source){.kind = "worker", .unpack = ask_unpack, .self = w};
}

static ms_t now(void)
{
	return clock_system.mono(clock_system.self);
}

/* ---- its end ---- */

static void reap(struct worker *w)
{
	kill(w->view.pid, SIGKILL);
	while (waitpid(w->view.pid, NULL, 0) < 0 && errno == EINTR)
		;
	w->view.pid = 0;
	chan_close(&w->chan);
}

/* It lived, and does not any more: the next life begins after a pause. */
static void bury(struct worker *w)
{
	reap(w);
	w->deaths = now() - w->born >= LIVED_WELL ? 0 : w->deaths + 1;
	w->not_before =
		w->deaths ? now() + MIN(PAUSE_FIRST << MIN(w->deaths - 1, 10U), PAUSE_MAX) : 0;
}

static void look_for_death(struct worker *w)
{
	siginfo_t info = {0};

	if (w->chan && waitid(P_PID, (id_t)w->view.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid != 0)
		bury(w);
}

void worker_end(struct worker *w, uint64_t start)
{
	pthread_mutex_lock(&w->lock);
	if (w->chan && w->view.starts == start)
		bury(w);
	pthread_mutex_unlock(&w->lock);
}

bool worker_refresh(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	bool rests = w->lines == 0;

	if (rests && w->chan)
		reap(w);
	pthread_mutex_unlock(&w->lock);
	return rests;
}

void worker_look(struct worker *w, struct worker_view *out)
{
	pthread_mutex_lock(&w->lock);
	look_for_death(w);
	*out = w->view;
	pthread_mutex_unlock(&w->lock);
}

void worker_hang_up(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->lines--;
	w->busy = now();
	pthread_mutex_unlock(&w->lock);
}

void worker_rest(struct worker *w, ms_t idle)
{
	pthread_mutex_lock(&w->lock);
	look_for_death(w);
	if (w->chan && w->lines == 0 && now() - w->busy >= idle)
		reap(w);
	pthread_mutex_unlock(&w->lock);
}

void worker_free(struct worker **pw)
{
	struct worker *w = *pw;

	if (!w)
		return;
	if (w->chan)
		reap(w);
	pthread_mutex_destroy(&w->lock);
	mem_free(pw);
	*pw = NULL;
}

/* ---- its birth ---- */

/* Its end of the line, /dev/null and stderr are all it gets. The signals that end an agent are not
 * for the worker: it goes when the line is closed, after the agent is done with it. */
static int start_program(struct worker *w, int fd, struct err *e)
{
	static char *const no_env[] = {NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t blocked;
	int sys;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &blocked);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, fd, WORKER_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, WORKER_FD + 1);
	sys = posix_spawn(&w->view.pid, w->conf.program, &files, &attr,
		(char *const *)(uintptr_t)w->conf.argv, no_env);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return sys ? err_sys(e, sys, "%s", w->conf.program) : 0;
}

static int set_up(struct worker *w, struct err *e)
{
	const struct http_conf *h = &w->conf.http;
	struct priv_msg m = {.verb = PRIV_SETUP,
		.num = {w->conf.uid, w->conf.gid, (uint64_t)h->built_s, h->max_rate},
		.text = {str_of(h->ca_file), str_of(h->cert_file), str_of(h->key_file),
			str_of(h->proxy), str_of(h->bearer), str_of(h->user_agent),
			str_of(h->no_proxy)}};
	char shown[sizeof e->text];

	TRY(chan_say(w->chan, &m, e));
	TRY(chan_hear(w->chan, &m, e));
	if (m.verb == PRIV_READY) {
		w->view.landlock = (unsigned)m.num[0];
		return 0;
	}
	if (m.verb == PRIV_FAIL)
		return err_set(e, ERR_CONFIG, "%s", str_printable(m.text[0], shown, sizeof shown));
	return err_set(e, ERR_WORKER, "it begins with \"%s\"", priv_name(m.verb));
}

static unsigned field(const char *status, const char *name)
{
	const char *at = strstr(status, name);

	return at ? (unsigned)strtoul(at + strlen(name), NULL, 10) : 0;
}

/* What is in force is asked of the kernel, not of the worker. */
static int look_at_status(struct worker *w, struct err *e)
{
	char path[64], text[STATUS_MAX] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)w->view.pid);
	f = fopen(path, "re");
	if (!f)
		return err_sys(e, errno, "%s", path);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	w->view.uid = field(text, "\nUid:\t");
	w->view.no_new_privs = field(text, "\nNoNewPrivs:\t") == 1;
	w->view.seccomp = field(text, "\nSeccomp:\t") == 2;
	if (!w->view.no_new_privs || !w->view.seccomp)
		return err_set(e, ERR_CONFIG, "it is not confined");
	if (w->conf.uid && w->view.uid != w->conf.uid)
		return err_set(e, ERR_CONFIG, "it is still user %u", w->view.uid);
	return 0;
}

static int come_to_life(struct worker *w, struct err *e)
{
	int pair[2];

	TRY(chan_pair(pair, e));
	int rc = start_program(w, pair[1], e);
	close(pair[1]);
	if (rc < 0) {
		close(pair[0]);
		return rc;
	}
	w->chan = chan_open(pair[0], PRIV_INSTALLER, NULL);
	chan_set_patience(w->chan, START_PATIENCE, 0);
	w->born = now();
	w->view.starts++;
	rc = set_up(w, e);
	if (rc == 0)
		rc = look_at_status(w, e);
	if (rc < 0)
		bury(w);
	return rc;
}

static int want_alive(struct worker *w, struct err *e)
{
	look_for_death(w);
	if (w->chan)
		return 0;
	if (now() < w->not_before)
		return err_set(e, ERR_WORKER, "the worker died and is started again soon");
	if (come_to_life(w, e) < 0)
		return err_wrap(e, "worker");
	return 0;
}

/* ---- lines ---- */

static int give_line(struct worker *w, int *out_fd, struct err *e)
{
	int pair[2];

	TRY(want_alive(w, e));
	TRY(chan_pair(pair, e));
	int rc = chan_give(w->chan, pair[1], e);
	close(pair[1]);
	if (rc < 0)
		close(pair[0]);
	else
		*out_fd = pair[0];
	return rc;
}

/* One that died since the last look is noticed by the line it does not take; nothing was asked of
 * it yet, so another one can be. */
int worker_line(struct worker *w, int *out_fd, uint64_t *out_start, struct err *e)
{
	pthread_mutex_lock(&w->lock);
	int rc = give_line(w, out_fd, e);
	if (rc == -(int)ERR_WORKER && w->chan) {
		bury(w);
		rc = give_line(w, out_fd, e);
	}
	*out_start = w->view.starts;
	w->lines += rc == 0;
	pthread_mutex_unlock(&w->lock);
	return rc;
}
