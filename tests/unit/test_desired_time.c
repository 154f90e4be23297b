/* Freshness without a clock: a device that asks for the time before it believes anything, against a
 * server that answers well, badly and with what was recorded. */
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

#define DIGEST "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define NONCE  "00112233445566778899aabbccddeeff"
#define TIME   "/director/dev-1/time/" NONCE
#define STAMP  "/director/dev-1/timestamp.json"
#define FAR    (TREPO_NOW + 9999 * TREPO_DAY)

static const char text_1[] =
	"{\"format\":1,\"id\":\"ocr-1\",\"product\":\"ocr\",\"version\":\"1\",\"components\":["
	"{\"name\":\"m\",\"kind\":\"model\",\"path\":\"m\",\"artifact\":{\"digest\":\"" DIGEST
	"\",\"length\":3,\"tree\":\"" DIGEST "\"}}],\"soak_ms\":60000}";

static struct bed {
	char dir[32], www[64], home[64];
	struct fs fs;
	struct httpd *server;
	struct http_conf conf;
	struct trepo image, director;
	struct sign_key clock;
	struct timetoken said;
	struct buf token; /* as it is served */
	struct desired_in in;
	struct desired_out out;
	struct err e;
} bed;

static const char *path_in(const char *dir, const char *name)
{
	static char full[200];

	snprintf(full, sizeof full, "%s/%s", dir, name);
	return full;
}

static void save(void)
{
	struct str document = STR(text_1);
	char hex[SHA256_TEXT], name[128];
	struct sha256 digest;

	trepo_publish(&bed.image);
	trepo_publish(&bed.director);
	trepo_save(&bed.image, path_in(bed.www, "image"));
	trepo_save(&bed.director, path_in(bed.www, "director/dev-1"));
	digest_of(document.p, document.n, &digest);
	sha256_format(&digest, hex);
	snprintf(name, sizeof name, "image/targets/ocr/%s.ocr-1.json", hex);
	FILE *f = fopen(path_in(bed.www, name), "w");
	assert_non_null(f);
	fwrite(document.p, 1, document.n, f);
	fclose(f);
}

/* The director's root names the clock's key. */
static void root_names_clock(void)
{
	const struct sign_key *keys[] = {&bed.clock};
	struct repo_role role = {"time", 1, 1, keys};

	trepo_rebuild_root(&bed.director);
	repo_root_add_time(bed.director.role[TREPO_ROOT].part, &role);
}

static void serve_token(const struct sign_key *key)
{
	JSON_AUTO *part = repo_timetoken(&bed.said);

	httpd_forget(bed.server);
	buf_clear(&bed.token);
	expect_ok(sign_meta(part, &key, 1, &bed.token, &bed.e), &bed.e);
	httpd_put(bed.server, &(struct httpd_file){.path = TIME, .body = buf_str(&bed.token)});
}

static void say(int64_t time_s)
{
	bed.said.time_s = time_s;
	serve_token(&bed.clock);
}

static int begin(void **state)
{
	static const char *const dirs[] = {"", "home", "www", "www/image", "www/image/targets",
		"www/image/targets/ocr", "www/director", "www/director/dev-1"};
	struct repo_match match = trepo_match("edge-x86", 1);
	static unsigned n;

	(void)state;
	bed = (struct bed){.said = {{"dev-1"}, NONCE, TREPO_NOW, 1}};
	snprintf(bed.dir, sizeof bed.dir, "bed%u", n++);
	snprintf(bed.www, sizeof bed.www, "%s/www", bed.dir);
	snprintf(bed.home, sizeof bed.home, "%s/home", bed.dir);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		mkdir(path_in(bed.dir, dirs[i]), 0755);
	expect_ok(fs_posix_open(bed.home, &bed.fs, &bed.e), &bed.e);
	expect_ok(sign_key_new("director-time", SIG_ECDSA_P256, &bed.clock, &bed.e), &bed.e);
	trepo_init(&bed.image, TREPO_IMAGE, TREPO_NOW);
	trepo_init(&bed.director, TREPO_DIRECTOR, TREPO_NOW);
	root_names_clock();
	trepo_add_release(&bed.image, "ocr/ocr-1.json", STR(text_1), &match);
	trepo_direct(
		&bed.director, "dev-1", DESIRED_INSTALL, "ocr/ocr-1.json", STR(text_1), &match);
	save();
	bed.server = httpd_new();
	httpd_set_dir(bed.server, bed.www);
	bed.in = (struct desired_in){.fs = &bed.fs,
		.http = &bed.conf,
		.server = httpd_url(bed.server),
		.facts = {.device = {"dev-1"}, .hardware = "edge-x86"},
		.now_s = TREPO_NOW,
		.nonce = NONCE};
	expect_ok(desired_provision(&bed.fs, trepo_bytes(&bed.director, TREPO_ROOT),
			  trepo_bytes(&bed.image, TREPO_ROOT), &bed.e),
		&bed.e);
	say(TREPO_NOW);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(bed.out.release);
	httpd_free(&bed.server);
	trepo_fini(&bed.image);
	trepo_fini(&bed.director);
	sign_key_fini(&bed.clock);
	buf_fini(&bed.token);
	fs_posix_close(&bed.fs);
	return 0;
}

static int fetch(void)
{
	free(bed.out.release);
	bed.out = (struct desired_out){0};
	httpd_forget(bed.server);
	return desired_fetch(&bed.in, &bed.out, &bed.e);
}

static void must_fetch(void)
{
	expect_ok(fetch(), &bed.e);
}

static void stored_floor(struct buf *out)
{
	expect_ok(fs_read_file(&bed.fs, "trust/time.json", LIMIT_TIMETOKEN_BYTES, out, &bed.e),
		&bed.e);
}

/* ---- what time it is ---- */

static void a_clock_in_1970_locks_nobody_out(void **state)
{
	BUF_AUTO floor = {0};

	(void)state;
	bed.in.now_s = 0;
	must_fetch();
	assert_non_null(bed.out.release);
	assert_int_equal(bed.out.now_s, TREPO_NOW);
	assert_int_equal(bed.out.heard.s, TREPO_NOW);
	stored_floor(&floor);
	assert_non_null(strstr(buf_cstr(&floor), "2026-09-21T14:13:20Z"));
}

static void a_clock_in_1970_accepts_nothing_expired(void **state)
{
	(void)state;
	bed.in.now_s = 0;
	say(TREPO_NOW + 3 * TREPO_DAY);
	expect_err(fetch(), &bed.e, ERR_EXPIRED, "timestamp", "by the token");
}

static void a_clock_in_the_far_future_locks_nobody_out(void **state)
{
	(void)state;
	bed.in.now_s = FAR;
	must_fetch();
	assert_int_equal(bed.out.now_s, TREPO_NOW);
	bed.in.again = true;
	bed.in.clock_set = true; /* even if it pretends to have been set */
	must_fetch();
	assert_int_equal(bed.out.now_s, TREPO_NOW);
}

static void the_build_date_is_the_least(void **state)
{
	(void)state;
	bed.in.built_s = TREPO_NOW + 3 * TREPO_DAY;
	expect_err(fetch(), &bed.e, ERR_EXPIRED, NULL, "built after all that");
}

/* ---- answers that are none ---- */

static void wrong_nonce(void)
{
	snprintf(bed.said.nonce, NONCE_TEXT, "ffffffffffffffffffffffffffffffff");
	serve_token(&bed.clock);
}

static void other_device(void)
{
	snprintf(bed.said.device.s, sizeof bed.said.device.s, "dev-2");
	serve_token(&bed.clock);
}

static void other_key(void)
{
	serve_token(&bed.director.role[TREPO_TIMESTAMP].keys[0]);
}

static void no_token(void)
{
	httpd_put(bed.server, &(struct httpd_file){.path = TIME, .manner = HTTPD_STATUS, .n = 404});
}

static void out_of_order(void)
{
	httpd_put(bed.server, &(struct httpd_file){.path = TIME, .manner = HTTPD_STATUS, .n = 500});
}

static void endless_token(void)
{
	httpd_put(bed.server, &(struct httpd_file){.path = TIME, .manner = HTTPD_ENDLESS});
}

static void timestamp_instead(void)
{
	httpd_put(bed.server, &(struct httpd_file){.path = TIME,
				      .body = trepo_bytes(&bed.director, TREPO_TIMESTAMP)});
}

/* The director has signed a newer one, and somebody holds it back. */
static void held_back(void)
{
	bed.said.timestamp = 2;
	serve_token(&bed.clock);
}

static void large_targets(void)
{
	BUF_AUTO pad = {0};

	while (pad.n < LIMIT_DIRECTOR_BYTES)
		buf_add(&pad, "xxxxxxxx", 8);
	json_object_set_new(
		bed.director.role[TREPO_TARGETS].part, "x-pad", json_string(buf_cstr(&pad)));
	save();
}

static void redirected(void)
{
	httpd_put(bed.server, &(struct httpd_file){.path = TIME,
				      .body = STR("http://localhost:1/time"),
				      .manner = HTTPD_REDIRECT,
				      .n = 302});
}

static void made_to_be_carried(void)
{
	json_object_set_new(json_object_get(bed.director.role[TREPO_TARGETS].part, "x-backstay"),
		"offline", json_true());
	save();
}

static void root_5xx(void)
{
	httpd_put(bed.server,
		&(struct httpd_file){
			.path = "/director/dev-1/2.root.json", .manner = HTTPD_STATUS, .n = 500});
}

static void root_silent(void)
{
	bed.conf.total_timeout = 200;
	httpd_put(bed.server, &(struct httpd_file){.path = "/director/dev-1/2.root.json",
				      .manner = HTTPD_SILENT});
}

static const struct {
	const char *why;
	void (*spoil)(void);
	enum err_code code;
} refused[] = {
	{"another nonce", wrong_nonce, ERR_MIXED},
	{"another device's", other_device, ERR_WRONG_DEVICE},
	{"another key's", other_key, ERR_UNSIGNED},
	{"none", no_token, ERR_NOT_FOUND},
	{"an error", out_of_order, ERR_IO},
	{"an endless one", endless_token, ERR_TOO_LARGE},
	{"a timestamp", timestamp_instead, ERR_UNSIGNED},
	{"a redirect elsewhere", redirected, ERR_DENIED},
	{"root 5xx is not the newest", root_5xx, ERR_IO},
	{"root timeout is not the newest", root_silent, ERR_TIMEOUT},
};

static void a_bad_answer_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		BUF_AUTO before = {0};
		BUF_AUTO after = {0};

		end(NULL);
		begin(NULL);
		snapshot_take(bed.home, &before);
		refused[i].spoil();
		int rc = fetch();
		if (rc != -(int)refused[i].code)
			fail_msg("%s: %s (%s)", refused[i].why, err_name((enum err_code) - rc),
				bed.e.text);
		snapshot_take(bed.home, &after);
		assert_string_equal(buf_cstr(&before), buf_cstr(&after));
		end(NULL);
		begin(NULL);
		must_fetch();
	}
}

static const struct {
	const char *why;
	void (*spoil)(void);
	enum err_code code;
} believed_but[] = {
	{"a newer timestamp is held back", held_back, ERR_ROLLED_BACK},
	{"a director's file without measure", large_targets, ERR_TOO_LARGE},
	{"made to be carried", made_to_be_carried, ERR_DENIED},
};

/* The time was signed and is remembered, and nothing else. */
static void a_good_time_does_not_make_the_rest_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(believed_but); i++) {
		end(NULL);
		begin(NULL);
		believed_but[i].spoil();
		expect_err(fetch(), &bed.e, believed_but[i].code, NULL, believed_but[i].why);
		assert_int_equal(access(path_in(bed.home, "trust/time.json"), F_OK), 0);
		assert_int_not_equal(
			access(path_in(bed.home, "trust/director/timestamp.json"), F_OK), 0);
	}
}

/* ---- the floor ---- */

static void an_older_token_than_the_floor_is_refused(void **state)
{
	BUF_AUTO before = {0}, after = {0};

	(void)state;
	must_fetch();
	stored_floor(&before);
	bed.in.again = true;
	say(TREPO_NOW - 1);
	expect_err(fetch(), &bed.e, ERR_ROLLED_BACK, "was signed", "a second earlier");
	stored_floor(&after);
	assert_string_equal(buf_cstr(&before), buf_cstr(&after));
	say(TREPO_NOW + 5);
	must_fetch();
	assert_int_equal(bed.out.now_s, TREPO_NOW + 5);
}

/* The thief of the time key has signed the far future: other keys heal it. */
static void a_rotation_of_the_time_key_voids_the_floor(void **state)
{
	(void)state;
	say(FAR);
	expect_err(fetch(), &bed.e, ERR_EXPIRED, NULL, "the far future, signed");
	say(TREPO_NOW);
	expect_err(fetch(), &bed.e, ERR_ROLLED_BACK, NULL, "it does not sink by itself");
	sign_key_fini(&bed.clock);
	expect_ok(sign_key_new("director-time", SIG_ECDSA_P256, &bed.clock, &bed.e), &bed.e);
	trepo_set_version(&bed.director, TREPO_ROOT, 2);
	root_names_clock();
	trepo_set_version(&bed.director, TREPO_ROOT, 2);
	save();
	say(TREPO_NOW);
	must_fetch();
	assert_int_equal(bed.out.now_s, TREPO_NOW);
}

static void a_damaged_floor_is_set_anew(void **state)
{
	(void)state;
	must_fetch();
	assert_int_equal(truncate(path_in(bed.home, "trust/time.json"), 3), 0);
	bed.in.again = true;
	must_fetch();
	BUF_AUTO floor = {0};
	stored_floor(&floor);
	assert_non_null(strstr(buf_cstr(&floor), "2026-09-21"));
}

/* ---- when it is asked for ---- */

static void hear(void)
{
	bed.in.heard = bed.out.heard;
	bed.in.now_s = 0;
}

static void nothing_new_is_not_asked_twice(void **state)
{
	(void)state;
	must_fetch();
	hear();
	must_fetch();
	assert_true(bed.out.unchanged);
	assert_int_equal(httpd_count(bed.server, NULL), 1);
	assert_int_equal(bed.out.heard.s, 0);
	bed.in.ask_time = true;
	say(TREPO_NOW + 60);
	must_fetch();
	assert_true(bed.out.unchanged);
	assert_int_equal(httpd_count(bed.server, TIME), 1);
	assert_int_equal(bed.out.heard.s, TREPO_NOW + 60);
}

static void a_process_that_has_heard_nothing_asks(void **state)
{
	(void)state;
	must_fetch();
	must_fetch();
	assert_true(bed.out.unchanged);
	assert_int_equal(httpd_count(bed.server, TIME), 1);
}

/* "Nothing new" for ever, to a device without a clock: the time that passes while it is up is
 * enough to notice, and the next token all the more. */
static void a_frozen_answer_is_noticed_without_a_clock(void **state)
{
	(void)state;
	must_fetch();
	hear();
	httpd_put(
		bed.server, &(struct httpd_file){.path = STAMP, .manner = HTTPD_STATUS, .n = 304});
	must_fetch();
	assert_true(bed.out.unchanged);
	bed.in.heard.s += 2 * TREPO_DAY;
	say(TREPO_NOW + 2 * TREPO_DAY);
	assert_true(fetch() < 0);
	bed.in.heard = (struct signed_time){0}; /* started again, and none the wiser */
	assert_true(fetch() < 0);
}

static void a_fleet_without_tokens_goes_by_the_machine(void **state)
{
	(void)state;
	trepo_rebuild_root(&bed.director);
	trepo_set_version(&bed.director, TREPO_ROOT, 2);
	save();
	no_token();
	must_fetch();
	assert_int_equal(httpd_count(bed.server, TIME), 0);
	assert_int_equal(bed.out.heard.s, 0);
	bed.in.now_s += 3 * TREPO_DAY;
	expect_err(fetch(), &bed.e, ERR_EXPIRED, NULL, "by the machine's clock");
}

/* ---- carried files ---- */

static void what_is_carried_must_say_so(void **state)
{
	(void)state;
	bed.in.carried = true;
	expect_err(fetch(), &bed.e, ERR_DENIED, "served", "served files in a folder");
	made_to_be_carried();
	no_token();
	must_fetch();
	assert_true(bed.out.desired.offline);
	assert_int_equal(httpd_count(bed.server, TIME), 0);
}

static void what_is_carried_expires_too(void **state)
{
	(void)state;
	must_fetch(); /* so that there is a floor */
	bed.in.carried = true;
	bed.in.again = true;
	made_to_be_carried();
	bed.in.heard = (struct signed_time){0};
	bed.in.clock_set = true;
	bed.in.now_s = TREPO_NOW + 3 * TREPO_DAY;
	expect_err(fetch(), &bed.e, ERR_EXPIRED, NULL, "by a clock that was set");
	bed.in.now_s = 0;
	bed.in.built_s = TREPO_NOW + 3 * TREPO_DAY;
	expect_err(fetch(), &bed.e, ERR_EXPIRED, NULL, "by the build date");
}

/* ---- roots and patience ---- */

static void a_403_says_that_there_is_no_newer_root(void **state)
{
	(void)state;
	httpd_put(bed.server,
		&(struct httpd_file){
			.path = "/director/dev-1/2.root.json", .manner = HTTPD_STATUS, .n = 403});
	must_fetch();
}

static void a_long_chain_of_roots_goes_on_next_time(void **state)
{
	enum { LAST = LIMIT_ROOT_ROTATIONS + 10 };

	(void)state;
	for (uint64_t v = 2; v <= LAST; v++) {
		trepo_set_version(&bed.director, TREPO_ROOT, v);
		trepo_sign(&bed.director, TREPO_ROOT);
		trepo_save(&bed.director, path_in(bed.www, "director/dev-1"));
	}
	expect_err(fetch(), &bed.e, ERR_BUSY, "next time", "too many at once");
	assert_int_equal(access(path_in(bed.home, "trust/director/257.root.json"), F_OK), 0);
	must_fetch();
	assert_int_equal(access(path_in(bed.home, "trust/director/266.root.json"), F_OK), 0);
}

static void patience_is_bounded_over_all_questions(void **state)
{
	(void)state;
	bed.in.budget = 1;
	httpd_put(bed.server, &(struct httpd_file){.path = STAMP, .manner = HTTPD_SILENT});
	expect_err(fetch(), &bed.e, ERR_TIMEOUT, NULL, "a millisecond for all of it");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(a_clock_in_1970_locks_nobody_out),
		CASE(a_clock_in_1970_accepts_nothing_expired),
		CASE(a_clock_in_the_far_future_locks_nobody_out),
		CASE(the_build_date_is_the_least),
		CASE(a_bad_answer_changes_nothing),
		CASE(a_good_time_does_not_make_the_rest_good),
		CASE(an_older_token_than_the_floor_is_refused),
		CASE(a_rotation_of_the_time_key_voids_the_floor),
		CASE(a_damaged_floor_is_set_anew),
		CASE(nothing_new_is_not_asked_twice),
		CASE(a_process_that_has_heard_nothing_asks),
		CASE(a_frozen_answer_is_noticed_without_a_clock),
		CASE(a_fleet_without_tokens_goes_by_the_machine),
		CASE(what_is_carried_must_say_so),
		CASE(what_is_carried_expires_too),
		CASE(a_403_says_that_there_is_no_newer_root),
		CASE(a_long_chain_of_roots_goes_on_next_time),
		CASE(patience_is_bounded_over_all_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
