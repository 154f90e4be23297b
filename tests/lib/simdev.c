#include "tests/lib/simdev.h"

#include <assert.h>
#include <stdarg.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/journal/journal.h"
#include "agent/tele/tele.h"
#include "tests/lib/loader.h"

#define STARTS_MAX 20 /* of one that does not come up */

#define EPOCH        1700000000000LL /* wall clock at the beginning */
#define HOUR         MINUTE(60)
#define RATE         20 /* requests that the workload gets in each look */
#define TOO_MUCH     20000
#define SLOW         1500 /* of the two seconds that a release may take */
#define DEVICE_BYTES 16384

void simdev_blame(struct simdev *d, const char *fmt, ...)
{
	va_list ap;

	if (d->violation[0])
		return;
	va_start(ap, fmt);
	vsnprintf(d->violation, sizeof(d->violation), fmt, ap);
	va_end(ap);
}

/* ---- what stands on the disk ---- */

static unsigned read_slot(struct simdev *d, const char *link)
{
	char to[64];

	if (d->disk->ops->readlink(d->disk, link, to, sizeof(to), NULL) < 0)
		return SLOT_NONE;
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		if (strcmp(to, slot_path(i)) == 0)
			return i;
	return SLOT_NONE;
}

unsigned simdev_active(struct simdev *d)
{
	unsigned next = SLOT_NONE, good;

	if (!d->loader)
		return read_slot(d, "current");
	loader_grub_look(d->disk, &next, &good);
	return next;
}

unsigned simdev_confirmed(struct simdev *d)
{
	unsigned next, good = SLOT_NONE;

	if (!d->loader)
		return read_slot(d, "confirmed");
	loader_grub_look(d->disk, &next, &good);
	return good;
}

static const char *const device[SLOT_COUNT] = {"dev-a", "dev-b"};

static bool is_raw(const struct simdev *d)
{
	return strcmp(d->conf.agent.slots, "raw") == 0;
}

/* The release whose image the device begins with. */
static const struct sim_release *image_in(struct simdev *d, unsigned slot)
{
	BUF_AUTO bytes = {0};

	if (fs_read_file(d->disk, device[slot], DEVICE_BYTES, &bytes, NULL) < 0)
		return NULL;
	for (unsigned i = 0; i < d->vendor->n; i++) {
		const struct buf *image = &d->vendor->rel[i].image;

		if (image->n && image->n <= bytes.n && memcmp(bytes.p, image->p, image->n) == 0)
			return &d->vendor->rel[i];
	}
	return NULL;
}

static bool holds(struct simdev *d, unsigned slot, const char *name, const char *text)
{
	char path[64];
	BUF_AUTO bytes = {0};

	snprintf(path, sizeof(path), "%s/%s", slot_path(slot), name);
	return fs_read_file(d->disk, path, 4096, &bytes, NULL) == 0 &&
	       str_is(buf_str(&bytes), text);
}

const struct sim_release *simdev_content(struct simdev *d, unsigned slot)
{
	char weights[64];

	if (slot < SLOT_COUNT && is_raw(d))
		return image_in(d, slot);
	if (slot >= SLOT_COUNT || !holds(d, slot, "etc/serving.json", "{\"psm\": 7}\n"))
		return NULL;
	for (unsigned i = 0; i < d->vendor->n; i++) {
		const struct sim_release *r = &d->vendor->rel[i];

		snprintf(weights, sizeof(weights), "weights of %s", r->id.s);
		if (holds(d, slot, "models/eng/id", r->id.s) &&
			holds(d, slot, "models/eng/net/weights", weights))
			return r;
	}
	return NULL;
}

/* Nothing can be read any more when it has gone. */
static bool has_power(struct simdev *d)
{
	struct fs_stat st;

	return d->disk->ops->stat(d->disk, "slots", &st, NULL) == 0;
}

/* ---- law 2: who writes where ---- */

/* What is called when the power has gone writes nothing, and which slots are in use cannot be read:
 * a boot loader's files that are not there name slot a. */
static void judge(void *ctx, const char *what, const char *path)
{
	struct simdev *d = ctx;
	unsigned used[] = {simdev_active(d), simdev_confirmed(d),
		d->work.alive ? d->work.slot : SLOT_NONE, d->loader ? d->from : SLOT_NONE};

	if (!has_power(d))
		return;
	for (size_t i = 0; i < ARRAY_LEN(used); i++) {
		if (used[i] == SLOT_NONE)
			continue;
		const char *slot = slot_path(used[i]);

		/* Opening the slots makes sure that their folders are there. */
		if (strcmp(path, slot) == 0 && strcmp(what, "mkdir") == 0)
			continue;
		if (strncmp(path, slot, strlen(slot)) == 0 || strcmp(path, device[used[i]]) == 0)
			simdev_blame(d, "law 2: %s %s, and slot %s is in use", what, path,
				slot_name(used[i]));
	}
}

/* ---- the workload ---- */

/* What every service manager does: it starts what `current` names. */
static void work_start(struct simdev *d)
{
	unsigned slot = d->loader ? d->from : simdev_active(d);
	const struct sim_release *r = simdev_content(d, slot);

	d->work.alive = false;
	d->work.slot = slot;
	if (slot == SLOT_NONE || d->work.down)
		return;
	if (!r && !has_power(d))
		return;
	if (!r) {
		simdev_blame(d, "law 1: slot %s was started and is not whole", slot_name(slot));
		return;
	}
	if (r->fault == SIM_NO_START) {
		d->work.ended++;
		return;
	}
	if (!d->work.ready)
		d->work.ready = d->now + (r->fault == SIM_SLOW ? SLOW : 0);
	d->work.alive = d->now >= d->work.ready;
}

/* Who asks for a restart of the machine is ended by it: the agent's end cancels the job. */
static int restart(struct simdev *d, const atomic_bool *cancel, struct err *e)
{
	d->restarts = true;
	atomic_store((atomic_bool *)cancel, true);
	return err_set(e, ERR_CANCELLED, "the machine goes down");
}

static int port_start(void *self, unsigned slot, enum activation how UNUSED, ms_t timeout UNUSED,
	const atomic_bool *cancel, struct err *e)
{
	struct simdev *d = self;

	if (d->loader && slot != d->from)
		return restart(d, cancel, e);
	d->work.down = slot == SLOT_NONE;
	d->work.ready = 0;
	work_start(d);
	d->now = MAX(d->now, d->work.ready);
	work_start(d);
	if (slot == SLOT_NONE)
		return 0;
	if (d->work.slot != slot)
		return err_set(e, ERR_START_FAILED, "runs from slot %s", slot_name(d->work.slot));
	return d->work.alive ? 0 : err_set(e, ERR_START_FAILED, "it does not run");
}

static int port_look(void *self, struct svc_view *out, struct err *e UNUSED)
{
	struct simdev *d = self;

	if (!d->work.alive)
		work_start(d);
	*out = (struct svc_view){.alive = d->work.alive,
		.slot = d->work.alive || d->loader ? d->work.slot : SLOT_NONE,
		.ended = d->work.ended};
	return 0;
}

static int port_log_tail(
	void *self UNUSED, size_t max UNUSED, struct buf *out, struct err *e UNUSED)
{
	buf_add_str(out, "a line that it logged\n");
	return 0;
}

static void port_facts(void *self, unsigned want UNUSED, struct precond_facts *out)
{
	struct simdev *d = self;

	d->looks++;
	*out = d->facts;
}

static int port_lease(void *self, const struct lease_ask *ask UNUSED,
	const atomic_bool *cancel UNUSED, struct lease_answer *out, struct err *e)
{
	struct simdev *d = self;

	d->leases++;
	if (d->server.down)
		return err_set(e, ERR_NET, "nobody answers");
	*out = d->lease;
	return 0;
}

/* ---- probes ---- */

struct sim_probe {
	struct simdev *dev;
	unsigned n;
	struct trig_rule rule[LIMIT_TRIGGERS];
	bool begun;
	uint32_t ended; /* as it was seen last */
};

static int port_probe_open(
	void *self, const struct trig_rule *rules, unsigned n, void **out, struct err *e UNUSED)
{
	struct sim_probe *p = mem_new(sizeof(*p));

	p->dev = self;
	p->n = n;
	memcpy(p->rule, rules, n * sizeof(rules[0]));
	*out = p;
	return 0;
}

static void probe_requests(struct sim_probe *p, struct sample *x)
{
	struct simdev *d = p->dev;
	const struct sim_release *r = simdev_content(d, d->work.slot);

	x->blind = !d->work.alive;
	if (x->blind || !p->begun)
		return;
	x->n = RATE;
	x->bad = r && r->fault == SIM_ERRS ? RATE / 2 : 0;
}

static void port_probe_look(void *probe, ms_t now, struct sample out[LIMIT_TRIGGERS])
{
	struct sim_probe *p = probe;

	for (unsigned i = 0; i < p->n; i++) {
		out[i] = (struct sample){.at = now};
		if (p->rule[i].type == TRIG_ERROR_RATE)
			probe_requests(p, &out[i]);
		if (p->rule[i].type == TRIG_CRASH_LOOP && p->begun)
			out[i].n = p->dev->work.ended - p->ended;
		if (p->rule[i].type == TRIG_DRIFT && p->begun) {
			out[i].n = 2 * RATE;
			out[i].hist = (struct hist){
				.n = 2, .le = {0.5, (double)INFINITY}, .count = {RATE, RATE}};
		}
		if (p->rule[i].type == TRIG_CONNECTIVITY) {
			out[i].n = 1;
			out[i].bad = p->dev->server.down;
		}
	}
	p->ended = p->dev->work.ended;
	p->begun = true;
}

static void port_probe_close(void *probe)
{
	mem_free(&probe);
}

/* ---- the server ---- */

static int store(struct simdev *d, const struct sim_release *r, struct err *e)
{
	struct fs *fs = &d->guard.fs;
	char hex[SHA256_TEXT], path[128], version[24];

	sha256_format(&r->digest, hex);
	snprintf(path, sizeof(path), "documents/%s.json", hex);
	TRY(fs_make_dirs(fs, "documents", e));
	TRY(fs_make_dirs(fs, "trust", e));
	TRY(fs_write_file(fs, path, r->document.p, r->document.n, 0644, e));
	snprintf(version, sizeof(version), "%llu", (unsigned long long)d->server.version);
	return fs_write_file(fs, "trust/version", version, strlen(version), 0644, e);
}

static bool is_known(struct simdev *d)
{
	uint64_t version;
	BUF_AUTO text = {0};

	return fs_read_file(&d->guard.fs, "trust/version", 32, &text, NULL) == 0 &&
	       str_to_u64(buf_str(&text), 0, UINT64_MAX, &version, NULL) == 0 &&
	       version == d->server.version;
}

/* As the real one: what is trusted is stored first, then it is told. */
static int port_fetch(
	void *self, const struct desired_in *in, struct desired_out *out, struct err *e)
{
	struct simdev *d = self;
	const struct sim_release *r = d->server.want;
	struct release *parsed CLEANUP(mem_free) = NULL;

	if (d->server.down)
		return err_set(e, ERR_NET, "nobody answers");
	out->turned_away = d->server.turns_away;
	if (d->server.refuse.code != ERR_OK)
		return err_set(e, d->server.refuse.code, "%s", d->server.refuse.text);
	if (!in->again && is_known(d)) {
		*out = (struct desired_out){.unchanged = true};
		return 0;
	}
	struct desired_out o = {.desired.director_version = d->server.version};

	if (r) {
		TRY(store(d, r, e));
		parsed = mem_new(sizeof(*parsed));
		TRY(release_parse(buf_str(&r->document), parsed, e));
		o.desired.order = d->server.rollback ? DESIRED_ROLLBACK : DESIRED_INSTALL;
		o.desired.hash = r->digest;
		o.desired.manifest.b[0] = 1;
		o.desired.counter = r->counter;
		snprintf(o.desired.path, sizeof(o.desired.path), "sim/%s.json", r->id.s);
		snprintf(o.desired.campaign.s, sizeof(o.desired.campaign.s), "wave");
		o.release = parsed;
		parsed = NULL;
	}
	*out = o;
	return 0;
}

/* A number that comes twice must say the same twice. */
static void receive(struct simdev *d, const struct report *r, uint64_t hash)
{
	struct sim_server *s = &d->server;

	for (unsigned i = 0; i < s->n_reports; i++) {
		if (s->report[i].kind == REPORT_OUTCOME && r->kind == REPORT_OUTCOME &&
			strcmp(s->report[i].txn, r->txn) == 0 && s->report[i].seq != r->seq)
			simdev_blame(d, "two outcomes of one update: reports %llu and %llu",
				(unsigned long long)s->report[i].seq, (unsigned long long)r->seq);
		if (s->report[i].seq != r->seq)
			continue;
		if (s->report[i].hash != hash && s->report[i].kind != r->kind)
			simdev_blame(d, "report %llu is two different reports",
				(unsigned long long)r->seq);
		return;
	}
	assert(s->n_reports < SIM_REPORTS);
	unsigned i = s->n_reports++;

	s->report[i].seq = r->seq;
	s->report[i].hash = hash;
	s->report[i].kind = r->kind;
	s->report[i].code = r->code;
	s->report[i].dossier = r->dossier != NULL;
	memcpy(s->report[i].txn, r->txn, sizeof(r->txn));
	memcpy(s->report[i].target, r->target.s, sizeof(r->target.s));
	memcpy(s->report[i].state, r->state, sizeof(r->state));
	if (r->kind == REPORT_SWITCH)
		s->switched = *r; /* owns nothing: it has no dossier */
}

struct mail {
	unsigned n;
	uint64_t seq[256];
};

static int sort_in(void *ctx, const char *name, enum fs_kind kind, struct err *e UNUSED)
{
	struct mail *m = ctx;
	struct str rest = str_of(name), number;
	uint64_t seq;
	unsigned i;

	if (kind != FS_FILE || !str_split(&rest, '.', &number) || !str_is(rest, "json") ||
		str_to_u64(number, 1, UINT64_MAX, &seq, NULL) < 0)
		return 0;
	assert(m->n < ARRAY_LEN(m->seq));
	for (i = m->n++; i > 0 && m->seq[i - 1] > seq; i--)
		m->seq[i] = m->seq[i - 1];
	m->seq[i] = seq;
	return 0;
}

static int post(struct simdev *d, uint64_t seq, struct err *e)
{
	struct fs *fs = &d->guard.fs;
	char path[64];
	struct report r;
	BUF_AUTO text = {0};

	snprintf(path, sizeof(path), "reports/%llu.json", (unsigned long long)seq);
	TRY(fs_read_file(fs, path, LIMIT_REPORT_BYTES, &text, e));
	report_init(&r);
	int rc = report_decode(buf_str(&text), &r, e);

	if (rc == 0 && r.seq != seq)
		simdev_blame(d, "%s says it is report %llu", path, (unsigned long long)r.seq);
	if (rc == 0)
		receive(d, &r, hash64(0, text.p, text.n));
	else
		simdev_blame(d, "%s was queued and is no report: %s", path, e->text);
	report_fini(&r);
	return fs->ops->unlink(fs, path, e);
}

static int port_send(void *self, const atomic_bool *cancel UNUSED, unsigned *out_left,
	ms_t *out_retry_after, struct err *e)
{
	struct simdev *d = self;
	struct fs *fs = &d->guard.fs;
	struct mail m = {0};

	*out_retry_after = 0;
	int rc = fs->ops->list(fs, "reports", sort_in, &m, e);

	*out_left = m.n;
	if (rc == -(int)ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	if (d->server.down && m.n)
		return err_set(e, ERR_NET, "nobody answers");
	for (unsigned i = 0; i < m.n; i++, --*out_left)
		TRY(post(d, m.seq[i], e));
	return 0;
}

/* ---- the rest of the world ---- */

static ms_t clock_mono(void *self)
{
	struct simdev *d = self;

	return d->now - d->booted;
}

static ms_t clock_wall(void *self)
{
	struct simdev *d = self;

	return d->now + d->skew;
}

static uint64_t port_random(void *self)
{
	struct simdev *d = self;

	return prng_next(&d->random);
}

static void port_wake(void *self, ms_t mono)
{
	struct simdev *d = self;

	d->wake = mono;
}

static void port_tell(void *self, const char *line)
{
	struct simdev *d = self;

	snprintf(d->told, sizeof(d->told), "%s", line);
}

static void port_promise(void *self, const struct promise *p, const struct txn_id *txn UNUSED)
{
	struct simdev *d = self;

	d->promise = *p;
	d->promises++;
}

static struct stage_source port_source(
	void *self, struct stage_http *room UNUSED, const atomic_bool *cancel UNUSED)
{
	struct simdev *d = self;

	return stage_source_dir(&d->vendor->shelf);
}

static int port_smoke(void *self, unsigned slot, const struct release *r,
	const atomic_bool *cancel UNUSED, struct buf *out_log, struct err *e)
{
	struct simdev *d = self;
	const struct sim_release *is = simdev_content(d, slot);

	if (!is || strcmp(is->id.s, r->id.s) != 0)
		simdev_blame(
			d, "slot %s was sealed as %s and is not whole", slot_name(slot), r->id.s);
	buf_add_str(out_log, "golden: ran\n");
	if (is && is->fault == SIM_FAILS_SMOKE)
		return err_set(e, ERR_SMOKE_FAILED, "golden: exit 1");
	return 0;
}

/* As the real one: it goes on with what is remembered, and remembers from time to time. */
static int port_shadow(void *self, const struct shadow_ask *ask, struct buf *out_log, struct err *e)
{
	struct simdev *d = self;
	struct shadow_tally *t = &ask->board->tally;

	d->shadow.runs++;
	if (d->shadow.fails && d->shadow.fails--)
		return err_set(e, ERR_IO, "no process");
	shadow_book_load(ask->fs, &ask->txn, t);
	/* No machine runs on when its disk is gone. */
	TRY(shadow_book_save(ask->fs, &ask->txn, t, e));
	const struct sim_release *is = simdev_content(d, ask->slot);
	bool agrees = is && is->fault != SIM_DISAGREES;

	if (!is || strcmp(is->id.s, ask->release->id.s) != 0)
		simdev_blame(d, "slot %s is not whole and runs as %s", slot_name(ask->slot),
			ask->release->id.s);
	buf_add_str(out_log, "served\n");
	while (t->verdict == SHADOW_OPEN) {
		shadow_count(t, &(struct shadow_pair){.agrees = agrees || t->pairs % 10});
		shadow_eval(&ask->release->shadow, t);
		if (t->pairs % 100 == 50)
			TRY(shadow_book_save(ask->fs, &ask->txn, t, e));
	}
	return shadow_book_save(ask->fs, &ask->txn, t, e);
}

static void check(struct health_round *r, const char *name, bool required, bool ok)
{
	struct health_check *c = &r->v[r->n++];

	snprintf(c->name, sizeof(c->name), "%s", name);
	c->required = required;
	c->ok = ok;
	if (ok)
		return;
	snprintf(c->text, sizeof(c->text), "exit 1: no");
	buf_add_str(&c->output, "looked, no");
	r->failed += required;
}

static int port_health(void *self, unsigned slot UNUSED, const char *release UNUSED,
	const atomic_bool *cancel UNUSED, struct health_round *out, struct err *e UNUSED)
{
	struct simdev *d = self;

	check(out, "required.d/one", true, d->checks.fails == 0);
	check(out, "wanted.d/two", false, !d->checks.wanted_fails);
	d->checks.rounds++;
	d->checks.fails -= d->checks.fails > 0;
	return 0;
}

static const struct agent_world ports = {
	.executor = JOBS_INLINE,
	.clock = {clock_mono, clock_wall, NULL},
	.random = port_random,
	.wake = port_wake,
	.tell = port_tell,
	.promise = port_promise,
	.fetch = port_fetch,
	.send = port_send,
	.source = port_source,
	.smoke = port_smoke,
	.shadow = port_shadow,
	.start = port_start,
	.look = port_look,
	.log_tail = port_log_tail,
	.facts = port_facts,
	.lease = port_lease,
	.probe_open = port_probe_open,
	.probe_look = port_probe_look,
	.probe_close = port_probe_close,
};

/* ---- life ---- */

static void fill_conf(struct agent_conf *c)
{
	*c = (struct agent_conf){.device = {"dev-1", "board-9", ""},
		.server = {.url = "http://sim", .poll_interval = SEC(30)},
		.agent = {.boot = "symlink",
			.slots = "dir",
			.watch_interval = SEC(1),
			.lost = MINUTE(5),
			.report_interval = SEC(10),
			.quarantine = HOUR * 720},
		.service = {.probe_timeout = SEC(1)},
		.precond = {.look_interval = SEC(30)},
		.health = {.interval = SEC(3), .retry = SEC(1), .tries = 3}};
}

void simdev_init(struct simdev *d, struct fs *disk, struct sim_vendor *v, uint64_t seed)
{
	*d = (struct simdev){.disk = disk,
		.vendor = v,
		.random = {seed},
		.boot_id = 1,
		.now = EPOCH,
		.booted = EPOCH};
	d->work.slot = SLOT_NONE;
	fill_conf(&d->conf);
	guardfs_init(&d->guard, disk, judge, d);
}

void simdev_use_raw(struct simdev *d)
{
	char zeros[DEVICE_BYTES] = "";

	snprintf(d->conf.agent.slots, sizeof d->conf.agent.slots, "raw");
	snprintf(d->conf.slot.a, sizeof d->conf.slot.a, "/%s", device[0]);
	snprintf(d->conf.slot.b, sizeof d->conf.slot.b, "/%s", device[1]);
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		assert(fs_write_file(d->disk, device[i], zeros, sizeof zeros, 0600, NULL) == 0);
}

void simdev_adopt(struct simdev *d, struct fs *disk)
{
	d->disk = disk;
	guardfs_init(&d->guard, disk, judge, d);
}

void simdev_fini(struct simdev *d)
{
	simdev_stop_agent(d);
}

int simdev_start_agent(struct simdev *d, struct err *e)
{
	struct agent_world w = ports;

	w.fs = &d->guard.fs;
	w.devices = &d->guard.fs;
	w.boot_fs = d->loader ? &d->guard.fs : NULL;
	w.booted = d->loader ? d->from : SLOT_NONE;
	w.boot_id = d->boot_id;
	w.clock.self = d;
	w.self = d;
	w.health = d->checks.has ? port_health : NULL;
	w.measure = d->measure;
	w.send_telemetry = d->send_telemetry;
	w.shadow = d->shadow.cannot ? NULL : port_shadow;
	w.post = d->post;
	w.next_ack = d->next_ack;
	return agent_open(&d->conf, &w, &d->agent, e);
}

void simdev_stop_agent(struct simdev *d)
{
	agent_close(&d->agent);
}

void simdev_use_loader(struct simdev *d)
{
	d->from = simdev_active(d);
	d->loader = true;
	d->conf.agent.boot[0] = 0;
	strcat(d->conf.agent.boot, "grub");
	strcat(d->conf.boot.name_a, "A");
	strcat(d->conf.boot.name_b, "B");
}

/* A system that does not come up is ended by the dead-man, and the boot loader starts again. */
static void start_by_loader(struct simdev *d)
{
	const struct sim_release *r;
	unsigned starts = 0;

	do {
		d->from = loader_grub(d->disk);
		r = simdev_content(d, d->from);
	} while (r && r->fault == SIM_NO_BOOT && ++starts < STARTS_MAX);
	if (starts == STARTS_MAX)
		simdev_blame(d, "slot %s is started for ever", slot_name(d->from));
}

void simdev_power_up(struct simdev *d)
{
	d->now += SEC(10);
	d->booted = d->now;
	d->boot_id++;
	d->work.ended = 0;
	d->work.ready = 0;
	d->restarts = false;
	if (d->loader)
		start_by_loader(d);
	work_start(d);
}

void simdev_want(struct simdev *d, const struct sim_release *r, bool rollback)
{
	d->server.want = r;
	d->server.rollback = rollback;
	d->server.version++;
}

/* ---- laws 1 and 3, as they can be seen from outside ---- */

static void check_now(struct simdev *d)
{
	enum upd_state s = agent_state(d->agent);
	unsigned active = simdev_active(d), confirmed = simdev_confirmed(d);

	if (active != SLOT_NONE && !simdev_content(d, active))
		simdev_blame(d, "law 1: slot %s is active and not whole", slot_name(active));
	if ((s == UPD_COMMITTED || s == UPD_REVERTED || s == UPD_FAILED) && active != confirmed)
		simdev_blame(d, "law 3: %s, and active is %s, confirmed %s", upd_state_name(s),
			slot_name(active), slot_name(confirmed));
}

void simdev_check_marks(struct simdev *d)
{
	struct slots *slots;
	struct err e;

	if (slots_open(d->disk, d->conf.agent.slots, &slots, &e) < 0 ||
		slots_set_devices(slots, d->disk, device, &e) < 0) {
		simdev_blame(d, "the slots cannot be opened: %s", e.text);
		return;
	}
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		struct slot_view v;
		const struct sim_release *r = simdev_content(d, i);

		if (slots_driver(slots)->look(slots, i, &v, &e) < 0)
			simdev_blame(d, "slot %s cannot be looked at: %s", slot_name(i), e.text);
		else if (v.mark == SLOT_VALID && (!r || !sha256_eq(&r->digest, &v.document)))
			simdev_blame(d, "slot %s is marked valid for %s and is not whole",
				slot_name(i), v.release.s);
	}
	slots_close(&slots);
}

void simdev_check_rest(struct simdev *d)
{
	unsigned active = simdev_active(d), confirmed = simdev_confirmed(d);

	if (agent_state(d->agent) != UPD_IDLE)
		simdev_blame(d, "came to rest in %s", upd_state_name(agent_state(d->agent)));
	if (active != confirmed)
		simdev_blame(d, "at rest active is %s, confirmed %s", slot_name(active),
			slot_name(confirmed));
	if (active == SLOT_NONE)
		return;
	/* One that is being started gets its time. */
	d->now = MAX(d->now, d->work.ready);
	if (!d->work.alive)
		work_start(d);
	if (!simdev_content(d, active))
		simdev_blame(d, "at rest slot %s is not whole", slot_name(active));
	if (!d->work.alive || d->work.slot != active)
		simdev_blame(
			d, "at rest the workload does not run from slot %s", slot_name(active));
}

/* The machine goes down in order and comes up again. False: it has no power, or no agent. */
static bool come_back(struct simdev *d)
{
	struct err e;

	simdev_stop_agent(d);
	simdev_power_up(d);
	for (unsigned i = 0; i < STARTS_MAX && has_power(d); i++)
		if (simdev_start_agent(d, &e) == 0)
			return true;
	return false;
}

void simdev_run(
	struct simdev *d, bool (*until)(const struct simdev *), bool (*lost)(void *ctx), void *ctx)
{
	ms_t end = d->now + HOUR;

	for (unsigned i = 0; i < TOO_MUCH && d->now < end && !d->violation[0]; i++) {
		agent_run(d->agent);
		if (lost && lost(ctx))
			return;
		if (d->restarts && !come_back(d))
			return;
		check_now(d);
		if (until && until(d))
			return;
		if (!until && agent_is_settled(d->agent) && agent_trouble(d->agent, NULL) == 0)
			return;
		d->now = MAX(d->now + 1, d->booted + d->wake);
	}
	simdev_blame(d, "does not come to rest: %s", upd_state_name(agent_state(d->agent)));
}
