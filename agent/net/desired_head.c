#include <stdio.h>
#include <string.h>

#include "agent/net/desired_priv.h"

/* ---- roots ---- */

static int load_root(struct desired_repo *r, struct err *e)
{
	BUF_AUTO bytes = {0};

	TRY(desired_repo_from_store(r, "root.json", LIMIT_ROOT_BYTES, &bytes, e));
	if (trusted_load_root(&r->set, buf_str(&bytes), e) < 0)
		return desired_repo_refuse(r, "root.json", e);
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

/* Stored at once: a chain that is too long for one refresh is gone on with by the next. */
static int accept_root(struct desired_repo *r, const char *name, struct str bytes, struct err *e)
{
	if (trusted_next_root(&r->set, bytes, e) < 0)
		return desired_repo_refuse(r, name, e);
	return store_root(r, name, bytes, e);
}

/* Only these say that there is no such file; anything else is no answer, and who cannot answer has
 * not said that the known root is the newest. */
static bool is_missing(int status)
{
	return status == 404 || status == 403;
}

/* *out_more is false when there is no later one. */
static int next_root(struct desired_repo *r, bool *out_more, struct err *e)
{
	struct http_answer a = {0};
	char name[DESIRED_FILE_NAME];
	int rc = 0;

	snprintf(name, sizeof name, "%llu.root.json", (unsigned long long)r->set.root.version + 1);
	TRY(desired_repo_ask(r, name, NULL, LIMIT_ROOT_BYTES, &a, e));
	*out_more = !is_missing(a.status);
	if (*out_more)
		rc = desired_repo_check(r, name, &a, e);
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
	if (more)
		return err_set(e, ERR_BUSY, "%s: more than %d new roots, the rest comes next time",
			r->name, LIMIT_ROOT_ROTATIONS);
	return 0;
}

static int roots_done(struct desired_repo *r, struct err *e)
{
	if (trusted_roots_done(&r->set, e) < 0)
		return desired_repo_refuse(r, "root.json", e);
	return 0;
}

/* ---- time ---- */

/* By what is known so far, without asking. */
static int set_now(struct desired_repo *r, struct err *e)
{
	if (r->is_director && desired_time_follow(r->time, &r->set.root, &r->set.now_s, e) < 0)
		return desired_repo_refuse(r, "root.json", e);
	return 0;
}

static int ask_time(struct desired_repo *r, struct err *e)
{
	return r->is_director ? desired_time_ask(r->time, r, e) : 0;
}

static bool is_time_due(const struct desired_repo *r)
{
	return r->is_director && desired_time_is_due(r->time);
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
		meta_check_expiry(&r->set.timestamp, "timestamp", r->set.now_s, &why) < 0)
		return;
	if (desired_repo_from_store(r, "timestamp.etag", sizeof r->etag - 1, &text, &why) == 0)
		(void)!str_copy(buf_str(&text), r->etag, sizeof r->etag, &why);
}

/* *out_known: it is the stored one, whose tag was sent. */
static int ask_timestamp(struct desired_repo *r, const char *etag, bool *out_known, struct err *e)
{
	struct http_answer a = {0};
	const struct buf *bytes;
	int rc;

	TRY(desired_repo_ask(r, "timestamp.json", etag, LIMIT_TIMESTAMP_BYTES, &a, e));
	rc = desired_repo_check(r, "timestamp.json", &a, e);
	if (rc == 0) {
		*out_known = etag && a.status == 304;
		bytes = *out_known ? &r->stored : &a.body;
		buf_clear(&r->timestamp);
		buf_add(&r->timestamp, bytes->p, bytes->n);
		if (!*out_known)
			memcpy(r->etag, a.etag, sizeof r->etag);
	}
	http_answer_fini(&a);
	return rc;
}

static int accept_timestamp(struct desired_repo *r, bool *out_changed, struct err *e)
{
	if (trusted_timestamp(&r->set, buf_str(&r->timestamp), out_changed, e) < 0)
		return desired_repo_refuse(r, "timestamp.json", e);
	return 0;
}

/* The director has signed a newer one than this, says the token. */
static bool is_behind(const struct desired_repo *r)
{
	return r->is_director && r->time->asked &&
	       r->set.timestamp.version < r->time->token.timestamp;
}

/* It may have been signed between the two questions; when it is still an old one, somebody holds
 * the new one back. */
static int accept_newest(struct desired_repo *r, bool *out_changed, struct err *e)
{
	bool known;

	TRY(accept_timestamp(r, out_changed, e));
	if (!is_behind(r))
		return 0;
	TRY(ask_timestamp(r, NULL, &known, e));
	TRY(accept_timestamp(r, out_changed, e));
	if (!is_behind(r))
		return 0;
	return err_set(e, ERR_ROLLED_BACK,
		"%s: timestamp.json: version %llu, %llu has been signed for this device", r->name,
		(unsigned long long)r->set.timestamp.version,
		(unsigned long long)r->time->token.timestamp);
}

/* Is the known timestamp, with what it leads to, still good under the known root? */
static bool is_current(struct desired_repo *r)
{
	bool changed = true;
	struct err why;

	return trusted_roots_done(&r->set, &why) == 0 && accept_timestamp(r, &changed, &why) == 0 &&
	       !changed;
}

/* ---- both ways ---- */

static int from_store(struct desired_repo *r, struct err *e)
{
	bool changed;

	TRY(load_root(r, e));
	TRY(set_now(r, e));
	TRY(roots_done(r, e));
	TRY(desired_repo_from_store(r, "timestamp.json", LIMIT_TIMESTAMP_BYTES, &r->timestamp, e));
	return accept_timestamp(r, &changed, e);
}

/* The cheap question comes first: one request when nothing is new. Nothing is trusted of the answer
 * before the roots and the time are known. */
static int from_server(struct desired_repo *r, bool may_skip, bool *out_same, struct err *e)
{
	bool known = false, changed;

	TRY(load_root(r, e));
	TRY(set_now(r, e));
	desired_repo_load_stored(r);
	load_etag(r);
	if (r->etag[0])
		TRY(ask_timestamp(r, r->etag, &known, e));
	*out_same = known && may_skip && !is_time_due(r) && is_current(r);
	if (*out_same)
		return 0;
	uint64_t root = r->set.root.version;
	TRY(walk_roots(r, e));
	TRY(ask_time(r, e));
	TRY(roots_done(r, e));
	if (r->set.root.version != root)
		desired_repo_load_stored(r); /* as far as the new root vouches for it */
	if (!r->timestamp.n || (known && r->set.root.version != root))
		TRY(ask_timestamp(r, NULL, &known, e));
	TRY(accept_newest(r, &changed, e));
	*out_same = !changed && may_skip;
	return 0;
}

int desired_head(struct desired_repo *r, bool may_skip, bool *out_same, struct err *e)
{
	*out_same = false;
	return r->in->http ? from_server(r, may_skip, out_same, e) : from_store(r, e);
}
