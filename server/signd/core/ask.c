#include "server/signd/core/ask.h"

#include <string.h>

#include "proto/wire/path.h"

#define SIGN_LIFE_MAX (10ULL * 366 * 86400) /* seconds; what a signer allows is far less */

static const char *const kind_names[] = {
#define X(id, name, ...) [ASK_##id] = (name),
	ASK_TABLE(X)
#undef X
};

static const char *const file_names[] = {
	[SIGN_TARGETS] = "targets",
	[SIGN_SNAPSHOT] = "snapshot",
	[SIGN_TIMESTAMP] = "timestamp",
};

const char *ask_kind_name(enum ask_kind k)
{
	return k < ASK_KIND_MAX ? kind_names[k] : "unknown";
}

const char *sign_file_name(enum sign_file f)
{
	return file_names[f];
}

void ask_fini(struct ask *a)
{
	json_decref(a->doc);
	a->doc = NULL;
}

/* ---- reading ---- */

static int read_want(const json_t *o, enum sign_file first, struct sign_want out[], struct err *e)
{
	static const char *const known[] = {"has", "due", NULL};
	const json_t *want, *one;

	TRY(json_obj(o, "ask", "want", &want, e));
	TRY(json_only(
		want, "ask.want", (const char *[]){"targets", "snapshot", "timestamp", NULL}, e));
	for (enum sign_file f = first; f < SIGN_FILE_MAX; f++) {
		TRY(json_obj(want, "ask.want", file_names[f], &one, e));
		TRY(json_only(one, file_names[f], known, e));
		TRY(json_u64(one, file_names[f], "has", 0, (1ULL << 53) - 2, &out[f].has, e));
		TRY(json_bool_opt(one, file_names[f], "due", &out[f].due, e));
	}
	return 0;
}

static int read_lives(const json_t *o, uint64_t *life, uint64_t *timestamp_life, struct err *e)
{
	TRY(json_u64(o, "ask", "life_s", 1, SIGN_LIFE_MAX, life, e));
	return json_u64(o, "ask", "timestamp_life_s", 1, SIGN_LIFE_MAX, timestamp_life, e);
}

/* A path and the digest that belongs to it, or neither. */
static int read_release(
	const json_t *o, char path[LIMIT_TARGET_NAME], struct sha256 *digest, struct err *e)
{
	if (!json_object_get(o, "path") && !json_object_get(o, "digest"))
		return 0;
	TRY(json_text(o, "ask", "path", path, LIMIT_TARGET_NAME, e));
	if (path_check(str_of(path), LIMIT_TARGET_NAME - 1, e) < 0)
		return err_wrap(e, "ask.path");
	return json_digest(o, "ask", "digest", digest, e);
}

static int read_order(const json_t *o, struct ask_director *d, struct err *e)
{
	const char *names[DESIRED_ORDER_MAX];
	unsigned order;

	for (enum desired_order k = 0; k < DESIRED_ORDER_MAX; k++)
		names[k] = desired_order_name(k);
	TRY(json_choice(o, "ask", "order", names, DESIRED_ORDER_MAX, &order, e));
	d->order = (enum desired_order)order;
	if ((d->order == DESIRED_NOTHING) != !*d->path)
		return err_set(e, ERR_BAD_INPUT,
			"ask.order: \"nothing\" goes without a path, the others with one");
	return 0;
}

static int read_director(const json_t *o, struct ask_director *d, struct err *e)
{
	static const char *const known[] = {"ask", "device", "campaign", "order", "path", "digest",
		"want", "life_s", "timestamp_life_s", "offline", NULL};

	TRY(json_only(o, "ask", known, e));
	TRY(json_id(o, "ask", "device", d->device.s, e));
	TRY(json_bool_opt(o, "ask", "offline", &d->offline, e));
	TRY(json_id_opt(o, "ask", "campaign", d->campaign.s, e));
	TRY(read_release(o, d->path, &d->digest, e));
	TRY(read_order(o, d, e));
	TRY(read_lives(o, &d->life_s, &d->timestamp_life_s, e));
	return read_want(o, SIGN_TARGETS, d->want, e);
}

static int read_file(const json_t *o, struct ask_file *f, struct err *e)
{
	static const char *const known[] = {"role", "bytes", NULL};
	const json_t *bytes = json_object_get(o, "bytes");
	char role[ID_TEXT_MAX];

	TRY(json_only(o, "ask.files", known, e));
	TRY(json_id(o, "ask.files", "role", role, e));
	if (!json_is_string(bytes))
		return err_set(e, ERR_BAD_INPUT, "ask.files.bytes: text is wanted");
	memcpy(f->role, role, sizeof role);
	f->bytes = (struct str){json_string_value(bytes), json_string_length(bytes)};
	return 0;
}

static int read_image(const json_t *o, struct ask_image *im, struct err *e)
{
	static const char *const known[] = {"ask", "path", "digest", "want", "life_s",
		"timestamp_life_s", "offline", "files", NULL};
	const json_t *files, *one;
	size_t i;

	TRY(json_only(o, "ask", known, e));
	TRY(json_bool_opt(o, "ask", "offline", &im->offline, e));
	TRY(read_release(o, im->path, &im->digest, e));
	TRY(read_lives(o, &im->life_s, &im->timestamp_life_s, e));
	TRY(read_want(o, SIGN_SNAPSHOT, im->want, e));
	TRY(json_arr(o, "ask", "files", LIMIT_SIGN_FILES, &files, e));
	json_array_foreach (files, i, one)
		TRY(read_file(one, &im->files[i], e));
	im->n = (unsigned)json_array_size(files);
	return 0;
}

static int read_time(const json_t *o, struct ask_time *t, struct err *e)
{
	char nonce[NONCE_TEXT];

	TRY(json_only(o, "ask", (const char *[]){"ask", "device", "nonce", NULL}, e));
	TRY(json_id(o, "ask", "device", t->device.s, e));
	TRY(json_text(o, "ask", "nonce", nonce, sizeof nonce, e));
	return timetoken_nonce_parse(str_of(nonce), t->nonce, e);
}

static int read_checkpoint(const json_t *o, struct ask_checkpoint *c, struct err *e)
{
	TRY(json_only(o, "ask", (const char *[]){"ask", "n", "chain", NULL}, e));
	TRY(json_u64(o, "ask", "n", 1, (1ULL << 53) - 1, &c->n, e));
	return json_digest(o, "ask", "chain", &c->chain, e);
}

static int read_look(const json_t *o, struct err *e)
{
	return json_only(o, "ask", (const char *[]){"ask", NULL}, e);
}

static int read_ask(struct ask *a, struct err *e)
{
	unsigned kind;

	TRY(json_choice(a->doc, "ask", "ask", kind_names, ASK_KIND_MAX, &kind, e));
	a->kind = (enum ask_kind)kind;
	switch (a->kind) {
	case ASK_IMAGE:
		return read_image(a->doc, &a->image, e);
	case ASK_DIRECTOR:
		return read_director(a->doc, &a->director, e);
	case ASK_TIME:
		return read_time(a->doc, &a->time, e);
	case ASK_CHECKPOINT:
		return read_checkpoint(a->doc, &a->checkpoint, e);
	case ASK_LOOK:
	case ASK_KIND_MAX:
		break;
	}
	return read_look(a->doc, e);
}

int ask_parse(struct str frame, struct ask *out, struct err *e)
{
	int rc;

	memset(out, 0, sizeof *out);
	TRY(json_read(frame, LIMIT_SIGN_FRAME, &out->doc, e));
	rc = json_is_object(out->doc) ? read_ask(out, e)
				      : err_set(e, ERR_BAD_INPUT, "ask: an object is wanted");
	if (rc < 0)
		ask_fini(out);
	return rc;
}

/* ---- writing ---- */

static void put_want(json_t *o, const struct sign_want want[])
{
	json_t *list = json_object();

	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		json_object_set_new(list, file_names[f],
			json_pack("{s:I, s:b}", "has", (json_int_t)want[f].has, "due",
				(int)want[f].due));
	json_object_set_new(o, "want", list);
}

static void put_release(json_t *o, const char *path, const struct sha256 *digest)
{
	char hex[SHA256_TEXT];

	if (!*path)
		return;
	sha256_format(digest, hex);
	json_object_set_new(o, "path", json_string(path));
	json_object_set_new(o, "digest", json_string(hex));
}

static void put_director(json_t *o, const struct ask_director *d)
{
	json_object_set_new(o, "device", json_string(d->device.s));
	if (*d->campaign.s)
		json_object_set_new(o, "campaign", json_string(d->campaign.s));
	json_object_set_new(o, "order", json_string(desired_order_name(d->order)));
	put_release(o, d->path, &d->digest);
	put_want(o, d->want);
	if (d->offline)
		json_object_set_new(o, "offline", json_true());
	json_object_set_new(o, "life_s", json_integer((json_int_t)d->life_s));
	json_object_set_new(o, "timestamp_life_s", json_integer((json_int_t)d->timestamp_life_s));
}

static void put_time(json_t *o, const struct ask_time *t)
{
	json_object_set_new(o, "device", json_string(t->device.s));
	json_object_set_new(o, "nonce", json_string(t->nonce));
}

static void put_checkpoint(json_t *o, const struct ask_checkpoint *c)
{
	char hex[SHA256_TEXT];

	sha256_format(&c->chain, hex);
	json_object_set_new(o, "n", json_integer((json_int_t)c->n));
	json_object_set_new(o, "chain", json_string(hex));
}

static void put_image(json_t *o, const struct ask_image *im)
{
	json_t *files = json_array();

	for (unsigned i = 0; i < im->n; i++)
		json_array_append_new(
			files, json_pack("{s:s, s:s%}", "role", im->files[i].role, "bytes",
				       im->files[i].bytes.p, im->files[i].bytes.n));
	put_release(o, im->path, &im->digest);
	put_want(o, im->want);
	json_object_set_new(o, "life_s", json_integer((json_int_t)im->life_s));
	json_object_set_new(o, "timestamp_life_s", json_integer((json_int_t)im->timestamp_life_s));
	if (im->offline)
		json_object_set_new(o, "offline", json_true());
	json_object_set_new(o, "files", files);
}

void ask_format(const struct ask *a, struct buf *out)
{
	JSON_AUTO *o = json_pack("{s:s}", "ask", ask_kind_name(a->kind));

	if (a->kind == ASK_DIRECTOR)
		put_director(o, &a->director);
	if (a->kind == ASK_TIME)
		put_time(o, &a->time);
	if (a->kind == ASK_CHECKPOINT)
		put_checkpoint(o, &a->checkpoint);
	if (a->kind == ASK_IMAGE)
		put_image(o, &a->image);
	json_write(o, out);
}
