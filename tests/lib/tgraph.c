#include "tests/lib/tgraph.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/expect.h"

static json_t *part_of(struct tgraph *g, const char *name)
{
	struct tgraph_role *role = tgraph_role(g, name);

	if (strcmp(name, TRUSTED_TARGETS) == 0)
		return g->r.role[TREPO_TARGETS].part;
	assert_non_null(role);
	return role->part;
}

static struct repo_head head(const struct tgraph *g)
{
	return (struct repo_head){1, g->r.now_s + 30 * TREPO_DAY};
}

void tgraph_init(struct tgraph *g)
{
	memset(g, 0, sizeof *g);
	trepo_init(&g->r, TREPO_IMAGE, TREPO_NOW);
	json_decref(g->r.role[TREPO_TARGETS].part);
	g->r.role[TREPO_TARGETS].part = repo_targets(head(g));
}

void tgraph_fini(struct tgraph *g)
{
	for (unsigned i = 0; i < g->n; i++) {
		sign_key_fini(&g->role[i].key);
		json_decref(g->role[i].part);
		buf_fini(&g->role[i].file);
	}
	trepo_fini(&g->r);
}

struct tgraph_role *tgraph_role(struct tgraph *g, const char *name)
{
	for (unsigned i = 0; i < g->n; i++)
		if (strcmp(g->role[i].name, name) == 0)
			return &g->role[i];
	return NULL;
}

static struct tgraph_role *role_new(struct tgraph *g, const char *name)
{
	struct tgraph_role *role = &g->role[g->n];
	struct err e;

	assert_true(g->n < TGRAPH_ROLES);
	g->n++;
	snprintf(role->name, sizeof role->name, "%s", name);
	expect_ok(sign_key_new("key", SIG_ECDSA_P256, &role->key, &e), &e);
	role->part = repo_targets(head(g));
	return role;
}

static json_t *delegations(struct tgraph *g, const char *from)
{
	json_t *part = part_of(g, from);

	if (!json_object_get(part, "delegations"))
		json_object_set_new(
			part, "delegations", json_pack("{s:{}, s:[]}", "keys", "roles"));
	return json_object_get(part, "delegations");
}

json_t *tgraph_keys(struct tgraph *g, const char *from)
{
	return json_object_get(delegations(g, from), "keys");
}

struct tgraph_role *tgraph_delegate(
	struct tgraph *g, const char *from, const char *to, const char *paths, bool terminating)
{
	json_t *all = delegations(g, from), *patterns = json_loads(paths, 0, NULL);
	struct tgraph_role *role = tgraph_role(g, to);

	assert_non_null(patterns);
	if (!role)
		role = role_new(g, to);
	json_object_set_new(
		json_object_get(all, "keys"), role->key.keyid, sign_key_public(&role->key));
	json_array_append_new(json_object_get(all, "roles"),
		json_pack("{s:s, s:[s], s:i, s:b, s:o}", "name", to, "keyids", role->key.keyid,
			"threshold", 1, "terminating", terminating, "paths", patterns));
	return role;
}

json_t *tgraph_delegation(struct tgraph *g, const char *from, const char *to)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(delegations(g, from), "roles"), i, one) {
		if (strcmp(json_string_value(json_object_get(one, "name")), to) == 0)
			return one;
	}
	fail_msg("%s does not delegate to %s", from, to);
	return NULL;
}

void tgraph_list(struct tgraph *g, const char *role, const char *path, struct str bytes)
{
	struct target t = {.length = bytes.n};

	snprintf(t.path, sizeof t.path, "%s", path);
	digest_of(bytes.p, bytes.n, &t.hash);
	repo_targets_add(part_of(g, role), &t);
}

static void sign_role(struct tgraph *g, struct tgraph_role *role)
{
	const struct sign_key *keys[] = {&role->key};
	json_t *pins = json_object_get(g->r.role[TREPO_SNAPSHOT].part, "meta");
	char file[LIMIT_ROLE_NAME + 8];
	struct err e;

	buf_clear(&role->file);
	expect_ok(sign_meta(role->part, keys, 1, &role->file, &e), &e);
	snprintf(file, sizeof file, "%s.json", role->name);
	if (role->unlisted)
		json_object_del(pins, file);
	else
		json_object_set_new(pins, file,
			json_pack("{s:O}", "version", json_object_get(role->part, "version")));
}

void tgraph_publish(struct tgraph *g)
{
	json_object_clear(json_object_get(g->r.role[TREPO_SNAPSHOT].part, "meta"));
	for (unsigned i = 0; i < g->n; i++)
		sign_role(g, &g->role[i]);
	trepo_sign(&g->r, TREPO_ROOT);
	trepo_sign(&g->r, TREPO_TARGETS);
	trepo_pin(&g->r, TREPO_SNAPSHOT, TREPO_TARGETS);
	trepo_sign(&g->r, TREPO_SNAPSHOT);
	trepo_pin(&g->r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
	trepo_sign(&g->r, TREPO_TIMESTAMP);
}

void tgraph_trust(struct tgraph *g, struct trusted_set *t)
{
	bool changed;
	struct err e;

	trusted_init(t, TREPO_NOW);
	expect_ok(trusted_load_root(t, trepo_bytes(&g->r, TREPO_ROOT), &e), &e);
	expect_ok(trusted_timestamp(t, trepo_bytes(&g->r, TREPO_TIMESTAMP), &changed, &e), &e);
	expect_ok(trusted_snapshot(t, trepo_bytes(&g->r, TREPO_SNAPSHOT), &e), &e);
	expect_ok(trusted_targets(t, trepo_bytes(&g->r, TREPO_TARGETS), &e), &e);
}
