#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "agent/net/desired_priv.h"

void desired_repo_init(struct desired_repo *r, const struct desired_in *in, bool is_director)
{
	memset(r, 0, sizeof *r);
	r->in = in;
	r->name = is_director ? "director" : "image";
	r->dir = is_director ? "trust/director" : "trust/image";
	if (in->http && is_director)
		snprintf(r->url, sizeof r->url, "%s/director/%s", in->server, in->facts.device.s);
	else if (in->http)
		snprintf(r->url, sizeof r->url, "%s/image", in->server);
	trusted_init(&r->set, in->now_s);
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

static int from_store(
	struct desired_repo *r, const char *name, size_t max, struct buf *out, struct err *e)
{
	if (desired_store_load(r->in->fs, r->dir, name, max, out, e) < 0)
		return err_wrap(e, "%s: %s", r->name, name);
	return 0;
}

static int ask(struct desired_repo *r, const char *name, const char *etag, size_t max,
	struct http_answer *out, struct err *e)
{
	char url[sizeof r->url + DESIRED_FILE_NAME];

	snprintf(url, sizeof url, "%s/%s", r->url, name);
	if (http_get(r->in->http, url, etag, max, r->in->cancel, out, e) < 0)
		return err_wrap(e, "%s: %s", r->name, name);
	return 0;
}

static int check_answer(
	struct desired_repo *r, const char *name, const struct http_answer *a, struct err *e)
{
	char what[DESIRED_FILE_NAME + 16];

	snprintf(what, sizeof what, "%s: %s", r->name, name);
	return http_check(a, what, e);
}

static int from_server(
	struct desired_repo *r, const char *name, size_t max, struct buf *out, struct err *e)
{
	struct http_answer a = {0};
	int rc;

	TRY(ask(r, name, NULL, max, &a, e));
	rc = check_answer(r, name, &a, e);
	if (rc == 0)
		buf_add(out, a.body.p, a.body.n);
	http_answer_fini(&a);
	return rc;
}

static int refuse(struct desired_repo *r, const char *name, struct err *e)
{
	return err_wrap(e, "%s: %s", r->name, name);
}

/* ---- roots ---- */

static int load_root(struct desired_repo *r, struct err *e)
{
	BUF_AUTO bytes = {0};

	TRY(from_store(r, "root.json", LIMIT_ROOT_BYTES, &bytes, e));
	if (trusted_load_root(&r->set, buf_str(&bytes), e) < 0)
		return refuse(r, "root.json", e);
	return 0;
}

/* The numbered copy first: root.json is what counts. */
static int store_root(struct desired_repo *r, const char *name, struct str bytes, struct err *e)
{
	char path[FS_PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", r->dir, name);
	TRY(desired_store_file(r->in->fs, path, bytes, e));
	snprintf(path, sizeof path, "%s/root.json", r->dir);
	return desired_store_file(r->in->fs, path, bytes, e);
}

static int accept_root(struct desired_repo *r, const char *name, struct str bytes, struct err *e)
{
	if (trusted_next_root(&r->set, bytes, e) < 0)
		return refuse(r, name, e);
	return store_root(r, name, bytes, e);
}

/* *out_more is false when there is no later one. */
static int next_root(struct desired_repo *r, bool *out_more, struct err *e)
{
	struct http_answer a = {0};
	char name[DESIRED_FILE_NAME];
	int rc = 0;

	snprintf(name, sizeof name, "%llu.root.json", (unsigned long long)r->set.root.version + 1);
	TRY(ask(r, name, NULL, LIMIT_ROOT_BYTES, &a, e));
	*out_more = a.status != 404;
	if (*out_more)
		rc = check_answer(r, name, &a, e);
	if (*out_more && rc == 0)
		rc = accept_root(r, name, buf_str(&a.body), e);
	http_answer_fini(&a);
	return rc;
}

static int walk_roots(struct desired_repo *r, struct err *e)
{
	bool more = r->in->http != NULL;

	for (unsigned i = 0; more && i < LIMIT_ROOT_ROTATIONS; i++)
		TRY(next_root(r, &more, e));
	if (trusted_roots_done(&r->set, e) < 0)
		return refuse(r, "root.json", e);
	return 0;
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

	if (pinned_name(r, file, name, &max, &why) && from_store(r, name, max, &bytes, &why) == 0)
		trusted_load_stored(&r->set, kind, buf_str(&bytes));
}

/* The base for rollback checks. What cannot be read or no longer verifies is as good as missing. */
static void load_stored(struct desired_repo *r)
{
	struct err why;

	buf_clear(&r->stored);
	if (from_store(r, "timestamp.json", LIMIT_TIMESTAMP_BYTES, &r->stored, &why) < 0)
		return;
	trusted_load_stored(&r->set, ROLE_TIMESTAMP, buf_str(&r->stored));
	load_pinned(r, "snapshot.json", ROLE_SNAPSHOT);
	load_pinned(r, "targets.json", ROLE_TARGETS);
}

/* ---- timestamp ---- */

/* The tag that came with the stored timestamp, for as long as that is good for anything: whoever
 * answers "nothing new" for ever must not keep an expired state alive. */
static void load_etag(struct desired_repo *r)
{
	BUF_AUTO text = {0};
	struct err why;

	r->etag[0] = '\0';
	if (!r->set.has_targets ||
		meta_check_expiry(&r->set.timestamp, "timestamp", r->in->now_s, &why) < 0)
		return;
	if (from_store(r, "timestamp.etag", sizeof r->etag - 1, &text, &why) == 0)
		(void)!str_copy(buf_str(&text), r->etag, sizeof r->etag, &why);
}

static void add_all(struct buf *to, const struct buf *from)
{
	buf_add(to, from->p, from->n);
}

/* *out_known: it is the stored one, whose tag was sent. */
static int ask_timestamp(struct desired_repo *r, const char *etag, bool *out_known, struct err *e)
{
	struct http_answer a = {0};
	int rc;

	TRY(ask(r, "timestamp.json", etag, LIMIT_TIMESTAMP_BYTES, &a, e));
	r->retry_after = a.retry_after;
	rc = check_answer(r, "timestamp.json", &a, e);
	if (rc == 0) {
		*out_known = etag && a.status == 304;
		buf_clear(&r->timestamp);
		add_all(&r->timestamp, *out_known ? &r->stored : &a.body);
		if (!*out_known)
			memcpy(r->etag, a.etag, sizeof r->etag);
	}
	http_answer_fini(&a);
	return rc;
}

static int accept_timestamp(struct desired_repo *r, bool *out_changed, struct err *e)
{
	if (trusted_timestamp(&r->set, buf_str(&r->timestamp), out_changed, e) < 0)
		return refuse(r, "timestamp.json", e);
	return 0;
}

/* Is the known timestamp, with what it leads to, still good under the known root? */
static bool is_current(struct desired_repo *r)
{
	bool changed = true;
	struct err why;

	return trusted_roots_done(&r->set, &why) == 0 && accept_timestamp(r, &changed, &why) == 0 &&
	       !changed;
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
		return refuse(r, file, e);
	r->n_files++; /* its bytes are freed with the rest from now on */
	if (from_store(r, f->name, max, &f->bytes, &why) == 0 &&
		accept(r, role, buf_str(&f->bytes), &why) == 0)
		return 0;
	if (!r->in->http)
		return err_copy(e, &why);
	buf_clear(&f->bytes);
	TRY(from_server(r, f->name, max, &f->bytes, e));
	if (accept(r, role, buf_str(&f->bytes), e) < 0)
		return refuse(r, f->name, e);
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

static int head_from_store(struct desired_repo *r, struct err *e)
{
	bool changed;

	TRY(load_root(r, e));
	TRY(walk_roots(r, e));
	TRY(from_store(r, "timestamp.json", LIMIT_TIMESTAMP_BYTES, &r->timestamp, e));
	return accept_timestamp(r, &changed, e);
}

/* Roots and timestamp. The cheap question comes first: one request when nothing is new. Nothing is
 * trusted of the answer before the roots are known. */
static int head_from_server(struct desired_repo *r, bool may_skip, bool *out_same, struct err *e)
{
	bool known = false, changed;

	TRY(load_root(r, e));
	load_stored(r);
	load_etag(r);
	if (r->etag[0])
		TRY(ask_timestamp(r, r->etag, &known, e));
	*out_same = known && may_skip && is_current(r);
	if (*out_same)
		return 0;
	uint64_t root = r->set.root.version;
	TRY(walk_roots(r, e));
	if (r->set.root.version != root)
		load_stored(r); /* as far as the new root vouches for it */
	if (!r->timestamp.n || (known && r->set.root.version != root))
		TRY(ask_timestamp(r, NULL, &known, e));
	TRY(accept_timestamp(r, &changed, e));
	*out_same = !changed && may_skip;
	return 0;
}

static int store_etag(struct desired_repo *r, struct err *e)
{
	char path[FS_PATH_MAX];

	snprintf(path, sizeof path, "%s/timestamp.etag", r->dir);
	return desired_store_file(r->in->fs, path, str_of(r->etag), e);
}

int desired_repo_refresh(struct desired_repo *r, bool may_skip, bool *out_unchanged, struct err *e)
{
	bool same = false;

	if (r->in->http)
		TRY(head_from_server(r, may_skip, &same, e));
	else
		TRY(head_from_store(r, e));
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
