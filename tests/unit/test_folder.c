/* A folder in the server's place: what it answers, and what it does not let out. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/net/folder.h"
#include "agent/stage/stage.h"
#include "proto/trust/digest.h"

static struct folder folder;

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int begin(void **state)
{
	struct err e;

	(void)state;
	mkdir("usb", 0755);
	mkdir("usb/image", 0755);
	mkdir("usb/artifacts", 0755);
	write_file("secret", "of the device");
	write_file("usb/image/timestamp.json", "{}");
	(void)!symlink("../../secret", "usb/image/out.json");
	(void)!symlink("timestamp.json", "usb/image/in.json");
	mkfifo("usb/image/pipe.json", 0644);
	expect_ok(folder_open(&folder, "usb", &e), &e);
	return 0;
}

static int end(void **state)
{
	(void)state;
	folder_close(&folder);
	return 0;
}

static void files_are_answers(void **state)
{
	static const struct {
		const char *url;
		int status; /* 0: refused */
	} t[] = {
		{"folder:/image/timestamp.json", 200},
		{"folder:/image/2.root.json", 404},
		{"folder:/nothing/at.all", 404},
		{"folder:/image", 404},
		{"folder:/image/pipe.json", 404}, /* nobody would ever write into it */
		{"folder:/image/out.json", 404},
		{"folder:/image/in.json", 404}, /* no link is followed, wherever it leads */
		{"folder:/../secret", 0},
		{"folder://etc/passwd", 0},
		{"folder:/image/./timestamp.json", 0},
		{"http://127.0.0.1/image/timestamp.json", 0},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct http_answer a = {0};
		struct err e = {0};
		int rc = http_get(&folder.conf, t[i].url, NULL, 100, NULL, &a, &e);

		if ((rc == 0 ? a.status : 0) != t[i].status)
			fail_msg("%s: %d, %d: %s", t[i].url, rc, a.status, e.text);
		http_answer_fini(&a);
	}
}

static void what_is_too_large_is_refused(void **state)
{
	struct http_answer a = {0};
	struct err e;

	(void)state;
	expect_err(http_get(&folder.conf, "folder:/image/timestamp.json", NULL, 1, NULL, &a, &e),
		&e, ERR_TOO_LARGE, NULL, "two bytes");
}

static void nothing_is_sent(void **state)
{
	struct http_answer a = {0};
	struct err e;

	(void)state;
	expect_err(http_send(&folder.conf, "POST", "folder:/x", STR("{}"), 9, NULL, &a, &e), &e,
		ERR_DENIED, NULL, "a report");
}

static void a_missing_folder_is_said(void **state)
{
	struct folder f;
	struct err e;

	(void)state;
	expect_err(folder_open(&f, "nowhere", &e), &e, ERR_NOT_FOUND, NULL, "nowhere");
}

/* Not one byte of an artifact is given before all of it was found to be what was signed. */
static void an_artifact_is_checked_before_it_is_given(void **state)
{
	struct stage_source s = stage_source_folder(&folder.fs);
	struct artifact a = {.length = 5};
	char hex[SHA256_TEXT], path[100], got[9];
	void *stream = NULL;
	struct err e;
	size_t n;

	(void)state;
	digest_of("bytes", 5, &a.digest);
	sha256_format(&a.digest, hex);
	snprintf(path, sizeof path, "usb/artifacts/%s", hex);
	expect_err(
		s.open(s.self, &a, 0, &stream, &e), &e, ERR_NOT_FOUND, "carried along", "missing");
	static const char *const wrong[] = {"", "byte", "bytez", "bytes and more"};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		write_file(path, wrong[i]);
		expect_err(s.open(s.self, &a, 0, &stream, &e), &e, ERR_ALTERED, NULL, wrong[i]);
		assert_null(stream);
	}
	write_file(path, "bytes");
	expect_ok(s.open(s.self, &a, 0, &stream, &e), &e);
	expect_ok(s.read(stream, got, sizeof got, &n, &e), &e);
	assert_int_equal(n, 5);
	assert_memory_equal(got, "bytes", 5);
	s.close(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_answers),
		cmocka_unit_test(what_is_too_large_is_refused),
		cmocka_unit_test(nothing_is_sent),
		cmocka_unit_test(a_missing_folder_is_said),
		cmocka_unit_test(an_artifact_is_checked_before_it_is_given),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
