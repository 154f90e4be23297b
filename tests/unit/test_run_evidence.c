/* A server whose repository demands the gate manifests/gates/ocr-hotfix.json: what it publishes,
 * and for what it opens a campaign. The keys are the ceremony's own. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/ceremony.h"
#include "keys/release_sign.h"
#include "server/repo/gates.h"
#include "server/run/artifact.h"
#include "server/run/campaign.h"
#include "server/run/publish.h"
#include "tests/lib/fleet.h"
#include "tests/lib/witness.h"

#define START_S ((int64_t)1790000000)
#define WAVES   "[{\"name\": \"all\", \"share_permille\": 1000, \"soak_ms\": 0}]"

static struct fleet f;
static struct witness w;
static struct buf gate;
static struct sha256 policy;

static const enum predicate kinds[] = {
	PREDICATE_PROVENANCE, PREDICATE_TEST_RESULT, PREDICATE_LICENCES, PREDICATE_VSA};

/* What one release carries. A case says what is wrong with it. */
struct proof {
	const char *path, *p99_ms;
	bool without_licences; /* and the verifier says PASSED all the same */
	bool upload_nothing, upload_no_gate;
	struct buf envelopes[ARRAY_LEN(kinds)];
	struct evidence_list list;
};

static int make(void **state)
{
	struct err e;

	(void)state;
	source_read("manifests/gates/ocr-hotfix.json", &gate);
	digest_of(gate.p, gate.n, &policy);
	expect_ok(ceremony_init_gated("keys", &policy, 1, START_S, &e), &e);
	witness_load(&w, "keys/evidence");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	witness_fini(&w);
	buf_fini(&gate);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fleet_open(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fleet_close(&f);
	return 0;
}

static void give(void *ctx, const struct sha256 *document, struct release_terms *io)
{
	struct proof *p = ctx;
	int64_t now_s = f.now / 1000;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct buf *out = &p->envelopes[p->list.n];

		if (kinds[i] == PREDICATE_LICENCES && p->without_licences)
			continue;
		if (kinds[i] == PREDICATE_VSA)
			witness_summary_of(&w, p->path, document, &policy, &p->list, now_s, out);
		else
			witness_envelope(&w, kinds[i], p->p99_ms, now_s, document, out);
		io->envelopes[p->list.n] = buf_str(out);
		witness_name(predicate_type(kinds[i]), buf_str(out), &p->list);
	}
	io->evidence = p->list;
}

static void upload(const struct buf *bytes)
{
	FILE *file = fopen("upload", "w");
	struct sha256 digest;
	struct err e;

	assert_non_null(file);
	assert_int_equal(fwrite(bytes->p, 1, bytes->n, file), bytes->n);
	assert_int_equal(fclose(file), 0);
	digest_of(bytes->p, bytes->n, &digest);
	expect_ok(artifact_put(f.conf.artifacts, &digest, "upload", &e), &e);
}

static int publish(const char *id, uint64_t counter, struct proof *p, struct err *e)
{
	struct paper paper CLEANUP(paper_fini);
	struct publish_in in;
	struct sha256 digest;
	bool is_new;
	int rc;

	rc = paper_sign_proven(id, counter, NULL, f.now / 1000, give, p, &paper, e);
	for (unsigned i = 0; rc == 0 && i < p->list.n && !p->upload_nothing; i++)
		upload(&p->envelopes[i]);
	if (!p->upload_no_gate)
		upload(&gate);
	if (rc == 0) {
		fleet_publish_in(&f, &paper, &in);
		rc = publish_release(f.run, &in, &digest, &is_new, e);
	}
	for (size_t i = 0; i < ARRAY_LEN(p->envelopes); i++)
		buf_fini(&p->envelopes[i]);
	return rc;
}

static int look(void *ctx, const struct gate_verdict *v, struct err *e)
{
	(void)e;
	*(struct gate_verdict *)ctx = *v;
	return 0;
}

static int open_campaign(const char *id, const char *release, struct err *e)
{
	JSON_AUTO *all = json_pack("{s:b}", "all", true);
	struct campaign_new in = {.selector = all, .who = "ann"};
	BUF_AUTO text = {0};
	bool is_new;

	buf_add_str(&text, "{\"format\": 1, \"name\": \"p\", \"waves\": " WAVES "}");
	expect_ok(policy_parse(buf_str(&text), &in.policy, e), e);
	snprintf(in.id.s, sizeof in.id.s, "%s", id);
	snprintf(in.release, sizeof in.release, "%s", release);
	return campaign_create(f.run, &in, &is_new, e);
}

static void a_release_that_passes_is_published_and_goes_out(void **state)
{
	struct proof p = {.path = "toy/toy-1.json", .p99_ms = "44.9"};
	struct gate_verdict v = {.met = false};
	struct fleet_device dev;
	struct err e;

	(void)state;
	expect_ok(publish("toy-1", 1, &p, &e), &e);
	expect_ok(gates_each(&f.db, "toy/toy-1.json", look, &v, &e), &e);
	assert_true(v.met);
	expect_text(v.name, "ocr-hotfix");
	assert_true(sha256_eq(&v.policy, &policy));
	fleet_device(&f, &dev, "lane-1", "");
	fleet_campaign(&f, "spring", "toy-1", WAVES, 0);
	fleet_order(&f, "spring", WEV_START);
	assert_true(fleet_update(&f, &dev, "committed"));
}

/* The verifier says PASSED each time; the server reads for itself. */
static void a_release_that_does_not_pass_is_not_published(void **state)
{
	static const struct {
		struct proof proof;
		enum err_code want;
		const char *piece;
	} cases[] = {
		{{.path = "toy/toy-1.json", .p99_ms = "47"}, ERR_UNPROVEN,
			"hil: metrics.p99_ms <= 45, seen 47"},
		{{.path = "toy/toy-1.json", .p99_ms = "45.0000000001"}, ERR_UNPROVEN,
			"seen 45.0000000001"},
		{{.path = "toy/toy-1.json", .p99_ms = "44", .without_licences = true}, ERR_UNPROVEN,
			"licences: a licence-matrix, seen missing"},
		{{.path = "toy/toy-1.json", .p99_ms = "44", .upload_no_gate = true}, ERR_UNPROVEN,
			"gate"},
		{{.path = "toy/toy-1.json", .p99_ms = "44", .upload_nothing = true}, ERR_NOT_FOUND,
			"evidence of type"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct proof p = cases[i].proof;
		BUF_AUTO before = {0}, after = {0};

		fleet_close(&f);
		fleet_open(&f);
		fleet_dump(&f, &before);
		expect_err(publish("toy-1", 1, &p, &e), &e, cases[i].want, cases[i].piece,
			cases[i].piece);
		fleet_dump(&f, &after);
		assert_true(str_eq(buf_str(&before), buf_str(&after)));
	}
}

static void evidence_that_grew_old_opens_no_campaign(void **state)
{
	struct proof p = {.path = "toy/toy-1.json", .p99_ms = "44"};
	struct gate_verdict v = {.met = true};
	struct err e;

	(void)state;
	expect_ok(publish("toy-1", 1, &p, &e), &e);
	expect_ok(open_campaign("early", "toy-1", &e), &e);
	fleet_pass(&f, SEC(3 * 86400));
	expect_err(open_campaign("late", "toy/toy-1.json", &e), &e, ERR_UNPROVEN,
		"hil: not older than 2 days, seen 3 days", "create");
	expect_err(campaign_order(f.run, "early", WEV_START, "ann", "", &e), &e, ERR_UNPROVEN,
		"not older", "start");
	assert_int_equal(fleet_phase(&f, "early"), WAVE_DRAFT);
	expect_ok(gates_each(&f.db, "toy/toy-1.json", look, &v, &e), &e);
	assert_false(v.met);
	assert_non_null(strstr(v.missing, "not older than 2 days"));
	expect_err(open_campaign("none", "toy-9", &e), &e, ERR_NOT_FOUND, NULL, "no release");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_release_that_passes_is_published_and_goes_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_release_that_does_not_pass_is_not_published, setup, teardown),
		cmocka_unit_test_setup_teardown(
			evidence_that_grew_old_opens_no_campaign, setup, teardown),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
