#include "server/signd/core/reply.h"

#include <assert.h>
#include <string.h>

#define VERSION_MAX ((1ULL << 53) - 1)

void reply_fini(struct reply *r)
{
	for (unsigned i = 0; i < r->n; i++)
		buf_fini(&r->files[i].bytes);
	r->n = 0;
}

const struct signed_file *reply_find(const struct reply *r, const char *role)
{
	for (unsigned i = 0; i < r->n; i++)
		if (strcmp(r->files[i].role, role) == 0)
			return &r->files[i];
	return NULL;
}

void reply_add(struct reply *r, const struct signed_file *f)
{
	struct signed_file *to = &r->files[r->n];

	assert(r->n < LIMIT_ROLES);
	r->n++;
	*to = *f;
	buf_init(&to->bytes);
	buf_add(&to->bytes, f->bytes.p, f->bytes.n);
}

void reply_format(const struct reply *r, struct buf *out)
{
	JSON_AUTO *o = json_object();
	json_t *files = json_array();

	for (unsigned i = 0; i < r->n; i++)
		json_array_append_new(
			files, json_pack("{s:s, s:I, s:I, s:s%}", "role", r->files[i].role,
				       "version", (json_int_t)r->files[i].version, "expires_s",
				       (json_int_t)r->files[i].expires_s, "bytes",
				       (const char *)r->files[i].bytes.p, r->files[i].bytes.n));
	json_object_set_new(o, "line", json_integer((json_int_t)r->line));
	json_object_set_new(o, "made", json_integer((json_int_t)r->made));
	json_object_set_new(o, "files", files);
	json_write(o, out);
}

void reply_format_err(const struct err *why, struct buf *out)
{
	JSON_AUTO *o = NULL;
	char reason[sizeof why->text];

	str_printable(str_of(why->text), reason, sizeof reason);
	o = json_pack("{s:s, s:s}", "error", err_name(why->code), "reason", reason);
	json_write(o, out);
}

static int read_file(const json_t *o, struct reply *r, struct err *e)
{
	struct signed_file f = {.role = ""};
	const json_t *bytes = json_object_get(o, "bytes");
	uint64_t expires;

	TRY(json_text(o, "reply.files", "role", f.role, sizeof f.role, e));
	TRY(json_u64(o, "reply.files", "version", 1, VERSION_MAX, &f.version, e));
	TRY(json_u64(o, "reply.files", "expires_s", 0, VERSION_MAX, &expires, e));
	if (!json_is_string(bytes))
		return err_set(e, ERR_BAD_INPUT, "reply.files.bytes: text is wanted");
	f.expires_s = (int64_t)expires;
	buf_add(&f.bytes, json_string_value(bytes), json_string_length(bytes));
	reply_add(r, &f);
	buf_fini(&f.bytes);
	return 0;
}

static int read_error(const json_t *o, struct err *e)
{
	char name[ID_TEXT_MAX], reason[sizeof e->text];
	enum err_code code;

	TRY(json_text(o, "reply", "error", name, sizeof name, e));
	TRY(json_text(o, "reply", "reason", reason, sizeof reason, e));
	code = err_by_name(name);
	return err_set(
		e, code == ERR_OK || code >= ERR_CODE_MAX ? ERR_BAD_INPUT : code, "%s", reason);
}

static int read_reply(const json_t *o, struct reply *r, struct err *e)
{
	const json_t *files, *one;
	size_t i;

	if (json_object_get(o, "error"))
		return read_error(o, e);
	TRY(json_u64(o, "reply", "line", 0, VERSION_MAX, &r->line, e));
	TRY(json_u64(o, "reply", "made", 0, LIMIT_ROLES, &r->made, e));
	TRY(json_arr(o, "reply", "files", LIMIT_ROLES, &files, e));
	json_array_foreach (files, i, one)
		TRY(read_file(one, r, e));
	return 0;
}

int reply_parse(struct str frame, struct reply *out, struct err *e)
{
	JSON_AUTO *o = NULL;
	int rc;

	memset(out, 0, sizeof *out);
	TRY(json_read(frame, LIMIT_SIGN_FRAME, &o, e));
	rc = json_is_object(o) ? read_reply(o, out, e)
			       : err_set(e, ERR_BAD_INPUT, "reply: an object is wanted");
	if (rc < 0)
		reply_fini(out);
	return rc;
}
