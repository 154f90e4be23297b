#include "server/run/desired.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/log.h"
#include "server/repo/device_meta.h"
#include "server/run/meta_name.h"
#include "server/run/run_priv.h"

/* One device's files on their way to be signed. */
struct signing {
	struct run *r;
	struct device_row d;
	struct meta_row stored[SIGN_FILE_MAX]; /* version 0: not yet */
	struct reply *reply;
	ms_t carried; /* life of files that are to be carried; 0: they are served */
};

static void signing_fini(struct signing *s)
{
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		meta_row_fini(&s->stored[f]);
	if (s->reply)
		reply_fini(s->reply);
	mem_free(&s->reply);
}

static int load(struct signing *s, const char *device, struct err *e)
{
	TRY(devices_get(s->r->c.db, device, &s->d, e));
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
		int rc = device_meta_get(s->r->c.db, device, sign_file_name(f), &s->stored[f], e);

		if (rc < 0 && rc != -ERR_NOT_FOUND)
			return rc;
	}
	return 0;
}

static enum desired_order order_of(const struct desired_row *d)
{
	for (enum desired_order o = 0; o < DESIRED_ORDER_MAX; o++)
		if (strcmp(d->order, desired_order_name(o)) == 0)
			return o;
	return DESIRED_NOTHING;
}

/* What is about an older desired state, or is getting old, is due; and whatever pins that. */
static void want_files(const struct signing *s, struct sign_want out[SIGN_FILE_MAX])
{
	bool due = s->carried || s->stored[SIGN_TARGETS].version != s->d.desired.version;

	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
		due = due || f == SIGN_TIMESTAMP || s->stored[f].refresh_s <= run_now_s(s->r);
		out[f] = (struct sign_want){s->stored[f].version, due};
	}
}

/* Versions and what the image repository says of the release are the signer's business. */
static struct ask_director question(const struct signing *s)
{
	const struct desired_row *want = &s->d.desired;
	struct ask_director a = {
		.device = s->d.id,
		.campaign = want->campaign,
		.order = *want->path ? order_of(want) : DESIRED_NOTHING,
		.life_s = (uint64_t)(s->carried ? s->carried : s->r->c.director_life) / 1000,
		.timestamp_life_s =
			(uint64_t)(s->carried ? s->carried : s->r->c.timestamp_life) / 1000,
		.offline = s->carried != 0,
	};

	if (*want->path) {
		snprintf(a.path, sizeof a.path, "%s", want->path);
		a.digest = want->digest;
	}
	want_files(s, a.want);
	return a;
}

static int store_file(struct signing *s, enum sign_file f, int64_t refresh_s, struct err *e)
{
	struct signed_file *made = &s->reply->files[f];
	struct meta_row *m = &s->stored[f];

	meta_row_fini(m);
	*m = (struct meta_row){
		.version = made->version,
		.expires_s = made->expires_s,
		.refresh_s = refresh_s,
		.bytes = made->bytes,
	};
	made->bytes = (struct buf){0};
	return device_meta_put(s->r->c.db, s->d.id.s, sign_file_name(f), m, e);
}

/* Half of its life, and never later than what it pins; what is carried is at once due again. */
static int store_files(struct signing *s, struct err *e)
{
	int64_t now = run_now_s(s->r), refresh_s = s->carried ? now : INT64_MAX;

	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
		const struct signed_file *made = &s->reply->files[f];
		bool is_stored = s->stored[f].version == made->version;
		int64_t own =
			is_stored ? s->stored[f].refresh_s : now + (made->expires_s - now) / 2;

		refresh_s = MIN(refresh_s, own);
		if (!is_stored)
			TRY(store_file(s, f, refresh_s, e));
	}
	return 0;
}

/* The desired state's version is that of the file which says it. */
static int renew(struct signing *s, const char *device, struct err *e)
{
	struct ask_director ask;

	TRY(load(s, device, e));
	ask = question(s);
	s->reply = mem_new(sizeof *s->reply);
	s->reply->n = 0;
	TRY(signer_director(s->r->c.signer, &ask, s->reply, e));
	if (s->d.desired.version != s->reply->files[SIGN_TARGETS].version) {
		s->d.desired.version = s->reply->files[SIGN_TARGETS].version;
		TRY(devices_put(s->r->c.db, &s->d, e));
	}
	return store_files(s, e);
}

int desired_renew(struct run *r, const char *device, struct err *e)
{
	struct signing s CLEANUP(signing_fini) = {.r = r};

	return renew(&s, device, e);
}

int desired_sign(struct run *r, const char *device, struct err *e)
{
	struct signing s CLEANUP(signing_fini) = {.r = r};

	TRY(run_begin(r, e));
	TRY(run_end(r, renew(&s, device, e), e));
	log_ev(LOG_ID_SIGNED, "repo=director device=%s version=%llu release=%s", device,
		(unsigned long long)s.d.desired.version,
		*s.d.desired.path ? s.d.desired.path : "-");
	return 0;
}

int desired_sign_carried(
	struct run *r, const char *device, ms_t life, struct desired_files *out, struct err *e)
{
	struct signing s CLEANUP(signing_fini) = {.r = r, .carried = life};

	TRY(renew(&s, device, e));
	out->d = s.d;
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
		out->file[f] = s.stored[f];
		s.stored[f] = (struct meta_row){0};
	}
	return 0;
}

void desired_files_fini(struct desired_files *f)
{
	for (enum sign_file i = 0; i < SIGN_FILE_MAX; i++)
		meta_row_fini(&f->file[i]);
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

int desired_time(
	struct run *r, const char *device, const char *nonce, struct buf *out, struct err *e)
{
	struct dev_id id;

	snprintf(id.s, sizeof id.s, "%s", device);
	return signer_time(r->c.signer, &id, nonce, out, e);
}
