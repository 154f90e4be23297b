#include "proto/trust/verify.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/verify_priv.h"

void trusted_init(struct trusted_set *t, int64_t now_s)
{
	memset(t, 0, sizeof *t);
	t->now_s = now_s;
}

static void drop(struct meta *m, bool *has)
{
	meta_fini(m);
	*has = false;
}

void trusted_adopt(struct meta *m, struct meta *slot, bool *has)
{
	meta_fini(slot);
	*slot = *m;
	*has = true;
	meta_init(m);
}

static void drop_delegated(struct trusted_set *t)
{
	for (unsigned i = 0; i < t->n_delegated; i++)
		drop(&t->delegated[i].meta, &t->delegated[i].present);
	t->n_delegated = 0;
}

static void drop_all_but_root(struct trusted_set *t)
{
	drop(&t->timestamp, &t->has_timestamp);
	drop(&t->snapshot, &t->has_snapshot);
	drop(&t->targets, &t->has_targets);
	drop_delegated(t);
}

void trusted_fini(struct trusted_set *t)
{
	drop(&t->root, &t->has_root);
	drop_all_but_root(t);
}

int trusted_load_root(struct trusted_set *t, struct str bytes, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	TRY(meta_parse(bytes, ROLE_ROOT, LIMIT_ROOT_BYTES, &m, e));
	TRY(meta_check_signatures(&m, &m, "root", e));
	trusted_adopt(&m, &t->root, &t->has_root);
	return 0;
}

int trusted_next_root(struct trusted_set *t, struct str bytes, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	if (!t->has_root)
		return err_set(e, ERR_BUG, "root: no earlier root to go on from");
	TRY(meta_parse(bytes, ROLE_ROOT, LIMIT_ROOT_BYTES, &m, e));
	if (meta_check_signatures(&m, &t->root, "root", e) < 0)
		return err_wrap(
			e, "by the keys of version %llu", (unsigned long long)t->root.version);
	if (meta_check_signatures(&m, &m, "root", e) < 0)
		return err_wrap(e, "by its own keys");
	if (m.version != t->root.version + 1)
		return err_set(e, m.version <= t->root.version ? ERR_ROLLED_BACK : ERR_MIXED,
			"root: version %llu after %llu", (unsigned long long)m.version,
			(unsigned long long)t->root.version);
	trusted_adopt(&m, &t->root, &t->has_root);
	drop_all_but_root(t);
	return 0;
}

int trusted_roots_done(struct trusted_set *t, struct err *e)
{
	if (!t->has_root)
		return err_set(e, ERR_UNSIGNED, "root: none is trusted");
	return meta_check_expiry(&t->root, "root", t->now_s, e);
}

/* Form and signature of a top-level role other than root. */
static int read_top(const struct trusted_set *t, struct str bytes, enum role_kind kind, size_t max,
	struct meta *out, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	if (!t->has_root)
		return err_set(e, ERR_UNSIGNED, "%s: no root is trusted", role_kind_name(kind));
	TRY(meta_parse(bytes, kind, max, &m, e));
	TRY(meta_check_signatures(&m, &t->root, role_kind_name(kind), e));
	*out = m;
	meta_init(&m);
	return 0;
}

static bool pinned_by(const struct meta *lister, const char *file, const struct meta *m)
{
	struct meta_pin pin;

	return meta_pin_of(lister, file, &pin, NULL) == 0 && meta_pin_fits(&pin, m);
}

void trusted_load_stored(struct trusted_set *t, enum role_kind kind, struct str bytes)
{
	CLEANUP(meta_fini) struct meta m = {0};

	switch (kind) {
	case ROLE_TIMESTAMP:
		if (read_top(t, bytes, kind, LIMIT_TIMESTAMP_BYTES, &m, NULL) == 0)
			trusted_adopt(&m, &t->timestamp, &t->has_timestamp);
		break;
	case ROLE_SNAPSHOT:
		if (read_top(t, bytes, kind, LIMIT_SNAPSHOT_BYTES, &m, NULL) == 0)
			trusted_adopt(&m, &t->snapshot, &t->has_snapshot);
		break;
	case ROLE_TARGETS:
		if (t->has_snapshot &&
			read_top(t, bytes, kind, LIMIT_TARGETS_BYTES, &m, NULL) == 0 &&
			pinned_by(&t->snapshot, "targets.json", &m))
			trusted_adopt(&m, &t->targets, &t->has_targets);
		break;
	case ROLE_ROOT: /* has its own way in: trusted_load_root */
	case ROLE_KIND_MAX:
		break;
	}
}

static int no_step_back(const char *file, uint64_t new, uint64_t trusted, struct err *e)
{
	if (new < trusted)
		return err_set(e, ERR_ROLLED_BACK, "%s: version %llu, %llu is trusted already",
			file, (unsigned long long)new, (unsigned long long)trusted);
	return 0;
}

/* Is all that was loaded from the store what the trusted timestamp leads to, and still valid? */
static bool is_complete(const struct trusted_set *t)
{
	return t->has_snapshot && t->has_targets &&
	       pinned_by(&t->timestamp, "snapshot.json", &t->snapshot) &&
	       pinned_by(&t->snapshot, "targets.json", &t->targets) &&
	       t->snapshot.expires_s > t->now_s && t->targets.expires_s > t->now_s;
}

/* What the timestamp says may not go back behind the trusted one. */
static int timestamp_check(const struct trusted_set *t, const struct meta *m, struct err *e)
{
	struct meta_pin new, old;

	TRY(meta_pin_of(m, "snapshot.json", &new, e));
	if (t->has_timestamp) {
		TRY(no_step_back("timestamp.json", m->version, t->timestamp.version, e));
		TRY(meta_pin_of(&t->timestamp, "snapshot.json", &old, e));
		TRY(no_step_back("snapshot.json in timestamp.json", new.version, old.version, e));
	}
	return meta_check_expiry(m, "timestamp", t->now_s, e);
}

int trusted_timestamp(struct trusted_set *t, struct str bytes, bool *out_changed, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};

	TRY(read_top(t, bytes, ROLE_TIMESTAMP, LIMIT_TIMESTAMP_BYTES, &m, e));
	if (t->has_timestamp && m.version == t->timestamp.version) {
		TRY(meta_check_expiry(&t->timestamp, "timestamp", t->now_s, e));
		*out_changed = !is_complete(t);
		return 0;
	}
	TRY(timestamp_check(t, &m, e));
	trusted_adopt(&m, &t->timestamp, &t->has_timestamp);
	*out_changed = true;
	return 0;
}

/* What lists `file`: the timestamp its snapshot, a snapshot everything else. A snapshot counts only
 * when the timestamp leads to it. */
static int lister_of(
	const struct trusted_set *t, const char *file, const struct meta **out, struct err *e)
{
	bool is_snapshot = strcmp(file, "snapshot.json") == 0;

	if (!t->has_timestamp || (!is_snapshot && !t->has_snapshot))
		return err_set(e, ERR_MIXED, "%s: nothing that lists it is trusted yet", file);
	if (!is_snapshot && !pinned_by(&t->timestamp, "snapshot.json", &t->snapshot))
		return err_set(e, ERR_MIXED, "%s: the snapshot is not the timestamp's", file);
	*out = is_snapshot ? &t->timestamp : &t->snapshot;
	return 0;
}

int trusted_pin(const struct trusted_set *t, const char *file, struct meta_pin *out, struct err *e)
{
	const struct meta *lister = NULL;

	TRY(lister_of(t, file, &lister, e));
	TRY(meta_check_expiry(&t->timestamp, "timestamp", t->now_s, e));
	if (lister == &t->snapshot)
		TRY(meta_check_expiry(lister, "snapshot", t->now_s, e));
	return meta_pin_of(lister, file, out, e);
}

int trusted_version_check(
	const struct meta *m, const struct meta_pin *pin, const char *file, struct err *e)
{
	if (m->version != pin->version)
		return err_set(e, ERR_MIXED, "%s: version %llu, %llu is listed", file,
			(unsigned long long)m->version, (unsigned long long)pin->version);
	return 0;
}

/* No file that the trusted snapshot lists may be listed with a lower version, or vanish. */
static int snapshot_check(const struct trusted_set *t, const struct meta *m, struct err *e)
{
	const json_t *old_pins = json_object_get(t->snapshot.signed_part, "meta");
	struct meta_pin old, new;
	const char *file;
	json_t *one;

	if (!t->has_snapshot)
		return 0;
	json_object_foreach ((json_t *)old_pins, file, one) {
		TRY(pin_read(one, file, &old, e));
		if (meta_pin_of(m, file, &new, NULL) < 0)
			return err_set(e, ERR_ROLLED_BACK,
				"%s: was listed in snapshot.json and no longer is", file);
		TRY(no_step_back(file, new.version, old.version, e));
	}
	return 0;
}

/* Targets stay only where the new snapshot pins the very same files. */
static void drop_unpinned(struct trusted_set *t)
{
	if (t->has_targets && !pinned_by(&t->snapshot, "targets.json", &t->targets))
		drop(&t->targets, &t->has_targets);
	drop_delegated(t);
}

int trusted_snapshot(struct trusted_set *t, struct str bytes, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};
	struct meta_pin pin;

	TRY(trusted_pin(t, "snapshot.json", &pin, e));
	TRY(meta_pin_check(&pin, "snapshot.json", bytes, e));
	TRY(read_top(t, bytes, ROLE_SNAPSHOT, LIMIT_SNAPSHOT_BYTES, &m, e));
	TRY(trusted_version_check(&m, &pin, "snapshot.json", e));
	TRY(snapshot_check(t, &m, e));
	TRY(meta_check_expiry(&m, "snapshot", t->now_s, e));
	trusted_adopt(&m, &t->snapshot, &t->has_snapshot);
	drop_unpinned(t);
	return 0;
}

int trusted_targets(struct trusted_set *t, struct str bytes, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};
	struct meta_pin pin;

	TRY(trusted_pin(t, "targets.json", &pin, e));
	TRY(meta_pin_check(&pin, "targets.json", bytes, e));
	TRY(read_top(t, bytes, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e));
	TRY(trusted_version_check(&m, &pin, "targets.json", e));
	TRY(meta_check_expiry(&m, "targets", t->now_s, e));
	trusted_adopt(&m, &t->targets, &t->has_targets);
	drop_delegated(t);
	return 0;
}

int trusted_want(const struct trusted_set *t, const char *file, struct meta_pin *out,
	size_t *out_max, struct err *e)
{
	bool is_snapshot = strcmp(file, "snapshot.json") == 0;
	size_t max = is_snapshot ? LIMIT_SNAPSHOT_BYTES : LIMIT_TARGETS_BYTES;
	const struct meta *lister = NULL;
	struct meta_pin pin;

	TRY(lister_of(t, file, &lister, e));
	TRY(meta_pin_of(lister, file, &pin, e));
	if (pin.has_length && pin.length > max)
		return err_set(e, ERR_TOO_LARGE, "%s: %llu bytes are listed, at most %zu are taken",
			file, (unsigned long long)pin.length, max);
	*out_max = pin.has_length ? (size_t)pin.length : max;
	*out = pin;
	return 0;
}
