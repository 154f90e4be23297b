/* Opening the machine's world, and running the agent on its loop. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/world_priv.h"
#include "lib/prng.h"
#include "lib/sys/log.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define WORKER_IDLE  MINUTE(1)
#define WAKE_SLACK   1000 /* us: what a wake-up may be late for the sake of others */

const struct agent_world *world_ports(struct world *w)
{
	return &w->ports;
}

/* ---- opening ---- */

static int make_dirs(const char *path, mode_t mode, struct err *e)
{
	char part[256];

	for (const char *p = path; p; p = strchr(p + 1, '/')) {
		const char *end = strchr(p + 1, '/');

		snprintf(part, sizeof(part), "%.*s", end ? (int)(end - path) : (int)strlen(path),
			path);
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(e, errno, "%s", part);
	}
	return 0;
}

static int take_lock(struct world *w, struct err *e)
{
	BUF_AUTO path = {0};

	buf_addf(&path, "%s/.lock", w->conf->agent.home);
	w->lock = open(buf_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->lock < 0)
		return err_sys(e, errno, "%s", buf_cstr(&path));
	if (flock(w->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, ERR_BUSY, "%s: another agent works here", w->conf->agent.home);
	return err_sys(e, errno, "%s", buf_cstr(&path));
}

static void read_boot_id(struct world *w)
{
	char text[64];
	int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	/* Without /proc every start of the agent counts as a start of the machine: the careful
	 * side. */
	w->ports.boot_id = n > 0 ? hash64(0, text, (size_t)n) : w->ports.random(w);
}

static int look_booted(struct world *w, struct err *e)
{
	struct boot_conf c;

	agent_conf_boot(w->conf, &c);
	w->ports.booted = SLOT_NONE;
	w->ports.crashed = boot_look_crashed(&c);
	return boot_adapter_find(c.kind)->boots ? boot_look_booted(&c, &w->ports.booted, e) : 0;
}

static int open_access(struct world *w, struct err *e)
{
	TRY(access_open(w->conf, &w->fs, &w->access, e));
	struct stage_source server = worker_source(access_worker(w->access));

	w->medium = medium_new(w->conf->server.url[0] ? &server : NULL);
	return 0;
}

/* The last resort: nothing is stopped in order, so at least everything is written. */
static int restart_machine(struct err *e)
{
	sync();
	return reboot(RB_AUTOBOOT) < 0 ? err_sys(e, errno, "reboot") : 0;
}

void world_svc_conf(const struct world *w, struct svc_conf *out)
{
	const struct agent_conf *c = w->conf;
	struct svc_conf s = {.stop_timeout = c->service.stop_timeout,
		.booted = w->ports.booted,
		.restart_machine = restart_machine};

	memcpy(s.kind, c->service.kind, sizeof(s.kind));
	memcpy(s.base, c->service.base, sizeof(s.base));
	memcpy(s.unit, c->service.unit, sizeof(s.unit));
	memcpy(s.command, c->service.command, sizeof(s.command));
	memcpy(s.reload_url, c->service.reload_url, sizeof(s.reload_url));
	memcpy(s.health_url, c->service.health_url, sizeof(s.health_url));
	memcpy(s.home, c->agent.home, sizeof(s.home));
	memcpy(s.run_dir, c->agent.run_dir, sizeof(s.run_dir));
	*out = s;
}

/* A challenger that outlived its agent competes with the workload for nothing: it goes, and comes
 * back if it is still wanted. That it could not be looked for stops nobody. */
static void open_shadow(struct world *w, const struct svc_conf *s)
{
	struct err e;

	if (!beside_is_possible(s) || strcmp(w->conf->agent.slots, "raw") == 0)
		w->ports.shadow = NULL;
	else if (beside_clear(s, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=shadow");
}

static int open_svc(struct world *w, struct err *e)
{
	struct svc_conf s;

	world_svc_conf(w, &s);
	open_shadow(w, &s);
	return svc_open(&s, &w->svc, e);
}

static int open_push(struct world *w, struct err *e)
{
	struct push_conf c = {.url = w->conf->mqtt.url,
		.prefix = w->conf->mqtt.prefix,
		.device = w->conf->device.id,
		.posts = w->conf->mqtt.posts};

	if (!*c.url)
		return 0;
	c.worker = access_new_worker(w->access);
	return push_open(&c, &w->push, e);
}

static int open_parts(struct world *w, struct err *e)
{
	precond_zone_use(w->conf->precond.zone);
	TRY(make_dirs(w->conf->agent.home, 0755, e));
	TRY(make_dirs(w->conf->agent.run_dir, 0755, e));
	TRY(take_lock(w, e));
	TRY(account_find("smoke.user", w->conf->smoke.user, &w->smoke, e));
	TRY(fs_posix_open(w->conf->agent.home, &w->fs, e));
	w->has_fs = true;
	TRY(fs_posix_open("/", &w->devices, e));
	TRY(open_access(w, e));
	read_boot_id(w);
	TRY(look_booted(w, e));
	TRY(open_push(w, e));
	return open_svc(w, e);
}

int world_open(const struct agent_conf *conf, struct world **out, struct err *e)
{
	struct world *w = mem_new(sizeof(*w));

	w->conf = conf;
	w->lock = -1;
	w->ports = world_port_table;
	w->ports.fs = &w->fs;
	w->ports.devices = &w->devices;
	w->ports.clock = clock_system;
	w->ports.self = w;
	int rc = open_parts(w, e);

	if (rc < 0) {
		world_close(&w);
		return rc;
	}
	*out = w;
	return 0;
}

void world_close(struct world **pw)
{
	struct world *w = *pw;

	if (!w)
		return;
	world_detach(w);
	if (w->svc)
		svc_close(&w->svc);
	medium_free(&w->medium);
	push_close(&w->push);
	access_close(&w->access);
	fs_posix_close(&w->devices);
	if (w->has_fs)
		fs_posix_close(&w->fs);
	if (w->lock >= 0)
		close(w->lock);
	mem_free(pw);
}

/* ---- on the loop ---- */

/* At rest the agent gives back what the work before has left: it sits beside a workload that needs
 * the memory. */
static int run(struct world *w)
{
	bool was = w->settled;

	agent_run(w->agent);
	w->settled = agent_is_settled(w->agent);
	worker_rest(access_worker(w->access), WORKER_IDLE);
	if (w->settled && !was)
		malloc_trim(0);
	if (w->once && w->settled)
		sd_event_exit(w->loop, 0);
	return 0;
}

static int on_time(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *self)
{
	return run(self);
}

static int on_push(sd_event_source *s UNUSED, int fd UNUSED, uint32_t what UNUSED, void *self)
{
	struct world *w = self;

	if (push_take(w->push))
		agent_nudge(w->agent);
	return run(w);
}

static int on_ending(sd_event_source *s UNUSED, int fd UNUSED, uint32_t what UNUSED, void *self)
{
	return run(self);
}

int world_attach(struct world *w, sd_event *loop, struct agent *a, bool once, struct err *e)
{
	w->loop = loop;
	w->agent = a;
	w->once = once;
	int rc = sd_event_add_time(loop, &w->timer, CLOCK_BOOTTIME, 1, WAKE_SLACK, on_time, w);

	if (rc >= 0)
		rc = sd_event_add_io(loop, &w->endings, agent_fd(a), EPOLLIN, on_ending, w);
	if (rc >= 0 && w->push)
		rc = sd_event_add_io(loop, &w->wakes, push_fd(w->push), EPOLLIN, on_push, w);
	return rc < 0 ? err_sys(e, -rc, "event loop") : 0;
}

void world_detach(struct world *w)
{
	w->timer = sd_event_source_disable_unref(w->timer);
	w->endings = sd_event_source_disable_unref(w->endings);
	w->wakes = sd_event_source_disable_unref(w->wakes);
	w->agent = NULL;
}
