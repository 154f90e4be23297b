/* What the agent's driver asks of the machine, one function each. */
#include <string.h>
#include <sys/timex.h>
#include <systemd/sd-daemon.h>

#include "agent/net/lease_ask.h"
#include "agent/probe/probe.h"
#include "agent/sight.h"
#include "agent/smoke/smoke.h"
#include "agent/tele/tele.h"
#include "agent/tele/telemetry_send.h"
#include "agent/trial.h"
#include "agent/version.h"
#include "agent/world_priv.h"
#include "lib/sys/entropy.h"
#include "lib/sys/log.h"

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

static void port_measure(void *self, struct measure *out)
{
	struct world *w = self;
	const struct measure_in in = {.proc = w->conf->precond.proc,
		.sys = w->conf->precond.sys,
		.home = &w->fs,
		.metrics_url = w->conf->service.metrics_url,
		.timeout = w->conf->service.probe_timeout};

	measure_look(&in, out);
}

static int port_send_telemetry(void *self, struct str batch, const atomic_bool *cancel,
	struct telemetry_ack *out, ms_t *out_retry_after, struct err *e)
{
	struct world *w = self;

	TRY(access_ready(w->access, cancel, e));
	return telemetry_send(access_http(w->access), w->conf->server.url, w->conf->device.id,
		batch, cancel, out, out_retry_after, e);
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

static bool port_post(void *self, enum push_topic topic, struct str bytes)
{
	struct world *w = self;

	return w->push && push_post(w->push, topic, bytes);
}

static bool port_next_ack(void *self, struct telemetry_ack *out)
{
	struct world *w = self;

	return w->push && push_next_ack(w->push, out);
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

static int port_shadow(void *self, const struct shadow_ask *ask, struct buf *out_log, struct err *e)
{
	struct world *w = self;
	struct shadow_place place = {
		.uid = w->smoke.uid, .gid = w->smoke.gid, .max_memory = w->conf->smoke.max_memory};

	world_svc_conf(w, &place.svc);
	snprintf(place.slot_dir, sizeof(place.slot_dir), "%s/%s", w->conf->agent.home,
		slot_path(ask->slot));
	return shadow_run(&place, ask, out_log, e);
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
		.timeout = w->conf->service.probe_timeout,
		.proc = w->conf->precond.proc,
		.sys = w->conf->precond.sys,
		.home = w->conf->agent.home,
		.http = access_http(w->access),
		.server_url = w->conf->server.url};
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

const struct agent_world world_port_table = {
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
	.post = port_post,
	.next_ack = port_next_ack,
	.carry = port_carry,
	.fetch = port_fetch,
	.send = port_send,
	.lease = port_lease,
	.measure = port_measure,
	.send_telemetry = port_send_telemetry,
	.source = port_source,
	.smoke = port_smoke,
	.shadow = port_shadow,
	.health = port_health,
	.start = port_start,
	.look = port_look,
	.log_tail = port_log_tail,
	.facts = port_facts,
	.probe_open = port_probe_open,
	.probe_look = port_probe_look,
	.probe_close = port_probe_close,
};
