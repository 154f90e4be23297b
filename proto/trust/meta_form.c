#include <stdio.h>
#include <string.h>

#include "proto/trust/meta_priv.h"

int keys_check(const json_t *o, const char *where, const json_t **out_keys, struct err *e)
{
	const json_t *keys;
	const char *id;
	json_t *key;

	TRY(json_obj(o, where, "keys", &keys, e));
	if (json_object_size(keys) > LIMIT_KEYS)
		return err_set(e, ERR_TOO_LARGE, "%s: more than %d keys", where, LIMIT_KEYS);
	json_object_foreach ((json_t *)keys, id, key) {
		if (!json_is_object(key))
			return err_set(e, ERR_BAD_INPUT, "%s.keys: a key that is no object", where);
	}
	*out_keys = keys;
	return 0;
}

static int root_check(const struct meta *m, struct err *e)
{
	const json_t *keys, *roles, *role;
	struct signers s;
	bool consistent;

	TRY(keys_check(m->signed_part, "root", &keys, e));
	TRY(json_bool_opt(m->signed_part, "root", "consistent_snapshot", &consistent, e));
	TRY(json_obj(m->signed_part, "root", "roles", &roles, e));
	for (enum role_kind k = 0; k < ROLE_KIND_MAX; k++) {
		TRY(json_obj(roles, "root.roles", role_kind_name(k), &role, e));
		TRY(signers_read(keys, role, role_kind_name(k), &s, e));
	}
	return 0;
}

static int pins_check(const struct meta *m, const char *must_list, struct err *e)
{
	const char *name = role_kind_name(m->kind), *file;
	char shown[LIMIT_ROLE_NAME + 16];
	const json_t *pins;
	struct meta_pin pin;
	json_t *one;

	TRY(json_obj(m->signed_part, name, "meta", &pins, e));
	if (json_object_size(pins) > LIMIT_ROLES)
		return err_set(e, ERR_TOO_LARGE, "%s: lists more than %d files", name, LIMIT_ROLES);
	json_object_foreach ((json_t *)pins, file, one) {
		if (strlen(file) >= LIMIT_ROLE_NAME + sizeof ".json" - 1)
			return err_set(e, ERR_TOO_LARGE,
				"%s: lists a file with a name of %zu bytes", name, strlen(file));
		str_printable(str_of(file), shown, sizeof shown);
		TRY(pin_read(one, shown, &pin, e));
	}
	if (!json_object_get(pins, must_list))
		return err_set(e, ERR_BAD_INPUT, "%s: does not list %s", name, must_list);
	return 0;
}

static int timestamp_check(const struct meta *m, struct err *e)
{
	return pins_check(m, "snapshot.json", e);
}

static int snapshot_check(const struct meta *m, struct err *e)
{
	return pins_check(m, "targets.json", e);
}

static int targets_check(const struct meta *m, struct err *e)
{
	const json_t *targets;
	char shown[LIMIT_TARGET_NAME];
	struct meta_pin file;
	const char *path;
	json_t *one;

	TRY(json_obj(m->signed_part, "targets", "targets", &targets, e));
	if (json_object_size(targets) > LIMIT_TARGETS)
		return err_set(e, ERR_TOO_LARGE, "targets: more than %d entries", LIMIT_TARGETS);
	json_object_foreach ((json_t *)targets, path, one) {
		str_printable(str_of(path), shown, sizeof shown);
		TRY(file_read(one, shown, &file, e));
	}
	return delegations_check(m->signed_part, e);
}

int meta_form_check(const struct meta *m, struct err *e)
{
	static int (*const checks[])(const struct meta *, struct err *) = {
		[ROLE_ROOT] = root_check,
		[ROLE_TIMESTAMP] = timestamp_check,
		[ROLE_SNAPSHOT] = snapshot_check,
		[ROLE_TARGETS] = targets_check,
	};

	return checks[m->kind](m, e);
}
