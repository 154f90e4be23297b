#include "tests/lib/trepo.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *name;
	unsigned n_keys;
	int64_t days;
} shapes[] = {
	[TREPO_ROOT] = {"root", 2, 365},
	[TREPO_TIMESTAMP] = {"timestamp", 1, 1},
	[TREPO_SNAPSHOT] = {"snapshot", 1, 7},
	[TREPO_TARGETS] = {"targets", 1, 365},
	[TREPO_ENGINEERING] = {"engineering", 1, 180},
	[TREPO_SAFETY] = {"safety", 1, 180},
	[TREPO_COMPLIANCE] = {"compliance", 1, 180},
};

static void must(int rc, const struct err *e)
{
	if (rc < 0)
		fail_msg("%s: %s", err_name(e->code), e->text);
}

static struct repo_head head_of(const struct trepo *r, enum trepo_file f, uint64_t version)
{
	return (struct repo_head){version, r->now_s + shapes[f].days * TREPO_DAY};
}

static unsigned key_list(const struct trepo_role *role, const struct sign_key *out[TREPO_KEYS])
{
	for (unsigned i = 0; i < role->n_keys; i++)
		out[i] = &role->keys[i];
	return role->n_keys;
}

static void part_set(struct trepo *r, enum trepo_file f, json_t *part)
{
	json_decref(r->role[f].part);
	r->role[f].part = part;
}

static void keys_fini(struct trepo_role *role)
{
	for (unsigned i = 0; i < role->n_keys; i++)
		sign_key_fini(&role->keys[i]);
	role->n_keys = 0;
}

void trepo_new_keys(struct trepo *r, enum trepo_file f, unsigned n)
{
	struct trepo_role *role = &r->role[f];
	char name[ID_TEXT_MAX];
	struct err e;

	keys_fini(role);
	for (; role->n_keys < n; role->n_keys++) {
		snprintf(name, sizeof name, "%s-%u", role->name, role->n_keys + 1);
		must(sign_key_new(name, SIG_ECDSA_P256, &role->keys[role->n_keys], &e), &e);
	}
	role->threshold = n;
}

static void roles_of(const struct trepo *r, enum trepo_file from, unsigned n,
	struct repo_role out[], const struct sign_key *keys[][TREPO_KEYS])
{
	for (unsigned i = 0; i < n; i++) {
		const struct trepo_role *role = &r->role[from + i];

		out[i] = (struct repo_role){
			role->name, role->threshold, key_list(role, keys[i]), keys[i]};
	}
}

void trepo_rebuild_root(struct trepo *r)
{
	uint64_t version = r->role[TREPO_ROOT].part ? trepo_version(r, TREPO_ROOT) : 1;
	const struct sign_key *keys[ROLE_KIND_MAX][TREPO_KEYS];
	struct repo_role roles[ROLE_KIND_MAX];

	roles_of(r, TREPO_ROOT, ROLE_KIND_MAX, roles, keys);
	part_set(r, TREPO_ROOT,
		repo_root(head_of(r, TREPO_ROOT, version), roles, r->kind == TREPO_IMAGE));
}

void trepo_rebuild_delegations(struct trepo *r)
{
	uint64_t version = r->role[TREPO_TARGETS].part ? trepo_version(r, TREPO_TARGETS) : 1;
	const struct sign_key *keys[DIRECTOR_MINIMUM][TREPO_KEYS];
	struct repo_role roles[DIRECTOR_MINIMUM];

	roles_of(r, TREPO_ENGINEERING, DIRECTOR_MINIMUM, roles, keys);
	part_set(r, TREPO_TARGETS,
		repo_delegating(head_of(r, TREPO_TARGETS, version), roles, DIRECTOR_MINIMUM));
}

void trepo_init(struct trepo *r, enum trepo_kind kind, int64_t now_s)
{
	memset(r, 0, sizeof *r);
	r->kind = kind;
	r->now_s = now_s;
	r->n = kind == TREPO_IMAGE ? TREPO_FILES : TREPO_ENGINEERING;
	for (enum trepo_file f = 0; f < r->n; f++) {
		r->role[f].name = shapes[f].name;
		trepo_new_keys(r, f, shapes[f].n_keys);
	}
	trepo_rebuild_root(r);
	if (kind == TREPO_IMAGE)
		trepo_rebuild_delegations(r);
	else
		trepo_direct(r, "dev-1", DESIRED_NOTHING, NULL, STR(""), NULL);
	for (enum trepo_file f = TREPO_ENGINEERING; f < r->n; f++)
		part_set(r, f, repo_targets(head_of(r, f, 1)));
	part_set(r, TREPO_SNAPSHOT, repo_snapshot(head_of(r, TREPO_SNAPSHOT, 1), NULL, 0));
	part_set(r, TREPO_TIMESTAMP, repo_snapshot(head_of(r, TREPO_TIMESTAMP, 1), NULL, 0));
	json_object_set_new(r->role[TREPO_TIMESTAMP].part, "_type", json_string("timestamp"));
}

void trepo_fini(struct trepo *r)
{
	for (enum trepo_file f = 0; f < r->n; f++) {
		keys_fini(&r->role[f]);
		json_decref(r->role[f].part);
		buf_fini(&r->role[f].file);
	}
	memset(r, 0, sizeof *r);
}

void trepo_sign(struct trepo *r, enum trepo_file f)
{
	const struct sign_key *keys[TREPO_KEYS];
	struct trepo_role *role = &r->role[f];
	unsigned n = key_list(role, keys);
	struct err e;

	buf_clear(&role->file);
	must(sign_meta(role->part, keys, n, &role->file, &e), &e);
}

void trepo_pin(struct trepo *r, enum trepo_file lister, enum trepo_file listed)
{
	json_t *list = json_object_get(r->role[lister].part, "meta"), *one;
	struct repo_pin p;
	char file[80];

	snprintf(file, sizeof file, "%s.json", r->role[listed].name);
	repo_pin_of(file, trepo_version(r, listed), trepo_bytes(r, listed), &p);
	one = repo_snapshot((struct repo_head){1, r->now_s}, &p, 1);
	json_object_update(list, json_object_get(one, "meta"));
	json_decref(one);
}

void trepo_publish_changed(struct trepo *r, trepo_after_f *after, void *ctx)
{
	static const enum trepo_file order[] = {TREPO_ROOT, TREPO_TARGETS, TREPO_ENGINEERING,
		TREPO_SAFETY, TREPO_COMPLIANCE, TREPO_SNAPSHOT, TREPO_TIMESTAMP};

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		enum trepo_file f = order[i];

		if (f >= r->n)
			continue;
		trepo_sign(r, f);
		after(r, f, ctx);
		if (f >= TREPO_TARGETS)
			trepo_pin(r, TREPO_SNAPSHOT, f);
		if (f == TREPO_SNAPSHOT)
			trepo_pin(r, TREPO_TIMESTAMP, f);
	}
}

static void as_it_is(struct trepo *r, enum trepo_file f, void *ctx)
{
	(void)r, (void)f, (void)ctx;
}

void trepo_publish(struct trepo *r)
{
	trepo_publish_changed(r, as_it_is, NULL);
}

struct str trepo_bytes(const struct trepo *r, enum trepo_file f)
{
	return buf_str(&r->role[f].file);
}

uint64_t trepo_version(const struct trepo *r, enum trepo_file f)
{
	return (uint64_t)json_integer_value(json_object_get(r->role[f].part, "version"));
}

void trepo_set_version(struct trepo *r, enum trepo_file f, uint64_t version)
{
	json_object_set_new(r->role[f].part, "version", json_integer((json_int_t)version));
}

void trepo_set_expiry(struct trepo *r, enum trepo_file f, int64_t expires_s)
{
	char text[21];

	time_format(expires_s, text);
	json_object_set_new(r->role[f].part, "expires", json_string(text));
}

static struct target target_of(const char *path, struct str document, const json_t *match)
{
	struct target t = {.length = document.n, .match = match};

	snprintf(t.path, sizeof t.path, "%s", path);
	digest_of(document.p, document.n, &t.hash);
	return t;
}

void trepo_add_release(
	struct trepo *r, const char *path, struct str document, const struct repo_match *match)
{
	JSON_AUTO *m = repo_match(match);
	struct target t = target_of(path, document, m);

	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
		repo_targets_add(r->role[f].part, &t);
}

void trepo_direct(struct trepo *r, const char *device, enum desired_order order, const char *path,
	struct str document, const struct repo_match *match)
{
	uint64_t version = r->role[TREPO_TARGETS].part ? trepo_version(r, TREPO_TARGETS) : 1;
	JSON_AUTO *m = match ? repo_match(match) : NULL;
	struct target t = target_of(path ? path : "", document, m);
	struct camp_id campaign = {"camp-1"};
	struct dev_id dev = {""};

	snprintf(dev.s, sizeof dev.s, "%s", device);
	part_set(r, TREPO_TARGETS,
		repo_director_targets(head_of(r, TREPO_TARGETS, version), &dev, &campaign, order,
			path ? &t : NULL));
}

struct repo_match trepo_match(const char *hardware, uint64_t counter)
{
	struct repo_match m = {.n_hardware = 1, .counter = counter};

	snprintf(m.hardware[0], sizeof m.hardware[0], "%s", hardware);
	return m;
}

int trepo_refresh(const struct trepo *r, struct trusted_set *t, struct err *e)
{
	bool changed;

	TRY(trusted_load_root(t, trepo_bytes(r, TREPO_ROOT), e));
	TRY(trusted_roots_done(t, e));
	TRY(trusted_timestamp(t, trepo_bytes(r, TREPO_TIMESTAMP), &changed, e));
	TRY(trusted_snapshot(t, trepo_bytes(r, TREPO_SNAPSHOT), e));
	TRY(trusted_targets(t, trepo_bytes(r, TREPO_TARGETS), e));
	for (enum trepo_file f = TREPO_ENGINEERING; f < r->n; f++)
		TRY(trusted_delegated(t, r->role[f].name, trepo_bytes(r, f), e));
	return 0;
}

void trepo_save(const struct trepo *r, const char *dir)
{
	for (enum trepo_file f = 0; f < r->n; f++) {
		struct str bytes = trepo_bytes(r, f);
		char path[512];
		FILE *out;

		if (f == TREPO_TIMESTAMP)
			snprintf(path, sizeof path, "%s/timestamp.json", dir);
		else
			snprintf(path, sizeof path, "%s/%llu.%s.json", dir,
				(unsigned long long)trepo_version(r, f), r->role[f].name);
		out = fopen(path, "w");
		assert_non_null(out);
		assert_int_equal(fwrite(bytes.p, 1, bytes.n, out), bytes.n);
		assert_int_equal(fclose(out), 0);
	}
}
