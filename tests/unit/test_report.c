#include "tests/lib/expect.h"

#include <string.h>

#include "proto/wire/report.h"
#include "tests/lib/patch.h"

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (enum report_kind k = REPORT_HELLO; k < REPORT_KIND_MAX; k++)
		assert_true(report_kind_name(k)[0] != 0);
	expect_text(report_kind_name(REPORT_OUTCOME), "outcome");
}

static void reports_are_read(void **state)
{
	struct report r CLEANUP(report_fini) = {0};
	BUF_AUTO text = {0};
	char hex[SHA256_TEXT];
	struct err e;

	(void)state;
	source_read("manifests/vectors/good/report.outcome.json", &text);
	expect_ok(report_decode(buf_str(&text), &r, &e), &e);
	assert_int_equal(r.seq, 42);
	assert_int_equal(r.kind, REPORT_OUTCOME);
	assert_int_equal(r.at, 1760000000000);
	expect_text(r.agent, "0.1.0");
	expect_text(r.hardware, "edge-x86");
	expect_text(r.running.s, "ocr-2");
	sha256_format(&r.running_digest, hex);
	expect_text(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect_text(r.slot, "a");
	expect_text(r.state, "reverted");
	expect_text(r.txn, "0102030405060708090a0b0c0d0e0f10");
	expect_text(r.campaign.s, "ocr-4-all");
	expect_text(r.target.s, "ocr-4");
	sha256_format(&r.target_digest, hex);
	expect_text(hex, "cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34");
	assert_int_equal(r.director_version, 7);
	assert_int_equal(r.code, ERR_TRIGGERED);
	expect_text(r.cause, "latency");
	assert_true(str_has_prefix(str_of(r.text), "latency: p99"));
	expect_text(r.dossier,
		"{\"trigger\":{\"type\":\"latency\",\"value_milli\":412,\"limit_milli\":240},"
		"\"log\":[\"loaded eng+latn\"]}");
}

static void reports_go_both_ways(void **state)
{
	static const char *const vectors[] = {"manifests/vectors/good/report.outcome.json",
		"manifests/vectors/good/report.hello.json",
		"manifests/vectors/good/report.progress.json",
		"manifests/vectors/good/report.consent.json",
		"manifests/vectors/good/report.switch.json"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct report a CLEANUP(report_fini) = {0}, b CLEANUP(report_fini) = {0};
		BUF_AUTO text = {0}, once = {0}, twice = {0};

		source_read(vectors[i], &text);
		expect_ok(report_decode(buf_str(&text), &a, &e), &e);
		report_encode(&a, &once);
		expect_ok(report_decode(buf_str(&once), &b, &e), &e);
		report_encode(&b, &twice);
		expect_text(buf_cstr(&once), buf_cstr(&twice));
		expect_text(a.dossier ? a.dossier : "", b.dossier ? b.dossier : "");
		mem_free(&a.dossier);
		mem_free(&b.dossier);
		assert_memory_equal(&a, &b, sizeof a);
	}
}

/* Whatever the agent puts in, the server can read: else the queue behind it would be stuck. */
static void what_is_sent_can_always_be_read(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"plain", "plain"},
		{"two\nlines\tand \x1b[1mcolour\x7f", "two lines and  [1mcolour "},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"cut \xc3", "cut ?"},
		{"\xff\xfe caf\xc3\xa9", "?? caf??"},
		{"\"quoted\" \\", "\"quoted\" \\"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report a = {.seq = 1, .at = -5}, b CLEANUP(report_fini) = {0};
		BUF_AUTO text = {0};

		expect_ok(str_copy(str_of(rows[i].text), a.text, sizeof a.text, &e), &e);
		report_encode(&a, &text);
		expect_ok(report_decode(buf_str(&text), &b, &e), &e);
		expect_text(b.text, rows[i].want);
		assert_int_equal(b.at, 1);
	}
}

static char *nested(unsigned depth)
{
	BUF_AUTO b = {0};

	for (unsigned i = 0; i < depth; i++)
		buf_add_str(&b, "{\"a\":");
	buf_add_str(&b, "1");
	for (unsigned i = 0; i < depth; i++)
		buf_add_str(&b, "}");
	return mem_strdup(buf_cstr(&b));
}

static char *wide(size_t bytes)
{
	char *s = mem_new(bytes + 1);

	memset(s, 'x', bytes);
	memcpy(s, "{\"a\":\"", 6);
	memcpy(s + bytes - 2, "\"}", 2);
	return s;
}

static void a_dossier_that_cannot_be_read_is_left_out(void **state)
{
	struct {
		char *text;
		bool kept;
	} rows[] = {
		{mem_strdup("{\"a\": 1}"), true},
		{mem_strdup("{}"), true},
		{nested(LIMIT_JSON_DEPTH - 1), true},
		{nested(LIMIT_JSON_DEPTH), false},
		{wide(LIMIT_DOSSIER_BYTES - 12), true}, /* with its name and braces */
		{wide(LIMIT_DOSSIER_BYTES - 11), false},
		{wide(2 * LIMIT_DOSSIER_BYTES), false},
		{mem_strdup("[]"), false},
		{mem_strdup("1"), false},
		{mem_strdup(""), false},
		{mem_strdup("{\"a\":"), false},
		{mem_strdup("{\"a\":1.5}"), false},
		{mem_strdup("{},\"seq\":7"), false},
		{mem_strdup("{\"a\":\"\x01\"}"), false},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report a CLEANUP(report_fini) = {.seq = 1, .dossier = rows[i].text};
		struct report b CLEANUP(report_fini) = {0};
		BUF_AUTO text = {0};

		memset(a.text, 'y', sizeof a.text - 1);
		report_encode(&a, &text);
		expect_ok(report_decode(buf_str(&text), &b, &e), &e);
		assert_int_equal(b.seq, 1);
		assert_int_equal(b.dossier != NULL, rows[i].kept);
	}
}

static const struct bad {
	const char *path, *value;
	enum err_code code;
	const char *text;
} bad[] = {
	{"", "[]", ERR_BAD_INPUT, "report: an object"},
	{"", "", ERR_BAD_INPUT, "line 1"},
	{"format", NULL, ERR_BAD_INPUT, "report.format is missing"},
	{"format", "2", ERR_BAD_INPUT, "report.format"},
	{"seq", NULL, ERR_BAD_INPUT, "report.seq is missing"},
	{"seq", "0", ERR_BAD_INPUT, "report.seq"},
	{"kind", NULL, ERR_BAD_INPUT, "report.kind is missing"},
	{"kind", "\"farewell\"", ERR_BAD_INPUT, "none of: hello"},
	{"at_ms", NULL, ERR_BAD_INPUT, "report.at_ms is missing"},
	{"at_ms", "-1", ERR_BAD_INPUT, "report.at_ms"},
	{"agent", "7", ERR_BAD_INPUT, "report.agent"},
	{"agent", "\"0123456789012345678901234567890123\"", ERR_TOO_LARGE, "report.agent"},
	{"hardware", "\"a b\"", ERR_BAD_INPUT, "report.hardware"},
	{"running", "\"\"", ERR_BAD_INPUT, "report.running"},
	{"running_digest", "\"ab\"", ERR_BAD_INPUT, "report.running_digest"},
	{"slot", "\"a-longer-one\"", ERR_TOO_LARGE, "report.slot"},
	{"state", "null", ERR_BAD_INPUT, "report.state"},
	{"txn", "\"0102\"", ERR_BAD_INPUT, "report.txn"},
	{"txn", "\"zz02030405060708090a0b0c0d0e0f10\"", ERR_BAD_INPUT, "report.txn"},
	{"txn", "\"0102030405060708090a0b0c0d0e0f1011\"", ERR_TOO_LARGE, "report.txn"},
	{"labels", "7", ERR_BAD_INPUT, "report.labels: text"},
	{"labels", "\"line\"", ERR_BAD_INPUT, "report.labels"},
	{"campaign", "\"../x\"", ERR_BAD_INPUT, "report.campaign"},
	{"target", "7", ERR_BAD_INPUT, "report.target"},
	{"target_digest", "7", ERR_BAD_INPUT, "report.target_digest"},
	{"director_version", "-7", ERR_BAD_INPUT, "report.director_version"},
	{"done", "true", ERR_BAD_INPUT, "report.done"},
	{"total", "1.5", ERR_BAD_INPUT, "a fraction"},
	{"code", "\"fine\"", ERR_BAD_INPUT, "report.code: \"fine\" is no kind of error"},
	{"code", "7", ERR_BAD_INPUT, "report.code"},
	{"cause", "[]", ERR_BAD_INPUT, "report.cause"},
	{"text", "\"a\\u0007\"", ERR_BAD_INPUT, "report.text: a control character"},
	{"dossier", "[]", ERR_BAD_INPUT, "report.dossier: an object"},
	{"device", "\"other\"", ERR_BAD_INPUT, "unknown member \"device\""},
	{"consent", "\"yes\"", ERR_BAD_INPUT, "report.consent: not in a outcome"},
	{"who", "\"anna\"", ERR_BAD_INPUT, "report.consent: not in a outcome"},
	{"kind", "\"consent\"", ERR_BAD_INPUT, "report.consent is missing"},
	{"kind", "\"switch\"", ERR_BAD_INPUT, "report.conditions is missing"},
	{"conditions", "[]", ERR_BAD_INPUT, "report.conditions: not in a outcome"},
};

static const struct bad bad_switch[] = {
	{"conditions", NULL, ERR_BAD_INPUT, "report.conditions is missing"},
	{"conditions", "[]", ERR_BAD_INPUT, "report.conditions is empty"},
	{"conditions", "{}", ERR_BAD_INPUT, "report.conditions"},
	{"conditions.0", "7", ERR_BAD_INPUT, "report.conditions[0]: an object"},
	{"conditions.0.type", NULL, ERR_BAD_INPUT, "report.conditions[0].type is missing"},
	{"conditions.0.type", "\"weather\"", ERR_BAD_INPUT, "report.conditions[0].type"},
	{"conditions.1.from", "\"server\"", ERR_BAD_INPUT, "report.conditions[1].from"},
	{"conditions.1.is", "\"unmet\"", ERR_BAD_INPUT, "report.conditions[1].is"},
	{"conditions.1.is", NULL, ERR_BAD_INPUT, "report.conditions[1].is is missing"},
	{"conditions.1.value", "80", ERR_BAD_INPUT, "report.conditions[1].value"},
	{"conditions.1.value", "\"a\\u0007\"", ERR_BAD_INPUT, "a control character"},
	{"conditions.2.limit",
		"\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
		"23456789012345\"",
		ERR_TOO_LARGE, "report.conditions[2].limit"},
	{"conditions.2.note", "7", ERR_BAD_INPUT, "unknown member \"note\""},
};

static void refused(const char *vector, const struct bad *rows, size_t n)
{
	struct report r CLEANUP(report_fini) = {0};
	JSON_AUTO *base = NULL;
	BUF_AUTO text = {0};
	struct err e;

	source_read(vector, &text);
	expect_ok(json_read(buf_str(&text), text.n, &base, &e), &e);
	for (size_t i = 0; i < n; i++) {
		patch_write(base, rows[i].path, rows[i].value, &text);
		expect_err(report_decode(buf_str(&text), &r, &e), &e, rows[i].code, rows[i].text,
			rows[i].path);
	}
	assert_int_equal(r.seq, 0);
}

static void more_conditions_than_fit_are_refused(void **state)
{
	struct report a = {.seq = 1, .kind = REPORT_SWITCH, .n_conditions = LIMIT_CONDITIONS}, b;
	JSON_AUTO *o = NULL;
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	report_encode(&a, &text);
	expect_ok(report_decode(buf_str(&text), &b, &e), &e);
	assert_int_equal(b.n_conditions, LIMIT_CONDITIONS);
	expect_ok(json_read(buf_str(&text), text.n, &o, &e), &e);
	json_array_append(json_object_get(o, "conditions"),
		json_array_get(json_object_get(o, "conditions"), 0));
	buf_clear(&text);
	json_write(o, &text);
	expect_err(report_decode(buf_str(&text), &b, &e), &e, ERR_TOO_LARGE, "report.conditions",
		"one too many");
}

static void mistakes_are_refused_with_their_place(void **state)
{
	struct report r CLEANUP(report_fini) = {0};
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	refused("manifests/vectors/good/report.outcome.json", bad, ARRAY_LEN(bad));
	refused("manifests/vectors/good/report.switch.json", bad_switch, ARRAY_LEN(bad_switch));
	for (int i = 0; i <= LIMIT_REPORT_BYTES; i++)
		buf_add_char(&text, ' ');
	expect_err(report_decode(buf_str(&text), &r, &e), &e, ERR_TOO_LARGE, NULL, "blanks");
	assert_int_equal(r.seq, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_name),
		cmocka_unit_test(reports_are_read),
		cmocka_unit_test(reports_go_both_ways),
		cmocka_unit_test(what_is_sent_can_always_be_read),
		cmocka_unit_test(a_dossier_that_cannot_be_read_is_left_out),
		cmocka_unit_test(more_conditions_than_fit_are_refused),
		cmocka_unit_test(mistakes_are_refused_with_their_place),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
