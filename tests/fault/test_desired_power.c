/* The power is cut at every operation of storing a newer desired state, with new roots and a later
 * signed time on the way. Afterwards the device can load the old state or the new one, its time
 * floor is the old one or the new one, and the next fetch brings the new. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "agent/net/desired.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/httpd.h"
#include "tests/lib/trepo.h"

#define DIGEST "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define DOCUMENT(id)                                                                               \
	"{\"format\":1,\"id\":\"" id "\",\"product\":\"ocr\",\"version\":\"1\",\"components\":["   \
	"{\"name\":\"m\",\"kind\":\"model\",\"path\":\"m\",\"artifact\":{\"digest\":\"" DIGEST     \
	"\",\"length\":3,\"tree\":\"" DIGEST "\"}}]}"

static const struct str documents[] = {{DOCUMENT("ocr-1"), sizeof DOCUMENT("ocr-1") - 1},
	{DOCUMENT("ocr-2"), sizeof DOCUMENT("ocr-2") - 1}};

#define NONCE "00112233445566778899aabbccddeeff"
#define LATER 60 /* seconds between the two signed times */

static struct trepo image, director;
static struct sign_key time_key;
static struct buf token;
static struct httpd *server;
static struct http_conf conf;

static void save_document(struct str text, const char *name)
{
	char hex[SHA256_TEXT], path[200];
	struct sha256 digest;

	digest_of(text.p, text.n, &digest);
	sha256_format(&digest, hex);
	snprintf(path, sizeof path, "www/image/targets/ocr/%s.%s", hex, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fwrite(text.p, 1, text.n, f);
	fclose(f);
}

static void publish(unsigned i)
{
	struct repo_match match = trepo_match("edge-x86", i + 1);
	char path[64], name[32];

	snprintf(name, sizeof name, "ocr-%u.json", i + 1);
	snprintf(path, sizeof path, "ocr/%s", name);
	trepo_add_release(&image, path, documents[i], &match);
	trepo_direct(&director, "dev-1", DESIRED_INSTALL, path, documents[i], &match);
	trepo_publish(&image);
	trepo_publish(&director);
	trepo_save(&image, "www/image");
	trepo_save(&director, "www/director/dev-1");
	save_document(documents[i], name);
}

/* The director's root names who says the time. */
static void name_time_key(void)
{
	const struct sign_key *keys[] = {&time_key};
	struct repo_role role = {"time", 1, 1, keys};

	repo_root_add_time(director.role[TREPO_ROOT].part, &role);
}

static void say(int64_t time_s)
{
	struct timetoken said = {{"dev-1"}, NONCE, time_s, 0};
	const struct sign_key *key = &time_key;
	JSON_AUTO *part = repo_timetoken(&said);
	struct err e;

	httpd_forget(server);
	buf_clear(&token);
	assert_int_equal(sign_meta(part, &key, 1, &token, &e), 0);
	httpd_put(server, &(struct httpd_file){
				  .path = "/director/dev-1/time/" NONCE, .body = buf_str(&token)});
}

static void next(struct trepo *r)
{
	trepo_set_version(r, TREPO_ROOT, trepo_version(r, TREPO_ROOT) + 1);
	trepo_rebuild_root(r);
	if (r == &director)
		name_time_key();
	for (enum trepo_file f = TREPO_TIMESTAMP; f < r->n; f++)
		trepo_set_version(r, f, trepo_version(r, f) + 1);
}

static int fetch(struct crashfs *c, bool again, struct desired_out *out, struct err *e)
{
	struct desired_in in = {.fs = crashfs_fs(c),
		.http = &conf,
		.server = httpd_url(server),
		.facts = {.device = {"dev-1"}, .hardware = "edge-x86"},
		.nonce = NONCE,
		.again = again};

	return desired_fetch(&in, out, e);
}

static void must_load(struct crashfs *c, uint64_t cut, uint64_t seed)
{
	struct device_facts facts = {.device = {"dev-1"}, .hardware = "edge-x86"};
	struct desired_out out;
	struct err e;

	if (desired_load(crashfs_fs(c), &facts, TREPO_NOW, &out, &e) < 0)
		fail_msg("cut at %llu, seed %llu: %s", (unsigned long long)cut,
			(unsigned long long)seed, e.text);
	assert_true(
		strcmp(out.release->id.s, "ocr-1") == 0 || strcmp(out.release->id.s, "ocr-2") == 0);
	free(out.release);
}

static void must_have_floor(struct crashfs *c, bool is_done)
{
	struct signed_time floor;
	BUF_AUTO text = {0};
	struct err e;

	if (fs_read_file(crashfs_fs(c), "trust/time.json", LIMIT_TIMETOKEN_BYTES, &text, &e) < 0 ||
		timebase_parse(buf_str(&text), &floor, &e) < 0)
		fail_msg("the time floor is gone: %s", e.text);
	assert_true(floor.s == TREPO_NOW + LATER || (!is_done && floor.s == TREPO_NOW));
}

static bool try_cut(const struct crashfs *device, uint64_t cut, uint64_t seed)
{
	struct crashfs *c = crashfs_dup(device);
	struct desired_out out = {0};
	struct err e;

	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	int rc = fetch(c, false, &out, &e);
	bool was_cut = crashfs_is_cut(c);
	/* What is cut off after the last thing that matters is no failure. */
	assert_true(was_cut || rc == 0);
	free(out.release);
	crashfs_reboot(c, seed);
	must_load(c, cut, seed);
	must_have_floor(c, !was_cut);
	assert_int_equal(fetch(c, true, &out, &e), 0);
	assert_string_equal(out.release->id.s, "ocr-2");
	free(out.release);
	assert_int_equal(fetch(c, false, &out, &e), 0);
	assert_true(out.unchanged);
	assert_int_equal(out.heard.s, TREPO_NOW + LATER); /* a new process asks what time it is */
	must_have_floor(c, true);
	crashfs_free(&c);
	return was_cut;
}

static void cut_at_every_operation(void **state)
{
	struct crashfs *device = crashfs_new();
	struct desired_out out;
	struct err e;
	unsigned tried = 0;
	bool more = true;

	(void)state;
	name_time_key();
	publish(0);
	say(TREPO_NOW);
	assert_int_equal(desired_provision(crashfs_fs(device), trepo_bytes(&director, TREPO_ROOT),
				 trepo_bytes(&image, TREPO_ROOT), &e),
		0);
	assert_int_equal(fetch(device, false, &out, &e), 0);
	free(out.release);
	crashfs_settle(device);
	next(&image);
	next(&director);
	publish(1);
	say(TREPO_NOW + LATER);
	bool is_long = getenv("BACKSTAY_LONG") != NULL;
	for (uint64_t cut = 1; more; cut += is_long ? 1 : 7)
		for (uint64_t seed = 0; seed < (is_long ? 3 : 1); seed++, tried++)
			more = try_cut(device, cut, seed + cut % 3);
	assert_true(tried > 10);
	printf("== %u power cuts in storing a desired state\n", tried);
	crashfs_free(&device);
}

static int begin(void **state)
{
	static const char *const dirs[] = {"www", "www/image", "www/image/targets",
		"www/image/targets/ocr", "www/director", "www/director/dev-1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		mkdir(dirs[i], 0755);
	trepo_init(&image, TREPO_IMAGE, TREPO_NOW);
	trepo_init(&director, TREPO_DIRECTOR, TREPO_NOW);
	if (sign_key_new("director-time", SIG_ECDSA_P256, &time_key, NULL) < 0)
		return -1;
	server = httpd_new();
	httpd_set_dir(server, "www");
	return 0;
}

static int end(void **state)
{
	(void)state;
	httpd_free(&server);
	trepo_fini(&image);
	trepo_fini(&director);
	sign_key_fini(&time_key);
	buf_fini(&token);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_operation),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
