#include "tests/lib/expect.h"

#include <stdlib.h>
#include <string.h>

#include "proto/wire/release.h"
#include "tests/lib/patch.h"

#define HEX_A "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEX_B "cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34"

static json_t *full(void)
{
	BUF_AUTO text = {0};
	struct err e;
	json_t *j = NULL;

	source_read("manifests/vectors/good/release.full.json", &text);
	expect_ok(json_read(buf_str(&text), LIMIT_RELEASE_BYTES, &j, &e), &e);
	return j;
}

static struct release *parsed(const char *vector)
{
	struct release *r = mem_new(sizeof *r);
	BUF_AUTO text = {0};
	struct err e;

	source_read(vector, &text);
	expect_ok(release_parse(buf_str(&text), r, &e), &e);
	return r;
}

/* ---- what is read ---- */

static void the_head_is_read(void **state)
{
	struct release *r CLEANUP(mem_free) = parsed("manifests/vectors/good/release.full.json");

	(void)state;
	expect_text(r->id.s, "ocr-4");
	expect_text(r->product, "plate-reader");
	expect_text(r->version, "2.1.0");
	expect_text(r->notes, "English and Latin models together");
	assert_int_equal(r->activation, ACTIVATE_RELOAD);
	expect_text(activation_name(r->activation), "reload");
	assert_int_equal(r->start_timeout, 20000);
	assert_int_equal(r->soak, 600000);
	assert_int_equal(r->baseline_wait, 120000);
	assert_int_equal(release_artifact_bytes(r), 61440 + 512);
	assert_int_equal(release_content_bytes(r), 102400 + 512);
}

static void components_are_read(void **state)
{
	struct release *r CLEANUP(mem_free) = parsed("manifests/vectors/good/release.full.json");
	const struct component *c = r->components;
	char hex[SHA256_TEXT];

	(void)state;
	assert_int_equal(r->n_components, 2);
	expect_text(c[0].name, "models");
	expect_text(component_kind_name(c[0].kind), "model");
	expect_text(c[0].path, "models");
	sha256_format(&c[0].artifact.digest, hex);
	expect_text(hex, HEX_A);
	sha256_format(&c[0].artifact.content_digest, hex);
	expect_text(hex, HEX_B);
	assert_int_equal(c[0].artifact.length, 61440);
	assert_int_equal(c[0].artifact.content_length, 102400);
	assert_int_equal(c[0].artifact.compression, COMPRESSION_ZSTD);
	assert_int_equal(c[0].artifact.archive, ARCHIVE_TAR);
	expect_text(c[1].path, "etc/serving.json");
	assert_int_equal(c[1].kind, COMPONENT_CONFIG);
	assert_int_equal(c[1].artifact.compression, COMPRESSION_NONE);
	assert_int_equal(c[1].artifact.archive, ARCHIVE_RAW);
	assert_true(sha256_eq(&c[1].artifact.digest, &c[1].artifact.content_digest));
}

static void smoke_tests_are_read(void **state)
{
	struct release *r CLEANUP(mem_free) = parsed("manifests/vectors/good/release.full.json");
	const struct smoke_test *s = r->smoke;

	(void)state;
	assert_int_equal(r->n_smoke, 2);
	expect_text(s[0].name, "golden-set");
	assert_int_equal(s[0].kind, SMOKE_EXEC);
	assert_int_equal(s[0].argc, 5);
	expect_text(s[0].argv[4], "19");
	assert_int_equal(s[0].timeout, 60000);
	assert_int_equal(s[0].max_memory, 512 << 20);
	assert_int_equal(s[1].kind, SMOKE_HTTP);
	expect_text(s[1].path, "/healthz");
	assert_int_equal(s[1].expect_status, 200);
	expect_text(s[1].expect_body, "ready");
	assert_int_equal(s[1].max_memory, 0);
}

static void triggers_are_read(void **state)
{
	struct release *r CLEANUP(mem_free) = parsed("manifests/vectors/good/release.full.json");
	const struct trig_rule *t = r->triggers;

	(void)state;
	assert_int_equal(r->n_triggers, 7);
	assert_int_equal(t[0].type, TRIG_START_FAILED);
	assert_int_equal(t[6].type, TRIG_OPERATOR);
	expect_text(t[4].metric, "ocr_infer_seconds");
	assert_int_equal(t[4].quantile, 990);
	assert_int_equal(t[5].type, TRIG_ERROR_RATE);
}

static void preconditions_are_read(void **state)
{
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	const struct precond_rule *p = r->preconditions;
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	source_read("manifests/vectors/good/release.full.json", &text);
	expect_ok(release_parse(buf_str(&text), r, &e), &e);
	assert_int_equal(r->n_preconditions, 3);
	assert_int_equal(p[0].type, PRECOND_POWER);
	assert_int_equal(p[0].limit, 50);
	assert_int_equal(p[1].before, PRECOND_SWAP);
	assert_int_equal(p[1].n_windows, 2);
	assert_int_equal(p[2].on_unknown, PRECOND_UNKNOWN_PASS);
	assert_true(r->precondition_wait == MINUTE(7 * 24 * 60));
	buf_clear(&text);
	source_read("manifests/vectors/good/release.least.json", &text);
	expect_ok(release_parse(buf_str(&text), r, &e), &e);
	assert_int_equal(r->n_preconditions, 0);
	assert_true(r->precondition_wait == 0);
}

static void what_may_be_left_out_has_a_default(void **state)
{
	struct release *r CLEANUP(mem_free) = parsed("manifests/vectors/good/release.least.json");
	const struct artifact *a = &r->components[0].artifact;

	(void)state;
	expect_text(r->notes, "");
	assert_int_equal(r->activation, ACTIVATE_RESTART);
	assert_int_equal(r->start_timeout, MINUTE(1));
	assert_int_equal(r->soak, MINUTE(5));
	assert_int_equal(r->baseline_wait, 0);
	assert_int_equal(r->n_smoke, 0);
	assert_int_equal(r->n_triggers, 0);
	assert_int_equal(a->compression, COMPRESSION_NONE);
	assert_int_equal(a->archive, ARCHIVE_RAW);
	assert_true(sha256_eq(&a->content_digest, &a->digest));
	assert_int_equal(a->content_length, 0);
}

/* ---- what is accepted when changed ---- */

static const struct {
	const char *path, *value;
} good[] = {
	{"soak_ms", "0"},
	{"notes", "\"\xc3\xa9\""},
	{"x-more", "{\"any\": [\"thing\"]}"},
	{"smoke", "[]"},
	{"triggers", "[]"},
	{"preconditions", "[]"},
	{"preconditions.2.on_unknown", "\"block\""},
	{"preconditions.3", "{\"type\":\"window\",\"windows\":[\"sat\"]}"},
	{"precondition_wait_ms", "0"},
	{"components.0.path", "\"a/b.c/..d/...\""},
	{"components.0.path", "\"models2\""},
	{"components.0.path", "\"etc/serving.jso\""},
	{"components.0.artifact.length", "68719476736"},
	{"components.1.artifact.content_length", NULL},
	{"components.1.artifact.content_digest", NULL},
	{"smoke.0.max_memory", NULL},
	{"smoke.0.timeout_ms", NULL},
	{"smoke.1.expect_status", "599"},
	{"smoke.1.expect_body", NULL},
	{"smoke.1.path", "\"/a?b=c&d=%20\""},
	{"triggers.4.statistic", NULL},
	/* A second budget for latency. */
	{"triggers.7", "{\"type\":\"latency\",\"metric\":\"m\",\"threshold_milli\":1}"},
};

static void changes_within_the_bounds_are_taken(void **state)
{
	JSON_AUTO *base = full();
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		patch_write(base, good[i].path, good[i].value, &text);
		expect_ok(release_parse(buf_str(&text), r, &e), &e);
	}
}

/* ---- what is refused ---- */

static const struct {
	const char *path, *value;
	enum err_code code;
	const char *text;
} bad[] = {
	{"", "[]", ERR_BAD_INPUT, "release: an object"},
	{"", "{}", ERR_BAD_INPUT, "release.format is missing"},
	{"", "{", ERR_BAD_INPUT, "line 1"},
	{"format", "2", ERR_BAD_INPUT, "release.format: 2"},
	{"format", "\"1\"", ERR_BAD_INPUT, "release.format"},
	{"id", NULL, ERR_BAD_INPUT, "release.id is missing"},
	{"id", "\"\"", ERR_BAD_INPUT, "release.id"},
	{"id", "\"../x\"", ERR_BAD_INPUT, "release.id"},
	{"product", NULL, ERR_BAD_INPUT, "release.product is missing"},
	{"product", "7", ERR_BAD_INPUT, "release.product: text"},
	{"version", "\"1 2\"", ERR_BAD_INPUT, "release.version"},
	{"notes", "\"a\\nb\"", ERR_BAD_INPUT, "release.notes: a control"},
	{"notes", "[]", ERR_BAD_INPUT, "release.notes"},
	{"note", "\"\"", ERR_BAD_INPUT, "is \"notes\" meant?"},
	{"activation", "\"reboot\"", ERR_BAD_INPUT, "none of: restart, reload"},
	{"start_timeout_ms", "0", ERR_BAD_INPUT, "release.start_timeout_ms"},
	{"soak_ms", "-1", ERR_BAD_INPUT, "release.soak_ms"},
	{"soak_ms", "1.5", ERR_BAD_INPUT, "a fraction"},
	{"soak_ms", "2592000001", ERR_BAD_INPUT, "release.soak_ms"},
	{"baseline_wait_ms", "true", ERR_BAD_INPUT, "release.baseline_wait_ms"},

	{"components", NULL, ERR_BAD_INPUT, "release.components is missing"},
	{"components", "{}", ERR_BAD_INPUT, "release.components: an array"},
	{"components", "[]", ERR_BAD_INPUT, "release.components is empty"},
	{"components", "[1,2,3,4,5,6,7,8,9]", ERR_TOO_LARGE, "9 elements, at most 8"},
	{"components.1", "1", ERR_BAD_INPUT, "release.components[1]: an object"},
	{"components.1.name", NULL, ERR_BAD_INPUT, "release.components[1].name is missing"},
	{"components.1.name", "\"models\"", ERR_BAD_INPUT, "models stands twice"},
	{"components.1.kind", NULL, ERR_BAD_INPUT, "components[1].kind is missing"},
	{"components.1.kind", "\"data\"", ERR_BAD_INPUT, "none of: model, code, config, image"},
	{"components.1.size", "1", ERR_BAD_INPUT, "components[1]: unknown member \"size\""},
	{"components.1.path", NULL, ERR_BAD_INPUT, "components[1].path is missing"},
	{"components.1.path", "\"\"", ERR_BAD_INPUT, "components[1].path: an empty path"},
	{"components.1.path", "\"/etc/passwd\"", ERR_BAD_INPUT, "an absolute path"},
	{"components.1.path", "\"../x\"", ERR_BAD_INPUT, "\"..\" part"},
	{"components.1.path", "\"a/./b\"", ERR_BAD_INPUT, "\".\" part"},
	{"components.1.path", "\"a//b\"", ERR_BAD_INPUT, "empty part"},
	{"components.1.path", "\"a/\"", ERR_BAD_INPUT, "empty part"},
	{"components.1.path", "\"a\\\\b\"", ERR_BAD_INPUT, "backslash"},
	{"components.1.path", "\"models\"", ERR_BAD_INPUT, "overlaps with that of models"},
	{"components.1.path", "\"models/x\"", ERR_BAD_INPUT, "overlaps"},
	{"components.0.path", "\"etc\"", ERR_BAD_INPUT, "overlaps with that of models"},
	{"components.1.artifact", NULL, ERR_BAD_INPUT, "components[1].artifact is missing"},
	{"components.1.artifact", "[]", ERR_BAD_INPUT, "components[1].artifact: an object"},
	{"components.1.artifact.url", "\"\"", ERR_BAD_INPUT, "unknown member \"url\""},
	{"components.1.artifact.digest", NULL, ERR_BAD_INPUT, "artifact.digest is missing"},
	{"components.1.artifact.digest", "\"ab\"", ERR_BAD_INPUT, "artifact.digest: sha256"},
	{"components.1.artifact.length", NULL, ERR_BAD_INPUT, "artifact.length is missing"},
	{"components.1.artifact.length", "68719476737", ERR_BAD_INPUT, "artifact.length"},
	{"components.1.artifact.compression", "\"xz\"", ERR_BAD_INPUT, "none of: none, zstd"},
	{"components.1.artifact.archive", "\"zip\"", ERR_BAD_INPUT, "none of: raw, tar"},
	{"components.1.artifact.content_length", "513", ERR_BAD_INPUT, "nothing is compressed"},
	{"components.1.artifact.content_digest", "\"" HEX_A "\"", ERR_BAD_INPUT,
		"nothing is compressed"},
	{"components.0.artifact.content_length", NULL, ERR_BAD_INPUT,
		"components[0].artifact.content_length is missing"},
	{"components.0.artifact.content_digest", NULL, ERR_BAD_INPUT,
		"components[0].artifact.content_digest is missing"},
	{"components.0.artifact.tree", NULL, ERR_BAD_INPUT, "artifact.tree is missing"},
	{"components.0.artifact.tree", "null", ERR_BAD_INPUT, "artifact.tree: text"},

	{"smoke", "{}", ERR_BAD_INPUT, "release.smoke: an array"},
	{"smoke", "[1,2,3,4,5,6,7,8,9]", ERR_TOO_LARGE, "at most 8"},
	{"smoke.0", "null", ERR_BAD_INPUT, "release.smoke[0]: an object"},
	{"smoke.0.name", NULL, ERR_BAD_INPUT, "smoke[0].name is missing"},
	{"smoke.1.name", "\"golden-set\"", ERR_BAD_INPUT, "golden-set stands twice"},
	{"smoke.0.kind", "\"shell\"", ERR_BAD_INPUT, "none of: exec, http"},
	{"smoke.0.path", "\"/\"", ERR_BAD_INPUT, "smoke[0]: unknown member \"path\""},
	{"smoke.1.method", "\"GET\"", ERR_BAD_INPUT, "smoke[1]: unknown member"},
	{"smoke.0.argv", NULL, ERR_BAD_INPUT, "smoke[0].argv is missing"},
	{"smoke.0.argv", "[]", ERR_BAD_INPUT, "smoke[0].argv: no command"},
	{"smoke.0.argv", "[\"\"]", ERR_BAD_INPUT, "no command"},
	{"smoke.0.argv", "[\"sh\",7]", ERR_BAD_INPUT, "smoke[0].argv[1]: text"},
	{"smoke.0.argv", "[1,2,3,4,5,6,7,8,9,10,11,12,13]", ERR_TOO_LARGE, "at most 12"},
	{"smoke.0.timeout_ms", "0", ERR_BAD_INPUT, "smoke[0].timeout_ms"},
	{"smoke.0.max_memory", "-1", ERR_BAD_INPUT, "smoke[0].max_memory"},
	{"smoke.1.path", NULL, ERR_BAD_INPUT, "smoke[1].path is missing"},
	{"smoke.1.path", "\"healthz\"", ERR_BAD_INPUT, "path of a URL"},
	{"smoke.1.path", "\"/a b\"", ERR_BAD_INPUT, "path of a URL"},
	{"smoke.1.path", "\"/a#b\"", ERR_BAD_INPUT, "path of a URL"},
	{"smoke.1.path", "\"/\xc3\xa9\"", ERR_BAD_INPUT, "path of a URL"},
	{"smoke.1.expect_status", "99", ERR_BAD_INPUT, "expect_status"},
	{"smoke.1.expect_status", "600", ERR_BAD_INPUT, "expect_status"},
	{"smoke.1.expect_body", "true", ERR_BAD_INPUT, "expect_body"},

	{"triggers", "7", ERR_BAD_INPUT, "release.triggers: an array"},
	{"triggers", "[1,2,3,4,5,6,7,8,9,10,11,12,13]", ERR_TOO_LARGE, "at most 12"},
	{"triggers.0", "[]", ERR_BAD_INPUT, "release.triggers[0]: an object"},
	{"triggers.7", "{\"type\":\"operator\"}", ERR_BAD_INPUT,
		"triggers[7]: a second trigger of type operator"},
	{"triggers.2.hold", "[2,1]", ERR_BAD_INPUT, "release.triggers[2].hold"},

	{"preconditions", "{}", ERR_BAD_INPUT, "release.preconditions: an array"},
	{"preconditions", "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]", ERR_TOO_LARGE,
		"at most 16"},
	{"preconditions.0", "7", ERR_BAD_INPUT, "release.preconditions[0]: an object"},
	{"preconditions.1.windows.0", "\"whenever\"", ERR_BAD_INPUT,
		"release.preconditions[1].windows[0]: 'whenever' is no day"},
	{"precondition_wait_ms", "-1", ERR_BAD_INPUT, "release.precondition_wait_ms"},
};

static void changes_out_of_bounds_are_refused_with_their_place(void **state)
{
	JSON_AUTO *base = full();
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		patch_write(base, bad[i].path, bad[i].value, &text);
		expect_err(release_parse(buf_str(&text), r, &e), &e, bad[i].code, bad[i].text,
			bad[i].value ? bad[i].value : bad[i].path);
	}
	assert_int_equal(r->n_components, 0);
}

/* A text one byte longer than its array, and one that just fits, for every text. */
static void texts_have_bounds(void **state)
{
	static const struct {
		const char *path;
		unsigned fits;
	} rows[] = {
		{"id", ID_TEXT_MAX - 1},
		{"product", ID_TEXT_MAX - 1},
		{"version", ID_TEXT_MAX - 1},
		{"notes", LIMIT_TEXT - 1},
		{"components.0.name", ID_TEXT_MAX - 1},
		{"components.0.path", LIMIT_TARGET_NAME - 1},
		{"smoke.0.name", ID_TEXT_MAX - 1},
		{"smoke.0.argv.1", LIMIT_ARG_BYTES - 1},
		{"smoke.1.expect_body", LIMIT_TEXT - 1},
		{"triggers.4.metric", 63},
		{"triggers.5.total", 63},
		{"triggers.0.claim", 63},
	};
	JSON_AUTO *base = full();
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		BUF_AUTO value = {0}, text = {0};

		buf_add_char(&value, '"');
		for (unsigned k = 0; k < rows[i].fits; k++)
			buf_add_char(&value, 'a');
		buf_add_str(&value, "\"");
		patch_write(base, rows[i].path, buf_cstr(&value), &text);
		expect_ok(release_parse(buf_str(&text), r, &e), &e);
		value.p[value.n - 1] = 'a';
		buf_add_str(&value, "\"");
		patch_write(base, rows[i].path, buf_cstr(&value), &text);
		expect_err(release_parse(buf_str(&text), r, &e), &e, ERR_TOO_LARGE, NULL,
			rows[i].path);
	}
}

static void documents_have_a_bound(void **state)
{
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	source_read("manifests/vectors/good/release.least.json", &text);
	while (text.n < LIMIT_RELEASE_BYTES)
		buf_add_char(&text, ' ');
	expect_ok(release_parse(buf_str(&text), r, &e), &e);
	buf_add_char(&text, ' ');
	expect_err(release_parse(buf_str(&text), r, &e), &e, ERR_TOO_LARGE, NULL, "blanks");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_is_read),
		cmocka_unit_test(components_are_read),
		cmocka_unit_test(smoke_tests_are_read),
		cmocka_unit_test(triggers_are_read),
		cmocka_unit_test(preconditions_are_read),
		cmocka_unit_test(what_may_be_left_out_has_a_default),
		cmocka_unit_test(changes_within_the_bounds_are_taken),
		cmocka_unit_test(changes_out_of_bounds_are_refused_with_their_place),
		cmocka_unit_test(texts_have_bounds),
		cmocka_unit_test(documents_have_a_bound),
	};

	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
