#include "tests/lib/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/log.h"
#include "proto/trust/verify.h"
#include "server/repo/events.h"
#include "server/repo/metadata.h"
#include "server/run/admit.h"
#include "server/run/artifact.h"
#include "server/run/campaign.h"
#include "server/run/desired.h"
#include "server/run/imagerepo.h"
#include "server/run/intake.h"
#include "server/run/publish.h"
#include "tests/lib/expect.h"

#define START ((ms_t)1790000000000)

/* ---- the server ---- */

/* The signer's clock goes along. */
static ms_t wall(void *self)
{
	struct fleet *f = self;

	*f->signing.now = f->now;
	return f->now;
}

static void open_run(struct fleet *f)
{
	struct err e;

	f->conf = (struct run_conf){
		.db = &f->db,
		.signer = f->signer,
		.clock = &f->clock,
		.artifacts = "artifacts",
		.director_life = SEC(7 * 86400),
		.timestamp_life = SEC(86400),
		.snapshot_life = SEC(7 * 86400),
	};
	expect_ok(run_open(&f->conf, &f->run, &e), &e);
	expect_ok(imagerepo_import(f->run, "keys/repo", &e), &e);
}

static void open_store(struct fleet *f)
{
	struct err e;

	expect_ok(db_sqlite_open("store.db", &f->store, &e), &e);
	db_fault_open(&f->fault, &f->store, &f->db);
	f->fault.fail_at = 0;
}

static void clear_folder(void)
{
	const char *how = access("kept", F_OK) == 0
				  ? "rm -rf store.db* artifacts signed signer && cp -r kept/* ."
				  : "rm -rf store.db* artifacts signed signer && mkdir artifacts";

	if (system(how) != 0)
		fail_msg("cannot clear the folder");
}

void fleet_keep(struct fleet *f)
{
	fleet_close(f);
	if (system("rm -rf kept && mkdir kept && cp -r store.db artifacts signed signer kept") != 0)
		fail_msg("cannot keep the folder");
}

void fleet_open(struct fleet *f)
{
	memset(f, 0, sizeof *f);
	log_init("test", LOG_FORM_TEXT, LOG_ERR);
	f->now = START;
	f->clock = (struct clock){wall, wall, f};
	clear_folder();
	paper_folder(START / 1000);
	signproc_start(&f->signing, f->now, &f->signer);
	open_store(f);
	open_run(f);
}

void fleet_close(struct fleet *f)
{
	run_close(&f->run);
	db_close(&f->db);
	db_close(&f->store);
	signer_close(&f->signer);
	signproc_stop(&f->signing);
}

void fleet_restart(struct fleet *f)
{
	run_close(&f->run);
	db_close(&f->db);
	db_close(&f->store);
	open_store(f);
	open_run(f);
}

void fleet_pass(struct fleet *f, ms_t span)
{
	struct err e;

	f->now += span;
	expect_ok(run_tick(f->run, &e), &e);
}

/* ---- releases ---- */

void fleet_publish_in(struct fleet *f, const struct paper *p, struct publish_in *out)
{
	struct err e;
	FILE *file = fopen("upload", "w");

	assert_non_null(file);
	fwrite(p->artifact.p, 1, p->artifact.n, file);
	fclose(file);
	expect_ok(artifact_put(f->conf.artifacts, &p->artifact_digest, "upload", &e), &e);
	memset(out, 0, sizeof *out);
	snprintf(out->path, sizeof out->path, "%s", p->path);
	snprintf(out->who, sizeof out->who, "ann");
	out->document = buf_str(&p->document);
	for (size_t i = 0; i < PAPER_ROLES; i++) {
		snprintf(out->roles[i].role, sizeof out->roles[i].role, "%s", paper_roles[i]);
		out->roles[i].bytes = buf_str(&p->roles[i]);
	}
	out->n_roles = PAPER_ROLES;
}

void fleet_release(struct fleet *f, const char *id, uint64_t counter, const char *back_to)
{
	struct paper paper CLEANUP(paper_fini);
	struct publish_in in;
	struct sha256 digest;
	struct err e;
	bool is_new;

	paper_sign(id, counter, back_to, f->now / 1000, &paper);
	fleet_publish_in(f, &paper, &in);
	expect_ok(publish_release(f->run, &in, &digest, &is_new, &e), &e);
	assert_true(is_new);
}

/* ---- devices ---- */

static void fill_report(const struct fleet *f, const struct fleet_device *d, struct report *r)
{
	report_init(r);
	r->seq = d->seq;
	r->at = f->now;
	snprintf(r->agent, sizeof r->agent, "test");
	snprintf(r->hardware, sizeof r->hardware, "edge");
	if (d->labels)
		snprintf(r->labels, sizeof r->labels, "%s", d->labels);
	r->running = d->running;
	r->running_digest = d->running_digest;
	snprintf(r->slot, sizeof r->slot, "a");
	snprintf(r->state, sizeof r->state, "%s", d->state);
	r->campaign = d->desired.campaign;
	r->target = d->target;
	r->target_digest = d->desired.hash;
	r->director_version = d->desired.director_version;
}

int fleet_report(struct fleet *f, struct fleet_device *d, enum report_kind kind, enum err_code code,
	struct err *e)
{
	BUF_AUTO body = {0};
	struct report r;
	bool duplicate;

	d->seq++;
	fill_report(f, d, &r);
	r.kind = kind;
	r.code = code;
	snprintf(r.text, sizeof r.text, "%s", err_text(code));
	report_encode(&r, &body);
	return intake_report(f->run, d->id, &r, buf_str(&body), &duplicate, e);
}

void fleet_device(struct fleet *f, struct fleet_device *d, const char *id, const char *running)
{
	struct dev_id own; /* `id` may be the device's own */
	struct err e;

	expect_ok(id_parse(str_of(id), "device", own.s, &e), &e);
	*d = (struct fleet_device){.seq = 0};
	memcpy(d->id, own.s, sizeof d->id);
	snprintf(d->running.s, sizeof d->running.s, "%s", running);
	paper_digest(running, &d->running_digest);
	d->state = "idle";
	expect_ok(fleet_report(f, d, REPORT_HELLO, ERR_OK, &e), &e);
}

void fleet_lanes(struct fleet *f, struct fleet_device *d, unsigned n, const char *running)
{
	char id[ID_TEXT_MAX];

	for (unsigned i = 0; i < n; i++) {
		snprintf(id, sizeof id, "lane-%u", i);
		fleet_device(f, &d[i], id, running);
	}
}

static void get_file(struct fleet *f, const char *device, const char *file, struct buf *out)
{
	META_ROW_AUTO m = {0};
	struct err e;

	if (*device)
		expect_ok(desired_file(f->run, device, str_of(file), &m, &e), &e);
	else
		expect_ok(imagerepo_file(f->run, REPO_IMAGE, str_of(file), &m, &e), &e);
	buf_clear(out);
	buf_add(out, m.bytes.p, m.bytes.n);
}

/* As agent/net/desired.c does it, from a device that has nothing but the first roots. */
static void refresh(struct fleet *f, const char *device, struct trusted_set *t)
{
	BUF_AUTO bytes = {0};
	char file[96];
	bool changed;
	struct err e;

	trusted_init(t, f->now / 1000);
	get_file(f, device, "1.root.json", &bytes);
	expect_ok(trusted_load_root(t, buf_str(&bytes), &e), &e);
	expect_ok(trusted_roots_done(t, &e), &e);
	get_file(f, device, "timestamp.json", &bytes);
	expect_ok(trusted_timestamp(t, buf_str(&bytes), &changed, &e), &e);
	snprintf(file, sizeof file, "%llu.snapshot.json",
		(unsigned long long)json_integer_value(json_object_get(
			json_object_get(
				json_object_get(t->timestamp.signed_part, "meta"), "snapshot.json"),
			"version")));
	get_file(f, device, file, &bytes);
	expect_ok(trusted_snapshot(t, buf_str(&bytes), &e), &e);
	get_file(f, device, "targets.json", &bytes);
	expect_ok(trusted_targets(t, buf_str(&bytes), &e), &e);
	for (size_t i = 0; !*device && i < PAPER_ROLES; i++) {
		snprintf(file, sizeof file, "%s.json", paper_roles[i]);
		get_file(f, "", file, &bytes);
		expect_ok(trusted_delegated(t, paper_roles[i], buf_str(&bytes), &e), &e);
	}
}

static void verify(struct fleet *f, struct fleet_device *d)
{
	struct trusted_set director CLEANUP(trusted_fini), image CLEANUP(trusted_fini);
	struct device_facts facts = {.running = d->running_digest};
	struct err e;
	const char *slash;

	snprintf(facts.device.s, sizeof facts.device.s, "%s", d->id);
	snprintf(facts.hardware, sizeof facts.hardware, "edge");
	refresh(f, d->id, &director);
	refresh(f, "", &image);
	expect_ok(director_read(&director, &facts, &d->desired, &e), &e);
	expect_ok(director_agree(&director, &image, &facts, &d->desired, &e), &e);
	memset(&d->target, 0, sizeof d->target);
	slash = strchr(d->desired.path, '/');
	if (slash)
		snprintf(d->target.s, sizeof d->target.s, "%.*s", (int)strcspn(slash + 1, "."),
			slash + 1);
}

bool fleet_poll(struct fleet *f, struct fleet_device *d)
{
	char etag[80];
	struct err e;

	expect_ok(admit_poll(f->run, d->id, d->etag, etag, &e), &e);
	if (strcmp(etag, d->etag) == 0)
		return false;
	snprintf(d->etag, sizeof d->etag, "%s", etag);
	verify(f, d);
	return d->desired.order != DESIRED_NOTHING &&
	       !sha256_eq(&d->desired.hash, &d->running_digest);
}

bool fleet_update(struct fleet *f, struct fleet_device *d, const char *outcome)
{
	bool good = strcmp(outcome, "committed") == 0;
	struct err e;

	if (!fleet_poll(f, d))
		return false;
	d->state = "staging";
	expect_ok(fleet_report(f, d, REPORT_STATE, ERR_OK, &e), &e);
	d->state = outcome;
	if (good) {
		d->running = d->target;
		d->running_digest = d->desired.hash;
	}
	expect_ok(fleet_report(f, d, REPORT_OUTCOME, good ? ERR_OK : ERR_TRIGGERED, &e), &e);
	return true;
}

/* ---- campaigns ---- */

void fleet_campaign(struct fleet *f, const char *id, const char *release, const char *waves,
	unsigned max_failures)
{
	struct campaign_new in = {.who = "ann"};
	JSON_AUTO *selector = json_pack("{s:b}", "all", 1);
	BUF_AUTO policy = {0};
	struct err e;
	bool is_new;

	snprintf(in.id.s, sizeof in.id.s, "%s", id);
	snprintf(in.release, sizeof in.release, "%s", release);
	in.selector = selector;
	buf_addf(&policy,
		"{\"format\": 1, \"name\": \"p\", \"max_failures\": %u, \"silence_ms\": 600000,"
		" \"waves\": %s}",
		max_failures, waves);
	expect_ok(policy_parse(buf_str(&policy), &in.policy, &e), &e);
	expect_ok(campaign_create(f->run, &in, &is_new, &e), &e);
}

void fleet_order(struct fleet *f, const char *campaign, enum wave_ev_kind order)
{
	struct err e;

	expect_ok(campaign_order(f->run, campaign, order, "ann", "because", &e), &e);
}

static void get_campaign(struct fleet *f, const char *campaign, struct campaign_row *out)
{
	struct err e;

	expect_ok(campaigns_get(&f->store, campaign, out, &e), &e);
}

enum wave_phase fleet_phase(struct fleet *f, const char *campaign)
{
	CAMPAIGN_ROW_AUTO c = {0};

	get_campaign(f, campaign, &c);
	return c.wave.phase;
}

static void get_recipient(
	struct fleet *f, const char *campaign, const char *device, struct recipient_row *out)
{
	struct err e;

	expect_ok(recipients_get(&f->store, campaign, device, out, &e), &e);
}

enum recipient_state fleet_state(struct fleet *f, const char *campaign, const char *device)
{
	struct recipient_row rec;

	get_recipient(f, campaign, device, &rec);
	return rec.state;
}

uint32_t fleet_position(struct fleet *f, const char *campaign, const char *device)
{
	struct recipient_row rec;

	get_recipient(f, campaign, device, &rec);
	return rec.position;
}

struct replay {
	struct campaign_row c;
	struct wave_state s;
};

static int replay_one(void *ctx, uint64_t rev UNUSED, const struct wave_event *ev, struct err *e)
{
	struct replay *r = ctx;
	struct wave_acts acts;

	return wave_step(&r->c.policy, &r->s, ev, &r->s, &acts, e);
}

void fleet_check(struct fleet *f, const char *campaign)
{
	struct replay r = {.s = {.rev = 0}};
	struct wave_counts counts;
	struct err e;

	wave_init(&r.s);
	get_campaign(f, campaign, &r.c);
	expect_ok(events_each(&f->store, campaign, 0, UINT32_MAX, replay_one, &r, &e), &e);
	assert_memory_equal(&r.s, &r.c.wave, sizeof r.s);
	expect_ok(recipients_count(&f->store, campaign, 0, UINT32_MAX, &counts, &e), &e);
	assert_memory_equal(&counts, &r.c.wave.all, sizeof counts);
	campaign_row_fini(&r.c);
}

static const char *const dump_queries[] = {
	"SELECT quote(id) || quote(running) || quote(state) || quote(seq) || quote(epoch) ||"
	" quote(desired_path) || quote(desired_order) || quote(director_version) ||"
	" quote(campaign) || quote(ordered_back) FROM devices ORDER BY id",
	"SELECT quote(device) || quote(epoch) || quote(seq) || quote(kind) FROM reports ORDER BY n",
	"SELECT quote(path) || quote(hex(digest)) FROM releases ORDER BY path",
	"SELECT quote(device) || quote(epoch) || quote(seq) FROM tele_epochs"
	" ORDER BY device, epoch",
	"SELECT quote(device) || quote(seq) || quote(body) FROM tele_windows ORDER BY n",
	"SELECT quote(device) || quote(seq) || quote(body) FROM tele_events ORDER BY n",
	"SELECT quote(release) || part || key || layer || span_ms || quote(data) FROM aggregates"
	" ORDER BY release, part, key, layer, span_ms, at_ms",
	/* without their bytes: no two signatures are the same */
	"SELECT quote(repo) || quote(role) || quote(version) || quote(refresh_s) FROM metadata"
	" ORDER BY repo, role, version",
	"SELECT quote(device) || quote(role) || quote(version) || quote(refresh_s) FROM director"
	" ORDER BY device, role",
	"SELECT quote(id) || quote(rev) || quote(phase) || quote(counts) FROM campaigns ORDER BY id",
	"SELECT quote(campaign) || quote(device) || quote(position) || quote(state) ||"
	" quote(deadline_ms) || quote(before_path) FROM recipients ORDER BY campaign, device",
	"SELECT quote(campaign) || quote(device) || quote(verdict) FROM excluded"
	" ORDER BY campaign, device",
	"SELECT quote(campaign) || quote(rev) || quote(kind) || quote(who) FROM events"
	" ORDER BY campaign, rev",
	"SELECT quote(n) || quote(who) || quote(what) || quote(text) FROM audit ORDER BY n",
};

void fleet_dump(struct fleet *f, struct buf *out)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(dump_queries); i++) {
		DB_ROWS_AUTO rows = {0};

		expect_ok(db_query(&f->store, dump_queries[i], DB_NO_ARGS, &rows, &e), &e);
		while (db_next(&rows, &e) > 0) {
			struct str s = db_col_str(&rows, 0);

			buf_add(out, s.p, s.n);
			buf_add_char(out, '\n');
		}
	}
}
