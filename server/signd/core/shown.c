#include "server/signd/core/shown.h"

#include <stdio.h>
#include <string.h>

#include "server/signd/core/rule.h"

void shown_init(struct shown *im)
{
	memset(im, 0, sizeof *im);
}

void shown_fini(struct shown *im)
{
	trusted_fini(&im->trusted);
	buf_fini(&im->root);
	for (unsigned i = 0; i < im->n; i++)
		buf_fini(&im->roles[i].bytes);
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		buf_fini(&im->files[f].bytes);
	shown_init(im);
}

void shown_free(struct shown **im)
{
	if (*im)
		shown_fini(*im);
	mem_free(im);
}

/* ---- roles ---- */

static bool is_targets(const char *role)
{
	return strcmp(role, "targets") == 0;
}

/* Does a file of this kind come from people, and not from a key that is on line? */
static bool is_from_people(const char *role)
{
	return strcmp(role, "root") != 0 && strcmp(role, "snapshot") != 0 &&
	       strcmp(role, "timestamp") != 0;
}

static struct shown_role *find_role(struct shown *im, const char *name)
{
	for (unsigned i = 0; i < im->n; i++)
		if (strcmp(im->roles[i].name, name) == 0)
			return &im->roles[i];
	return NULL;
}

static int put_role(
	struct shown *im, const char *name, uint64_t version, struct str bytes, struct err *e)
{
	struct shown_role *r = find_role(im, name);

	if (r && version == r->version && !str_eq(buf_str(&r->bytes), bytes))
		return err_set(e, ERR_CONFLICT, "version %llu is another file here",
			(unsigned long long)version);
	if (!r && im->n == LIMIT_ROLES)
		return err_set(e, ERR_TOO_LARGE, "more than %d roles", LIMIT_ROLES);
	if (!r)
		r = &im->roles[im->n++];
	snprintf(r->name, sizeof r->name, "%s", name);
	r->version = version;
	buf_clear(&r->bytes);
	buf_add(&r->bytes, bytes.p, bytes.n);
	return 0;
}

static int take_role(struct shown *im, const struct ask_file *f, const struct meta *delegator,
	int64_t now_s, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};
	const struct shown_role *held = find_role(im, f->role);

	TRY(meta_parse(f->bytes, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e));
	if (held && m.version < held->version)
		return 0;
	TRY(meta_check_signatures(&m, delegator, f->role, e));
	TRY(meta_check_expiry(&m, f->role, now_s, e));
	return put_role(im, f->role, m.version, f->bytes, e);
}

static int take_targets(struct shown *im, const struct ask_image *shown, struct err *e)
{
	for (unsigned i = 0; i < shown->n; i++)
		if (is_targets(shown->files[i].role) &&
			take_role(im, &shown->files[i], &im->trusted.root, im->trusted.now_s, e) <
				0)
			return err_wrap(e, "targets.json");
	return 0;
}

/* By the keys that the newest top-level targets name. */
static int take_delegated(struct shown *im, const struct ask_image *shown, struct err *e)
{
	CLEANUP(meta_fini) struct meta targets = {0};
	const struct shown_role *top = find_role(im, "targets");

	if (!top)
		return err_set(e, ERR_NOT_FOUND, "targets.json was not shown");
	TRY(meta_parse(buf_str(&top->bytes), ROLE_TARGETS, LIMIT_TARGETS_BYTES, &targets, e));
	for (unsigned i = 0; i < shown->n; i++) {
		const struct ask_file *f = &shown->files[i];

		if (is_from_people(f->role) && !is_targets(f->role) &&
			take_role(im, f, &targets, im->trusted.now_s, e) < 0)
			return err_wrap(e, "%s.json", f->role);
	}
	return 0;
}

/* ---- roots ---- */

/* Those that come after the trusted one; earlier ones are passed over. */
static int take_roots(struct shown *im, const struct ask_image *shown, struct err *e)
{
	for (unsigned i = 0; i < shown->n; i++) {
		const struct ask_file *f = &shown->files[i];
		CLEANUP(meta_fini) struct meta m = {0};

		if (strcmp(f->role, "root") != 0)
			continue;
		TRY(meta_parse(f->bytes, ROLE_ROOT, LIMIT_ROOT_BYTES, &m, e));
		if (m.version <= im->trusted.root.version)
			continue;
		TRY(trusted_next_root(&im->trusted, f->bytes, e));
		buf_clear(&im->root);
		buf_add(&im->root, f->bytes.p, f->bytes.n);
	}
	return trusted_roots_done(&im->trusted, e);
}

/* ---- the whole ---- */

static void copy(const struct shown *from, struct shown *to)
{
	shown_init(to);
	buf_add(&to->root, from->root.p, from->root.n);
	for (unsigned i = 0; i < from->n; i++) {
		to->roles[i] = from->roles[i];
		buf_init(&to->roles[i].bytes);
		buf_add(&to->roles[i].bytes, from->roles[i].bytes.p, from->roles[i].bytes.n);
	}
	to->n = from->n;
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
		to->files[f] = from->files[f];
		buf_init(&to->files[f].bytes);
		buf_add(&to->files[f].bytes, from->files[f].bytes.p, from->files[f].bytes.n);
	}
}

/* The base for rollback checks: what was signed before. */
static void load_before(struct shown *im)
{
	const struct shown_role *targets = find_role(im, "targets");

	trusted_load_stored(
		&im->trusted, ROLE_TIMESTAMP, buf_str(&im->files[SIGN_TIMESTAMP].bytes));
	trusted_load_stored(&im->trusted, ROLE_SNAPSHOT, buf_str(&im->files[SIGN_SNAPSHOT].bytes));
	if (targets)
		trusted_load_stored(&im->trusted, ROLE_TARGETS, buf_str(&targets->bytes));
}

static int begin(struct shown *im, const struct ask_image *shown, struct err *e)
{
	TRY(trusted_load_root(&im->trusted, buf_str(&im->root), e));
	if (take_roots(im, shown, e) < 0)
		return err_wrap(e, "root.json");
	load_before(im);
	TRY(take_targets(im, shown, e));
	return take_delegated(im, shown, e);
}

int shown_draft(const struct shown *have, const struct ask_image *shown, int64_t now_s,
	struct shown *out, struct err *e)
{
	int rc;

	copy(have, out);
	trusted_init(&out->trusted, now_s);
	rc = begin(out, shown, e);
	if (rc < 0)
		shown_fini(out);
	return rc;
}

static bool pins(const struct meta *snapshot, const struct shown_role *r)
{
	char file[LIMIT_ROLE_NAME + 8];
	struct meta_pin pin;

	snprintf(file, sizeof file, "%s.json", r->name);
	return meta_pin_of(snapshot, file, &pin, NULL) == 0 && pin.version == r->version &&
	       meta_pin_check(&pin, file, buf_str(&r->bytes), NULL) == 0;
}

/* Roles never vanish from a snapshot, so that as many pins as roles are the same ones. */
bool shown_is_pinned(const struct shown *draft)
{
	const struct trusted_set *t = &draft->trusted;

	if (!t->has_snapshot || !t->has_timestamp)
		return false;
	for (unsigned i = 0; i < draft->n; i++)
		if (!pins(&t->snapshot, &draft->roles[i]))
			return false;
	return true;
}

/* A role that top-level targets no longer name stays in the snapshot, and nothing hangs from it. */
static bool is_delegated(const struct trusted_set *t, const char *role)
{
	struct sha256 keys[LIMIT_KEYS];
	unsigned n;

	return !is_targets(role) && meta_role_keys(&t->targets, role, keys, &n, NULL) == 0;
}

static int believe(struct shown *im, struct err *e)
{
	struct trusted_set *t = &im->trusted;
	const struct shown_role *targets = find_role(im, "targets");
	bool changed;

	if (!targets)
		return err_set(e, ERR_NOT_FOUND, "targets.json was not shown");
	TRY(trusted_timestamp(t, buf_str(&im->files[SIGN_TIMESTAMP].bytes), &changed, e));
	TRY(trusted_snapshot(t, buf_str(&im->files[SIGN_SNAPSHOT].bytes), e));
	TRY(trusted_targets(t, buf_str(&targets->bytes), e));
	for (unsigned i = 0; i < im->n; i++)
		if (is_delegated(t, im->roles[i].name))
			TRY(trusted_delegated(
				t, im->roles[i].name, buf_str(&im->roles[i].bytes), e));
	return 0;
}

int shown_settle(struct shown *draft, const struct ask_image *shown, struct err *e)
{
	struct target t;

	TRY(believe(draft, e));
	return *shown->path ? rule_release(&draft->trusted, shown->path, &shown->digest, &t, e) : 0;
}

/* What was believed before a restart and has expired meanwhile allows nothing; it is shown anew as
 * soon as the server renews it. */
int shown_load(struct shown *im, int64_t now_s, struct err *e)
{
	struct err ignored;

	trusted_init(&im->trusted, now_s);
	TRY(trusted_load_root(&im->trusted, buf_str(&im->root), e));
	load_before(im);
	if (trusted_roots_done(&im->trusted, &ignored) < 0 || believe(im, &ignored) < 0) {
		trusted_fini(&im->trusted);
		trusted_init(&im->trusted, now_s);
		TRY(trusted_load_root(&im->trusted, buf_str(&im->root), e));
	}
	return 0;
}
