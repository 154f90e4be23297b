#include "proto/trust/refresh.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/meta_priv.h"
#include "proto/wire/path.h"

void refresh_init(struct refresh *r, int64_t now_s)
{
	memset(r, 0, sizeof *r);
	trusted_init(&r->set, now_s);
}

void refresh_fini(struct refresh *r)
{
	trusted_fini(&r->set);
}

int refresh_begin(struct refresh *r, struct str root, struct err *e)
{
	TRY(trusted_load_root(&r->set, root, e));
	r->step = REFRESH_ROOT;
	r->n_roots = 0;
	return 0;
}

static bool is_consistent(const struct refresh *r)
{
	return json_is_true(json_object_get(r->set.root.signed_part, "consistent_snapshot"));
}

/* ---- what is wanted at each step ---- */

static void name_it(struct refresh_want *w, const char *role, uint64_t version)
{
	BUF_AUTO quoted = {0};

	path_quote(str_of(role), false, &quoted);
	snprintf(w->store, sizeof w->store, "%s.json", buf_cstr(&quoted));
	if (version)
		snprintf(w->remote, sizeof w->remote, "%llu.%s.json", (unsigned long long)version,
			buf_cstr(&quoted));
	else
		snprintf(w->remote, sizeof w->remote, "%s.json", buf_cstr(&quoted));
}

static int want_root(const struct refresh *r, struct refresh_want *w, struct err *e UNUSED)
{
	name_it(w, "root", r->set.root.version + 1);
	w->max = LIMIT_ROOT_BYTES;
	w->may_miss = true;
	return 0;
}

static int want_timestamp(
	const struct refresh *r UNUSED, struct refresh_want *w, struct err *e UNUSED)
{
	name_it(w, "timestamp", 0);
	w->max = LIMIT_TIMESTAMP_BYTES;
	w->may_offer = true;
	return 0;
}

static int want_pinned(
	const struct refresh *r, const char *role, struct refresh_want *w, struct err *e)
{
	char file[LIMIT_ROLE_NAME + 8];
	struct meta_pin pin;

	snprintf(file, sizeof file, "%s.json", role);
	TRY(trusted_want(&r->set, file, &pin, &w->max, e));
	name_it(w, role, is_consistent(r) ? pin.version : 0);
	w->may_offer = true;
	return 0;
}

static int want_snapshot(const struct refresh *r, struct refresh_want *w, struct err *e)
{
	return want_pinned(r, "snapshot", w, e);
}

static int want_targets(const struct refresh *r, struct refresh_want *w, struct err *e)
{
	return want_pinned(r, TRUSTED_TARGETS, w, e);
}

static int want_role(const struct refresh *r, struct refresh_want *w, struct err *e)
{
	return want_pinned(r, r->at.role, w, e);
}

int refresh_plan(struct refresh *r, struct refresh_want *out, bool *out_done, struct err *e)
{
	static int (*const wants[])(const struct refresh *, struct refresh_want *, struct err *) = {
		[REFRESH_ROOT] = want_root,
		[REFRESH_TIMESTAMP] = want_timestamp,
		[REFRESH_SNAPSHOT] = want_snapshot,
		[REFRESH_TARGETS] = want_targets,
		[REFRESH_ROLE] = want_role,
	};
	struct refresh_want w = {.may_miss = false};

	if (r->step == REFRESH_ROLE) {
		TRY(search_step(&r->search, &r->set, &r->at, e));
		if (r->at.state != SEARCH_WANTS)
			r->step = REFRESH_DONE;
	}
	*out_done = r->step == REFRESH_DONE;
	if (*out_done)
		return 0;
	TRY(wants[r->step](r, &w, e));
	*out = w;
	return 0;
}

/* ---- what comes of bytes ---- */

static int accept_root(struct refresh *r, struct str bytes, bool *out_keep, struct err *e)
{
	if (r->n_roots == LIMIT_ROOT_ROTATIONS)
		return err_set(e, ERR_TOO_LARGE,
			"root: %d new ones were taken and there are more; refresh again",
			LIMIT_ROOT_ROTATIONS);
	TRY(trusted_next_root(&r->set, bytes, e));
	r->n_roots++;
	*out_keep = true;
	return 0;
}

static int accept_timestamp(struct refresh *r, struct str bytes, bool *out_keep, struct err *e)
{
	struct sha256 digest;
	bool changed;

	TRY(trusted_timestamp(&r->set, bytes, &changed, e));
	digest_of(bytes.p, bytes.n, &digest);
	*out_keep = sha256_eq(&digest, &r->set.timestamp.digest);
	r->step = REFRESH_SNAPSHOT;
	return 0;
}

static int accept_snapshot(struct refresh *r, struct str bytes, bool *out_keep, struct err *e)
{
	TRY(trusted_snapshot(&r->set, bytes, e));
	*out_keep = true;
	r->step = REFRESH_TARGETS;
	return 0;
}

static int accept_targets(struct refresh *r, struct str bytes, bool *out_keep, struct err *e)
{
	TRY(trusted_targets(&r->set, bytes, e));
	*out_keep = true;
	r->step = REFRESH_DONE;
	return 0;
}

static int accept_role(struct refresh *r, struct str bytes, bool *out_keep, struct err *e)
{
	TRY(trusted_delegated_by(&r->set, r->at.delegator, r->at.role, bytes, e));
	*out_keep = true;
	return 0;
}

int refresh_accept(struct refresh *r, struct str bytes, bool *out_keep, struct err *e)
{
	static int (*const accepts[])(struct refresh *, struct str, bool *, struct err *) = {
		[REFRESH_ROOT] = accept_root,
		[REFRESH_TIMESTAMP] = accept_timestamp,
		[REFRESH_SNAPSHOT] = accept_snapshot,
		[REFRESH_TARGETS] = accept_targets,
		[REFRESH_ROLE] = accept_role,
	};
	bool keep = false;

	if (r->step >= ARRAY_LEN(accepts))
		return err_set(e, ERR_BUG, "bytes that nobody asked for");
	TRY(accepts[r->step](r, bytes, &keep, e));
	*out_keep = keep;
	return 0;
}

/* A kept timestamp or snapshot counts even when it is not the newest: nothing may go back behind
 * it. */
bool refresh_offer(struct refresh *r, struct str bytes)
{
	bool keep;

	if (r->step == REFRESH_TIMESTAMP)
		trusted_load_stored(&r->set, ROLE_TIMESTAMP, bytes);
	if (r->step < REFRESH_SNAPSHOT)
		return false;
	if (r->step == REFRESH_SNAPSHOT)
		trusted_load_stored(&r->set, ROLE_SNAPSHOT, bytes);
	return refresh_accept(r, bytes, &keep, NULL) == 0;
}

int refresh_miss(struct refresh *r, struct err *e)
{
	if (r->step != REFRESH_ROOT)
		return err_set(e, ERR_NOT_FOUND, "the server does not have it");
	TRY(trusted_roots_done(&r->set, e));
	r->step = REFRESH_TIMESTAMP;
	return 0;
}

/* ---- targets ---- */

int refresh_seek(struct refresh *r, const char *path, struct err *e)
{
	if (r->step != REFRESH_DONE || !r->set.has_targets)
		return err_set(e, ERR_BUG, "a search before the refresh is done");
	TRY(search_init(&r->search, path, e));
	r->step = REFRESH_ROLE;
	return 0;
}

int refresh_found(const struct refresh *r, struct meta_pin *out, struct err *e)
{
	if (r->step != REFRESH_DONE || r->at.state != SEARCH_FOUND)
		return err_set(e, ERR_NOT_FOUND, "%s: nobody who may speak of it lists it",
			r->search.path);
	*out = r->at.file;
	return 0;
}

int refresh_target(const struct refresh *r, struct buf *out, struct err *e)
{
	const char *path = r->search.path, *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	char hash[HASHES_TEXT];
	struct meta_pin file;

	TRY(refresh_found(r, &file, e));
	if (path_check(str_of(path), LIMIT_TARGET_NAME - 1, e) < 0)
		return err_wrap(e, "name of the target");
	hashes_format(&file.hashes, hash);
	path_quote((struct str){path, (size_t)(base - path)}, true, out);
	if (is_consistent(r))
		buf_addf(out, "%s.", hash);
	path_quote(str_of(base), true, out);
	return 0;
}
