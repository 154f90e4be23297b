#include "tests/lib/witness.h"

#include <stdio.h>
#include <string.h>

#include "keys/keystore.h"
#include "tests/lib/expect.h"

static const enum predicate by_builder[] = {
	PREDICATE_PROVENANCE, PREDICATE_SBOM_SPDX, PREDICATE_SBOM_CYCLONEDX};
static const enum predicate by_lab[] = {
	PREDICATE_TEST_RESULT, PREDICATE_MODEL_CARD, PREDICATE_DATASET_CARD};
static const enum predicate by_counsel[] = {PREDICATE_LICENCES, PREDICATE_CONSENT};
static const enum predicate by_verifier[] = {PREDICATE_VSA};

static const struct {
	const char *name;
	const enum predicate *kinds;
	unsigned n;
} roles[] = {
	[WITNESS_BUILDER] = {"builder", by_builder, ARRAY_LEN(by_builder)},
	[WITNESS_LAB] = {"lab", by_lab, ARRAY_LEN(by_lab)},
	[WITNESS_COUNSEL] = {"counsel", by_counsel, ARRAY_LEN(by_counsel)},
	[WITNESS_JUDGE] = {"verifier", by_verifier, ARRAY_LEN(by_verifier)},
};

void witness_init(struct witness *w)
{
	struct err e;

	memset(w, 0, sizeof *w);
	w->lab_threshold = 1;
	for (enum witness_role r = 0; r < WITNESS_ROLES; r++)
		expect_ok(sign_key_new(roles[r].name, SIG_ECDSA_P256, &w->keys[r], &e), &e);
	expect_ok(sign_key_new("lab-2", SIG_ECDSA_P256, &w->lab_2, &e), &e);
}

/* Through its PEM form, since a store keeps its own keys. */
static void copy_key(const struct keystore *ks, const char *name, struct sign_key *out)
{
	const struct sign_key *found[LIMIT_KEYS];
	BUF_AUTO pem = {0};
	struct err e;

	assert_int_equal(keystore_find(ks, name, found), 1);
	expect_ok(sign_key_encode(found[0], &pem, &e), &e);
	expect_ok(sign_key_decode(name, buf_str(&pem), out, &e), &e);
}

void witness_load(struct witness *w, const char *dir)
{
	struct keystore *ks = keystore_new();
	struct err e;

	memset(w, 0, sizeof *w);
	expect_ok(keystore_load(ks, dir, &e), &e);
	for (enum witness_role r = 0; r < WITNESS_ROLES; r++)
		copy_key(ks, roles[r].name, &w->keys[r]);
	keystore_free(&ks);
}

void witness_fini(struct witness *w)
{
	for (enum witness_role r = 0; r < WITNESS_ROLES; r++)
		sign_key_fini(&w->keys[r]);
	sign_key_fini(&w->lab_2);
}

void witness_allow(
	const struct witness *w, json_t *targets, const struct sha256 *gates, unsigned n_gates)
{
	const struct sign_key *keys[WITNESS_ROLES][2];
	struct repo_witness list[WITNESS_ROLES];

	for (enum witness_role r = 0; r < WITNESS_ROLES; r++) {
		keys[r][0] = &w->keys[r];
		keys[r][1] = &w->lab_2;
		list[r] = (struct repo_witness){
			{roles[r].name, r == WITNESS_LAB ? w->lab_threshold : 1,
				r == WITNESS_LAB ? 2 : 1, keys[r]},
			roles[r].n, roles[r].kinds};
	}
	repo_set_witnesses(targets, list, WITNESS_ROLES, gates, n_gates);
}

void witness_predicate(enum predicate kind, const char *p99_ms, int64_t now_s, struct buf *out)
{
	static const char *const forms[PREDICATE_MAX] = {
		[PREDICATE_PROVENANCE] =
			"{\"buildDefinition\":{\"buildType\":\"urn:backstay:release-create:v1\"},"
			"\"runDetails\":{\"builder\":{\"id\":\"ci\"},\"metadata\":{\"finishedOn\":\"%s\"}}}",
		[PREDICATE_TEST_RESULT] =
			"{\"result\":\"PASSED\",\"configuration\":[{\"name\":\"hil\",\"annotations\":{"
			"\"deviceClass\":\"edge\"}}],\"passedTests\":[\"golden-set\",\"thermal-soak\"],"
			"\"finishedOn\":\"%s\",\"metrics\":{\"p99_ms\":%s,\"peak_memory_mib\":310.5,"
			"\"thermal_throttle\":false}}",
		[PREDICATE_DATASET_CARD] =
			"{\"createdOn\":\"%s\",\"name\":\"plates\",\"datasets\":[{\"name\":\"a\"}]}",
		[PREDICATE_MODEL_CARD] =
			"{\"createdOn\":\"%s\",\"name\":\"reader\",\"intendedUse\":\"plates\"}",
		[PREDICATE_LICENCES] =
			"{\"createdOn\":\"%s\",\"components\":[{\"name\":\"a\",\"licence\":\"MIT\",\"accepted\":true}]}",
		[PREDICATE_SBOM_SPDX] =
			"{\"spdxVersion\":\"SPDX-2.3\",\"creationInfo\":{\"created\":\"%s\"}}",
		[PREDICATE_SBOM_CYCLONEDX] =
			"{\"bomFormat\":\"CycloneDX\",\"metadata\":{\"timestamp\":\"%s\"}}",
		[PREDICATE_CONSENT] =
			"{\"createdOn\":\"%s\",\"givenBy\":\"a\",\"scope\":\"plate-images\",\"granted\":true}",
	};
	char now[21];

	assert_non_null(forms[kind]);
	time_format(now_s, now);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_addf(out, forms[kind], now, p99_ms);
#pragma GCC diagnostic pop
}

void witness_statement(
	const char *type, struct str predicate, const struct sha256 *document, struct buf *out)
{
	struct attest_subject subject = {"release document", *document};
	struct err e;

	expect_ok(attest_write(type, &subject, 1, predicate, out, &e), &e);
}

static const struct sign_key *signer_of(const struct witness *w, enum predicate kind)
{
	for (enum witness_role r = 0; r < WITNESS_ROLES; r++)
		for (unsigned i = 0; i < roles[r].n; i++)
			if (roles[r].kinds[i] == kind)
				return &w->keys[r];
	return NULL;
}

void witness_envelope(const struct witness *w, enum predicate kind, const char *p99_ms,
	int64_t now_s, const struct sha256 *document, struct buf *out)
{
	const struct sign_key *key = signer_of(w, kind);
	BUF_AUTO predicate = {0}, statement = {0};
	struct err e;

	witness_predicate(kind, p99_ms, now_s, &predicate);
	witness_statement(predicate_type(kind), buf_str(&predicate), document, &statement);
	expect_ok(attest_sign(buf_str(&statement), &key, 1, out, &e), &e);
}

void witness_summary(const struct witness *w, const char *path, const struct sha256 *document,
	const struct sha256 *policy, int64_t now_s, struct buf *out)
{
	static const struct evidence_list none;

	witness_summary_of(w, path, document, policy, &none, now_s, out);
}

void witness_summary_of(const struct witness *w, const char *path, const struct sha256 *document,
	const struct sha256 *policy, const struct evidence_list *inputs, int64_t now_s,
	struct buf *out)
{
	const struct sign_key *key = &w->keys[WITNESS_JUDGE];
	struct attest_summary s = {.verifier = key->name,
		.path = path,
		.gate = "test",
		.policy = *policy,
		.now_s = now_s};
	BUF_AUTO predicate = {0}, statement = {0};
	struct err e;

	for (; s.n_inputs < inputs->n; s.n_inputs++)
		s.inputs[s.n_inputs] = inputs->v[s.n_inputs].hash;
	attest_summary(&s, &predicate);
	witness_statement(predicate_type(PREDICATE_VSA), buf_str(&predicate), document, &statement);
	expect_ok(attest_sign(buf_str(&statement), &key, 1, out, &e), &e);
}

void witness_name(const char *type, struct str envelope, struct evidence_list *list)
{
	struct evidence_ref *ref = &list->v[list->n++];

	snprintf(ref->type, sizeof ref->type, "%s", type);
	ref->length = envelope.n;
	digest_of(envelope.p, envelope.n, &ref->hash);
}
