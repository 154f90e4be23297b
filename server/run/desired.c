#include "server/run/desired.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/log.h"
#include "server/repo/device_meta.h"
#include "server/repo/releases.h"
#include "server/run/imagerepo.h"
#include "server/run/meta_name.h"
#include "server/run/run_priv.h"

/* One device's files on their way to be signed. */
struct signing {
	struct run *r;
	struct device_row d;
	struct meta_row targets, snapshot, timestamp; /* as stored; version 0: not yet */
};

static void signing_fini(struct signing *s)
{
	meta_row_fini(&s->targets);
	meta_row_fini(&s->snapshot);
	meta_row_fini(&s->timestamp);
}

static int get(struct signing *s, const char *role, struct meta_row *out, struct err *e)
{
	int rc = device_meta_get(s->r->c.db, s->d.id.s, role, out, e);

	if (rc != -ERR_NOT_FOUND)
		return rc;
	*out = (struct meta_row){0};
	return 0;
}

/* The next version of a file in place of the present one. */
static struct repo_head begin_file(struct signing *s, struct meta_row *m, ms_t life)
{
	int64_t now = run_now_s(s->r);
	uint64_t version = m->version + 1;

	meta_row_fini(m);
	*m = (struct meta_row){
		.version = version,
		.expires_s = now + life / 1000,
		.refresh_s = now + life / 2000,
	};
	return (struct repo_head){m->version, m->expires_s};
}

static enum desired_order order_of(const struct desired_row *d)
{
	for (enum desired_order o = 0; o < DESIRED_ORDER_MAX; o++)
		if (strcmp(d->order, desired_order_name(o)) == 0)
			return o;
	return DESIRED_NOTHING;
}

/* The image repository as it is now: a device that is shown an older one refuses it. */
static int plan_with(struct run *r, struct repo_plan *out, struct err *e)
{
	META_ROW_AUTO root = {0}, snapshot = {0};

	TRY(metadata_get(r->c.db, REPO_IMAGE, "root", 0, &root, e));
	TRY(metadata_get(r->c.db, REPO_IMAGE, "snapshot", 0, &snapshot, e));
	*out = (struct repo_plan){.image_root = root.version, .image_snapshot = snapshot.version};
	return 0;
}

/* The entry as the image repository has it: both must agree. */
static int sign_targets(struct signing *s, struct repo_head head, struct err *e)
{
	const struct desired_row *want = &s->d.desired;
	struct signer *signer = s->r->c.signer;
	RELEASE_ROW_AUTO release = {0};
	JSON_AUTO *match = NULL;
	struct repo_plan plan;
	struct target t = {0};

	TRY(plan_with(s->r, &plan, e));
	if (!*want->path)
		return signer_director_targets(signer, head, &s->d.id, &want->campaign,
			DESIRED_NOTHING, NULL, &plan, &s->targets.bytes, e);
	TRY(releases_get(s->r->c.db, want->path, &release, e));
	TRY(json_read(buf_str(&release.match), release.match.n, &match, e));
	snprintf(t.path, sizeof t.path, "%s", want->path);
	t.length = release.length;
	t.hash = release.digest;
	t.match = match;
	return signer_director_targets(signer, head, &s->d.id, &want->campaign, order_of(want), &t,
		&plan, &s->targets.bytes, e);
}

/* The file's version is the desired state's; one that only gets old makes that grow, too. */
static int renew_targets(struct signing *s, struct err *e)
{
	struct repo_head head;

	if (s->d.desired.version <= s->targets.version) {
		s->d.desired.version = s->targets.version + 1;
		TRY(devices_put(s->r->c.db, &s->d, e));
	}
	s->targets.version = s->d.desired.version - 1;
	head = begin_file(s, &s->targets, s->r->c.director_life);
	TRY(sign_targets(s, head, e));
	return device_meta_put(s->r->c.db, s->d.id.s, "targets", &s->targets, e);
}

static int renew_snapshot(struct signing *s, struct err *e)
{
	struct repo_head head = begin_file(s, &s->snapshot, s->r->c.director_life);
	struct repo_pin pin;

	repo_pin_of("targets.json", s->targets.version, buf_str(&s->targets.bytes), &pin);
	s->snapshot.refresh_s = MIN(s->snapshot.refresh_s, s->targets.refresh_s);
	TRY(signer_director_snapshot(s->r->c.signer, head, &pin, &s->snapshot.bytes, e));
	return device_meta_put(s->r->c.db, s->d.id.s, "snapshot", &s->snapshot, e);
}

static int renew_timestamp(struct signing *s, struct err *e)
{
	struct repo_head head = begin_file(s, &s->timestamp, s->r->c.timestamp_life);
	struct repo_pin pin;

	repo_pin_of("snapshot.json", s->snapshot.version, buf_str(&s->snapshot.bytes), &pin);
	s->timestamp.refresh_s = MIN(s->timestamp.refresh_s, s->snapshot.refresh_s);
	TRY(signer_director_timestamp(s->r->c.signer, head, &pin, &s->timestamp.bytes, e));
	return device_meta_put(s->r->c.db, s->d.id.s, "timestamp", &s->timestamp, e);
}

static int renew(struct signing *s, const char *device, struct err *e)
{
	int64_t now = run_now_s(s->r);
	bool targets_too, snapshot_too;

	TRY(devices_get(s->r->c.db, device, &s->d, e));
	TRY(get(s, "targets", &s->targets, e));
	TRY(get(s, "snapshot", &s->snapshot, e));
	TRY(get(s, "timestamp", &s->timestamp, e));
	targets_too = s->targets.version != s->d.desired.version || s->targets.refresh_s <= now;
	snapshot_too = targets_too || s->snapshot.refresh_s <= now;
	if (targets_too)
		TRY(renew_targets(s, e));
	if (snapshot_too)
		TRY(renew_snapshot(s, e));
	return renew_timestamp(s, e);
}

int desired_sign(struct run *r, const char *device, struct err *e)
{
	struct signing s CLEANUP(signing_fini) = {.r = r};

	TRY(run_begin(r, e));
	TRY(run_end(r, renew(&s, device, e), e));
	log_ev(LOG_ID_SIGNED, "repo=director device=%s version=%llu release=%s", device,
		(unsigned long long)s.targets.version, *s.d.desired.path ? s.d.desired.path : "-");
	return 0;
}

int desired_file(
	struct run *r, const char *device, struct str name, struct meta_row *out, struct err *e)
{
	struct meta_row m;
	struct meta_name n;

	TRY(meta_name_parse(name, &n, e));
	if (strcmp(n.role, "root") == 0)
		return metadata_get(r->c.db, REPO_DIRECTOR, "root", n.version, out, e);
	TRY(device_meta_get(r->c.db, device, n.role, &m, e));
	if (n.version && n.version != m.version) {
		meta_row_fini(&m);
		return err_set(e, ERR_NOT_FOUND, "%s: version %llu is not the present one", n.role,
			(unsigned long long)n.version);
	}
	*out = m;
	return 0;
}

/* A clock that was set back must not make devices refuse what they are told. */
static int64_t time_to_say(struct run *r)
{
	r->time_said = MAX(r->time_said, run_now_s(r));
	return r->time_said;
}

int desired_time(
	struct run *r, const char *device, const char *nonce, struct buf *out, struct err *e)
{
	META_ROW_AUTO timestamp = {0};
	struct timetoken t = {0};

	TRY(device_meta_get(r->c.db, device, "timestamp", &timestamp, e));
	snprintf(t.device.s, sizeof t.device.s, "%s", device);
	snprintf(t.nonce, sizeof t.nonce, "%s", nonce);
	t.time_s = time_to_say(r);
	t.timestamp = timestamp.version;
	return signer_time(r->c.signer, &t, out, e);
}
