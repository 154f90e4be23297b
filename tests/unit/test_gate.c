#include "tests/lib/expect.h"

#include <string.h>

#include "proto/trust/gate_eval.h"
#include "tests/lib/patch.h"
#include "tests/lib/witness.h"

#define NOW ((int64_t)1790000000)
#define DAY ((int64_t)86400)

static void load_gate(const char *file, struct gate *g)
{
	BUF_AUTO text = {0};
	struct err e;

	source_read(file, &text);
	expect_ok(gate_parse(buf_str(&text), g, &e), &e);
}

/* The statements that pass manifests/gates/ocr-release.json, in the order of its requirements. */
enum { BUILT, SIMULATION, HIL, LICENCES, CONSENT, MODEL, DATASET, SBOM, STATEMENTS };

static const enum predicate kinds[STATEMENTS] = {PREDICATE_PROVENANCE, PREDICATE_TEST_RESULT,
	PREDICATE_TEST_RESULT, PREDICATE_LICENCES, PREDICATE_CONSENT, PREDICATE_MODEL_CARD,
	PREDICATE_DATASET_CARD, PREDICATE_SBOM_SPDX};

static const char simulation[] =
	"{\"result\":\"PASSED\",\"configuration\":[{\"name\":\"simulation\"}],\"finishedOn\":"
	"\"2026-09-20T00:00:00Z\",\"passedTests\":[\"plates-by-day\",\"plates-at-night\","
	"\"no-plate-in-sight\"],\"metrics\":{\"read_permille\":981}}";

/* One statement, with the predicate's member at `path` set to `value` (NULL: taken away). */
static void make(unsigned which, const char *path, const char *value, struct statement *out)
{
	BUF_AUTO predicate = {0}, text = {0};
	struct sha256 document = {{7}};
	JSON_AUTO *j = NULL;
	struct err e;

	if (which == SIMULATION)
		buf_add_str(&predicate, simulation);
	else
		witness_predicate(kinds[which], "44", NOW - DAY, &predicate);
	if (path) {
		expect_ok(json_read_foreign(buf_str(&predicate), 65536, &j, &e), &e);
		patch_write(j, path, value, &predicate);
	}
	witness_statement(predicate_type(kinds[which]), buf_str(&predicate), &document, &text);
	expect_ok(statement_parse(buf_str(&text), out, &e), &e);
}

static void make_all(struct statement out[STATEMENTS])
{
	for (unsigned i = 0; i < STATEMENTS; i++)
		make(i, NULL, NULL, &out[i]);
}

static void free_all(struct statement *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		statement_fini(&s[i]);
}

static void good_evidence_passes(void **state)
{
	struct gate_table *t CLEANUP(mem_free) = mem_new(sizeof *t);
	struct gate *g CLEANUP(mem_free) = mem_new(sizeof *g);
	struct statement s[STATEMENTS];
	BUF_AUTO missing = {0};

	(void)state;
	load_gate("manifests/gates/ocr-release.json", g);
	assert_int_equal(g->n, STATEMENTS);
	make_all(s);
	gate_eval(g, s, STATEMENTS, NOW, t);
	gate_missing(t, &missing);
	expect_text(buf_cstr(&missing), "");
	assert_true(t->met);
	free_all(s, STATEMENTS);
}

static const struct {
	unsigned which;
	const char *path, *value, *missing;
} spoiled[] = {
	{HIL, "metrics.p99_ms", "47", "hil: metrics.p99_ms <= 45, seen 47"},
	{HIL, "metrics.p99_ms", "{\"x-decimal\":\"45.000000000000000000001\"}",
		"hil: metrics.p99_ms <= 45, seen 45.000000000000000000001"},
	{HIL, "metrics.p99_ms", "\"44\"", "hil: metrics.p99_ms <= 45, seen no number"},
	{HIL, "metrics.p99_ms", "true", "hil: metrics.p99_ms <= 45, seen no number"},
	{HIL, "metrics.p99_ms", "null", "hil: metrics.p99_ms <= 45, seen no number"},
	{HIL, "metrics.p99_ms", NULL, "hil: metrics.p99_ms <= 45, seen missing"},
	{HIL, "metrics.p99_ms",
		"{\"x-decimal\":\"1.0000000000000000000000000000000000000000000001\"}",
		"hil: metrics.p99_ms <= 45, seen a number of too many digits"},
	{HIL, "metrics.peak_memory_mib", "513", "hil: metrics.peak_memory_mib <= 512.5, seen 513"},
	{HIL, "metrics.thermal_throttle", "true",
		"hil: metrics.thermal_throttle == false, seen true"},
	{HIL, "metrics.thermal_throttle", "0",
		"hil: metrics.thermal_throttle == false, seen neither true nor false"},
	{HIL, "result", "\"FAILED\"", "hil: a verdict of yes, seen FAILED"},
	{HIL, "result", "\"WARNED\"", "hil: a verdict of yes, seen WARNED"},
	{HIL, "failedTests", "[\"rain\"]", "hil: a verdict of yes, seen PASSED, but 1 failed"},
	{HIL, "passedTests", "[\"golden-set\"]",
		"hil: passed: golden-set, thermal-soak, seen not passed: thermal-soak"},
	{HIL, "passedTests", "\"golden-set thermal-soak\"",
		"hil: passed: golden-set, thermal-soak, seen not passed: golden-set"},
	{HIL, "finishedOn", "\"2026-07-01T00:00:00Z\"",
		"hil: not older than 30 days, seen 82 days"},
	{HIL, "finishedOn", "\"2026-10-01T00:00:00Z\"",
		"hil: not older than 30 days, seen made in the future"},
	{HIL, "finishedOn", "\"yesterday\"",
		"hil: not older than 30 days, seen it does not say when it was made"},
	{HIL, "configuration.0.annotations.deviceClass", "\"desk\"",
		"hil: a test-result of hil on edge, seen missing"},
	{HIL, "configuration.0.name", "\"simulation\"",
		"plate-in-sight, seen not passed: plates-by-day"},
	{SIMULATION, "metrics.read_permille", "949",
		"simulation: metrics.read_permille >= 950, seen 949"},
	{BUILT, "buildDefinition.buildType", "\"by hand\"",
		"built-by-ci: buildDefinition.buildType == \"urn:backstay:release-create:v1\", seen by hand"},
	{LICENCES, "components.0.accepted", "false",
		"licences: a verdict of yes, seen 0 of 1 accepted"},
	{CONSENT, "granted", "false", "consent: a verdict of yes, seen not granted"},
	{CONSENT, "scope", "\"faces\"", "consent: scope == \"plate-images\", seen faces"},
};

static void what_is_not_met_is_named(void **state)
{
	struct gate_table *t CLEANUP(mem_free) = mem_new(sizeof *t);
	struct gate *g CLEANUP(mem_free) = mem_new(sizeof *g);
	struct statement s[STATEMENTS];

	(void)state;
	load_gate("manifests/gates/ocr-release.json", g);
	make_all(s);
	for (size_t i = 0; i < ARRAY_LEN(spoiled); i++) {
		unsigned which = spoiled[i].which;
		struct statement good = s[which];
		BUF_AUTO missing = {0};

		make(which, spoiled[i].path, spoiled[i].value, &s[which]);
		gate_eval(g, s, STATEMENTS, NOW, t);
		gate_missing(t, &missing);
		assert_false(t->met);
		if (!strstr(buf_cstr(&missing), spoiled[i].missing))
			fail_msg("%s: %s", spoiled[i].missing, buf_cstr(&missing));
		statement_fini(&s[which]);
		s[which] = good;
	}
	free_all(s, STATEMENTS);
}

static void each_statement_is_needed(void **state)
{
	struct gate_table *t CLEANUP(mem_free) = mem_new(sizeof *t);
	struct gate *g CLEANUP(mem_free) = mem_new(sizeof *g);
	struct statement s[STATEMENTS];

	(void)state;
	load_gate("manifests/gates/ocr-release.json", g);
	make_all(s);
	for (unsigned out = 0; out < STATEMENTS; out++) {
		struct statement last = s[STATEMENTS - 1], gone = s[out];
		BUF_AUTO missing = {0};

		s[out] = last;
		gate_eval(g, s, STATEMENTS - 1, NOW, t);
		gate_missing(t, &missing);
		assert_false(t->met);
		assert_non_null(strstr(buf_cstr(&missing), g->require[out].name));
		assert_non_null(strstr(buf_cstr(&missing), "missing"));
		s[out] = gone;
		s[STATEMENTS - 1] = last;
	}
	gate_eval(g, NULL, 0, NOW, t);
	assert_false(t->met);
	assert_int_equal(t->n, STATEMENTS);
	free_all(s, STATEMENTS);
}

/* A report that failed cannot be covered up by a second one that passed. */
static void evidence_that_contradicts_itself_is_none(void **state)
{
	struct gate_table *t CLEANUP(mem_free) = mem_new(sizeof *t);
	struct gate *g CLEANUP(mem_free) = mem_new(sizeof *g);
	struct statement s[STATEMENTS + 1];

	(void)state;
	load_gate("manifests/gates/ocr-release.json", g);
	make_all(s);
	make(HIL, "metrics.p99_ms", "44.9", &s[STATEMENTS]);
	gate_eval(g, s, STATEMENTS + 1, NOW, t);
	assert_true(t->met);
	statement_fini(&s[STATEMENTS]);
	make(HIL, "metrics.p99_ms", "47", &s[STATEMENTS]);
	gate_eval(g, s, STATEMENTS + 1, NOW, t);
	assert_false(t->met);
	free_all(s, STATEMENTS + 1);
}

static void every_operator_does_what_it_says(void **state)
{
	static const struct {
		const char *op;
		bool below, same, above;
	} ops[] = {{"==", false, true, false}, {"!=", true, false, true}, {"<=", true, true, false},
		{"<", true, false, false}, {">=", false, true, true}, {">", false, false, true}};
	struct gate_table *t CLEANUP(mem_free) = mem_new(sizeof *t);
	struct gate *g CLEANUP(mem_free) = mem_new(sizeof *g);
	static const char *const values[] = {"44.99", "45.0", "45.01"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			bool want = v == 0 ? ops[i].below : v == 1 ? ops[i].same : ops[i].above;
			BUF_AUTO text = {0};
			struct statement s;
			struct err e;

			buf_addf(&text,
				"{\"format\":1,\"name\":\"g\",\"require\":[{\"name\":\"a\",\"predicate\":"
				"\"test-result\",\"conditions\":[{\"field\":\"metrics.p99_ms\",\"op\":"
				"\"%s\",\"number\":45}]}]}",
				ops[i].op);
			expect_ok(gate_parse(buf_str(&text), g, &e), &e);
			buf_clear(&text);
			buf_addf(&text,
				"{\"result\":\"PASSED\",\"configuration\":[{\"name\":\"h\"}],"
				"\"metrics\":{\"p99_ms\":%s}}",
				values[v]);
			BUF_AUTO statement = {0};
			witness_statement(predicate_type(PREDICATE_TEST_RESULT), buf_str(&text),
				&(struct sha256){{1}}, &statement);
			expect_ok(statement_parse(buf_str(&statement), &s, &e), &e);
			gate_eval(g, &s, 1, NOW, t);
			if (t->met != want)
				fail_msg("%s %s 45", values[v], ops[i].op);
			statement_fini(&s);
		}
}

static void shipped_gates_are_read(void **state)
{
	struct gate *g CLEANUP(mem_free) = mem_new(sizeof *g);

	(void)state;
	load_gate("manifests/gates/ocr-release.json", g);
	expect_text(g->name, "ocr-release");
	load_gate("manifests/gates/ocr-hotfix.json", g);
	expect_text(g->name, "ocr-hotfix");
	assert_int_equal(g->require[1].n_conditions, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_evidence_passes),
		cmocka_unit_test(what_is_not_met_is_named),
		cmocka_unit_test(each_statement_is_needed),
		cmocka_unit_test(evidence_that_contradicts_itself_is_none),
		cmocka_unit_test(every_operator_does_what_it_says),
		cmocka_unit_test(shipped_gates_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
