#include "proto/trust/attest.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/meta.h"

#define PART_MAX LIMIT_GATE_NAME

void statement_fini(struct statement *s)
{
	json_release(&s->doc);
	s->predicate = NULL;
}

/* ---- fields ---- */

static const json_t *step(const json_t *at, const char *name)
{
	uint64_t i;

	if (json_is_object(at))
		return json_object_get(at, name);
	if (json_is_array(at) && str_to_u64(str_of(name), 0, UINT32_MAX, &i, NULL) == 0)
		return json_array_get(at, (size_t)i);
	return NULL;
}

static const json_t *find(const json_t *at, const char *path)
{
	struct str rest = str_of(path), part;
	char name[PART_MAX];

	while (at && str_split(&rest, '.', &part)) {
		if (str_copy(part, name, sizeof name, NULL) < 0)
			return NULL;
		at = step(at, name);
	}
	return at;
}

static const char *text_at(const json_t *at, const char *path)
{
	const char *s = json_string_value(find(at, path));

	return s ? s : "";
}

const json_t *statement_field(const struct statement *s, const char *path)
{
	return find(s->predicate, path);
}

const char *statement_suite(const struct statement *s)
{
	return s->kind == PREDICATE_TEST_RESULT ? text_at(s->predicate, "configuration.0.name")
						: "";
}

const char *statement_device_class(const struct statement *s)
{
	return s->kind == PREDICATE_TEST_RESULT
		       ? text_at(s->predicate, "configuration.0.annotations.deviceClass")
		       : "";
}

/* ---- what each kind must have ---- */

enum field_form { FORM_TEXT, FORM_FLAG, FORM_LIST, FORM_TIME };

static bool has_form(const json_t *j, enum field_form form)
{
	int64_t unused;

	switch (form) {
	case FORM_TEXT:
		return json_is_string(j) && json_string_length(j) > 0;
	case FORM_FLAG:
		return json_is_boolean(j);
	case FORM_LIST:
		return json_is_array(j) && json_array_size(j) > 0;
	case FORM_TIME:
		return json_is_string(j) &&
		       time_parse(str_of(json_string_value(j)), &unused, NULL) == 0;
	}
	return false;
}

static const char *const form_names[] = {
	[FORM_TEXT] = "text",
	[FORM_FLAG] = "true or false",
	[FORM_LIST] = "a list that is not empty",
	[FORM_TIME] = "a time like 2026-01-31T12:00:00Z",
};

/* Where a field must be in every element of a list, `each` names it. */
static const struct field_row {
	enum predicate kind;
	const char *path;
	enum field_form form;
	const char *each;
	enum field_form each_form;
} fields[] = {
	{PREDICATE_PROVENANCE, "buildDefinition.buildType", FORM_TEXT, NULL, 0},
	{PREDICATE_PROVENANCE, "runDetails.builder.id", FORM_TEXT, NULL, 0},
	{PREDICATE_TEST_RESULT, "result", FORM_TEXT, NULL, 0},
	{PREDICATE_TEST_RESULT, "configuration", FORM_LIST, "name", FORM_TEXT},
	{PREDICATE_DATASET_CARD, "name", FORM_TEXT, NULL, 0},
	{PREDICATE_DATASET_CARD, "datasets", FORM_LIST, "name", FORM_TEXT},
	{PREDICATE_MODEL_CARD, "name", FORM_TEXT, NULL, 0},
	{PREDICATE_MODEL_CARD, "intendedUse", FORM_TEXT, NULL, 0},
	{PREDICATE_LICENCES, "components", FORM_LIST, "licence", FORM_TEXT},
	{PREDICATE_LICENCES, "components", FORM_LIST, "accepted", FORM_FLAG},
	{PREDICATE_SBOM_SPDX, "spdxVersion", FORM_TEXT, NULL, 0},
	{PREDICATE_SBOM_CYCLONEDX, "bomFormat", FORM_TEXT, NULL, 0},
	{PREDICATE_CONSENT, "givenBy", FORM_TEXT, NULL, 0},
	{PREDICATE_CONSENT, "scope", FORM_TEXT, NULL, 0},
	{PREDICATE_CONSENT, "granted", FORM_FLAG, NULL, 0},
	{PREDICATE_UPDATE, "purpose", FORM_TEXT, NULL, 0},
	{PREDICATE_UPDATE, "systems", FORM_LIST, "name", FORM_TEXT},
	{PREDICATE_UPDATE, "systems", FORM_LIST, "typeApproved", FORM_FLAG},
	{PREDICATE_UPDATE, "approval.affected", FORM_FLAG, NULL, 0},
	{PREDICATE_UPDATE, "approval.sought", FORM_FLAG, NULL, 0},
	{PREDICATE_VSA, "verifier.id", FORM_TEXT, NULL, 0},
	{PREDICATE_VSA, "timeVerified", FORM_TIME, NULL, 0},
	{PREDICATE_VSA, "resourceUri", FORM_TEXT, NULL, 0},
	{PREDICATE_VSA, "policy.digest.sha256", FORM_TEXT, NULL, 0},
	{PREDICATE_VSA, "verificationResult", FORM_TEXT, NULL, 0},
};

static int field_check(const json_t *predicate, const struct field_row *f, struct err *e)
{
	const json_t *at = find(predicate, f->path), *one;
	size_t i;

	if (!has_form(at, f->form))
		return err_set(e, ERR_BAD_INPUT, "predicate.%s: %s is wanted", f->path,
			form_names[f->form]);
	if (!f->each)
		return 0;
	json_array_foreach (at, i, one) {
		if (!has_form(json_object_get(one, f->each), f->each_form))
			return err_set(e, ERR_BAD_INPUT, "predicate.%s[%zu].%s: %s is wanted",
				f->path, i, f->each, form_names[f->each_form]);
	}
	return 0;
}

static int fields_check(const struct statement *s, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].kind == s->kind)
			TRY(field_check(s->predicate, &fields[i], e));
	return 0;
}

/* ---- reading ---- */

static int subjects_parse(struct statement *s, struct err *e)
{
	const json_t *list, *digest;
	char where[48];

	TRY(json_arr(s->doc, "statement", "subject", LIMIT_SUBJECTS, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "statement.subject is empty");
	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(where, sizeof where, "statement.subject[%zu]", i);
		TRY(json_obj(json_array_get(list, i), where, "digest", &digest, e));
		TRY(json_digest(digest, where, "sha256", &s->subjects[i], e));
		s->n_subjects++;
	}
	return 0;
}

static int head_parse(struct statement *s, struct err *e)
{
	char type[sizeof STATEMENT_TYPE + 32], shown[LIMIT_PREDICATE_TYPE];

	TRY(json_text(s->doc, "statement", "_type", type, sizeof type, e));
	if (strcmp(type, STATEMENT_TYPE) != 0)
		return err_set(
			e, ERR_BAD_INPUT, "statement._type: %s, wanted is " STATEMENT_TYPE, type);
	TRY(json_text(s->doc, "statement", "predicateType", s->type, sizeof s->type, e));
	s->kind = predicate_by_type(str_of(s->type));
	if (s->kind == PREDICATE_MAX)
		return err_set(e, ERR_BAD_INPUT, "statement.predicateType: %s is not known",
			str_printable(str_of(s->type), shown, sizeof shown));
	return json_obj(s->doc, "statement", "predicate", &s->predicate, e);
}

int statement_parse(struct str payload, struct statement *out, struct err *e)
{
	CLEANUP(mem_free) struct statement *s = mem_new(sizeof *s);
	JSON_AUTO *doc = NULL;
	int64_t made;

	memset(s, 0, sizeof *s);
	if (json_read_foreign(payload, LIMIT_ENVELOPE_BYTES, &doc, e) < 0)
		return err_wrap(e, "statement");
	s->doc = doc;
	TRY(head_parse(s, e));
	TRY(subjects_parse(s, e));
	TRY(fields_check(s, e));
	if (time_parse(str_of(text_at(s->predicate, predicate_made_at(s->kind))), &made, NULL) == 0)
		s->made_s = made;
	*out = *s;
	doc = NULL;
	return 0;
}

bool statement_is_about(const struct statement *s, const struct sha256 *digest)
{
	for (unsigned i = 0; i < s->n_subjects; i++)
		if (sha256_eq(&s->subjects[i], digest))
			return true;
	return false;
}

/* ---- verdicts ---- */

static bool says_passed(const struct statement *s, const char *field, char *out, size_t cap)
{
	const char *result = text_at(s->predicate, field);

	str_printable(str_of(result), out, cap);
	return strcmp(result, "PASSED") == 0;
}

/* A test that names what failed has failed, whatever it calls itself. */
static bool test_passed(const struct statement *s, char *out, size_t cap)
{
	size_t failed = json_array_size(statement_field(s, "failedTests"));

	if (!says_passed(s, "result", out, cap))
		return false;
	if (failed)
		snprintf(out, cap, "PASSED, but %zu failed", failed);
	return failed == 0;
}

static bool all_accepted(const struct statement *s, char *out, size_t cap)
{
	const json_t *list = statement_field(s, "components"), *one;
	size_t i, refused = 0;

	json_array_foreach (list, i, one) {
		refused += !json_is_true(json_object_get(one, "accepted"));
	}
	snprintf(out, cap, "%zu of %zu accepted", json_array_size(list) - refused,
		json_array_size(list));
	return refused == 0;
}

bool statement_says_yes(const struct statement *s, char *out_seen, size_t cap)
{
	bool yes = true;

	out_seen[0] = 0;
	switch (s->kind) {
	case PREDICATE_TEST_RESULT:
		return test_passed(s, out_seen, cap);
	case PREDICATE_VSA:
		return says_passed(s, "verificationResult", out_seen, cap);
	case PREDICATE_LICENCES:
		return all_accepted(s, out_seen, cap);
	case PREDICATE_CONSENT:
		yes = json_is_true(statement_field(s, "granted"));
		snprintf(out_seen, cap, "%s", yes ? "granted" : "not granted");
		return yes;
	case PREDICATE_PROVENANCE:
	case PREDICATE_DATASET_CARD:
	case PREDICATE_MODEL_CARD:
	case PREDICATE_SBOM_SPDX:
	case PREDICATE_SBOM_CYCLONEDX:
	case PREDICATE_UPDATE:
	case PREDICATE_MAX:
		break;
	}
	return yes;
}
