#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	pthread_mutex_t lock; /* of everything below */
	struct chan *chan;    /* NULL: it does not run */
	struct process process;
	struct worker_view view; /* of the life that runs, and how many there were */
	ms_t born, not_before;
	unsigned lines;  /* that are open */
	ms_t busy;       /* when the last one was closed */
	unsigned deaths; /* in a row, each soon after its birth */
};

struct worker *worker_new(const struct worker_conf *conf)
{
	struct worker *w = mem_new(sizeof *w);

	*w = (struct worker){.conf = *conf, .process = {.pidfd = -1}};
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
	process_end(&w->process);
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
	if (w->chan && process_is_over(&w->process))
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

static int give_file(struct worker *w, const char *path, struct err *e)
{
	int fd;

	if (!path[0])
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_sys(e, errno, "%s", path);
		return -(int)(e->code = ERR_CONFIG);
	}
	int rc = chan_give(w->chan, fd, e);

	close(fd);
	return rc;
}

/* The device's key may be readable for root alone: the worker is handed the open files. */
static int give_identity(struct worker *w, struct err *e)
{
	TRY(give_file(w, w->conf.http.ca_file, e));
	TRY(give_file(w, w->conf.http.cert_file, e));
	return give_file(w, w->conf.http.key_file, e);
}

static int judge_first_word(struct worker *w, const struct priv_msg *m, struct err *e)
{
	char shown[sizeof e->text];

	if (m->verb == PRIV_READY) {
		w->view.landlock = (unsigned)m->num[0];
		return 0;
	}
	if (m->verb == PRIV_FAIL)
		return err_set(e, ERR_CONFIG, "%s", str_printable(m->text[0], shown, sizeof shown));
	return err_set(e, ERR_WORKER, "it begins with \"%s\"", priv_name(m->verb));
}

/* One that the service manager has started is its user already. */
static int set_up(struct worker *w, struct err *e)
{
	const struct http_conf *h = &w->conf.http;
	struct priv_msg m = {.verb = PRIV_SETUP,
		.num = {w->view.unit ? 0 : w->conf.uid, w->view.unit ? 0 : w->conf.gid,
			(uint64_t)h->built_s, h->max_rate},
		.text = {str_of(h->ca_file), str_of(h->cert_file), str_of(h->key_file),
			str_of(h->proxy), str_of(h->bearer), str_of(h->user_agent),
			str_of(h->no_proxy)}};
	pid_t pid;

	TRY(chan_say(w->chan, &m, e));
	TRY(give_identity(w, e));
	TRY(chan_hear_from(w->chan, &m, &pid, e));
	TRY(judge_first_word(w, &m, e));
	if (w->view.unit)
		TRY(process_adopt(pid, &w->process, e));
	w->view.pid = w->process.pid;
	return 0;
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

static int begin_life(struct worker *w, int fd, struct err *e)
{
	w->chan = chan_open(fd, PRIV_INSTALLER, NULL);
	chan_set_patience(w->chan, START_PATIENCE, 0);
	w->born = now();
	w->view.starts++;
	int rc = set_up(w, e);

	if (rc == 0)
		rc = look_at_status(w, e);
	if (rc < 0)
		bury(w);
	return rc;
}

/* The service manager's is preferred, because it can take away more. A machine whose manager does
 * not start it, or whose program is just being replaced, is not to be without updates. */
static int come_to_life(struct worker *w, struct err *e)
{
	struct err why;
	int fd;

	w->view.unit = w->conf.socket && w->conf.socket[0] &&
		       process_connect(w->conf.socket, &fd, &why) == 0;
	if (w->view.unit && begin_life(w, fd, &why) == 0)
		return 0;
	w->view.unit = false;
	TRY(process_spawn(&w->conf, &fd, &w->process, e));
	return begin_life(w, fd, e);
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
