#include "tests/lib/paper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/ceremony.h"
#include "keys/release_sign.h"
#include "lib/sys/fs.h"
#include "tests/lib/expect.h"

const char *const paper_roles[PAPER_ROLES] = {"engineering", "safety", "compliance"};

void paper_folder(int64_t now_s)
{
	struct err e;

	if (access("keys", F_OK) < 0)
		expect_ok(ceremony_init("keys", now_s, &e), &e);
	if (access("signed", F_OK) < 0 && system("cp -r keys/repo/image signed") != 0)
		fail_msg("cannot copy the repository");
}

static void read_file(const char *path, struct buf *out)
{
	char dir[FS_PATH_MAX];
	struct fs fs;
	struct err e;

	fs_dirname(path, dir, sizeof dir);
	expect_ok(fs_posix_open(dir, &fs, &e), &e);
	expect_ok(fs_read_file(&fs, strrchr(path, '/') + 1, LIMIT_TARGETS_BYTES, out, &e), &e);
	fs_posix_close(&fs);
}

static void write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(b->p, 1, b->n, f), b->n);
	assert_int_equal(fclose(f), 0);
}

const char *paper_members = "";

static void make_document(const char *id, struct paper *p)
{
	char hex[SHA256_TEXT];

	buf_addf(&p->artifact, "model of %s\n", id);
	digest_of(p->artifact.p, p->artifact.n, &p->artifact_digest);
	sha256_format(&p->artifact_digest, hex);
	buf_addf(&p->document,
		"{\"format\": 1, \"id\": \"%s\", \"product\": \"toy\", \"version\": \"1.%s\","
		" \"components\": [{\"name\": \"model\", \"kind\": \"model\", \"path\": \"model\","
		" \"artifact\": {\"digest\": \"%s\", \"length\": %zu, \"tree\": \"%s\"}}]%s}",
		id, id, hex, p->artifact.n, hex, paper_members);
}

static int sign_role(const char *role, const char *document, const struct release_terms *terms,
	int64_t now_s, struct buf *out, struct err *e)
{
	struct keystore *ks = keystore_new();
	struct release_signed done;
	char path[160];
	int rc;

	expect_ok(keystore_load(ks, "keys/offline", e), e);
	rc = release_sign("signed", NULL, ks, role, document, terms, now_s, &done, e);
	keystore_free(&ks);
	TRY(rc);
	assert_true(done.complete);
	snprintf(path, sizeof path, "signed/%s", done.file);
	read_file(path, out);
	return 0;
}

int paper_sign_proven(const char *id, uint64_t counter, const char *back_to, int64_t now_s,
	paper_give_f *give, void *ctx, struct paper *out, struct err *e)
{
	struct release_terms terms = {.n_hardware = 1, .counter = counter};
	struct sha256 digest;
	char file[80];

	memset(out, 0, sizeof *out);
	snprintf(out->path, sizeof out->path, "toy/%s.json", id);
	make_document(id, out);
	snprintf(file, sizeof file, "./%s.json", id);
	write_file(file, &out->document);
	snprintf(terms.hardware[0], ID_TEXT_MAX, "edge");
	if (back_to)
		snprintf(terms.rollback_to[terms.n_rollback_to++].s, ID_TEXT_MAX, "%s", back_to);
	digest_of(out->document.p, out->document.n, &digest);
	if (give)
		give(ctx, &digest, &terms);
	for (size_t i = 0; i < PAPER_ROLES; i++)
		TRY(sign_role(paper_roles[i], file, &terms, now_s, &out->roles[i], e));
	return 0;
}

void paper_sign(
	const char *id, uint64_t counter, const char *back_to, int64_t now_s, struct paper *out)
{
	struct err e;

	expect_ok(paper_sign_proven(id, counter, back_to, now_s, NULL, NULL, out, &e), &e);
}

void paper_fini(struct paper *p)
{
	buf_fini(&p->document);
	buf_fini(&p->artifact);
	for (size_t i = 0; i < PAPER_ROLES; i++)
		buf_fini(&p->roles[i]);
}

void paper_body(const struct paper *p, struct buf *out)
{
	JSON_AUTO *body = json_pack("{s:s, s:s#, s:{}}", "path", p->path, "document",
		(const char *)p->document.p, p->document.n, "roles");
	json_t *roles = json_object_get(body, "roles");

	for (size_t i = 0; i < PAPER_ROLES; i++)
		json_object_set_new(roles, paper_roles[i],
			json_stringn((const char *)p->roles[i].p, p->roles[i].n));
	json_write(body, out);
}

void paper_digest(const char *id, struct sha256 *out)
{
	BUF_AUTO document = {0};
	char path[80];

	memset(out, 0, sizeof *out);
	if (!*id)
		return;
	snprintf(path, sizeof path, "./%s.json", id);
	read_file(path, &document);
	digest_of(document.p, document.n, out);
}
