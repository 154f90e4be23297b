#include "agent/world.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "agent/account.h"
#include "agent/access.h"
#include "agent/medium.h"
#include "agent/net/lease_ask.h"
#include "agent/probe/probe.h"
#include "agent/sight.h"
#include "agent/smoke/smoke.h"
#include "agent/tele/tele.h"
#include "agent/trial.h"
#include "agent/version.h"
#include "lib/prng.h"
#include "lib/sys/entropy.h"
#include "lib/sys/log.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define WORKER_IDLE  MINUTE(1)
#define WAKE_SLACK   1000 /* us: what a wake-up may be late for the sake of others */

struct world {
	const struct agent_conf *conf;
	struct agent_world ports;
	struct fs fs, devices;
	bool has_fs;
	int lock;
	struct access *access;
	struct push *push; /* NULL: nobody wakes it */
	struct medium *medium;
	struct svc *svc;
	struct account smoke;
	struct agent *agent;
	sd_event *loop;
	sd_event_source *timer, *endings, *wakes;
	ms_t wake_at;
	bool once, settled;
};

/* ---- the ports ---- */

static uint64_t port_random(void *self UNUSED)
{
	uint64_t bits;

	entropy_fill(&bits, sizeof(bits));
	return bits;
}

/* 1 asks for now: 0 would be a time that systemd takes for never. */
static void port_wake(void *self, ms_t mono)
{
	struct world *w = self;

	w->wake_at = mono;
	if (!w->timer)
		return;
	if (mono == INT64_MAX) {
		sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(w->timer, (uint64_t)MAX(mono, 1) * 1000);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* The kernel keeps it: whoever disciplines the clock (NTP, PTP) clears the flag, and nobody else.
 */
static bool port_clock_is_set(void *self UNUSED)
{
	struct timex t = {0};
	int state = adjtimex(&t);

	return state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
}

static void port_tell(void *self UNUSED, const char *line)
{
	sd_notifyf(0, "STATUS=%s", line);
}

static void port_promise(void *self, const struct promise *p, const struct txn_id *txn)
{
	struct world *w = self;
	struct err e;

	if (trial_tell(w->conf, p, txn, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=promise");
}

static void port_worker(void *self, struct worker_view *out)
{
	struct world *w = self;

	worker_look(access_worker(w->access), out);
}

static int port_carry(void *self, const char *dir, struct err *e)
{
	struct world *w = self;

	return medium_take(w->medium, dir, e);
}

static int port_fetch(
	void *self, const struct desired_in *in, struct desired_out *out, struct err *e)
{
	struct world *w = self;
	struct desired_in full = *in;

	if (in->carried)
		return medium_fetch(w->medium, in, out, e);
	out->turned_away = access_ready(w->access, in->cancel, e) < 0;
	if (out->turned_away)
		return -(int)e->code;
	full.http = w->conf->server.url[0] ? access_http(w->access) : NULL;
	full.server = w->conf->server.url;
	int rc = desired_fetch(&full, out, e);

	access_heard(w->access, rc, e);
	return rc;
}

static int port_send(void *self, const atomic_bool *cancel, unsigned *out_left,
	ms_t *out_retry_after, struct err *e)
{
	struct world *w = self;

	TRY(access_ready(w->access, cancel, e));
	return tele_send(&w->fs, access_http(w->access), w->conf->server.url, w->conf->device.id,
		cancel, out_left, out_retry_after, e);
}

static int port_lease(void *self, const struct lease_ask *ask, const atomic_bool *cancel,
	struct lease_answer *out, struct err *e)
{
	struct world *w = self;

	if (!w->conf->server.url[0])
		return err_set(e, ERR_CONFIG, "no server is configured");
	TRY(access_ready(w->access, cancel, e));
	return lease_ask_send(access_http(w->access), w->conf->server.url, w->conf->device.id, ask,
		cancel, out, e);
}

static struct stage_source port_source(
	void *self, struct stage_http *room UNUSED, const atomic_bool *cancel UNUSED)
{
	struct world *w = self;

	return medium_is_taken(w->medium) ? medium_source(w->medium)
					  : worker_source(access_worker(w->access));
}

static const char *image_of(const struct world *w, unsigned slot)
{
	if (strcmp(w->conf->agent.slots, "raw") != 0)
		return NULL;
	return slot == 0 ? w->conf->slot.a : w->conf->slot.b;
}

static bool port_push(void *self, struct push_view *out)
{
	struct world *w = self;

	if (w->push)
		push_look(w->push, out);
	return w->push != NULL;
}

static int port_smoke(void *self, unsigned slot, const struct release *r, const atomic_bool *cancel,
	struct buf *out_log, struct err *e)
{
	struct world *w = self;
	BUF_AUTO dir = {0}, tmp = {0};
	struct smoke_in in = {.release = r,
		.image = image_of(w, slot),
		.filesystem = fsimage_name(r->components[0].filesystem),
		.max_memory = w->conf->smoke.max_memory,
		.uid = w->smoke.uid,
		.gid = w->smoke.gid,
		.cancel = cancel};

	buf_addf(&dir, "%s/%s", w->conf->agent.home, slot_path(slot));
	buf_addf(&tmp, "%s/smoke", w->conf->agent.run_dir);
	in.slot_dir = buf_cstr(&dir);
	in.tmp_dir = buf_cstr(&tmp);
	return smoke_run(&in, out_log, e);
}

static int port_health(void *self, unsigned slot, const char *release, const atomic_bool *cancel,
	struct health_round *out, struct err *e)
{
	struct world *w = self;
	BUF_AUTO dir = {0};
	struct health_in in = {.dirs = w->conf->health.dirs,
		.release = release,
		.timeout = w->conf->health.timeout,
		.cancel = cancel};

	buf_addf(&dir, "%s/%s", w->conf->agent.home, slot_path(slot));
	in.slot_dir = buf_cstr(&dir);
	return health_run(&in, out, e);
}

static int port_start(void *self, unsigned slot, enum activation how, ms_t timeout,
	const atomic_bool *cancel, struct err *e)
{
	struct world *w = self;

	if (slot == SLOT_NONE)
		return svc_stop(w->svc, e);
	return svc_start(w->svc, slot, how, timeout, cancel, e);
}

static int port_look(void *self, struct svc_view *out, struct err *e)
{
	struct world *w = self;

	return svc_look(w->svc, out, e);
}

static int port_log_tail(void *self, size_t max, struct buf *out, struct err *e)
{
	struct world *w = self;

	return svc_log_tail(w->svc, max, out, e);
}

static void port_facts(void *self, unsigned want, struct precond_facts *out)
{
	struct world *w = self;

	sight_facts(w->conf, want, out);
}

static int port_probe_open(
	void *self, const struct trig_rule *rules, unsigned n, void **out, struct err *e)
{
	struct world *w = self;
	struct probe_in in = {.svc = w->svc,
		.metrics_url = w->conf->service.metrics_url,
		.timeout = w->conf->service.probe_timeout};
	struct probe *p;

	TRY(probe_open(&in, rules, n, &p, e));
	*out = p;
	return 0;
}

static void port_probe_look(void *probe, ms_t now, struct sample out[LIMIT_TRIGGERS])
{
	probe_look(probe, now, out);
}

static void port_probe_close(void *probe)
{
	struct probe *p = probe;

	probe_close(&p);
}

static const struct agent_world ports = {
	.executor = JOBS_THREADS,
	.slot_threads = 2,
	.random = port_random,
	.built_s = AGENT_BUILT_S,
	.wake = port_wake,
	.clock_is_set = port_clock_is_set,
	.tell = port_tell,
	.promise = port_promise,
	.worker = port_worker,
	.push = port_push,
	.carry = port_carry,
	.fetch = port_fetch,
	.send = port_send,
	.lease = port_lease,
	.source = port_source,
	.smoke = port_smoke,
	.health = port_health,
	.start = port_start,
	.look = port_look,
	.log_tail = port_log_tail,
	.facts = port_facts,
	.probe_open = port_probe_open,
	.probe_look = port_probe_look,
	.probe_close = port_probe_close,
};

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
	w->ports.boot_id = n > 0 ? hash64(0, text, (size_t)n) : port_random(w);
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

static int open_svc(struct world *w, struct err *e)
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
	return svc_open(&s, &w->svc, e);
}

static int open_push(struct world *w, struct err *e)
{
	struct push_conf c = {.url = w->conf->mqtt.url,
		.prefix = w->conf->mqtt.prefix,
		.device = w->conf->device.id};

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
	w->ports = ports;
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

	push_take(w->push);
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
