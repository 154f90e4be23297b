#include "proto/trust/director.h"

#include <string.h>

#include "proto/trust/meta_priv.h"

const char *const director_minimum[DIRECTOR_MINIMUM] = {"engineering", "safety", "compliance"};

struct quorum {
	char (*roles)[LIMIT_ROLE_NAME];
	unsigned n;
};

static int quorum_add(struct quorum *q, const char *role, struct err *e)
{
	char name[ID_TEXT_MAX];

	if (!role)
		return err_set(e, ERR_BAD_INPUT, "x-backstay-quorum: a role that is not text");
	TRY(id_parse(str_of(role), "x-backstay-quorum: role", name, e));
	for (unsigned i = 0; i < q->n; i++)
		if (strcmp(q->roles[i], name) == 0)
			return 0;
	if (q->n == LIMIT_DELEGATIONS)
		return err_set(e, ERR_TOO_LARGE, "x-backstay-quorum: more than %d roles",
			LIMIT_DELEGATIONS);
	memcpy(q->roles[q->n++], name, sizeof name);
	return 0;
}

static int rule_apply(struct quorum *q, const json_t *rule, const char *path, struct err *e)
{
	static const char where[] = "root.x-backstay-quorum";
	const json_t *paths, *all_of;

	TRY(json_arr(rule, where, "paths", LIMIT_DELEGATIONS, &paths, e));
	TRY(json_arr(rule, where, "all_of", LIMIT_DELEGATIONS, &all_of, e));
	if (!paths_match(paths, path))
		return 0;
	for (size_t i = 0; i < json_array_size(all_of); i++)
		TRY(quorum_add(q, json_string_value(json_array_get(all_of, i)), e));
	return 0;
}

int director_quorum(const struct trusted_set *image, const char *path,
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME], unsigned *out_n, struct err *e)
{
	char found[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME] = {0};
	struct quorum q = {.roles = found};
	const json_t *rules;

	if (!image->has_root)
		return err_set(e, ERR_UNSIGNED, "image: no root is trusted");
	for (size_t i = 0; i < DIRECTOR_MINIMUM; i++)
		TRY(quorum_add(&q, director_minimum[i], e));
	if (json_object_get(image->root.signed_part, "x-backstay-quorum")) {
		TRY(json_arr(image->root.signed_part, "root", "x-backstay-quorum",
			LIMIT_DELEGATIONS, &rules, e));
		for (size_t i = 0; i < json_array_size(rules); i++)
			TRY(rule_apply(&q, json_array_get(rules, i), path, e));
	}
	memcpy(roles, found, sizeof found);
	*out_n = q.n;
	return 0;
}

/* Keys of the roles that were looked at so far. */
struct key_set {
	struct sha256 spki[LIMIT_DELEGATIONS * LIMIT_KEYS];
	unsigned n;
};

static int keys_add(
	struct key_set *set, const struct meta *targets, const char *role, struct err *e)
{
	struct sha256 own[LIMIT_KEYS];
	unsigned n, before = set->n;

	TRY(meta_role_keys(targets, role, own, &n, e));
	for (unsigned i = 0; i < n; i++) {
		for (unsigned k = 0; k < before; k++)
			if (sha256_eq(&own[i], &set->spki[k]))
				return err_set(e, ERR_UNSIGNED,
					"role %s: one of its keys is another role's, too", role);
		set->spki[set->n++] = own[i];
	}
	return 0;
}

/* What one role of the quorum says of `path`. */
static int role_says(const struct trusted_set *image, const char *role, const char *path,
	struct target *out, struct err *e)
{
	const struct meta *m = trusted_find_delegated(image, role);

	if (!m)
		return err_set(e, ERR_UNSIGNED, "%s: nothing signed by role %s", path, role);
	if (!meta_covers(&image->targets, role, path))
		return err_set(e, ERR_UNSIGNED, "%s: role %s may not speak of it", path, role);
	if (meta_target(m, path, out, NULL) < 0)
		return err_set(e, ERR_UNSIGNED, "%s: not signed by role %s", path, role);
	return 0;
}

static int roles_agree(const struct trusted_set *image, const char *path,
	char roles[][LIMIT_ROLE_NAME], unsigned n, struct target *out, struct err *e)
{
	struct target first = {0}, other;

	TRY(role_says(image, roles[0], path, &first, e));
	for (unsigned i = 1; i < n; i++) {
		TRY(role_says(image, roles[i], path, &other, e));
		if (!meta_target_same(&first, &other))
			return err_set(e, ERR_MIXED, "%s: role %s signed another one than role %s",
				path, roles[i], roles[0]);
	}
	*out = first;
	return 0;
}

/* Four eyes: whoever made the release is named by everybody who signed it, and signed it for none
 * of them. */
static int creator_check(const struct key_set *set, const struct target *t, struct err *e)
{
	struct sha256 creator = {{0}};

	TRY(json_digest_opt(t->match, "custom.match", "creator", &creator, e));
	for (unsigned i = 0; i < set->n; i++)
		if (sha256_eq(&creator, &set->spki[i]))
			return err_set(e, ERR_UNSIGNED,
				"%s: the key of its creator is one of those that approve it",
				t->path);
	return 0;
}

int director_image_agrees(
	const struct trusted_set *image, const char *path, struct target *out, struct err *e)
{
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME];
	CLEANUP(mem_free) struct key_set *keys = mem_new(sizeof *keys);
	struct target agreed = {0};
	unsigned n;

	TRY(director_quorum(image, path, roles, &n, e));
	if (!image->has_targets)
		return err_set(e, ERR_UNSIGNED, "image: no targets are trusted");
	TRY(meta_check_expiry(&image->targets, "image targets", image->now_s, e));
	for (unsigned i = 0; i < n; i++)
		TRY(keys_add(keys, &image->targets, roles[i], e));
	TRY(roles_agree(image, path, roles, n, &agreed, e));
	TRY(creator_check(keys, &agreed, e));
	*out = agreed;
	return 0;
}
