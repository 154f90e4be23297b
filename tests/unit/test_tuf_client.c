#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/cli/tuf_client.h"
#include "tests/lib/expect.h"
#include "tests/lib/httpd.h"
#include "tests/lib/tgraph.h"

#define BODY STR("bytes of a target")

/* A repository on loopback, and a client with two fresh folders. */
struct bed {
	struct tgraph g;
	struct httpd *server;
	char dir[32], targets_dir[32], meta_url[128], targets_url[128];
	struct fs targets;
	struct tuf_client c;
	struct err e;
};

static void put(
	struct bed *b, const char *name, struct str body, enum httpd_manner manner, uint64_t n)
{
	char path[256];

	snprintf(path, sizeof path, "/meta/%s", name);
	httpd_put(b->server,
		&(struct httpd_file){.path = path, .body = body, .manner = manner, .n = n});
}

static void serve(struct bed *b)
{
	struct trepo *r = &b->g.r;
	char name[64];

	for (enum trepo_file f = TREPO_ROOT; f <= TREPO_TARGETS; f++) {
		snprintf(name, sizeof name, "%llu.%s.json", (unsigned long long)trepo_version(r, f),
			r->role[f].name);
		put(b, f == TREPO_TIMESTAMP ? "timestamp.json" : name, trepo_bytes(r, f),
			HTTPD_SERVE, 0);
	}
}

static void serve_target(
	struct bed *b, const char *path, struct str body, enum httpd_manner manner, uint64_t n)
{
	struct sha256 digest;
	char hex[SHA256_TEXT], url[256];

	digest_of(BODY.p, BODY.n, &digest);
	sha256_format(&digest, hex);
	snprintf(url, sizeof url, "/targets/%s.%s", hex, path);
	httpd_put(b->server,
		&(struct httpd_file){.path = url, .body = body, .manner = manner, .n = n});
}

static void client_open(struct bed *b)
{
	expect_ok(tuf_client_open(&b->c, b->dir, b->meta_url, TREPO_NOW, &b->e), &b->e);
	b->c.http.retry_wait = 1;
	b->c.http.retries = 2;
	b->c.http.low_speed_s = 1;
}

static void client_again(struct bed *b)
{
	tuf_client_close(&b->c);
	client_open(b);
	httpd_forget(b->server);
}

static int bed_open(void **state)
{
	struct bed *b = mem_new(sizeof *b);

	memset(b, 0, sizeof *b);
	snprintf(b->dir, sizeof b->dir, "meta-XXXXXX");
	snprintf(b->targets_dir, sizeof b->targets_dir, "targets-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	assert_non_null(mkdtemp(b->targets_dir));
	expect_ok(fs_posix_open(b->targets_dir, &b->targets, &b->e), &b->e);
	tgraph_init(&b->g);
	tgraph_list(&b->g, "targets", "it", BODY);
	tgraph_list(&b->g, "targets", ".it", BODY);
	tgraph_list(&b->g, "targets", "../it", BODY);
	tgraph_list(&b->g, "targets", "nothing", STR(""));
	b->server = httpd_new();
	snprintf(b->meta_url, sizeof b->meta_url, "%s/meta", httpd_url(b->server));
	snprintf(b->targets_url, sizeof b->targets_url, "%s/targets/", httpd_url(b->server));
	tgraph_publish(&b->g);
	serve(b);
	serve_target(b, "it", BODY, HTTPD_SERVE, 0);
	client_open(b);
	expect_ok(tuf_client_init(&b->c, trepo_bytes(&b->g.r, TREPO_ROOT), &b->e), &b->e);
	client_again(b);
	*state = b;
	return 0;
}

static int bed_close(void **state)
{
	struct bed *b = *state;

	tuf_client_close(&b->c);
	fs_posix_close(&b->targets);
	httpd_free(&b->server);
	tgraph_fini(&b->g);
	mem_free(&b);
	return 0;
}

/* Everything in a folder, sorted: "root.json timestamp.json ". */
static void in_dir_is(const char *dir, const char *want)
{
	struct dirent **list;
	BUF_AUTO got = {0};
	int n = scandir(dir, &list, NULL, alphasort);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		if (strcmp(list[i]->d_name, ".") != 0 && strcmp(list[i]->d_name, "..") != 0)
			buf_addf(&got, "%s ", list[i]->d_name);
		free(list[i]);
	}
	free(list);
	expect_text(buf_cstr(&got), want);
}

static void file_is(struct fs *fs, const char *name, struct str want)
{
	BUF_AUTO got = {0};
	struct err e;

	expect_ok(fs_read_file(fs, name, LIMIT_TARGETS_BYTES, &got, &e), &e);
	assert_true(str_eq(buf_str(&got), want));
}

/* ---- metadata ---- */

static void what_is_trusted_is_stored_as_it_came(void **state)
{
	struct bed *b = *state;

	expect_ok(tuf_client_refresh(&b->c, &b->e), &b->e);
	in_dir_is(b->dir, "root.json snapshot.json targets.json timestamp.json ");
	for (enum trepo_file f = TREPO_ROOT; f <= TREPO_TARGETS; f++) {
		char name[32];

		snprintf(name, sizeof name, "%s.json", b->g.r.role[f].name);
		file_is(&b->c.meta, name, trepo_bytes(&b->g.r, f));
	}
	assert_int_equal(httpd_count(b->server, NULL), 4);
	client_again(b);
	expect_ok(tuf_client_refresh(&b->c, &b->e), &b->e);
	assert_int_equal(httpd_count(b->server, NULL), 2);
}

static void another_root_is_not_put_in_its_place(void **state)
{
	struct bed *b = *state;
	struct str root = trepo_bytes(&b->g.r, TREPO_ROOT);

	expect_ok(tuf_client_init(&b->c, root, &b->e), &b->e);
	BUF_AUTO before = {0};
	buf_add(&before, root.p, root.n);
	trepo_new_keys(&b->g.r, TREPO_ROOT, 1);
	trepo_rebuild_root(&b->g.r);
	trepo_sign(&b->g.r, TREPO_ROOT);
	expect_err(tuf_client_init(&b->c, trepo_bytes(&b->g.r, TREPO_ROOT), &b->e), &b->e,
		ERR_CONFLICT, "another root", "init");
	expect_err(tuf_client_init(&b->c, STR("{}"), &b->e), &b->e, ERR_BAD_INPUT, NULL, "init");
	file_is(&b->c.meta, "root.json", buf_str(&before));
}

static void without_a_root_nothing_is_asked(void **state)
{
	struct bed *b = *state;

	expect_ok(b->c.meta.ops->unlink(&b->c.meta, "root.json", &b->e), &b->e);
	expect_err(tuf_client_refresh(&b->c, &b->e), &b->e, ERR_NOT_FOUND, "root.json", "none");
	expect_ok(fs_write_file(&b->c.meta, "root.json", "{}", 2, 0644, &b->e), &b->e);
	expect_err(tuf_client_refresh(&b->c, &b->e), &b->e, ERR_BAD_INPUT, "root.json", "rubbish");
	assert_int_equal(httpd_count(b->server, NULL), 0);
}

/* Only "there is none" says that no root is newer: what keeps back a root keeps back everything. */
static void no_answer_is_no_newest_root(void **state)
{
	static const struct {
		enum httpd_manner manner;
		uint64_t n;
		enum err_code want;
	} rows[] = {
		{HTTPD_STATUS, 403, ERR_OK},
		{HTTPD_STATUS, 404, ERR_OK},
		{HTTPD_STATUS, 401, ERR_DENIED},
		{HTTPD_STATUS, 410, ERR_BAD_INPUT},
		{HTTPD_STATUS, 500, ERR_IO},
		{HTTPD_STATUS, 503, ERR_BUSY},
		{HTTPD_CUT, 5, ERR_NET},
		{HTTPD_STALL, 5, ERR_TIMEOUT},
		{HTTPD_ENDLESS, 0, ERR_TOO_LARGE},
		{HTTPD_HEADERS, 0, ERR_NET},
	};
	struct bed *b = *state;
	char what[64];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(what, sizeof what, "manner %d, %llu", rows[i].manner,
			(unsigned long long)rows[i].n);
		put(b, "2.root.json", STR("0123456789"), rows[i].manner, rows[i].n);
		client_again(b);
		if (rows[i].want == ERR_OK) {
			expect_ok(tuf_client_refresh(&b->c, &b->e), &b->e);
			continue;
		}
		expect_err(
			tuf_client_refresh(&b->c, &b->e), &b->e, rows[i].want, "2.root.json", what);
		assert_int_equal(httpd_count(b->server, "/meta/timestamp.json"), 0);
	}
}

static void no_file_is_taken_beyond_its_bound(void **state)
{
	static const char *const names[] = {"timestamp.json", "1.snapshot.json", "1.targets.json"};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		serve(b);
		put(b, names[i], STR("{"), HTTPD_ENDLESS, 0);
		client_again(b);
		expect_err(
			tuf_client_refresh(&b->c, &b->e), &b->e, ERR_TOO_LARGE, names[i], names[i]);
	}
	put(b, "timestamp.json", STR("http://127.0.0.2:1/timestamp.json"), HTTPD_REDIRECT, 302);
	client_again(b);
	expect_err(tuf_client_refresh(&b->c, &b->e), &b->e, ERR_DENIED, "another host", "redirect");
}

/* ---- targets ---- */

static int download(struct bed *b, const char *path)
{
	client_again(b);
	TRY(tuf_client_refresh(&b->c, &b->e));
	return tuf_client_download(&b->c, path, &b->targets, b->targets_url, &b->e);
}

static void a_target_is_brought_once(void **state)
{
	struct bed *b = *state;

	expect_ok(download(b, "it"), &b->e);
	file_is(&b->targets, "it", BODY);
	expect_ok(download(b, "it"), &b->e);
	assert_int_equal(httpd_count(b->server, NULL), 2); /* root and timestamp */
	expect_ok(
		fs_write_file(&b->targets, "it", "bytes of a targeT", BODY.n, 0644, &b->e), &b->e);
	expect_ok(download(b, "it"), &b->e);
	file_is(&b->targets, "it", BODY);
	in_dir_is(b->targets_dir, "it ");
}

static void an_empty_target_needs_nobody(void **state)
{
	struct bed *b = *state;

	expect_ok(download(b, "nothing"), &b->e);
	file_is(&b->targets, "nothing", STR(""));
}

static void what_is_not_listed_is_not_brought(void **state)
{
	struct bed *b = *state;

	expect_err(download(b, "that"), &b->e, ERR_NOT_FOUND, "that", "not listed");
	expect_err(download(b, "../it"), &b->e, ERR_BAD_INPUT, "name", "leads elsewhere");
	in_dir_is(b->targets_dir, "");
}

/* The file of an earlier download stays as it is, and nothing lies beside it. */
static void other_bytes_leave_nothing_behind(void **state)
{
	static const struct {
		const char *what;
		struct str body;
		enum httpd_manner manner;
		uint64_t n;
		enum err_code want;
	} rows[] = {
		{"same length", {"bytes of a tarGet", 17}, HTTPD_SERVE, 0, ERR_ALTERED},
		{"one byte more", {"bytes of a target+", 18}, HTTPD_SERVE, 0, ERR_ALTERED},
		{"one byte less", {"bytes of a targe", 16}, HTTPD_SERVE, 0, ERR_ALTERED},
		{"nothing", {"", 0}, HTTPD_SERVE, 0, ERR_ALTERED},
		{"endless", {"bytes of a target", 17}, HTTPD_ENDLESS, 0, ERR_ALTERED},
		{"missing", {"no", 2}, HTTPD_STATUS, 404, ERR_NOT_FOUND},
		{"broken", {"no", 2}, HTTPD_STATUS, 500, ERR_IO},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		serve_target(b, "it", rows[i].body, rows[i].manner, rows[i].n);
		expect_err(download(b, "it"), &b->e, rows[i].want, "it", rows[i].what);
		in_dir_is(b->targets_dir, "");
	}
	expect_ok(fs_write_file(&b->targets, "it", "older", 5, 0644, &b->e), &b->e);
	serve_target(b, "it", rows[0].body, HTTPD_SERVE, 0);
	expect_err(download(b, "it"), &b->e, ERR_ALTERED, "it", "over an older one");
	file_is(&b->targets, "it", STR("older"));
	in_dir_is(b->targets_dir, "it ");
}

/* What broke off is fetched on; what an earlier run left half done is replaced. */
static void a_transfer_that_breaks_off_is_taken_up(void **state)
{
	struct bed *b = *state;

	expect_ok(fs_write_file(
			  &b->targets, ".it.new", "xxxxxxxxxxxxxxxxxxxxxxxxxxxx", 28, 0644, &b->e),
		&b->e);
	serve_target(b, "it", BODY, HTTPD_CUT, 9);
	expect_ok(download(b, "it"), &b->e);
	file_is(&b->targets, "it", BODY);
	in_dir_is(b->targets_dir, "it ");
}

static void names_are_quoted_in_the_folder(void **state)
{
	struct bed *b = *state;

	serve_target(b, ".it", BODY, HTTPD_SERVE, 0);
	expect_ok(download(b, ".it"), &b->e);
	in_dir_is(b->targets_dir, "%2Eit ");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, bed_open, bed_close)
	const struct CMUnitTest tests[] = {
		CASE(what_is_trusted_is_stored_as_it_came),
		CASE(another_root_is_not_put_in_its_place),
		CASE(without_a_root_nothing_is_asked),
		CASE(no_answer_is_no_newest_root),
		CASE(no_file_is_taken_beyond_its_bound),
		CASE(a_target_is_brought_once),
		CASE(an_empty_target_needs_nobody),
		CASE(what_is_not_listed_is_not_brought),
		CASE(other_bytes_leave_nothing_behind),
		CASE(a_transfer_that_breaks_off_is_taken_up),
		CASE(names_are_quoted_in_the_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
