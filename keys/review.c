#include "keys/review.h"

#include <string.h>

#include "keys/rolekeys.h"
#include "proto/trust/auditlog.h"
#include "proto/trust/timetoken.h"

static const char *scheme_of(const json_t *part, const char *role, const char *id)
{
	const char *s = json_string_value(
		json_object_get(json_object_get(role_keys(part, role), id), "scheme"));

	return s ? s : "of no known scheme";
}

static bool has(const json_t *signers, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(signers, "keyids"), i, one)
		if (strcmp(json_string_value(one), id) == 0)
			return true;
	return false;
}

static void only_in(const json_t *part, const char *role, const json_t *other, const char *sign,
	struct buf *out)
{
	const json_t *signers = role_signers(part, role), *one;
	char shown[24];
	size_t i;

	json_array_foreach (json_object_get(signers, "keyids"), i, one) {
		const char *id = json_string_value(one);

		if (!has(role_signers(other, role), id))
			buf_addf(out, "%s: %s key %s (%s)\n", role, sign,
				str_printable((struct str){id, MIN(strlen(id), (size_t)16)}, shown,
					sizeof shown),
				scheme_of(part, role, id));
	}
}

static json_int_t threshold_of(const json_t *part, const char *role)
{
	return json_integer_value(json_object_get(role_signers(part, role), "threshold"));
}

/* Whatever else a delegation says: its paths, whether it ends the search. */
static bool same_terms(const json_t *before, const json_t *after, const char *role)
{
	JSON_AUTO *was = json_deep_copy(role_signers(before, role));
	JSON_AUTO *is = json_deep_copy(role_signers(after, role));

	json_object_del(was, "keyids");
	json_object_del(was, "threshold");
	json_object_del(is, "keyids");
	json_object_del(is, "threshold");
	return !was || !is || json_equal(was, is);
}

/* An id that stands for another key than before would not be seen in lists of ids. */
static void swapped_keys(const json_t *before, const json_t *after, struct buf *out)
{
	const json_t *others = role_key_list(after);
	const char *id;
	json_t *key;
	char shown[24];

	json_object_foreach (role_key_list(before), id, key) {
		const json_t *other = json_object_get(others, id);

		if (other && !json_equal(key, other))
			buf_addf(out, "ANOTHER KEY UNDER THE ID %s\n",
				str_printable(str_of(id), shown, sizeof shown));
	}
}

static void role_lines(const json_t *before, const json_t *after, const char *role, struct buf *out)
{
	json_int_t was = threshold_of(before, role), is = threshold_of(after, role);

	only_in(before, role, after, "without", out);
	only_in(after, role, before, "with", out);
	if (was != is)
		buf_addf(out, "%s: %lld instead of %lld signatures are needed\n", role,
			(long long)is, (long long)was);
	if (!same_terms(before, after, role))
		buf_addf(out, "%s: other terms, such as paths\n", role);
}

static void each_named(const json_t *list, const json_t *before, const json_t *after,
	const json_t *skip, struct buf *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (name && !role_signers(skip, name))
			role_lines(before, after, name, out);
	}
}

/* Every role that a part lists. */
static void each_role(const json_t *part, const json_t *before, const json_t *after,
	const json_t *skip, struct buf *out)
{
	const char *name;
	json_t *one;

	json_object_foreach (json_object_get(part, "roles"), name, one)
		if (!role_signers(skip, name))
			role_lines(before, after, name, out);
	for (size_t i = 0; i < ROLES_BESIDE; i++)
		if (json_object_get(part, roles_beside[i].member) &&
			!json_object_get(skip, roles_beside[i].member))
			role_lines(before, after, roles_beside[i].role, out);
	each_named(json_object_get(json_object_get(part, "delegations"), "roles"), before, after,
		skip, out);
	each_named(json_object_get(json_object_get(part, "x-backstay-evidence"), "roles"), before,
		after, skip, out);
}

static void target_lines(const json_t *part, const json_t *other, const char *sign, struct buf *out)
{
	const json_t *others = json_object_get(other, "targets");
	const char *path;
	json_t *one;
	char shown[LIMIT_TARGET_NAME];

	json_object_foreach (json_object_get(part, "targets"), path, one)
		if (!json_equal(one, json_object_get(others, path)))
			buf_addf(out, "%s %s\n", sign,
				str_printable(str_of(path), shown, sizeof shown));
}

/* Members that no line above tells of. */
static void other_lines(const json_t *part, const json_t *other, bool missing_only, struct buf *out)
{
	static const char *const told[] = {"roles", "keys", "delegations", "targets",
		TIMETOKEN_TYPE, AUDITLOG_TYPE, "version", "expires"};
	const char *name;
	char shown[64];
	json_t *one;

	json_object_foreach ((json_t *)part, name, one) {
		const json_t *there = json_object_get(other, name);
		bool is_told = false;

		for (size_t i = 0; i < ARRAY_LEN(told); i++)
			is_told = is_told || strcmp(name, told[i]) == 0;
		if (!is_told && (missing_only ? !there : !json_equal(one, there)))
			buf_addf(out, "another \"%s\"\n",
				str_printable(str_of(name), shown, sizeof shown));
	}
}

static const char *text(const json_t *part, const char *name)
{
	const char *s = json_string_value(json_object_get(part, name));

	return s ? s : "?";
}

void review_format(const json_t *before, const json_t *after, struct buf *out)
{
	char was[32], is[32];

	buf_addf(out, "version %lld follows on %lld\n",
		(long long)json_integer_value(json_object_get(after, "version")),
		(long long)json_integer_value(json_object_get(before, "version")));
	buf_addf(out, "valid until %s instead of %s\n",
		str_printable(str_of(text(after, "expires")), is, sizeof is),
		str_printable(str_of(text(before, "expires")), was, sizeof was));
	each_role(before, before, after, NULL, out);
	each_role(after, before, after, before, out);
	swapped_keys(before, after, out);
	target_lines(before, after, "without target", out);
	target_lines(after, before, "with target", out);
	other_lines(after, before, false, out);
	other_lines(before, after, true, out);
}
