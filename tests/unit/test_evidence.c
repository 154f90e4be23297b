#include "tests/lib/expect.h"

#include <string.h>

#include "proto/trust/evidence.h"
#include "tests/lib/trepo.h"
#include "tests/lib/witness.h"

#define DOCUMENT STR("{\"id\": \"ocr-4\"}")
#define OTHER    STR("{\"id\": \"ocr-5\"}")
#define PATH     "ocr/ocr-4.json"
#define SUMMARY  "https://slsa.dev/verification_summary/v1"

/* A release whose summary says that it passed gate G1, in repositories whose root demands that. A
 * case spoils one thing. */
struct world {
	struct witness w;
	struct trepo image, director;
	struct trusted_set ti, td;
	struct device_facts dev;
	struct repo_match match;
	struct sha256 document, gate;
	struct buf summary;
	struct err e;
};

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	memset(w, 0, sizeof *w);
	witness_init(&w->w);
	trepo_init(&w->image, TREPO_IMAGE, TREPO_NOW);
	trepo_init(&w->director, TREPO_DIRECTOR, TREPO_NOW);
	digest_of(DOCUMENT.p, DOCUMENT.n, &w->document);
	digest_of("G1", 2, &w->gate);
	w->match = trepo_match("edge-x86", 4);
	w->dev = (struct device_facts){.device = {"dev-1"}, .hardware = "edge-x86"};
	repo_demand_evidence(w->image.role[TREPO_ROOT].part);
	witness_allow(&w->w, w->image.role[TREPO_TARGETS].part, &w->gate, 1);
	witness_summary(&w->w, PATH, &w->document, &w->gate, TREPO_NOW, &w->summary);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	witness_fini(&w->w);
	trusted_fini(&w->ti);
	trusted_fini(&w->td);
	trepo_fini(&w->image);
	trepo_fini(&w->director);
	buf_fini(&w->summary);
	mem_free(&w);
	return 0;
}

static json_t *rule_of(struct world *w)
{
	return json_object_get(w->image.role[TREPO_TARGETS].part, "x-backstay-evidence");
}

/* Signs everything with the match as it stands, and lets a device agree. */
static int agree(struct world *w, enum desired_order order, struct desired *d)
{
	trepo_add_release(&w->image, PATH, DOCUMENT, &w->match);
	trepo_direct(&w->director, "dev-1", order, PATH, DOCUMENT, &w->match);
	trepo_publish(&w->image);
	trepo_publish(&w->director);
	trusted_fini(&w->ti);
	trusted_fini(&w->td);
	trusted_init(&w->ti, TREPO_NOW);
	trusted_init(&w->td, TREPO_NOW);
	expect_ok(trepo_refresh(&w->image, &w->ti, &w->e), &w->e);
	expect_ok(trepo_refresh(&w->director, &w->td, &w->e), &w->e);
	TRY(director_read(&w->td, &w->dev, d, &w->e));
	return director_agree(&w->td, &w->ti, &w->dev, d, &w->e);
}

/* The whole of it: agreement, what is wanted, and its verdict over the summary at hand. */
static int judge(struct world *w, enum desired_order order)
{
	struct str bytes[LIMIT_EVIDENCE];
	struct evidence_list wanted;
	struct desired d;

	TRY(agree(w, order, &d));
	TRY(evidence_wanted(&w->td, &w->ti, &w->dev, &d, &wanted, &w->e));
	for (unsigned i = 0; i < wanted.n; i++)
		bytes[i] = buf_str(&w->summary);
	return evidence_agree(&w->td, &w->ti, &d, &wanted, bytes, &w->e);
}

static void name_summary(struct world *w)
{
	witness_name(SUMMARY, buf_str(&w->summary), &w->match.evidence);
}

static void a_release_with_its_summary_is_taken(void **state)
{
	struct world *w = *state;

	name_summary(w);
	expect_ok(judge(w, DESIRED_INSTALL), &w->e);
}

static void evidence_missing(void **state)
{
	struct world *w = *state;

	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "names no summary", "nothing");
	buf_clear(&w->summary);
	witness_envelope(&w->w, PREDICATE_TEST_RESULT, "44", TREPO_NOW, &w->document, &w->summary);
	witness_name(
		predicate_type(PREDICATE_TEST_RESULT), buf_str(&w->summary), &w->match.evidence);
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "names no summary", "a report");
}

static void without_a_demand_none_is_needed(void **state)
{
	struct world *w = *state;

	json_object_del(w->image.role[TREPO_ROOT].part, "x-backstay-evidence");
	json_object_del(w->image.role[TREPO_TARGETS].part, "x-backstay-evidence");
	expect_ok(judge(w, DESIRED_INSTALL), &w->e);
}

/* What root demands no key below it can take away; what targets demands holds without root. */
static void root_and_targets_may_each_demand(void **state)
{
	struct world *w = *state;

	name_summary(w);
	json_object_set_new(rule_of(w), "gates", json_array());
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "names no gate", "no gate");
	json_object_del(w->image.role[TREPO_TARGETS].part, "x-backstay-evidence");
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "names no gate", "no rule");
	json_object_del(w->image.role[TREPO_ROOT].part, "x-backstay-evidence");
	witness_allow(&w->w, w->image.role[TREPO_TARGETS].part, &w->gate, 1);
	w->match.evidence.n = 0;
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "names no summary", "targets");
	name_summary(w);
	expect_ok(judge(w, DESIRED_INSTALL), &w->e);
}

/* ---- what a summary must be ---- */

static const struct {
	const char *name;
	enum err_code want;
	const char *piece;
} cases[] = {
	{"evidence_wrong_subject_digest", ERR_MIXED, "not about"},
	{"evidence_replayed_for_other_target", ERR_UNPROVEN, "no summary"},
	{"evidence_of_another_gate", ERR_UNPROVEN, "no summary"},
	{"evidence_wrong_payload_type", ERR_BAD_INPUT, "payloadType"},
	{"evidence_wrong_predicate_type", ERR_MIXED, "is of type"},
	{"evidence_result_failed", ERR_UNPROVEN, ": FAILED"},
	{"evidence_key_not_allowed", ERR_UNSIGNED, "may not attest"},
	{"evidence_key_unknown", ERR_UNSIGNED, "not signed by any key"},
	{"evidence_payload_changed", ERR_UNSIGNED, "not signed by any key"},
};

/* A summary signed by a key of the caller's choice, with one text in its statement changed. */
static void make_summary(struct world *w, const struct sign_key *key, const char *from,
	const char *to, const char *type)
{
	struct attest_summary s = {
		.verifier = "v", .path = PATH, .gate = "g", .policy = w->gate, .now_s = TREPO_NOW};
	BUF_AUTO predicate = {0}, statement = {0};
	char *at;

	attest_summary(&s, &predicate);
	at = strstr(buf_cstr(&predicate), from);
	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
	witness_statement(type, buf_str(&predicate), &w->document, &statement);
	buf_clear(&w->summary);
	expect_ok(attest_sign(buf_str(&statement), &key, 1, &w->summary, &w->e), &w->e);
}

static void swap(struct world *w, const char *from, const char *to)
{
	char *at = strstr(buf_cstr(&w->summary), from);

	assert_non_null(at);
	assert_int_equal(strlen(from), strlen(to));
	memcpy(at, to, strlen(to));
}

static void spoil(struct world *w, size_t which)
{
	const struct sign_key *verifier = &w->w.keys[WITNESS_JUDGE];
	struct sha256 other;
	struct witness stranger;

	buf_clear(&w->summary);
	witness_summary(&w->w, PATH, &w->document, &w->gate, TREPO_NOW, &w->summary);
	switch (which) {
	case 0:
		digest_of(OTHER.p, OTHER.n, &other);
		buf_clear(&w->summary);
		witness_summary(&w->w, PATH, &other, &w->gate, TREPO_NOW, &w->summary);
		break;
	case 1:
		make_summary(w, verifier, "ocr-4.json", "ocr-9.json", SUMMARY);
		break;
	case 2:
		digest_of("G2", 2, &other);
		buf_clear(&w->summary);
		witness_summary(&w->w, PATH, &w->document, &other, TREPO_NOW, &w->summary);
		break;
	case 3:
		swap(w, "in-toto+json", "in-toto+JSON");
		break;
	case 4:
		buf_clear(&w->summary);
		witness_envelope(
			&w->w, PREDICATE_CONSENT, "", TREPO_NOW, &w->document, &w->summary);
		break;
	case 5:
		make_summary(w, verifier, "PASSED", "FAILED", SUMMARY);
		break;
	case 6:
		make_summary(w, &w->w.keys[WITNESS_LAB], "PASSED", "PASSED", SUMMARY);
		break;
	case 7:
		witness_init(&stranger);
		make_summary(w, &stranger.keys[WITNESS_JUDGE], "PASSED", "PASSED", SUMMARY);
		witness_fini(&stranger);
		break;
	case 8:
		swap(w, "\"payload\":\"ey", "\"payload\":\"fy");
		break;
	default:
		fail_msg("no such case");
	}
}

static void a_bad_summary_is_refused_with_its_reason(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		spoil(w, i);
		w->match.evidence.n = 0;
		name_summary(w);
		expect_err(judge(w, DESIRED_INSTALL), &w->e, cases[i].want, cases[i].piece,
			cases[i].name);
	}
}

static void bytes_other_than_those_named_are_altered(void **state)
{
	struct world *w = *state;

	name_summary(w);
	buf_add_char(&w->summary, '\n');
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_ALTERED, NULL, "one byte more");
}

static void evidence_url_safe_base64_ok(void **state)
{
	struct world *w = *state;
	JSON_AUTO *j = NULL;
	json_t *sig;
	char *text;

	expect_ok(json_read(buf_str(&w->summary), w->summary.n, &j, &w->e), &w->e);
	sig = json_array_get(json_object_get(j, "signatures"), 0);
	text = mem_strdup(json_string_value(json_object_get(sig, "sig")));
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	json_object_set_new(sig, "sig", json_string(text));
	mem_free(&text);
	buf_clear(&w->summary);
	json_write(j, &w->summary);
	name_summary(w);
	expect_ok(judge(w, DESIRED_INSTALL), &w->e);
}

static void evidence_threshold_one_key_twice(void **state)
{
	struct world *w = *state;
	const struct sign_key *two[] = {&w->w.keys[WITNESS_LAB], &w->w.lab_2};
	BUF_AUTO once = {0}, both = {0};
	struct statement s;
	json_t *list;
	JSON_AUTO *j = NULL;

	w->w.lab_threshold = 2;
	witness_allow(&w->w, w->image.role[TREPO_TARGETS].part, &w->gate, 1);
	name_summary(w);
	expect_ok(judge(w, DESIRED_INSTALL), &w->e);
	witness_envelope(&w->w, PREDICATE_TEST_RESULT, "44", TREPO_NOW, &w->document, &once);
	expect_ok(json_read(buf_str(&once), once.n, &j, &w->e), &w->e);
	list = json_object_get(j, "signatures");
	json_array_append(list, json_array_get(list, 0));
	buf_clear(&once);
	json_write(j, &once);
	expect_err(evidence_read(&w->ti.targets, buf_str(&once), &w->document, &s, &w->e), &w->e,
		ERR_UNSIGNED, "not signed", "one key twice");
	json_array_remove(list, 1);
	buf_clear(&once);
	json_write(j, &once);
	expect_ok(attest_sign_more(buf_str(&once), two, 2, &both, &w->e), &w->e);
	expect_ok(evidence_read(&w->ti.targets, buf_str(&both), &w->document, &s, &w->e), &w->e);
	assert_int_equal(s.kind, PREDICATE_TEST_RESULT);
	statement_fini(&s);
}

/* A report that came after the summary, or went: it is not what was judged. */
static void evidence_other_than_what_was_judged(void **state)
{
	struct world *w = *state;
	BUF_AUTO report = {0};
	JSON_AUTO *inputs = NULL;
	char hex[SHA256_TEXT];
	struct statement s;

	witness_envelope(&w->w, PREDICATE_TEST_RESULT, "47", TREPO_NOW, &w->document, &report);
	name_summary(w);
	witness_name(predicate_type(PREDICATE_TEST_RESULT), buf_str(&report), &w->match.evidence);
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "other evidence", "one more");
	expect_ok(evidence_read(&w->ti.targets, buf_str(&w->summary), &w->document, &s, &w->e),
		&w->e);
	assert_false(evidence_is_sum_of(&s, &w->match.evidence));
	sha256_format(&w->match.evidence.v[1].hash, hex);
	inputs = json_pack("[{s:{s:s}}]", "digest", "sha256", hex);
	json_object_set((json_t *)s.predicate, "inputAttestations", inputs);
	assert_true(evidence_is_sum_of(&s, &w->match.evidence));
	w->match.evidence.n = 1;
	assert_false(evidence_is_sum_of(&s, &w->match.evidence));
	json_object_del((json_t *)s.predicate, "inputAttestations");
	assert_false(evidence_is_sum_of(&s, &w->match.evidence));
	statement_fini(&s);
}

/* ---- gates and the way back ---- */

static void every_gate_must_be_passed(void **state)
{
	struct world *w = *state;
	struct sha256 gates[2] = {w->gate};

	digest_of("G2", 2, &gates[1]);
	witness_allow(&w->w, w->image.role[TREPO_TARGETS].part, gates, 2);
	name_summary(w);
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "no summary", "the second gate");
	json_array_append_new(
		json_object_get(
			json_array_get(json_object_get(rule_of(w), "gates"), 1), "policies"),
		json_string("zz"));
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_BAD_INPUT, "policies", "no digest");
}

static void one_of_a_gates_versions_will_do(void **state)
{
	struct world *w = *state;
	json_t *policies = json_object_get(
		json_array_get(json_object_get(rule_of(w), "gates"), 0), "policies");

	json_array_insert_new(policies, 0,
		json_string("00000000000000000000000000000000000000000000000000000000000000ff"));
	name_summary(w);
	expect_ok(judge(w, DESIRED_INSTALL), &w->e);
	json_array_remove(policies, 1);
	expect_err(
		judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, "no summary", "only the new one");
}

/* What was signed before gates were demanded stays a way back, and what runs may stay. */
static void the_way_back_needs_no_evidence(void **state)
{
	struct world *w = *state;

	w->dev.running = w->document;
	expect_ok(judge(w, DESIRED_INSTALL), &w->e);
	digest_of(OTHER.p, OTHER.n, &w->dev.running);
	expect_err(judge(w, DESIRED_ROLLBACK), &w->e, ERR_UNPROVEN, NULL, "not pre-authorised");
	w->dev.n_rollback_to = 1;
	snprintf(w->dev.rollback_to[0].path, sizeof w->dev.rollback_to[0].path, PATH);
	w->dev.rollback_to[0].hash = w->document;
	expect_ok(judge(w, DESIRED_ROLLBACK), &w->e);
	expect_err(judge(w, DESIRED_INSTALL), &w->e, ERR_UNPROVEN, NULL, "an install in its place");
}

/* ---- what a match names ---- */

static void a_match_is_read_or_refused(void **state)
{
	static const struct {
		const char *match;
		enum err_code want;
	} bad[] = {
		{"{\"evidence\":{}}", ERR_BAD_INPUT},
		{"{\"evidence\":[1]}", ERR_BAD_INPUT},
		{"{\"evidence\":[{\"predicateType\":\"a\",\"length\":0,\"sha256\":\"00\"}]}",
			ERR_BAD_INPUT},
		{"{\"evidence\":[{\"predicateType\":\"a\",\"length\":9,\"sha256\":\"00\"}]}",
			ERR_BAD_INPUT},
		{"{\"evidence\":[{\"predicateType\":\"a\",\"length\":1048577,\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}]}",
			ERR_BAD_INPUT},
		{"{\"evidence\":[{\"length\":9,\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}]}",
			ERR_BAD_INPUT},
	};
	struct evidence_list list;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		JSON_AUTO *j = json_loads(bad[i].match, 0, NULL);

		assert_non_null(j);
		expect_err(evidence_list(j, &list, &e), &e, bad[i].want, NULL, bad[i].match);
	}
	expect_ok(evidence_list(NULL, &list, &e), &e);
	assert_int_equal(list.n, 0);
}

static void a_match_lists_evidence_in_one_order(void **state)
{
	struct repo_match m = trepo_match("edge", 1);
	JSON_AUTO *one = NULL, *two = NULL;
	struct evidence_ref first;

	(void)state;
	witness_name("b", STR("x"), &m.evidence);
	witness_name("a", STR("y"), &m.evidence);
	one = repo_match(&m);
	first = m.evidence.v[0];
	m.evidence.v[0] = m.evidence.v[1];
	m.evidence.v[1] = first;
	two = repo_match(&m);
	assert_true(json_equal(one, two));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_release_with_its_summary_is_taken),
		CASE(evidence_missing),
		CASE(without_a_demand_none_is_needed),
		CASE(root_and_targets_may_each_demand),
		CASE(a_bad_summary_is_refused_with_its_reason),
		CASE(bytes_other_than_those_named_are_altered),
		CASE(evidence_url_safe_base64_ok),
		CASE(evidence_threshold_one_key_twice),
		CASE(evidence_other_than_what_was_judged),
		CASE(every_gate_must_be_passed),
		CASE(one_of_a_gates_versions_will_do),
		CASE(the_way_back_needs_no_evidence),
		cmocka_unit_test(a_match_is_read_or_refused),
		cmocka_unit_test(a_match_lists_evidence_in_one_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
