#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "agent/net/desired_priv.h"
#include "lib/sys/clock.h"

void desired_repo_init(struct desired_repo *r, const struct desired_in *in,
	struct desired_time *time, bool is_director)
{
	memset(r, 0, sizeof *r);
	r->in = in;
	r->time = time;
	r->is_director = is_director;
	r->name = is_director ? "director" : "image";
	r->dir = is_director ? "trust/director" : "trust/image";
	if (in->http && is_director)
		snprintf(r->url, sizeof r->url, "%s/director/%s", in->server, in->facts.device.s);
	else if (in->http)
		snprintf(r->url, sizeof r->url, "%s/image", in->server);
	trusted_init(&r->set, timebase_eval(&time->base));
}

void desired_repo_fini(struct desired_repo *r)
{
	trusted_fini(&r->set);
	buf_fini(&r->stored);
	buf_fini(&r->timestamp);
	for (unsigned i = 0; i < r->n_files; i++)
		buf_fini(&r->file[i].bytes);
	r->n_files = 0;
}

/* ---- where bytes come from ---- */

/* A director's file of one device is small. */
static size_t bound(const struct desired_repo *r, size_t max)
{
	return r->is_director ? MIN(max, LIMIT_DIRECTOR_BYTES) : max;
}

int desired_repo_from_store(
	struct desired_repo *r, const char *name, size_t max, struct buf *out, struct err *e)
{
	if (desired_store_load(r->in->fs, r->dir, name, bound(r, max), out, e) < 0)
		return err_wrap(e, "%s: %s", r->name, name);
	return 0;
}

/* What all questions together may take, whoever answers a little at a time. */
static int spend(const struct desired_repo *r, struct http_conf *io, struct err *e)
{
	ms_t left;

	if (!r->until)
		return 0;
	left = r->until - clock_system.mono(clock_system.self);
	if (left <= 0)
		return err_set(e, ERR_TIMEOUT, "asking took longer than %lld ms in all",
			(long long)r->in->budget);
	if (!io->total_timeout || io->total_timeout > left)
		io->total_timeout = left;
	return 0;
}

int desired_repo_ask(struct desired_repo *r, const char *name, const char *etag, size_t max,
	struct http_answer *out, struct err *e)
{
	char url[sizeof r->url + DESIRED_FILE_NAME];
	struct http_conf conf = *r->in->http;

	snprintf(url, sizeof url, "%s/%s", r->url, name);
	if (spend(r, &conf, e) < 0 ||
		http_get(&conf, url, etag, bound(r, max), r->in->cancel, out, e) < 0)
		return err_wrap(e, "%s: %s", r->name, name);
	r->retry_after = MAX(r->retry_after, out->retry_after);
	return 0;
}

int desired_repo_check(
	struct desired_repo *r, const char *name, const struct http_answer *a, struct err *e)
{
	char what[DESIRED_FILE_NAME + 16];
	int rc;

	snprintf(what, sizeof what, "%s: %s", r->name, name);
	rc = http_check(a, what, e);
	r->turned_away = rc < 0;
	return rc;
}

int desired_repo_get(
	struct desired_repo *r, const char *name, size_t max, struct buf *out, struct err *e)
{
	struct http_answer a = {0};
	int rc;

	TRY(desired_repo_ask(r, name, NULL, max, &a, e));
	rc = desired_repo_check(r, name, &a, e);
	if (rc == 0)
		buf_add(out, a.body.p, a.body.n);
	http_answer_fini(&a);
	return rc;
}

int desired_repo_refuse(struct desired_repo *r, const char *name, struct err *e)
{
	return err_wrap(e, "%s: %s", r->name, name);
}

/* ---- what an earlier refresh left ---- */

/* The name of a pinned file; false when nothing pins it. */
static bool pinned_name(struct desired_repo *r, const char *file, char out[DESIRED_FILE_NAME],
	size_t *out_max, struct err *e)
{
	struct meta_pin pin;

	if (trusted_want(&r->set, file, &pin, out_max, e) < 0)
		return false;
	snprintf(out, DESIRED_FILE_NAME, "%llu.%s", (unsigned long long)pin.version, file);
	return true;
}

static void load_pinned(struct desired_repo *r, const char *file, enum role_kind kind)
{
	char name[DESIRED_FILE_NAME];
	BUF_AUTO bytes = {0};
	struct err why;
	size_t max;

	if (pinned_name(r, file, name, &max, &why) &&
		desired_repo_from_store(r, name, max, &bytes, &why) == 0)
		trusted_load_stored(&r->set, kind, buf_str(&bytes));
}

void desired_repo_load_stored(struct desired_repo *r)
{
	struct err why;

	buf_clear(&r->stored);
	if (desired_repo_from_store(r, "timestamp.json", LIMIT_TIMESTAMP_BYTES, &r->stored, &why) <
		0)
		return;
	trusted_load_stored(&r->set, ROLE_TIMESTAMP, buf_str(&r->stored));
	load_pinned(r, "snapshot.json", ROLE_SNAPSHOT);
	load_pinned(r, "targets.json", ROLE_TARGETS);
}

/* ---- pinned files ---- */

typedef int accept_f(struct desired_repo *r, const char *role, struct str bytes, struct err *e);

static int accept_snapshot(
	struct desired_repo *r, const char *role, struct str bytes, struct err *e)
{
	(void)role;
	return trusted_snapshot(&r->set, bytes, e);
}

static int accept_targets(struct desired_repo *r, const char *role, struct str bytes, struct err *e)
{
	(void)role;
	return trusted_targets(&r->set, bytes, e);
}

static int accept_role(struct desired_repo *r, const char *role, struct str bytes, struct err *e)
{
	return trusted_delegated(&r->set, role, bytes, e);
}

/* The stored copy if it is the pinned one, else the server's. */
static int bring(struct desired_repo *r, const char *role, accept_f *accept, struct err *e)
{
	char file[LIMIT_ROLE_NAME + 8];
	struct desired_file *f = &r->file[r->n_files];
	struct err why;
	size_t max;

	assert(r->n_files < ARRAY_LEN(r->file));
	snprintf(file, sizeof file, "%s.json", role);
	if (!pinned_name(r, file, f->name, &max, e))
		return desired_repo_refuse(r, file, e);
	r->n_files++; /* its bytes are freed with the rest from now on */
	if (desired_repo_from_store(r, f->name, max, &f->bytes, &why) == 0 &&
		accept(r, role, buf_str(&f->bytes), &why) == 0)
		return 0;
	if (!r->in->http)
		return err_copy(e, &why);
	buf_clear(&f->bytes);
	TRY(desired_repo_get(r, f->name, max, &f->bytes, e));
	if (accept(r, role, buf_str(&f->bytes), e) < 0)
		return desired_repo_refuse(r, f->name, e);
	return 0;
}

int desired_repo_role(struct desired_repo *r, const char *role, struct err *e)
{
	return bring(r, role, accept_role, e);
}

/* ---- a refresh ---- */

static int bring_rest(struct desired_repo *r, struct err *e)
{
	TRY(bring(r, "snapshot", accept_snapshot, e));
	return bring(r, "targets", accept_targets, e);
}

static int store_etag(struct desired_repo *r, struct err *e)
{
	char path[FS_PATH_MAX];

	snprintf(path, sizeof path, "%s/timestamp.etag", r->dir);
	return desired_store_file(r->in->fs, path, str_of(r->etag), e);
}

int desired_repo_refresh(struct desired_repo *r, bool may_skip, bool *out_unchanged, struct err *e)
{
	bool same;

	if (r->in->budget)
		r->until = clock_system.mono(clock_system.self) + r->in->budget;
	TRY(desired_head(r, may_skip, &same, e));
	if (!same)
		TRY(bring_rest(r, e));
	else if (str_eq(buf_str(&r->timestamp), buf_str(&r->stored)))
		TRY(store_etag(r, e)); /* a power cut may have lost it */
	*out_unchanged = same;
	return 0;
}

int desired_repo_store(struct desired_repo *r, struct err *e)
{
	char path[FS_PATH_MAX];

	for (unsigned i = 0; i < r->n_files; i++) {
		snprintf(path, sizeof path, "%s/%s", r->dir, r->file[i].name);
		TRY(desired_store_file(r->in->fs, path, buf_str(&r->file[i].bytes), e));
	}
	snprintf(path, sizeof path, "%s/timestamp.json", r->dir);
	TRY(desired_store_file(r->in->fs, path, buf_str(&r->timestamp), e));
	TRY(store_etag(r, e));
	return desired_store_prune(r->in->fs, r->dir, r->file, r->n_files, e);
}
