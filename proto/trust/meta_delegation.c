#include <stdio.h>
#include <string.h>

#include "proto/trust/meta_priv.h"

/* ---- form ---- */

static bool is_hash_prefix(const char *s)
{
	return s[0] && strspn(s, "0123456789abcdef") == strlen(s) && strlen(s) < SHA256_TEXT;
}

static int patterns_check(const json_t *role, const char *where, const char *key,
	bool (*fits)(const char *), struct err *e)
{
	const json_t *list, *one;
	size_t i;

	TRY(json_arr(role, where, key, LIMIT_PATTERNS, &list, e));
	json_array_foreach (list, i, one) {
		if (!json_is_string(one) || (fits && !fits(json_string_value(one))))
			return err_set(e, ERR_BAD_INPUT, "%s.%s[%zu]: not what may stand there",
				where, key, i);
	}
	return 0;
}

/* What a role may speak of is said in exactly one of two ways. */
static int reach_check(const json_t *role, const char *where, struct err *e)
{
	bool by_hash = json_object_get(role, "path_hash_prefixes") != NULL;

	if (by_hash && json_object_get(role, "paths"))
		return err_set(e, ERR_BAD_INPUT, "%s: both paths and path_hash_prefixes", where);
	if (by_hash)
		return patterns_check(role, where, "path_hash_prefixes", is_hash_prefix, e);
	return patterns_check(role, where, "paths", NULL, e);
}

static bool is_top_level(const char *role)
{
	for (enum role_kind k = 0; k < ROLE_KIND_MAX; k++)
		if (strcmp(role, role_kind_name(k)) == 0)
			return true;
	return false;
}

static int delegation_check(const json_t *keys, const json_t *roles, size_t i, struct err *e)
{
	const json_t *role = json_array_get(roles, i);
	char name[LIMIT_ROLE_NAME], where[64];
	bool terminating;
	struct signers s;

	snprintf(where, sizeof where, "targets.delegations.roles[%zu]", i);
	TRY(json_text(role, where, "name", name, sizeof name, e));
	if (name[0] == 0 || is_top_level(name))
		return err_set(e, ERR_BAD_INPUT, "%s: a delegated role cannot be called \"%s\"",
			where, name);
	for (size_t k = 0; k < i; k++)
		if (strcmp(name, json_string_value(
					 json_object_get(json_array_get(roles, k), "name"))) == 0)
			return err_set(e, ERR_BAD_INPUT, "%s: %s stands twice", where, name);
	TRY(reach_check(role, where, e));
	TRY(json_bool_opt(role, where, "terminating", &terminating, e));
	return signers_read(keys, role, where, &s, e);
}

int delegations_check(const json_t *signed_part, struct err *e)
{
	static const char where[] = "targets.delegations";
	const json_t *delegations, *keys, *roles;

	if (!json_object_get(signed_part, "delegations"))
		return 0;
	TRY(json_obj(signed_part, "targets", "delegations", &delegations, e));
	TRY(keys_check(delegations, where, &keys, e));
	TRY(json_arr(delegations, where, "roles", LIMIT_DELEGATIONS, &roles, e));
	for (size_t i = 0; i < json_array_size(roles); i++)
		TRY(delegation_check(keys, roles, i, e));
	return 0;
}

/* ---- what a delegation says ---- */

const json_t *delegation_at(const struct meta *delegator, size_t i)
{
	const json_t *all = json_object_get(delegator->signed_part, "delegations");

	return json_array_get(json_object_get(all, "roles"), i);
}

const char *delegation_name(const json_t *role)
{
	return json_string_value(json_object_get(role, "name"));
}

bool delegation_is_terminating(const json_t *role)
{
	return json_is_true(json_object_get(role, "terminating"));
}

/* '*' is tried greedily from the last place where it could have ended; it never crosses a '/'. */
static bool glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == *text || (*pattern == '?' && *text != '/')) {
			pattern++;
			text++;
		} else if (star && *resume != '/') {
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}

bool paths_match(const json_t *patterns, const char *path)
{
	const json_t *one;
	size_t i;

	json_array_foreach (patterns, i, one) {
		if (json_is_string(one) && glob(json_string_value(one), path))
			return true;
	}
	return false;
}

static bool prefixes_match(const json_t *prefixes, const char *path)
{
	char hex[SHA256_TEXT];
	struct sha256 digest;
	const json_t *one;
	size_t i;

	digest_of(path, strlen(path), &digest);
	sha256_format(&digest, hex);
	json_array_foreach (prefixes, i, one) {
		if (str_has_prefix(str_of(hex), json_string_value(one)))
			return true;
	}
	return false;
}

bool delegation_covers(const json_t *role, const char *path)
{
	const json_t *prefixes = json_object_get(role, "path_hash_prefixes");

	return prefixes ? prefixes_match(prefixes, path)
			: paths_match(json_object_get(role, "paths"), path);
}

bool meta_covers(const struct meta *delegator, const char *role, const char *path)
{
	return delegation_covers(role_find(delegator, role), path);
}
