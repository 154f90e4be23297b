#include <string.h>

#include "proto/trust/meta_priv.h"

/* Only SHA-256 is checked. A list of hashes without it could not be held against anything, so it is
 * refused rather than taken for "no hash given". */
static int hash_read(const json_t *o, const char *where, struct sha256 *out, struct err *e)
{
	const json_t *hashes;
	char hex[SHA256_TEXT];

	TRY(json_obj(o, where, "hashes", &hashes, e));
	if (json_object_size(hashes) > LIMIT_METADATA_HASHES)
		return err_set(
			e, ERR_TOO_LARGE, "%s.hashes: more than %d", where, LIMIT_METADATA_HASHES);
	TRY(json_text(hashes, where, "sha256", hex, sizeof hex, e));
	if (sha256_parse(str_of(hex), out, e) < 0)
		return err_wrap(e, "%s", where);
	return 0;
}

int pin_read(const json_t *o, const char *where, struct meta_pin *out, struct err *e)
{
	struct meta_pin pin = {
		.has_length = json_object_get(o, "length") != NULL,
		.has_hash = json_object_get(o, "hashes") != NULL,
	};

	TRY(json_u64(o, where, "version", 1, META_VERSION_MAX, &pin.version, e));
	TRY(json_u64_opt(o, where, "length", 0, META_VERSION_MAX, &pin.length, e));
	if (pin.has_hash)
		TRY(hash_read(o, where, &pin.hash, e));
	*out = pin;
	return 0;
}

int meta_pin_of(const struct meta *lister, const char *file, struct meta_pin *out, struct err *e)
{
	const json_t *pins = json_object_get(lister->signed_part, "meta");
	const json_t *one = json_object_get(pins, file);

	if (!one)
		return err_set(
			e, ERR_MIXED, "%s is not listed in %s", file, role_kind_name(lister->kind));
	return pin_read(one, file, out, e);
}

static bool pin_matches(const struct meta_pin *pin, uint64_t length, const struct sha256 *digest)
{
	return (!pin->has_length || pin->length == length) &&
	       (!pin->has_hash || sha256_eq(&pin->hash, digest));
}

int meta_pin_check(const struct meta_pin *pin, const char *file, struct str bytes, struct err *e)
{
	struct sha256 digest;

	digest_of(bytes.p, bytes.n, &digest);
	if (!pin_matches(pin, bytes.n, &digest))
		return err_set(e, ERR_ALTERED, "%s: its %zu bytes are not those that are listed",
			file, bytes.n);
	return 0;
}

bool meta_pin_fits(const struct meta_pin *pin, const struct meta *m)
{
	return pin->version == m->version && pin_matches(pin, m->length, &m->digest);
}

int target_read(const json_t *o, const char *where, struct target *out, struct err *e)
{
	const json_t *custom = json_object_get(o, "custom");
	struct target t = {.match = json_object_get(custom, "match")};

	TRY(json_u64(o, where, "length", 0, META_VERSION_MAX, &t.length, e));
	TRY(hash_read(o, where, &t.hash, e));
	*out = t;
	return 0;
}

int meta_target(const struct meta *targets, const char *path, struct target *out, struct err *e)
{
	const json_t *list = json_object_get(targets->signed_part, "targets");
	const json_t *one = json_object_get(list, path);
	struct target t;

	if (!one)
		return err_set(e, ERR_NOT_FOUND, "%s is not listed", path);
	TRY(target_read(one, path, &t, e));
	TRY(str_copy(str_of(path), t.path, sizeof t.path, e));
	*out = t;
	return 0;
}

bool meta_target_same(const struct target *a, const struct target *b)
{
	return a->length == b->length && sha256_eq(&a->hash, &b->hash) &&
	       json_equal(a->match, b->match);
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

bool meta_covers(const struct meta *delegator, const char *role, const char *path)
{
	return paths_match(json_object_get(role_find(delegator, role), "paths"), path);
}
