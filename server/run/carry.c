#include "server/run/carry.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/release.h"
#include "server/repo/metadata.h"
#include "server/repo/releases.h"
#include "server/run/admit.h"
#include "server/run/desired.h"
#include "server/run/imagerepo.h"
#include "server/run/run_priv.h"

struct carrying {
	struct run *r;
	const char *device;
	const struct carry_out *out;
};

static int hand_out(struct carrying *c, const char *path, struct str text, struct err *e)
{
	return c->out->file(c->out->ctx, path, text, e);
}

/* ---- metadata ---- */

static int root(struct carrying *c, const char *repo, const char *folder, uint64_t v, struct err *e)
{
	META_ROW_AUTO m = {0};
	char path[160];

	TRY(metadata_get(c->r->c.db, repo, "root", v, &m, e));
	snprintf(path, sizeof path, "%s/%llu.root.json", folder, (unsigned long long)v);
	return hand_out(c, path, buf_str(&m.bytes), e);
}

/* Every version from the first, because nobody knows which one the device has. */
static int roots(struct carrying *c, const char *repo, const char *folder, struct err *e)
{
	META_ROW_AUTO newest = {0};

	TRY(metadata_get(c->r->c.db, repo, "root", 0, &newest, e));
	for (uint64_t v = 1; v <= newest.version; v++)
		TRY(root(c, repo, folder, v, e));
	return 0;
}

static int director(struct carrying *c, const struct desired_files *f, struct err *e)
{
	char folder[64], path[160];

	snprintf(folder, sizeof folder, "director/%s", c->device);
	TRY(roots(c, REPO_DIRECTOR, folder, e));
	snprintf(path, sizeof path, "%s/timestamp.json", folder);
	TRY(hand_out(c, path, buf_str(&f->file[SIGN_TIMESTAMP].bytes), e));
	for (enum sign_file i = 0; i < SIGN_TIMESTAMP; i++) {
		snprintf(path, sizeof path, "%s/%llu.%s.json", folder,
			(unsigned long long)f->file[i].version, sign_file_name(i));
		TRY(hand_out(c, path, buf_str(&f->file[i].bytes), e));
	}
	return 0;
}

static int image_file(void *ctx, const char *role, const struct meta_row *m, struct err *e)
{
	struct carrying *c = ctx;
	char path[LIMIT_ROLE_NAME + 48];

	if (strcmp(role, "root") == 0)
		return 0;
	if (strcmp(role, "timestamp") == 0)
		snprintf(path, sizeof path, "image/timestamp.json");
	else
		snprintf(path, sizeof path, "image/%llu.%s.json", (unsigned long long)m->version,
			role);
	return hand_out(c, path, buf_str(&m->bytes), e);
}

static int image(struct carrying *c, struct err *e)
{
	TRY(roots(c, REPO_IMAGE, "image", e));
	return metadata_each(c->r->c.db, REPO_IMAGE, image_file, c, e);
}

/* ---- what is to be installed ---- */

static int artifact(struct carrying *c, const struct sha256 *digest, uint64_t length, struct err *e)
{
	return c->out->artifact(c->out->ctx, digest, length, e);
}

static int evidence(struct carrying *c, const json_t *match, struct err *e)
{
	const json_t *one;
	struct sha256 digest;
	uint64_t length;
	size_t i;

	json_array_foreach (json_object_get(match, "evidence"), i, one) {
		TRY(json_digest(one, "evidence", "sha256", &digest, e));
		TRY(json_u64(one, "evidence", "length", 1, LIMIT_ARTIFACT_BYTES, &length, e));
		TRY(artifact(c, &digest, length, e));
	}
	return 0;
}

static int content(
	struct carrying *c, const struct release_row *row, struct str text, struct err *e)
{
	CLEANUP(mem_free) struct release *r = mem_new(sizeof *r);
	JSON_AUTO *match = NULL;

	TRY(release_parse(text, r, e));
	for (unsigned i = 0; i < r->n_components; i++)
		TRY(artifact(
			c, &r->components[i].artifact.digest, r->components[i].artifact.length, e));
	TRY(json_read(buf_str(&row->match), row->match.n, &match, e));
	return evidence(c, match, e);
}

/* "ocr/ocr-4.json" lies under "image/targets/ocr/DIGEST.ocr-4.json". */
static int release(struct carrying *c, const char *path, struct err *e)
{
	RELEASE_ROW_AUTO row = {0};
	BUF_AUTO text = {0}, file = {0};
	char hex[SHA256_TEXT];
	const char *slash = strchr(path, '/');

	TRY(releases_get(c->r->c.db, path, &row, e));
	TRY(releases_document(c->r->c.db, &row.digest, &text, e));
	sha256_format(&row.digest, hex);
	buf_addf(&file, "image/targets/%.*s/%s.%s", (int)(slash - path), path, hex, slash + 1);
	TRY(hand_out(c, buf_cstr(&file), buf_str(&text), e));
	return content(c, &row, buf_str(&text), e);
}

/* ---- all of it ---- */

static int sign(
	struct carrying *c, ms_t life, const char *who, struct desired_files *f, struct err *e)
{
	BUF_AUTO said = {0};

	TRY(imagerepo_sign_carried(c->r, life, e));
	TRY(desired_sign_carried(c->r, c->device, life, f, e));
	if (!f->d.desired.path[0])
		return err_set(e, ERR_CONFLICT,
			"nothing is desired of %s: start a campaign that it takes part in",
			c->device);
	buf_addf(&said, "%s had %s signed for %lld days, to be carried to %s", who,
		f->d.desired.path, (long long)(life / (24 * 3600 * 1000LL)), c->device);
	return run_audit(c->r, NULL, who, "carried", c->device, buf_cstr(&said), e);
}

int carry_device(struct run *r, const char *device, ms_t life, const char *who,
	const struct carry_out *out, struct err *e)
{
	struct desired_files f CLEANUP(desired_files_fini) = {0};
	struct carrying c = {r, device, out};

	TRY(admit_carried(r, device, e));
	TRY(run_begin(r, e));
	TRY(run_end(r, sign(&c, life, who, &f, e), e));
	TRY(director(&c, &f, e));
	TRY(image(&c, e));
	return release(&c, f.d.desired.path, e);
}
