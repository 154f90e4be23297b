/* The power is cut at every operation of storing a newer desired state, with new roots on the way.
 * Afterwards the device can load the old state or the new one, and the next fetch brings the new.
 */
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

static struct trepo image, director;
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

static void next(struct trepo *r)
{
	trepo_set_version(r, TREPO_ROOT, trepo_version(r, TREPO_ROOT) + 1);
	trepo_rebuild_root(r);
	for (enum trepo_file f = TREPO_TIMESTAMP; f < r->n; f++)
		trepo_set_version(r, f, trepo_version(r, f) + 1);
}

static int fetch(struct crashfs *c, bool again, struct desired_out *out, struct err *e)
{
	struct desired_in in = {.fs = crashfs_fs(c),
		.http = &conf,
		.server = httpd_url(server),
		.facts = {.device = {"dev-1"}, .hardware = "edge-x86"},
		.now_s = TREPO_NOW,
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
	assert_int_equal(fetch(c, true, &out, &e), 0);
	assert_string_equal(out.release->id.s, "ocr-2");
	free(out.release);
	assert_int_equal(fetch(c, false, &out, &e), 0);
	assert_true(out.unchanged);
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
	publish(0);
	assert_int_equal(desired_provision(crashfs_fs(device), trepo_bytes(&director, TREPO_ROOT),
				 trepo_bytes(&image, TREPO_ROOT), &e),
		0);
	assert_int_equal(fetch(device, false, &out, &e), 0);
	free(out.release);
	crashfs_settle(device);
	next(&image);
	next(&director);
	publish(1);
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
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_operation),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
