/* The small parts of the server that decide by themselves: names of files, selectors, artifacts,
 * contacts, configuration. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/trust/digest.h"
#include "server/run/artifact.h"
#include "server/run/contacts.h"
#include "server/run/meta_name.h"
#include "server/run/selector.h"
#include "server/server_conf.h"

/* ---- names of metadata files ---- */

static void metadata_names_are_taken_apart(void **state)
{
	static const struct {
		const char *name, *role; /* NULL: refused */
		uint64_t version;
	} cases[] = {
		{"timestamp.json", "timestamp", 0},
		{"7.root.json", "root", 7},
		{"007.root.json", "root", 7},
		{"a.b.json", "a.b", 0},
		{"0.root.json", NULL, 0},
		{"99999999999999999999.root.json", NULL, 0},
		{".json", NULL, 0},
		{"7..json", NULL, 0},
		{"root", NULL, 0},
		{"root.jso", NULL, 0},
		{"", NULL, 0},
		{"a123456789012345678901234567890123456789012345678901234567890123.json", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct meta_name n;
		struct err e;
		int rc = meta_name_parse(str_of(cases[i].name), &n, &e);

		if (!cases[i].role) {
			expect_err(rc, &e, ERR_NOT_FOUND, NULL, cases[i].name);
			continue;
		}
		expect_ok(rc, &e);
		expect_text(n.role, cases[i].role);
		assert_int_equal(n.version, cases[i].version);
	}
}

/* ---- selectors ---- */

static bool takes(const char *json, const char *device, const char *labels)
{
	JSON_AUTO *j = NULL;
	struct selector s;
	struct err e;
	bool taken;

	expect_ok(json_read(str_of(json), 4096, &j, &e), &e);
	expect_ok(selector_parse(j, &s, &e), &e);
	taken = selector_takes(&s, device, labels);
	selector_fini(&s);
	return taken;
}

static void selectors_select(void **state)
{
	static const char both[] = "{\"labels\": {\"line\": \"north\", \"site\": \"x\"}}";
	static const char named[] = "{\"devices\": [\"c\", \"a\", \"b\"]}";

	(void)state;
	assert_true(takes("{\"all\": true}", "a", ""));
	assert_true(takes(both, "a", "site=x,line=north,more=1"));
	assert_false(takes(both, "a", "site=x"));
	assert_false(takes(both, "a", "site=x,line=south"));
	assert_false(takes(both, "a", ""));
	assert_true(takes(named, "a", ""));
	assert_true(takes(named, "c", ""));
	assert_false(takes(named, "d", ""));
}

/* ---- artifacts ---- */

static void put(const char *bytes, enum err_code want)
{
	struct sha256 abc;
	FILE *f = fopen("upload", "w");
	struct err e;
	int rc;

	assert_non_null(f);
	fputs(bytes, f);
	fclose(f);
	digest_of("abc", 3, &abc);
	rc = artifact_put("artifacts", &abc, "upload", &e);
	if (want == ERR_OK)
		expect_ok(rc, &e);
	else
		expect_err(rc, &e, want, NULL, bytes);
}

static void only_the_bytes_of_a_digest_are_taken(void **state)
{
	struct sha256 abc;
	char path[200];
	struct err e;

	(void)state;
	mkdir("artifacts", 0755);
	digest_of("abc", 3, &abc);
	expect_err(artifact_check("artifacts", &abc, 3, &e), &e, ERR_NOT_FOUND, "ba7816", "");
	put("abd", ERR_ALTERED);
	put("", ERR_ALTERED);
	expect_err(artifact_check("artifacts", &abc, 3, &e), &e, ERR_NOT_FOUND, NULL, "");
	put("abc", ERR_OK);
	assert_int_equal(access("upload", F_OK), -1); /* taken over */
	expect_ok(artifact_check("artifacts", &abc, 3, &e), &e);
	expect_err(artifact_check("artifacts", &abc, 4, &e), &e, ERR_ALTERED, "3 bytes", "");
	put("whatever", ERR_OK); /* it is here already */
	assert_int_equal(access("upload", F_OK), 0);
	expect_ok(artifact_path("artifacts", &abc, path, sizeof path, &e), &e);
	assert_non_null(strstr(path, "artifacts/ba/ba7816bf"));
	expect_err(artifact_path("artifacts", &abc, path, 20, &e), &e, ERR_TOO_LARGE, NULL, "");
}

/* ---- contacts ---- */

static void contacts_are_one_row_a_device(void **state)
{
	struct contacts c;

	(void)state;
	contacts_init(&c);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < 5000; i++) {
			char id[ID_TEXT_MAX];
			struct contact *k;

			snprintf(id, sizeof id, "dev-%u", i);
			k = contacts_put(&c, id, round);
			expect_text(k->id.s, id);
			assert_int_equal(k->at, round);
		}
	assert_int_equal(c.n, 5000);
	contacts_clear(&c);
	assert_int_equal(c.n, 0);
	assert_int_equal(contacts_put(&c, "dev-1", 9)->at, 9);
	assert_int_equal(c.n, 1);
	contacts_fini(&c);
}

/* ---- configuration ---- */

static void write_conf(const char *text)
{
	FILE *f = fopen("server.conf", "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void configuration_has_defaults_and_names_mistakes(void **state)
{
	BUF_AUTO problems = {0};
	struct server_conf c;
	struct err e;

	(void)state;
	expect_ok(server_conf_load("nowhere.conf", &c, NULL, &problems, &e), &e);
	assert_int_equal(c.server.port, 8080);
	assert_int_equal(c.trust.timestamp_expiry, SEC(86400));
	assert_int_equal(c.trust.director_expiry, SEC(7 * 86400));
	write_conf("[http]\ntls_cert = a.pem\n");
	expect_err(
		server_conf_load("server.conf", &c, NULL, &problems, &e), &e, ERR_CONFIG, NULL, "");
	assert_non_null(strstr(buf_cstr(&problems), "tls_key"));
	buf_clear(&problems);
	write_conf("[server]\nport = 70000\nprot = 1\n");
	expect_err(
		server_conf_load("server.conf", &c, NULL, &problems, &e), &e, ERR_CONFIG, NULL, "");
	assert_non_null(strstr(buf_cstr(&problems), "server.conf:2"));
	assert_non_null(strstr(buf_cstr(&problems), "server.conf:3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metadata_names_are_taken_apart),
		cmocka_unit_test(selectors_select),
		cmocka_unit_test(only_the_bytes_of_a_digest_are_taken),
		cmocka_unit_test(contacts_are_one_row_a_device),
		cmocka_unit_test(configuration_has_defaults_and_names_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
