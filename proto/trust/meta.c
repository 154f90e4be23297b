#include "proto/trust/meta.h"

#include <string.h>

#include "proto/trust/meta_priv.h"

static const char *const kind_names[] = {
	[ROLE_ROOT] = "root",
	[ROLE_TIMESTAMP] = "timestamp",
	[ROLE_SNAPSHOT] = "snapshot",
	[ROLE_TARGETS] = "targets",
};

const char *role_kind_name(enum role_kind k)
{
	return k < ROLE_KIND_MAX ? kind_names[k] : "unknown";
}

void meta_init(struct meta *m)
{
	*m = (struct meta){0};
}

void meta_fini(struct meta *m)
{
	json_release(&m->doc);
	buf_fini(&m->signed_bytes);
	meta_init(m);
}

/* Two signatures under one key id are refused even where enough others remain: which of them is
 * meant would depend on the reader. */
int signatures_check(const json_t *doc, const char *name, struct err *e)
{
	const json_t *list, *one;
	size_t i, k;

	TRY(json_arr(doc, name, "signatures", LIMIT_SIGNATURES, &list, e));
	json_array_foreach (list, i, one) {
		const char *id = json_string_value(json_object_get(one, "keyid"));

		if (!id || !json_is_string(json_object_get(one, "sig")))
			return err_set(e, ERR_BAD_INPUT, "%s.signatures[%zu]: no keyid or no sig",
				name, i);
		for (k = 0; k < i; k++)
			if (strcmp(id, json_string_value(json_object_get(
					       json_array_get(list, k), "keyid"))) == 0)
				return err_set(e, ERR_BAD_INPUT,
					"%s.signatures[%zu]: this key id has signed already", name,
					i);
	}
	return 0;
}

static int head_check(struct meta *m, struct err *e)
{
	const char *name = role_kind_name(m->kind);
	char type[16], spec[16], expires[32];

	TRY(json_text(m->signed_part, name, "_type", type, sizeof type, e));
	if (strcmp(type, name) != 0)
		return err_set(e, ERR_BAD_INPUT, "%s: its _type is %s", name, type);
	TRY(json_text(m->signed_part, name, "spec_version", spec, sizeof spec, e));
	if (!str_has_prefix(str_of(spec), "1."))
		return err_set(
			e, ERR_BAD_INPUT, "%s: spec_version %s, 1.x is understood", name, spec);
	TRY(json_u64(m->signed_part, name, "version", 1, META_VERSION_MAX, &m->version, e));
	TRY(json_text(m->signed_part, name, "expires", expires, sizeof expires, e));
	if (time_parse(str_of(expires), &m->expires_s, e) < 0)
		return err_wrap(e, "%s.expires", name);
	return 0;
}

int meta_parse(struct str bytes, enum role_kind want, size_t max, struct meta *out, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {.kind = want, .length = bytes.n};
	const char *name = role_kind_name(want);

	if (json_read(bytes, max, &m.doc, e) < 0)
		return err_wrap(e, "%s", name);
	TRY(json_obj(m.doc, name, "signed", &m.signed_part, e));
	TRY(signatures_check(m.doc, name, e));
	TRY(head_check(&m, e));
	TRY(meta_form_check(&m, e));
	json_canonical(m.signed_part, &m.signed_bytes);
	hashes_all_of(bytes.p, bytes.n, &m.hashes);
	m.digest = m.hashes.sha256;
	*out = m;
	meta_init(&m);
	return 0;
}

int meta_check_expiry(const struct meta *m, const char *name, int64_t now_s, struct err *e)
{
	char then[21], now[21];

	if (m->expires_s > now_s)
		return 0;
	time_format(m->expires_s, then);
	time_format(now_s, now);
	return err_set(e, ERR_EXPIRED, "%s: expired at %s, it is %s", name, then, now);
}
