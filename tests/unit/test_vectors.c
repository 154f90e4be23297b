#include "tests/lib/expect.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/json.h"
#include "tests/lib/vector.h"

/* KIND.WHAT.EXTENSION in good/, KIND.WHAT.ERROR.EXTENSION in bad/. */
struct vector {
	char kind[32], what[64], error[32];
};

static int visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void name_parse(const char *name, bool is_bad, struct vector *out)
{
	int n = sscanf(name, "%31[^.].%63[^.].%31[^.]", out->kind, out->what, out->error);

	if (n != 3)
		fail_msg("%s: not named as a vector", name);
	if (is_bad && err_by_name(out->error) == ERR_CODE_MAX)
		fail_msg("%s: \"%s\" is no error", name, out->error);
}

static void file_check(const char *folder, const char *name, bool is_bad)
{
	BUF_AUTO text = {0};
	struct vector v;
	struct err e;
	char path[512];
	int rc;

	name_parse(name, is_bad, &v);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	source_read(path, &text);
	rc = vector_check(v.kind, buf_str(&text), &e);
	if (is_bad)
		expect_err(rc, &e, err_by_name(v.error), NULL, name);
	else
		expect_ok(rc, &e);
}

static unsigned folder_check(const char *folder, bool is_bad)
{
	struct dirent **found;
	char path[512];
	int n;

	source_path(folder, path, sizeof path);
	n = scandir(path, &found, visible, alphasort);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		file_check(folder, found[i]->d_name, is_bad);
		free(found[i]);
	}
	free(found);
	return (unsigned)n;
}

static void good_vectors_are_read(void **state)
{
	(void)state;
	printf("== %u good vectors\n", folder_check("manifests/vectors/good", false));
}

static void bad_vectors_are_refused_with_the_named_error(void **state)
{
	(void)state;
	printf("== %u bad vectors\n", folder_check("manifests/vectors/bad", true));
}

static void an_unknown_kind_is_an_error(void **state)
{
	struct err e;

	(void)state;
	expect_err(vector_check("novel", STR(""), &e), &e, ERR_USAGE, "novel", "");
}

/* The first ```json block of each page under manifests/schema is a whole document of the page's
 * name. */
static void examples_of_the_schema_pages_are_read(void **state)
{
	static const char *const kinds[] = {"release", "policy", "report", "gate", "scenario"};
	static const char open[] = "\n```json\n", close[] = "\n```\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		BUF_AUTO page = {0};
		const char *from, *to;
		char name[80];
		struct err e;

		snprintf(name, sizeof name, "manifests/schema/%s.md", kinds[i]);
		source_read(name, &page);
		from = strstr(buf_cstr(&page), open);
		assert_non_null(from);
		from += sizeof open - 1;
		to = strstr(from, close);
		assert_non_null(to);
		expect_ok(vector_check(kinds[i], (struct str){from, (size_t)(to - from)}, &e), &e);
	}
}

/* A template is a release whose components name a source; `release create` turns that into an
 * artifact. */
static void template_check(const char *name, const json_t *artifact)
{
	BUF_AUTO text = {0};
	JSON_AUTO *j = NULL;
	json_t *component;
	struct err e;
	size_t i;

	source_read(name, &text);
	expect_ok(json_read(buf_str(&text), text.n, &j, &e), &e);
	json_array_foreach (json_object_get(j, "components"), i, component) {
		assert_true(json_is_string(json_object_get(component, "source")));
		json_object_del(component, "source");
		json_object_set(component, "artifact", (json_t *)(uintptr_t)artifact);
	}
	buf_clear(&text);
	json_write(j, &text);
	print_message("%s\n", name);
	expect_ok(vector_check("release", buf_str(&text), &e), &e);
}

static void templates_of_the_examples_become_releases(void **state)
{
	static const char hex[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	JSON_AUTO *artifact = json_pack("{s:s, s:i, s:s}", "digest", hex, "length", 0, "tree", hex);
	char name[64];

	(void)state;
	for (int i = 1; i <= 4; i++) {
		snprintf(name, sizeof name, "manifests/examples/ocr/release-%d.json", i);
		template_check(name, artifact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_vectors_are_read),
		cmocka_unit_test(bad_vectors_are_refused_with_the_named_error),
		cmocka_unit_test(an_unknown_kind_is_an_error),
		cmocka_unit_test(examples_of_the_schema_pages_are_read),
		cmocka_unit_test(templates_of_the_examples_become_releases),
	};

	return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
