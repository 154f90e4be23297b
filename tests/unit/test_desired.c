#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/net/desired.h"
#include "tests/lib/expect.h"
#include "tests/lib/httpd.h"
#include "tests/lib/snapshot.h"
#include "tests/lib/trepo.h"

#define DIGEST "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static const char text_1[] =
	"{\"format\":1,\"id\":\"ocr-1\",\"product\":\"ocr\",\"version\":\"1\",\"components\":["
	"{\"name\":\"m\",\"kind\":\"model\",\"path\":\"m\",\"artifact\":{\"digest\":\"" DIGEST
	"\",\"length\":3,\"tree\":\"" DIGEST "\"}}],\"soak_ms\":60000}";

struct bed {
	char dir[32], www[64];
	struct fs fs;
	struct httpd *server;
	struct http_conf conf;
	struct trepo image, director;
	struct str document;
	struct desired_in in;
	struct desired_out out;
	struct err e;
};

static void write_file(const char *dir, const char *name, struct str bytes)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fwrite(bytes.p, 1, bytes.n, f);
	fclose(f);
}

static const char *in_www(struct bed *b, const char *path)
{
	static char full[200];

	snprintf(full, sizeof full, "%s/%s", b->www, path);
	return full;
}

static void save(struct bed *b)
{
	char name[128], hex[SHA256_TEXT];
	struct sha256 digest;

	trepo_publish(&b->image);
	trepo_publish(&b->director);
	trepo_save(&b->image, in_www(b, "image"));
	trepo_save(&b->director, in_www(b, "director/dev-1"));
	digest_of(b->document.p, b->document.n, &digest);
	sha256_format(&digest, hex);
	snprintf(name, sizeof name, "%s.ocr-1.json", hex);
	write_file(in_www(b, "image/targets/ocr"), name, b->document);
}

static void next_versions(struct trepo *r)
{
	for (enum trepo_file f = TREPO_TIMESTAMP; f < r->n; f++)
		trepo_set_version(r, f, trepo_version(r, f) + 1);
}

static int open_bed(void **state)
{
	static const char *const dirs[] = {"", "www", "www/image", "www/image/targets",
		"www/image/targets/ocr", "www/director", "www/director/dev-1"};
	static unsigned n;
	struct bed *b = calloc(1, sizeof *b);
	struct repo_match match = trepo_match("edge-x86", 1);
	char path[64];

	snprintf(b->dir, sizeof b->dir, "bed%u", n++);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/%s", b->dir, dirs[i]);
		mkdir(path, 0755);
	}
	snprintf(b->www, sizeof b->www, "%s/www", b->dir);
	snprintf(path, sizeof path, "%s/home", b->dir);
	mkdir(path, 0755);
	assert_int_equal(fs_posix_open(path, &b->fs, &b->e), 0);
	b->document = STR(text_1);
	trepo_init(&b->image, TREPO_IMAGE, TREPO_NOW);
	trepo_init(&b->director, TREPO_DIRECTOR, TREPO_NOW);
	trepo_add_release(&b->image, "ocr/ocr-1.json", b->document, &match);
	trepo_direct(&b->director, "dev-1", DESIRED_INSTALL, "ocr/ocr-1.json", b->document, &match);
	save(b);
	b->server = httpd_new();
	httpd_set_dir(b->server, b->www);
	b->in = (struct desired_in){.fs = &b->fs,
		.http = &b->conf,
		.server = httpd_url(b->server),
		.facts = {.device = {"dev-1"}, .hardware = "edge-x86"},
		.now_s = TREPO_NOW};
	assert_int_equal(desired_provision(&b->fs, trepo_bytes(&b->director, TREPO_ROOT),
				 trepo_bytes(&b->image, TREPO_ROOT), &b->e),
		0);
	*state = b;
	return 0;
}

static void forget(struct bed *b)
{
	free(b->out.release);
	b->out = (struct desired_out){0};
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	forget(b);
	httpd_free(&b->server);
	trepo_fini(&b->image);
	trepo_fini(&b->director);
	fs_posix_close(&b->fs);
	free(b);
	return 0;
}

static int fetch(struct bed *b)
{
	forget(b);
	httpd_forget(b->server);
	return desired_fetch(&b->in, &b->out, &b->e);
}

static void must_fetch(struct bed *b)
{
	if (fetch(b) < 0)
		fail_msg("%s", b->e.text);
}

static const char *in_home(struct bed *b, const char *path)
{
	static char full[200];

	snprintf(full, sizeof full, "%s/home/%s", b->dir, path);
	return full;
}

static bool exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static void is_release_1(struct bed *b)
{
	struct sha256 digest;

	digest_of(b->document.p, b->document.n, &digest);
	assert_false(b->out.unchanged);
	assert_int_equal(b->out.desired.order, DESIRED_INSTALL);
	assert_string_equal(b->out.desired.path, "ocr/ocr-1.json");
	assert_memory_equal(b->out.desired.hash.b, digest.b, sizeof digest.b);
	assert_non_null(b->out.release);
	assert_string_equal(b->out.release->id.s, "ocr-1");
}

static void a_desired_state_is_fetched_and_kept(void **state)
{
	struct bed *b = *state;
	struct release *r = calloc(1, sizeof *r);

	must_fetch(b);
	is_release_1(b);
	assert_true(exists(in_home(b, "trust/director/1.targets.json")));
	assert_true(exists(in_home(b, "trust/image/1.engineering.json")));
	assert_int_equal(desired_load_release(&b->fs, &b->out.desired.hash, r, &b->e), 0);
	assert_string_equal(r->id.s, "ocr-1");
	free(r);
	struct device_facts facts = b->in.facts;
	assert_int_equal(desired_load_rollback_to(&b->fs, &b->out.desired.hash, &facts, &b->e), 0);
	assert_int_equal(facts.n_rollback_to, 0);
	forget(b);
	assert_int_equal(desired_load(&b->fs, &b->in.facts, TREPO_NOW, &b->out, &b->e), 0);
	is_release_1(b);
}

static void nothing_new_is_one_question(void **state)
{
	struct bed *b = *state;
	BUF_AUTO before = {0};
	BUF_AUTO after = {0};

	must_fetch(b);
	snapshot_take(b->dir, &before);
	must_fetch(b);
	assert_true(b->out.unchanged);
	assert_null(b->out.release);
	assert_int_equal(httpd_count(b->server, NULL), 1);
	assert_int_equal(httpd_count(b->server, "/director/dev-1/timestamp.json"), 1);
	snapshot_take(b->dir, &after);
	assert_string_equal(buf_cstr(&before), buf_cstr(&after));
}

static void a_lost_tag_is_replaced(void **state)
{
	struct bed *b = *state;

	must_fetch(b);
	assert_int_equal(unlink(in_home(b, "trust/director/timestamp.etag")), 0);
	must_fetch(b);
	assert_true(b->out.unchanged);
	assert_int_equal(httpd_count(b->server, NULL), 2);
	must_fetch(b);
	assert_int_equal(httpd_count(b->server, NULL), 1);
}

static void asked_again_it_is_told_again(void **state)
{
	struct bed *b = *state;

	must_fetch(b);
	b->in.again = true;
	must_fetch(b);
	is_release_1(b);
	/* Two timestamps, and two looks for a new root: the rest is stored. */
	assert_int_equal(httpd_count(b->server, NULL), 4);
}

static void a_newer_state_replaces_the_older(void **state)
{
	struct bed *b = *state;

	must_fetch(b);
	next_versions(&b->image);
	next_versions(&b->director);
	save(b);
	must_fetch(b);
	is_release_1(b);
	assert_true(exists(in_home(b, "trust/director/2.targets.json")));
	assert_false(exists(in_home(b, "trust/director/1.targets.json")));
	assert_false(exists(in_home(b, "trust/image/1.safety.json")));
	assert_true(exists(in_home(b, "trust/image/1.root.json")));
}

static void nothing_desired_leaves_the_image_alone(void **state)
{
	struct bed *b = *state;

	trepo_direct(&b->director, "dev-1", DESIRED_NOTHING, NULL, STR(""), NULL);
	save(b);
	must_fetch(b);
	assert_false(b->out.unchanged);
	assert_int_equal(b->out.desired.order, DESIRED_NOTHING);
	assert_null(b->out.release);
	assert_int_equal(httpd_count(b->server, "/image/timestamp.json"), 0);
	forget(b);
	assert_int_equal(desired_load(&b->fs, &b->in.facts, TREPO_NOW, &b->out, &b->e), 0);
	assert_int_equal(b->out.desired.order, DESIRED_NOTHING);
}

/* ---- what is refused ---- */

static void flip(struct bed *b, const char *path)
{
	char *full = strdup(in_www(b, path));
	FILE *f = fopen(full, "r+");
	char bytes[65536];
	size_t n;

	assert_non_null(f);
	n = fread(bytes, 1, sizeof bytes, f);
	for (size_t i = 0; i + 12 < n; i++)
		if (memcmp(bytes + i, "\"version\":1", 11) == 0)
			bytes[i + 10] = '3';
	rewind(f);
	fwrite(bytes, 1, n, f);
	fclose(f);
	free(full);
}

static void flip_timestamp(struct bed *b)
{
	flip(b, "director/dev-1/timestamp.json");
}

static void flip_targets(struct bed *b)
{
	flip(b, "director/dev-1/1.targets.json");
}

static void flip_safety(struct bed *b)
{
	flip(b, "image/1.safety.json");
}

static void lose_compliance(struct bed *b)
{
	assert_int_equal(unlink(in_www(b, "image/1.compliance.json")), 0);
}

static void lose_document(struct bed *b)
{
	char path[200];
	char hex[SHA256_TEXT];
	struct sha256 digest;

	digest_of(b->document.p, b->document.n, &digest);
	sha256_format(&digest, hex);
	snprintf(path, sizeof path, "image/targets/ocr/%s.ocr-1.json", hex);
	assert_int_equal(unlink(in_www(b, path)), 0);
}

static void change_document(struct bed *b)
{
	char name[128], hex[SHA256_TEXT], other[sizeof text_1];
	struct sha256 digest;

	digest_of(b->document.p, b->document.n, &digest);
	sha256_format(&digest, hex);
	snprintf(name, sizeof name, "%s.ocr-1.json", hex);
	memcpy(other, text_1, sizeof text_1);
	memcpy(strstr(other, "60000"), "10000", 5);
	write_file(in_www(b, "image/targets/ocr"), name, (struct str){other, sizeof other - 1});
}

static void lengthen_document(struct bed *b)
{
	char name[128], hex[SHA256_TEXT], other[sizeof text_1 + 1];
	struct sha256 digest;

	digest_of(b->document.p, b->document.n, &digest);
	sha256_format(&digest, hex);
	snprintf(name, sizeof name, "%s.ocr-1.json", hex);
	snprintf(other, sizeof other, "%s ", text_1);
	write_file(in_www(b, "image/targets/ocr"), name, str_of(other));
}

static void malformed_document(struct bed *b)
{
	struct repo_match match = trepo_match("edge-x86", 1);

	b->document = STR("{\"format\":1}");
	trepo_add_release(&b->image, "ocr/ocr-1.json", b->document, &match);
	trepo_direct(&b->director, "dev-1", DESIRED_INSTALL, "ocr/ocr-1.json", b->document, &match);
	save(b);
}

static void expire(struct bed *b)
{
	b->in.now_s += 3 * TREPO_DAY;
}

static void other_device(struct bed *b)
{
	struct repo_match match = trepo_match("edge-x86", 1);

	trepo_direct(&b->director, "dev-2", DESIRED_INSTALL, "ocr/ocr-1.json", b->document, &match);
	save(b);
}

static void other_hardware(struct bed *b)
{
	strcpy(b->in.facts.hardware, "edge-arm");
}

static void older_counter(struct bed *b)
{
	b->in.facts.counter_floor = 2;
}

static void disagree(struct bed *b)
{
	struct repo_match match = trepo_match("edge-x86", 9);

	trepo_direct(&b->director, "dev-1", DESIRED_INSTALL, "ocr/ocr-1.json", b->document, &match);
	save(b);
}

static void endless_timestamp(struct bed *b)
{
	httpd_put(b->server, &(struct httpd_file){.path = "/director/dev-1/timestamp.json",
				     .manner = HTTPD_ENDLESS});
}

static void server_error(struct bed *b)
{
	httpd_put(
		b->server, &(struct httpd_file){
				   .path = "/image/2.root.json", .manner = HTTPD_STATUS, .n = 503});
}

static void odd_name(struct bed *b)
{
	struct repo_match match = trepo_match("edge-x86", 1);

	trepo_add_release(&b->image, "ocr/a?b", b->document, &match);
	trepo_direct(&b->director, "dev-1", DESIRED_INSTALL, "ocr/a?b", b->document, &match);
	save(b);
}

/* The same second hash in what everybody signs. */
static void list_sha512(struct bed *b, const struct sha512 *hash)
{
	char hex[HASHES_TEXT];
	json_t *parts[] = {b->director.role[TREPO_TARGETS].part,
		b->image.role[TREPO_ENGINEERING].part, b->image.role[TREPO_SAFETY].part,
		b->image.role[TREPO_COMPLIANCE].part};

	hex_encode(hash->b, sizeof hash->b, hex);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		json_object_set_new(
			json_object_get(json_object_get(json_object_get(parts[i], "targets"),
						"ocr/ocr-1.json"),
				"hashes"),
			"sha512", json_string(hex));
	save(b);
}

static void wrong_second_hash(struct bed *b)
{
	struct hashes taken;

	hashes_all_of(b->document.p, b->document.n, &taken);
	taken.sha512.b[63] ^= 1;
	list_sha512(b, &taken.sha512);
}

static void every_listed_hash_is_checked(void **state)
{
	struct bed *b = *state;
	struct hashes taken;

	hashes_all_of(b->document.p, b->document.n, &taken);
	list_sha512(b, &taken.sha512);
	expect_ok(fetch(b), &b->e);
	assert_true(b->out.desired.has_hash512);
}

static const struct {
	const char *why;
	void (*spoil)(struct bed *);
	enum err_code code;
} refused[] = {
	{"changed timestamp", flip_timestamp, ERR_UNSIGNED},
	{"changed targets", flip_targets, ERR_ALTERED},
	{"changed safety", flip_safety, ERR_ALTERED},
	{"lost compliance", lose_compliance, ERR_NOT_FOUND},
	{"lost document", lose_document, ERR_NOT_FOUND},
	{"changed document", change_document, ERR_ALTERED},
	{"longer document", lengthen_document, ERR_TOO_LARGE},
	{"second hash of another document", wrong_second_hash, ERR_ALTERED},
	{"malformed document", malformed_document, ERR_BAD_INPUT},
	{"expired", expire, ERR_EXPIRED},
	{"other device", other_device, ERR_WRONG_DEVICE},
	{"other hardware", other_hardware, ERR_WRONG_DEVICE},
	{"older counter", older_counter, ERR_ROLLED_BACK},
	{"director and image disagree", disagree, ERR_MIXED},
	{"endless timestamp", endless_timestamp, ERR_TOO_LARGE},
	{"server error", server_error, ERR_BUSY},
	{"odd name", odd_name, ERR_BAD_INPUT},
};

static void whatever_is_wrong_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct bed *b;
		BUF_AUTO before = {0};
		BUF_AUTO after = {0};

		open_bed((void **)&b);
		snapshot_take(in_home(b, ""), &before);
		refused[i].spoil(b);
		int rc = fetch(b);
		if (rc != -(int)refused[i].code)
			fail_msg("%s: %d (%s)", refused[i].why, rc, b->e.text);
		snapshot_take(in_home(b, ""), &after);
		assert_string_equal(buf_cstr(&before), buf_cstr(&after));
		close_bed((void **)&b);
	}
}

static void an_older_repository_is_refused(void **state)
{
	static const char *const which[] = {"image", "director/dev-1"};
	struct bed *b = *state;
	char path[200];

	for (size_t i = 0; i < 2; i++) {
		struct trepo *r = i ? &b->director : &b->image;

		next_versions(r);
		save(b);
		b->in.again = true;
		must_fetch(b);
		for (enum trepo_file f = TREPO_TIMESTAMP; f < r->n; f++)
			trepo_set_version(r, f, 1);
		trepo_publish(r);
		snprintf(path, sizeof path, "%s", in_www(b, which[i]));
		trepo_save(r, path);
		assert_int_equal(fetch(b), -ERR_ROLLED_BACK);
		next_versions(r);
		save(b);
	}
}

/* "Nothing new", for ever, from somebody between: it ends with the signed timestamp's life. */
static void a_frozen_answer_expires(void **state)
{
	struct bed *b = *state;

	must_fetch(b);
	httpd_put(b->server, &(struct httpd_file){.path = "/director/dev-1/timestamp.json",
				     .manner = HTTPD_STATUS,
				     .n = 304});
	must_fetch(b);
	assert_true(b->out.unchanged);
	b->in.now_s += 2 * TREPO_DAY;
	assert_true(fetch(b) < 0);
}

static void without_a_root_nothing_is_trusted(void **state)
{
	struct bed *b = *state;

	assert_int_equal(unlink(in_home(b, "trust/director/root.json")), 0);
	assert_int_equal(fetch(b), -ERR_NOT_FOUND);
	assert_int_equal(httpd_count(b->server, NULL), 0);
}

/* ---- roots ---- */

/* The same two root keys sign for another timestamp key. */
static void rotate(struct trepo *r)
{
	trepo_set_version(r, TREPO_ROOT, trepo_version(r, TREPO_ROOT) + 1);
	trepo_new_keys(r, TREPO_TIMESTAMP, 1);
	trepo_rebuild_root(r);
	next_versions(r);
}

static void new_roots_are_followed_and_kept(void **state)
{
	struct bed *b = *state;

	must_fetch(b);
	for (int i = 0; i < 3; i++) {
		rotate(&b->image);
		rotate(&b->director);
		save(b);
	}
	must_fetch(b);
	is_release_1(b);
	assert_true(exists(in_home(b, "trust/director/2.root.json")));
	assert_true(exists(in_home(b, "trust/image/4.root.json")));
	must_fetch(b);
	assert_true(b->out.unchanged);
	forget(b);
	assert_int_equal(desired_load(&b->fs, &b->in.facts, TREPO_NOW, &b->out, &b->e), 0);
}

static void a_root_of_strangers_is_refused(void **state)
{
	struct bed *b = *state;

	must_fetch(b);
	trepo_new_keys(&b->director, TREPO_ROOT, 2);
	trepo_set_version(&b->director, TREPO_ROOT, 2);
	trepo_rebuild_root(&b->director);
	next_versions(&b->director);
	save(b);
	assert_int_equal(fetch(b), -ERR_UNSIGNED);
	assert_false(exists(in_home(b, "trust/director/2.root.json")));
}

/* The same code means one thing when the server says it, and another when it was found here. */
static void a_server_that_says_no_is_told_from_what_is_refused(void **state)
{
	static const struct {
		const char *path; /* a later one is asked for earlier */
		uint64_t status;
		enum err_code want;
	} cases[] = {
		{"/image/1.safety.json", 401, ERR_DENIED},
		{"/image/timestamp.json", 403, ERR_DENIED},
		{"/director/dev-1/1.targets.json", 403, ERR_DENIED},
		{"/director/dev-1/timestamp.json", 409, ERR_CONFLICT},
		{"/director/dev-1/timestamp.json", 403, ERR_DENIED},
	};
	struct bed *b = *state;

	b->in.carried = true; /* but it was made to be served */
	expect_err(fetch(b), &b->e, ERR_DENIED, "made to be served", "the other way");
	assert_false(b->out.turned_away);
	b->in.carried = false;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		httpd_put(b->server, &(struct httpd_file){.path = cases[i].path,
					     .manner = HTTPD_STATUS,
					     .n = cases[i].status});
		expect_err(fetch(b), &b->e, cases[i].want, ": HTTP 4", cases[i].path);
		assert_true(b->out.turned_away);
	}
}

static void provisioned_roots_are_not_replaced(void **state)
{
	struct bed *b = *state;
	struct trepo other;
	BUF_AUTO director = {0};
	BUF_AUTO image = {0};

	buf_add(&director, trepo_bytes(&b->director, TREPO_ROOT).p,
		trepo_bytes(&b->director, TREPO_ROOT).n);
	buf_add(&image, trepo_bytes(&b->image, TREPO_ROOT).p, trepo_bytes(&b->image, TREPO_ROOT).n);
	assert_int_equal(desired_provision(&b->fs, buf_str(&director), buf_str(&image), &b->e), 0);
	trepo_init(&other, TREPO_IMAGE, TREPO_NOW);
	trepo_publish(&other);
	assert_int_equal(desired_provision(&b->fs, buf_str(&director),
				 trepo_bytes(&other, TREPO_ROOT), &b->e),
		-ERR_CONFLICT);
	trepo_fini(&other);
	assert_int_equal(
		desired_provision(&b->fs, STR("{}"), buf_str(&image), &b->e), -ERR_BAD_INPUT);
	rotate(&b->image);
	save(b);
	must_fetch(b);
	assert_int_equal(desired_provision(&b->fs, buf_str(&director), buf_str(&image), &b->e), 0);
}

/* ---- from the store ---- */

static int load(struct bed *b, int64_t now_s)
{
	forget(b);
	return desired_load(&b->fs, &b->in.facts, now_s, &b->out, &b->e);
}

static void what_is_stored_is_checked_again(void **state)
{
	static const char *const files[] = {"trust/director/root.json",
		"trust/director/timestamp.json", "trust/director/1.snapshot.json",
		"trust/director/1.targets.json", "trust/image/1.engineering.json",
		"trust/image/timestamp.json"};
	struct bed *b = *state;

	assert_int_equal(load(b, TREPO_NOW), -ERR_NOT_FOUND);
	must_fetch(b);
	assert_int_equal(load(b, TREPO_NOW), 0);
	assert_int_equal(load(b, TREPO_NOW + 2 * TREPO_DAY), -ERR_EXPIRED);
	b->in.facts.counter_floor = 2;
	assert_int_equal(load(b, TREPO_NOW), -ERR_ROLLED_BACK);
	b->in.facts.counter_floor = 0;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		FILE *f = fopen(in_home(b, files[i]), "r+");

		fseek(f, 40, SEEK_SET);
		int c = fgetc(f);
		fseek(f, 40, SEEK_SET);
		fputc(c ^ 1, f);
		fclose(f);
		assert_true(load(b, TREPO_NOW) < 0);
		f = fopen(in_home(b, files[i]), "r+");
		fseek(f, 40, SEEK_SET);
		fputc(c, f);
		fclose(f);
		assert_int_equal(load(b, TREPO_NOW), 0);
	}
}

static void damage_is_mended_by_the_next_fetch(void **state)
{
	struct bed *b = *state;

	must_fetch(b);
	assert_int_equal(truncate(in_home(b, "trust/director/1.targets.json"), 10), 0);
	assert_int_equal(truncate(in_home(b, "trust/image/timestamp.json"), 0), 0);
	must_fetch(b);
	is_release_1(b);
	assert_int_equal(load(b, TREPO_NOW), 0);
}

static void documents_are_pruned(void **state)
{
	struct bed *b = *state;
	struct sha256 hash, other = {{1}};
	struct release *r = calloc(1, sizeof *r);

	must_fetch(b);
	hash = b->out.desired.hash;
	assert_int_equal(desired_prune(&b->fs, &hash, 1, &b->e), 0);
	assert_int_equal(desired_load_release(&b->fs, &hash, r, &b->e), 0);
	assert_int_equal(desired_prune(&b->fs, &other, 1, &b->e), 0);
	assert_int_equal(desired_load_release(&b->fs, &hash, r, &b->e), -ERR_NOT_FOUND);
	assert_int_equal(
		desired_load_rollback_to(&b->fs, &hash, &b->in.facts, &b->e), -ERR_NOT_FOUND);
	free(r);
}

static void what_may_follow_is_kept_with_the_document(void **state)
{
	struct bed *b = *state;
	struct repo_match match = trepo_match("edge-x86", 1);
	struct device_facts facts = b->in.facts;

	match.n_rollback_to = 1;
	strcpy(match.rollback_to[0].path, "ocr/ocr-0.json");
	match.rollback_to[0].hash.b[3] = 9;
	trepo_add_release(&b->image, "ocr/ocr-1.json", b->document, &match);
	trepo_direct(&b->director, "dev-1", DESIRED_INSTALL, "ocr/ocr-1.json", b->document, &match);
	save(b);
	must_fetch(b);
	assert_int_equal(desired_load_rollback_to(&b->fs, &b->out.desired.hash, &facts, &b->e), 0);
	assert_int_equal(facts.n_rollback_to, 1);
	assert_string_equal(facts.rollback_to[0].path, "ocr/ocr-0.json");
	assert_int_equal(facts.rollback_to[0].hash.b[3], 9);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_desired_state_is_fetched_and_kept),
		CASE(nothing_new_is_one_question),
		CASE(a_lost_tag_is_replaced),
		CASE(asked_again_it_is_told_again),
		CASE(a_newer_state_replaces_the_older),
		CASE(nothing_desired_leaves_the_image_alone),
		cmocka_unit_test(whatever_is_wrong_changes_nothing),
		CASE(every_listed_hash_is_checked),
		CASE(an_older_repository_is_refused),
		CASE(a_frozen_answer_expires),
		CASE(without_a_root_nothing_is_trusted),
		CASE(new_roots_are_followed_and_kept),
		CASE(a_root_of_strangers_is_refused),
		CASE(a_server_that_says_no_is_told_from_what_is_refused),
		CASE(provisioned_roots_are_not_replaced),
		CASE(what_is_stored_is_checked_again),
		CASE(damage_is_mended_by_the_next_fetch),
		CASE(documents_are_pruned),
		CASE(what_may_follow_is_kept_with_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
