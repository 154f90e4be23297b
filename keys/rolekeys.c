#include "keys/rolekeys.h"

#include <string.h>

#include "proto/trust/auditlog.h"
#include "proto/trust/timetoken.h"

#define ID_BEGINNING 8

/* ---- looking ---- */

const struct role_beside roles_beside[ROLES_BESIDE] = {
	{"time", TIMETOKEN_TYPE}, {"audit", AUDITLOG_TYPE}};

static json_t *beside(const json_t *root, const char *role)
{
	for (size_t i = 0; i < ROLES_BESIDE; i++)
		if (strcmp(role, roles_beside[i].role) == 0)
			return json_object_get(root, roles_beside[i].member);
	return NULL;
}

static json_t *by_name(const json_t *list, const char *role)
{
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (name && strcmp(name, role) == 0)
			return one;
	}
	return NULL;
}

static json_t *witness(const json_t *part, const char *role)
{
	const json_t *rule = json_object_get(part, "x-backstay-evidence");

	return by_name(json_object_get(rule, "roles"), role);
}

json_t *role_signers(const json_t *part, const char *role)
{
	json_t *roles = json_object_get(part, "roles"), *extra = beside(part, role), *delegated;

	if (roles)
		return extra ? extra : json_object_get(roles, role);
	delegated = by_name(json_object_get(json_object_get(part, "delegations"), "roles"), role);
	return delegated ? delegated : witness(part, role);
}

json_t *role_key_list(const json_t *part)
{
	json_t *keys = json_object_get(part, "keys");

	return keys ? keys : json_object_get(json_object_get(part, "delegations"), "keys");
}

json_t *role_keys(const json_t *part, const char *role)
{
	const json_t *signers = role_signers(part, role);

	if (signers && signers == witness(part, role))
		return json_object_get(json_object_get(part, "x-backstay-evidence"), "keys");
	return role_key_list(part);
}

static size_t find_id(const json_t *ids, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach (ids, i, one)
		if (strncmp(json_string_value(one), id, strlen(id)) == 0)
			return i;
	return json_array_size(ids);
}

/* How often is a key referred to, anywhere in the part? */
static unsigned count_references(const json_t *j, const char *id)
{
	unsigned n = 0;
	const char *name;
	json_t *one;
	size_t i;

	json_array_foreach (j, i, one)
		n += count_references(one, id);
	json_object_foreach ((json_t *)j, name, one) {
		const json_t *ids = strcmp(name, "keyids") == 0 ? one : NULL;

		n += ids ? find_id(ids, id) < json_array_size(ids) : count_references(one, id);
	}
	return n;
}

/* ---- changing ---- */

static int drop_one(json_t *ids, const char *id, struct err *e)
{
	size_t at = find_id(ids, id);

	if (strlen(id) < ID_BEGINNING || at == json_array_size(ids))
		return err_set(e, ERR_NOT_FOUND, "the role has no key %s", id);
	json_array_remove(ids, at);
	return 0;
}

/* The same key under whatever id? */
static bool is_listed(const json_t *keys, const struct pub_file *f)
{
	const char *id;
	json_t *key;

	json_object_foreach ((json_t *)keys, id, key) {
		BUF_AUTO text = {0};
		struct pub_file other;
		bool same;

		json_write(key, &text);
		if (pub_file_parse(buf_str(&text), &other, NULL) < 0)
			continue;
		same = sha256_eq(&other.pub.spki, &f->pub.spki);
		pub_file_fini(&other);
		if (same)
			return true;
	}
	return false;
}

/* A witness is no approver either: a key counts in one role of a file only. */
static int add_one(
	const json_t *part, json_t *keys, json_t *ids, const struct pub_file *f, struct err *e)
{
	const json_t *rule = json_object_get(part, "x-backstay-evidence");

	if (is_listed(role_key_list(part), f) || is_listed(json_object_get(rule, "keys"), f))
		return err_set(e, ERR_CONFLICT,
			"key %.16s is listed there already; a key serves one role only", f->keyid);
	json_object_set(keys, f->keyid, f->json);
	json_array_append_new(ids, json_string(f->keyid));
	return 0;
}

static void prune(json_t *part, json_t *keys)
{
	const char *id;
	json_t *key;
	void *next;

	json_object_foreach_safe(keys, next, id, key) if (!count_references(part, id))
		json_object_del(keys, id);
}

static int set_threshold(json_t *signers, unsigned threshold, struct err *e)
{
	size_t n = json_array_size(json_object_get(signers, "keyids"));

	if (threshold)
		json_object_set_new(signers, "threshold", json_integer(threshold));
	if ((json_int_t)n < json_integer_value(json_object_get(signers, "threshold")))
		return err_set(e, ERR_CONFLICT, "%zu keys are fewer than the threshold of %lld", n,
			(long long)json_integer_value(json_object_get(signers, "threshold")));
	if (n > LIMIT_KEYS)
		return err_set(e, ERR_TOO_LARGE, "more than %d keys", LIMIT_KEYS);
	return 0;
}

int role_change_apply(json_t *part, const struct role_change *c, struct err *e)
{
	json_t *keys = role_keys(part, c->role), *signers = role_signers(part, c->role), *ids;

	if (!keys || !signers)
		return err_set(e, ERR_NOT_FOUND, "no role %s is listed there", c->role);
	ids = json_object_get(signers, "keyids");
	for (unsigned i = 0; i < c->n_drop; i++)
		TRY(drop_one(ids, c->drop[i], e));
	if (c->only_added)
		json_array_clear(ids);
	for (unsigned i = 0; i < c->n_add; i++)
		TRY(add_one(part, keys, ids, &c->add[i], e));
	prune(part, keys);
	return set_threshold(signers, c->threshold, e);
}
