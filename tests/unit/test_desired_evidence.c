/* A device fetches the summary that root demands, from a real server, and keeps it. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/net/desired.h"
#include "tests/lib/httpd.h"
#include "tests/lib/snapshot.h"
#include "tests/lib/trepo.h"
#include "tests/lib/witness.h"

#define DIGEST  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define PATH    "ocr/ocr-1.json"
#define SUMMARY "https://slsa.dev/verification_summary/v1"

static const char document[] =
	"{\"format\":1,\"id\":\"ocr-1\",\"product\":\"ocr\",\"version\":\"1\",\"components\":["
	"{\"name\":\"m\",\"kind\":\"model\",\"path\":\"m\",\"artifact\":{\"digest\":\"" DIGEST
	"\",\"length\":3,\"tree\":\"" DIGEST "\"}}]}";

struct bed {
	char dir[32];
	struct fs fs;
	struct httpd *server;
	struct http_conf conf;
	struct witness w;
	struct trepo image, director;
	struct sha256 digest, gate;
	struct buf summary;
	char summary_file[160]; /* as the server has it */
	struct desired_in in;
	struct desired_out out;
	struct err e;
};

static void write_file(const char *path, struct str bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

static void make_dirs(struct bed *b)
{
	static const char *const dirs[] = {"", "/www", "/www/image", "/www/image/targets",
		"/www/image/targets/ocr", "/www/director", "/www/director/dev-1", "/www/artifacts",
		"/home"};
	static unsigned n;
	char path[128];

	snprintf(b->dir, sizeof b->dir, "bed%u", n++);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s%s", b->dir, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
}

/* Publishes the release with this evidence named. */
static void publish(struct bed *b, const struct evidence_list *named)
{
	struct repo_match match = trepo_match("edge-x86", 1);
	char path[200], hex[SHA256_TEXT];

	match.evidence = *named;
	trepo_add_release(&b->image, PATH, STR(document), &match);
	trepo_direct(&b->director, "dev-1", DESIRED_INSTALL, PATH, STR(document), &match);
	trepo_publish(&b->image);
	trepo_publish(&b->director);
	snprintf(path, sizeof path, "%s/www/image", b->dir);
	trepo_save(&b->image, path);
	snprintf(path, sizeof path, "%s/www/director/dev-1", b->dir);
	trepo_save(&b->director, path);
	sha256_format(&b->digest, hex);
	snprintf(path, sizeof path, "%s/www/image/targets/ocr/%s.ocr-1.json", b->dir, hex);
	write_file(path, STR(document));
}

/* ... and with the summary at hand, whatever it is by now. */
static void publish_summary(struct bed *b)
{
	struct evidence_list named = {.n = 0};
	char hex[SHA256_TEXT];

	witness_name(SUMMARY, buf_str(&b->summary), &named);
	publish(b, &named);
	sha256_format(&named.v[0].hash, hex);
	snprintf(b->summary_file, sizeof b->summary_file, "%s/www/artifacts/%s", b->dir, hex);
	write_file(b->summary_file, buf_str(&b->summary));
}

static int open_bed(void **state)
{
	struct bed *b = mem_new(sizeof *b);
	char path[64];

	memset(b, 0, sizeof *b);
	make_dirs(b);
	snprintf(path, sizeof path, "%s/home", b->dir);
	expect_ok(fs_posix_open(path, &b->fs, &b->e), &b->e);
	witness_init(&b->w);
	trepo_init(&b->image, TREPO_IMAGE, TREPO_NOW);
	trepo_init(&b->director, TREPO_DIRECTOR, TREPO_NOW);
	digest_of(document, sizeof document - 1, &b->digest);
	digest_of("G1", 2, &b->gate);
	repo_demand_evidence(b->image.role[TREPO_ROOT].part);
	witness_allow(&b->w, b->image.role[TREPO_TARGETS].part, &b->gate, 1);
	witness_summary(&b->w, PATH, &b->digest, &b->gate, TREPO_NOW, &b->summary);
	publish_summary(b);
	b->server = httpd_new();
	snprintf(path, sizeof path, "%s/www", b->dir);
	httpd_set_dir(b->server, path);
	b->in = (struct desired_in){.fs = &b->fs,
		.http = &b->conf,
		.server = httpd_url(b->server),
		.facts = {.device = {"dev-1"}, .hardware = "edge-x86"},
		.now_s = TREPO_NOW};
	expect_ok(desired_provision(&b->fs, trepo_bytes(&b->director, TREPO_ROOT),
			  trepo_bytes(&b->image, TREPO_ROOT), &b->e),
		&b->e);
	*state = b;
	return 0;
}

static void forget(struct bed *b)
{
	mem_free(&b->out.release);
	b->out = (struct desired_out){0};
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	forget(b);
	httpd_free(&b->server);
	witness_fini(&b->w);
	trepo_fini(&b->image);
	trepo_fini(&b->director);
	buf_fini(&b->summary);
	fs_posix_close(&b->fs);
	mem_free(&b);
	return 0;
}

static int fetch(struct bed *b)
{
	forget(b);
	b->in.again = true;
	return desired_fetch(&b->in, &b->out, &b->e);
}

static int load(struct bed *b)
{
	forget(b);
	return desired_load(&b->fs, &b->in.facts, TREPO_NOW, &b->out, &b->e);
}

static void a_summary_is_fetched_judged_and_kept(void **state)
{
	struct bed *b = *state;

	expect_ok(fetch(b), &b->e);
	assert_non_null(b->out.release);
	expect_ok(load(b), &b->e);
	assert_int_equal(unlink(b->summary_file), 0);
	expect_ok(fetch(b), &b->e);
}

static void nothing_is_stored_when_evidence_is_refused(void **state)
{
	static const struct evidence_list none;
	struct bed *b = *state;
	BUF_AUTO before = {0}, after = {0};
	struct sha256 other;
	char home[64];

	snprintf(home, sizeof home, "%s/home", b->dir);
	snapshot_take(home, &before);
	publish(b, &none);
	expect_err(fetch(b), &b->e, ERR_UNPROVEN, "names no summary", "evidence_missing");
	digest_of("G2", 2, &other);
	buf_clear(&b->summary);
	witness_summary(&b->w, PATH, &b->digest, &other, TREPO_NOW, &b->summary);
	publish_summary(b);
	expect_err(fetch(b), &b->e, ERR_UNPROVEN, "no summary", "another gate");
	write_file(b->summary_file, STR("{}"));
	expect_err(fetch(b), &b->e, ERR_ALTERED, NULL, "other bytes");
	assert_int_equal(unlink(b->summary_file), 0);
	expect_err(fetch(b), &b->e, ERR_NOT_FOUND, "evidence", "withheld");
	snapshot_take(home, &after);
	assert_true(str_eq(buf_str(&before), buf_str(&after)));
	buf_clear(&b->summary);
	witness_summary(&b->w, PATH, &b->digest, &b->gate, TREPO_NOW, &b->summary);
	publish_summary(b);
	expect_ok(fetch(b), &b->e);
}

/* What lies on the disk is judged again like what came. */
static void a_kept_summary_that_was_damaged_is_fetched_anew(void **state)
{
	struct bed *b = *state;
	char path[200], hex[SHA256_TEXT];

	expect_ok(fetch(b), &b->e);
	sha256_format(&b->digest, hex);
	snprintf(path, sizeof path, "%s/home/documents/%s.summary-0.json", b->dir, hex);
	write_file(path, STR("damaged"));
	expect_err(load(b), &b->e, ERR_NOT_FOUND, "evidence is not stored", "damaged");
	expect_ok(fetch(b), &b->e);
	expect_ok(load(b), &b->e);
	expect_ok(desired_prune(&b->fs, NULL, 0, &b->e), &b->e);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_summary_of_endless_length_is_not_begun(void **state)
{
	struct bed *b = *state;
	struct evidence_list named = {.n = 0};

	witness_name(SUMMARY, buf_str(&b->summary), &named);
	named.v[0].length = LIMIT_VSA_BYTES + 1;
	publish(b, &named);
	expect_err(fetch(b), &b->e, ERR_TOO_LARGE, "summary", "length");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_summary_is_fetched_judged_and_kept),
		CASE(nothing_is_stored_when_evidence_is_refused),
		CASE(a_kept_summary_that_was_damaged_is_fetched_anew),
		CASE(a_summary_of_endless_length_is_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
