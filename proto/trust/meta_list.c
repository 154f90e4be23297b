#include <string.h>

#include "proto/trust/meta_priv.h"

/* A list of hashes of which none is known could not be held against anything, so it is refused
 * rather than taken for "no hash given". */
static int known_hashes(const json_t *o, const char *where, struct hashes *out, struct err *e)
{
	struct hashes h;

	TRY(hashes_parse(o, where, &h, e));
	if (hashes_is_empty(&h))
		return err_set(e, ERR_BAD_INPUT, "%s.hashes: none that is known", where);
	*out = h;
	return 0;
}

int pin_read(const json_t *o, const char *where, struct meta_pin *out, struct err *e)
{
	struct meta_pin pin = {.has_length = json_object_get(o, "length") != NULL};

	TRY(json_u64(o, where, "version", 1, META_VERSION_MAX, &pin.version, e));
	TRY(json_u64_opt(o, where, "length", 0, META_VERSION_MAX, &pin.length, e));
	if (json_object_get(o, "hashes"))
		TRY(known_hashes(o, where, &pin.hashes, e));
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

static bool pin_matches(const struct meta_pin *pin, uint64_t length, const struct hashes *taken)
{
	return (!pin->has_length || pin->length == length) && hashes_fit(&pin->hashes, taken);
}

int meta_pin_check(const struct meta_pin *pin, const char *file, struct str bytes, struct err *e)
{
	struct hashes taken;

	hashes_all_of(bytes.p, bytes.n, &taken);
	if (!pin_matches(pin, bytes.n, &taken))
		return err_set(e, ERR_ALTERED, "%s: its %zu bytes are not those that are listed",
			file, bytes.n);
	return 0;
}

bool meta_pin_fits(const struct meta_pin *pin, const struct meta *m)
{
	return pin->version == m->version && pin_matches(pin, m->length, &m->hashes);
}

int file_read(const json_t *o, const char *where, struct meta_pin *out, struct err *e)
{
	struct meta_pin file = {.has_length = true};

	TRY(json_u64(o, where, "length", 0, META_VERSION_MAX, &file.length, e));
	TRY(hashes_parse(o, where, &file.hashes, e));
	*out = file;
	return 0;
}

static int entry_of(const struct meta *targets, const char *path, const json_t **out, struct err *e)
{
	const json_t *list = json_object_get(targets->signed_part, "targets");

	*out = json_object_get(list, path);
	return *out ? 0 : err_set(e, ERR_NOT_FOUND, "%s is not listed", path);
}

int meta_file(const struct meta *targets, const char *path, struct meta_pin *out, struct err *e)
{
	struct meta_pin file;
	const json_t *one;

	TRY(entry_of(targets, path, &one, e));
	TRY(file_read(one, path, &file, e));
	TRY(known_hashes(one, path, &file.hashes, e));
	*out = file;
	return 0;
}

int meta_target(const struct meta *targets, const char *path, struct target *out, struct err *e)
{
	struct meta_pin file;
	const json_t *one;

	TRY(entry_of(targets, path, &one, e));
	TRY(file_read(one, path, &file, e));
	if (!file.hashes.has_sha256)
		return err_set(e, ERR_BAD_INPUT, "%s is listed without its SHA-256", path);

	struct target t = {.length = file.length,
		.hash = file.hashes.sha256,
		.has_hash512 = file.hashes.has_sha512,
		.hash512 = file.hashes.sha512,
		.match = json_object_get(json_object_get(one, "custom"), "match")};
	TRY(str_copy(str_of(path), t.path, sizeof t.path, e));
	*out = t;
	return 0;
}

/* hash512 is zero where there is none. */
bool meta_target_same(const struct target *a, const struct target *b)
{
	return a->length == b->length && sha256_eq(&a->hash, &b->hash) &&
	       a->has_hash512 == b->has_hash512 &&
	       memcmp(&a->hash512, &b->hash512, sizeof a->hash512) == 0 &&
	       json_equal(a->match, b->match);
}
