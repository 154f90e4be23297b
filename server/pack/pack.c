#include "server/pack/pack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/wire/json.h"
#include "proto/wire/mute.h"
#include "server/pack/pack_priv.h"

#define LEVEL_DEFAULT 9
#define LEVEL_MAX     19 /* above it, windows are larger than what the agent grants */

static const char *const compression_names[] = {
	[COMPRESSION_NONE] = "none", [COMPRESSION_ZSTD] = "zstd"};
static const char *const archive_names[] = {[ARCHIVE_RAW] = "raw", [ARCHIVE_TAR] = "tar"};

/* ---- documents ---- */

static json_t *hex_of(const struct sha256 *digest)
{
	char hex[SHA256_TEXT];

	sha256_format(digest, hex);
	return json_string(hex);
}

static json_t *artifact_json(const struct artifact *a)
{
	return json_pack("{s:o, s:I, s:s, s:s, s:o, s:I, s:o}", "digest", hex_of(&a->digest),
		"length", (json_int_t)a->length, "compression", compression_names[a->compression],
		"archive", archive_names[a->archive], "content_digest", hex_of(&a->content_digest),
		"content_length", (json_int_t)a->content_length, "tree", hex_of(&a->tree));
}

/* Sorted and without blanks: the same document has the same bytes. Not json_canonical, whose raw
 * control characters no JSON parser reads back. */
static int document_write(const json_t *document, struct buf *out, struct err *e)
{
	char *text = json_dumps(document, JSON_SORT_KEYS | JSON_COMPACT);

	if (!text)
		return err_set(e, ERR_BUG, "a document that cannot be written");
	buf_add_str(out, text);
	free(text);
	return 0;
}

/* Parsed by those who will have to parse it; and no trigger in it may be for show. */
static int document_check(const json_t *document, struct release *out, struct err *e)
{
	BUF_AUTO text = {0};

	TRY(document_write(document, &text, e));
	TRY(release_parse(buf_str(&text), out, e));
	return mute_check(out, e);
}

/* ---- components ---- */

/* What the template says of one component beyond the document. */
struct wish {
	char source[FS_PATH_MAX]; /* "": it has its artifact already */
	enum compression compression;
};

/* Takes the template's own members out of the component. */
static int wish_take(json_t *component, struct wish *out, struct err *e)
{
	unsigned compression = COMPRESSION_ZSTD;
	struct wish w = {.source = ""};

	TRY(json_text_opt(component, "component", "source", w.source, sizeof w.source, e));
	TRY(json_choice_opt(component, "component", "compression", compression_names,
		COMPRESSION_MAX, &compression, e));
	w.compression = (enum compression)compression;
	json_object_del(component, "source");
	json_object_del(component, "compression");
	*out = w;
	return 0;
}

/* So that the rest of the template is judged before anything long begins. */
static void stand_in(json_t *component)
{
	struct artifact none = {.compression = COMPRESSION_NONE};

	json_object_set_new(component, "artifact", artifact_json(&none));
}

static int source_path(
	const char *template_path, const char *source, char *out, size_t cap, struct err *e)
{
	char dir[FS_PATH_MAX];
	int n;

	fs_dirname(template_path, dir, sizeof dir);
	if (source[0] == '/' || (!dir[0] && template_path[0] != '/'))
		n = snprintf(out, cap, "%s", source);
	else
		n = snprintf(out, cap, "%s/%s", dir, source);
	if (n < 0 || (size_t)n >= cap)
		return err_set(e, ERR_BAD_INPUT, "a source with too long a name");
	return 0;
}

static int fill(struct packing *p, struct pack_source *s, const struct wish *w,
	struct artifact *out, struct err *e)
{
	int level = p->spec->level ? p->spec->level : LEVEL_DEFAULT;
	CLEANUP(pack_sink_close) struct pack_sink *to = NULL;

	out->compression = w->compression;
	TRY(pack_sink_open(p->out, w->compression == COMPRESSION_ZSTD ? level : 0, &to, e));
	return s->file[0] ? pack_raw(p, s, to, out, e) : pack_tar(p, s, to, out, e);
}

static int component_pack(struct packing *p, json_t *component, enum fsimage filesystem,
	const struct wish *w, struct err *e)
{
	char path[2 * FS_PATH_MAX];
	struct artifact a = {.length = 0};
	struct pack_source s;
	int rc;

	if (!w->source[0])
		return 0;
	TRY(source_path(p->spec->template_path, w->source, path, sizeof path, e));
	TRY(pack_source_open(path, &s, e));
	p->component = json_string_value(json_object_get(component, "name"));
	p->filesystem = filesystem;
	p->done = 0;
	p->total = s.bytes;
	rc = fill(p, &s, w, &a, e);
	pack_source_close(&s);
	TRY(rc);
	json_object_set_new(component, "artifact", artifact_json(&a));
	return 0;
}

static int components_pack(struct packing *p, json_t *document, struct release *r, struct err *e)
{
	json_t *list = json_object_get(document, "components");
	struct wish wishes[LIMIT_COMPONENTS];
	size_t n = json_array_size(list);

	if (n > LIMIT_COMPONENTS)
		return err_set(e, ERR_TOO_LARGE, "%zu components, at most %d", n, LIMIT_COMPONENTS);
	for (size_t i = 0; i < n; i++) {
		TRY(wish_take(json_array_get(list, i), &wishes[i], e));
		if (wishes[i].source[0])
			stand_in(json_array_get(list, i));
	}
	TRY(document_check(document, r, e));
	for (size_t i = 0; i < n; i++)
		if (component_pack(p, json_array_get(list, i), r->components[i].filesystem,
			    &wishes[i], e) < 0)
			return err_wrap(e, "%s", r->components[i].name);
	return document_check(document, r, e);
}

/* ---- the whole ---- */

static int read_template(const char *path, json_t **out, struct err *e)
{
	BUF_AUTO text = {0};
	char dir[FS_PATH_MAX];
	const char *name = strrchr(path, '/');
	struct fs fs;
	int rc;

	fs_dirname(path, dir, sizeof dir);
	TRY(fs_posix_open(dir[0] ? dir : name ? "/" : ".", &fs, e));
	rc = fs_read_file(&fs, name ? name + 1 : path, LIMIT_RELEASE_BYTES, &text, e);
	fs_posix_close(&fs);
	TRY(rc);
	return json_read(buf_str(&text), LIMIT_RELEASE_BYTES, out, e);
}

/* A document that was packed before stays as it is; another one of the same id is no news but a
 * mistake. */
static int store(struct fs *out, const struct release *r, const struct buf *text, struct err *e)
{
	char file[ID_TEXT_MAX + 8];
	BUF_AUTO before = {0};
	struct fs_stat st;

	snprintf(file, sizeof file, "%s.json", r->id.s);
	TRY(out->ops->stat(out, file, &st, e));
	if (st.kind == FS_NONE)
		return fs_write_file(out, file, text->p, text->n, 0644, e);
	TRY(fs_read_file(out, file, LIMIT_RELEASE_BYTES, &before, e));
	if (!str_eq(buf_str(&before), buf_str(text)))
		return err_set(
			e, ERR_CONFLICT, "%s exists with other content; give it a new id", file);
	return 0;
}

static int make_dir(const char *path, struct err *e)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "mkdir %s", path);
	return 0;
}

/* The folder and those above it, so that `--out build/ocr-2` works in a fresh checkout. */
static int make_dirs(const char *path, struct err *e)
{
	CLEANUP(mem_free) char *part = mem_strdup(path);

	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		TRY(make_dir(part, e));
		*slash = '/';
	}
	return make_dir(part, e);
}

static int pack(struct packing *p, json_t *document, struct pack_result *out, struct err *e)
{
	CLEANUP(mem_free) struct release *r = mem_new(sizeof *r);
	struct pack_result done = {.artifact_bytes = 0};
	BUF_AUTO text = {0};

	TRY(fs_make_dirs(p->out, "artifacts", e));
	TRY(components_pack(p, document, r, e));
	TRY(document_write(document, &text, e));
	TRY(store(p->out, r, &text, e));
	done.id = r->id;
	memcpy(done.product, r->product, sizeof done.product);
	digest_of(text.p, text.n, &done.document);
	done.artifact_bytes = release_artifact_bytes(r);
	done.content_bytes = release_content_bytes(r);
	*out = done;
	return 0;
}

int pack_release(const struct pack_spec *spec, struct pack_result *out, struct err *e)
{
	struct packing p = {.spec = spec};
	JSON_AUTO *document = NULL;
	struct fs fs;
	int rc;

	if (spec->level < 0 || spec->level > LEVEL_MAX)
		return err_set(e, ERR_USAGE, "level %d of zstd, 1 to %d are allowed", spec->level,
			LEVEL_MAX);
	if (read_template(spec->template_path, &document, e) < 0)
		return err_wrap(e, "%s", spec->template_path);
	TRY(make_dirs(spec->out_dir, e));
	TRY(fs_posix_open(spec->out_dir, &fs, e));
	p.out = &fs;
	rc = pack(&p, document, out, e);
	fs_posix_close(&fs);
	return rc;
}
