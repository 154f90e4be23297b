/* Evidence that is missing, forged, or somebody else's. The image repository's root demands it. */
#include <string.h>

#include "proto/wire/base64.h"
#include "tests/attack/attack.h"
#include "tests/lib/witness.h"

static struct witness witness;
static struct sha256 gate;

static void digest_of_document(const struct toy *t, struct sha256 *out)
{
	digest_of(t->document.p, t->document.n, out);
}

/* Names this envelope as the summary of toy-2, and offers both. */
static void name(struct bed *b, struct str envelope)
{
	struct toy *t = &b->good;

	buf_clear(&t->summary);
	buf_add(&t->summary, envelope.p, envelope.n);
	t->match.evidence.n = 0;
	witness_name(predicate_type(PREDICATE_VSA), envelope, &t->match.evidence);
	bed_offer(b, t);
}

static void summarise(struct bed *b, const struct witness *by, const struct sha256 *document)
{
	BUF_AUTO summary = {0};

	witness_summary(by, b->good.path, document, &gate, b->now_s, &summary);
	name(b, buf_str(&summary));
}

/* A release with all that its gate demands. */
static void prepare(struct bed *b)
{
	struct sha256 document;

	witness_init(&witness);
	digest_of("a gate", 6, &gate);
	trepo_set_version(&b->image, TREPO_ROOT, 2);
	repo_demand_evidence(b->image.role[TREPO_ROOT].part);
	witness_allow(&witness, b->image.role[TREPO_TARGETS].part, &gate, 1);
	digest_of_document(&b->good, &document);
	summarise(b, &witness, &document);
}

/* The new root is accepted in any case; the release is not. */
static void play(struct bed *b, void (*spoil)(struct bed *b))
{
	prepare(b);
	attack_try(b, spoil, ATTACK_ROOTED, b->attack->code);
	attack_heal(b);
}

/* ---- statements ---- */

static void name_nothing(struct bed *b)
{
	b->good.match.evidence.n = 0;
	bed_offer(b, &b->good);
}

void attack_evidence_missing(struct bed *b)
{
	play(b, name_nothing);
}

static void of_another(struct bed *b)
{
	struct sha256 document;

	digest_of("another document", 16, &document);
	summarise(b, &witness, &document);
}

void attack_evidence_wrong_subject_digest(struct bed *b)
{
	play(b, of_another);
}

static void of_the_last_release(struct bed *b)
{
	struct sha256 document;
	struct toy first;

	toy_make(&first, 1);
	digest_of_document(&first, &document);
	summarise(b, &witness, &document);
}

void attack_evidence_replayed_for_other_target(struct bed *b)
{
	play(b, of_the_last_release);
}

static void of_another_kind(struct bed *b)
{
	BUF_AUTO envelope = {0};
	struct sha256 document;

	digest_of_document(&b->good, &document);
	witness_envelope(&witness, PREDICATE_LICENCES, "1", b->now_s, &document, &envelope);
	name(b, buf_str(&envelope));
}

void attack_evidence_wrong_predicate_type(struct bed *b)
{
	play(b, of_another_kind);
}

static void by_a_stranger(struct bed *b)
{
	struct sha256 document;
	struct witness stranger;

	witness_init(&stranger);
	digest_of_document(&b->good, &document);
	summarise(b, &stranger, &document);
}

void attack_evidence_key_not_allowed(struct bed *b)
{
	play(b, by_a_stranger);
}

/* ---- envelopes ---- */

static json_t *envelope_of(struct bed *b)
{
	json_t *j = json_loadb((const char *)b->good.summary.p, b->good.summary.n, 0, NULL);

	assert_non_null(j);
	return j;
}

static void name_json(struct bed *b, const json_t *envelope)
{
	BUF_AUTO text = {0};

	json_write(envelope, &text);
	name(b, buf_str(&text));
}

static void of_another_payload_type(struct bed *b)
{
	JSON_AUTO *j = envelope_of(b);

	json_object_set_new(j, "payloadType", json_string("application/vnd.in-toto.layout+json"));
	name_json(b, j);
}

void attack_evidence_wrong_payload_type(struct bed *b)
{
	play(b, of_another_payload_type);
}

/* The verifier signs what says that the gate was not passed. */
static void that_says_no(struct bed *b)
{
	const struct sign_key *key = &witness.keys[WITNESS_JUDGE];
	JSON_AUTO *j = envelope_of(b);
	BUF_AUTO payload = {0}, statement = {0}, envelope = {0};
	const char *yes;
	struct err e;

	expect_ok(base64_decode(
			  str_of(json_string_value(json_object_get(j, "payload"))), &payload, &e),
		&e);
	yes = memmem(payload.p, payload.n, "PASSED", 6);
	assert_non_null(yes);
	buf_add(&statement, payload.p, (size_t)(yes - (const char *)payload.p));
	buf_add_str(&statement, "FAILED");
	buf_add(&statement, yes + 6, payload.n - (size_t)(yes + 6 - (const char *)payload.p));
	expect_ok(attest_sign(buf_str(&statement), &key, 1, &envelope, &e), &e);
	name(b, buf_str(&envelope));
}

void attack_evidence_result_failed(struct bed *b)
{
	play(b, that_says_no);
}

/* From now on two of the verifiers must sign; one does, twice. */
static void signed_twice(struct bed *b)
{
	JSON_AUTO *j = envelope_of(b);
	json_t *roles = json_object_get(
		json_object_get(b->image.role[TREPO_TARGETS].part, "x-backstay-evidence"), "roles");
	json_t *list = json_object_get(j, "signatures"), *again;

	json_object_set_new(json_array_get(roles, WITNESS_JUDGE), "threshold", json_integer(2));
	again = json_deep_copy(json_array_get(list, 0));
	json_object_set_new(again, "keyid", json_string("somebody-else"));
	json_array_append_new(list, again);
	name_json(b, j);
}

void attack_evidence_threshold_one_key_twice(struct bed *b)
{
	play(b, signed_twice);
}

/* ---- and what is none ---- */

/* '+' and '/' become '-' and '_': it is taken. */
void attack_evidence_url_safe_base64_ok(struct bed *b)
{
	json_t *j;
	char *payload;

	prepare(b);
	j = envelope_of(b);
	payload = mem_strdup(json_string_value(json_object_get(j, "payload")));
	for (char *p = payload; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	json_object_set_new(j, "payload", json_string(payload));
	name_json(b, j);
	attack_heal(b);
	snprintf(b->verdict.text, sizeof b->verdict.text, "both alphabets are read");
}
