#include <stdio.h>
#include <string.h>

#include "agent/slot/slot_priv.h"
#include "proto/wire/json.h"

/* One line with the digest of the rest, then JSON: a status that was damaged is no status. Only a
 * VALID slot has one, so that a slot is made INVALID without needing room. */
#define STATUS_MAX 1024

static void status_path(char out[PLACE_MAX], unsigned slot)
{
	int n = snprintf(out, PLACE_MAX, "%s.status", slot_path(slot));

	(void)n;
}

static int read_digest(const json_t *o, const char *key, struct sha256 *out)
{
	char hex[SHA256_TEXT];

	TRY(json_text(o, "status", key, hex, sizeof hex, NULL));
	return sha256_parse(str_of(hex), out, NULL);
}

static int parse(struct str text, struct slot_view *out)
{
	struct slot_view v = {.mark = SLOT_VALID};
	struct str sum;
	struct sha256 want, is;
	JSON_AUTO *doc = NULL;
	char id[ID_TEXT_MAX];

	if (!str_split(&text, '\n', &sum))
		return -ERR_BAD_INPUT;
	TRY(sha256_parse(sum, &want, NULL));
	digest_of(text.p, text.n, &is);
	if (!sha256_eq(&want, &is))
		return -ERR_ALTERED;
	TRY(json_read(text, STATUS_MAX, &doc, NULL));
	TRY(json_text(doc, "status", "release", id, sizeof id, NULL));
	TRY(id_parse(str_of(id), "release", v.release.s, NULL));
	TRY(read_digest(doc, "document", &v.document));
	TRY(read_digest(doc, "content", &v.content));
	*out = v;
	return 0;
}

int status_load(struct fs *fs, unsigned slot, struct slot_view *out, struct err *e)
{
	char path[PLACE_MAX];
	BUF_AUTO text = {0};
	struct slot_view v = {.mark = SLOT_INVALID};
	struct err why;

	status_path(path, slot);
	int rc = fs_read_file(fs, path, STATUS_MAX, &text, &why);
	if (rc == -ERR_IO)
		return err_copy(e, &why);
	if (rc == 0 && parse(buf_str(&text), &v) < 0)
		v = (struct slot_view){.mark = SLOT_INVALID};
	*out = v;
	return 0;
}

static void format(const struct slot_view *v, struct buf *out)
{
	BUF_AUTO body = {0};
	struct sha256 sum;
	char document[SHA256_TEXT], content[SHA256_TEXT], hex[SHA256_TEXT];

	sha256_format(&v->document, document);
	sha256_format(&v->content, content);
	buf_addf(&body, "{\"release\":\"%s\",\"document\":\"%s\",\"content\":\"%s\"}", v->release.s,
		document, content);
	digest_of(body.p, body.n, &sum);
	sha256_format(&sum, hex);
	buf_addf(out, "%s\n", hex);
	buf_add(out, body.p, body.n);
}

int status_save(struct fs *fs, unsigned slot, const struct slot_view *v, struct err *e)
{
	char path[PLACE_MAX];
	BUF_AUTO text = {0};

	format(v, &text);
	status_path(path, slot);
	return fs_write_file(fs, path, text.p, text.n, 0644, e);
}

int status_seal(struct fs *fs, unsigned slot, const struct release *r,
	const struct sha256 *document, struct sha256 *out_content, struct err *e)
{
	struct slot_view v = {.mark = SLOT_VALID, .release = r->id, .document = *document};

	slot_content(r, &v.content);
	TRY(status_save(fs, slot, &v, e));
	*out_content = v.content;
	return 0;
}

int status_remove(struct fs *fs, unsigned slot, struct err *e)
{
	char path[PLACE_MAX];

	status_path(path, slot);
	TRY(fs->ops->unlink(fs, path, e));
	return fs->ops->sync_dir(fs, "slots", e);
}
