#include "keys/pubfile.h"

#include "proto/trust/digest.h"

static int read_key(const json_t *o, struct pub_key *out, struct err *e)
{
	static const char *const known[] = {"keytype", "scheme", "keyval", NULL};
	static const char *const known_value[] = {"public", NULL};
	char keytype[48], scheme[48];
	const json_t *value, *text;

	TRY(json_only(o, "key", known, e));
	TRY(json_text(o, "key", "keytype", keytype, sizeof keytype, e));
	TRY(json_text(o, "key", "scheme", scheme, sizeof scheme, e));
	TRY(json_obj(o, "key", "keyval", &value, e));
	TRY(json_only(value, "key.keyval", known_value, e));
	text = json_object_get(value, "public");
	if (!json_is_string(text))
		return err_set(e, ERR_BAD_INPUT, "key.keyval.public: text is wanted");
	TRY(pub_key_parse(keytype, scheme, json_string_value(text), out, e));
	if (out->scheme == SIG_UNKNOWN)
		return err_set(
			e, ERR_BAD_INPUT, "key: no device can verify %s of %s", scheme, keytype);
	return 0;
}

int pub_file_parse(struct str text, struct pub_file *out, struct err *e)
{
	struct pub_file f = {0};
	struct sha256 digest;
	BUF_AUTO bytes = {0};
	int rc;

	TRY(json_read(text, LIMIT_PUB_FILE_BYTES, &f.json, e));
	rc = json_is_object(f.json) ? read_key(f.json, &f.pub, e)
				    : err_set(e, ERR_BAD_INPUT, "key: an object is wanted");
	if (rc < 0) {
		json_decref(f.json);
		return rc;
	}
	json_canonical(f.json, &bytes);
	digest_of(bytes.p, bytes.n, &digest);
	sha256_format(&digest, f.keyid);
	*out = f;
	return 0;
}

void pub_file_fini(struct pub_file *f)
{
	json_decref(f->json);
	*f = (struct pub_file){0};
}
