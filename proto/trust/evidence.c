#include "proto/trust/evidence.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/dsse.h"
#include "proto/trust/meta_priv.h"

#define FIELD "x-backstay-evidence"

/* ---- what a release names ---- */

static int ref_read(const json_t *o, struct evidence_ref *out, struct err *e)
{
	static const char where[] = "custom.match.evidence";

	TRY(json_text(o, where, "predicateType", out->type, sizeof out->type, e));
	TRY(json_u64(o, where, "length", 1, LIMIT_ENVELOPE_BYTES, &out->length, e));
	return json_digest(o, where, "sha256", &out->hash, e);
}

int evidence_list(const json_t *match, struct evidence_list *out, struct err *e)
{
	struct evidence_list list = {.n = 0};
	const json_t *refs;

	if (json_object_get(match, "evidence")) {
		TRY(json_arr(match, "custom.match", "evidence", LIMIT_EVIDENCE, &refs, e));
		for (; list.n < json_array_size(refs); list.n++)
			TRY(ref_read(json_array_get(refs, list.n), &list.v[list.n], e));
	}
	*out = list;
	return 0;
}

/* ---- what is demanded ---- */

static int is_demanded(const struct meta *root, const char *path, bool *out, struct err *e)
{
	const json_t *rules, *paths;

	*out = false;
	if (!json_object_get(root->signed_part, FIELD))
		return 0;
	TRY(json_arr(root->signed_part, "root", FIELD, LIMIT_DELEGATIONS, &rules, e));
	for (size_t i = 0; i < json_array_size(rules); i++) {
		TRY(json_arr(json_array_get(rules, i), "root." FIELD, "paths", LIMIT_DELEGATIONS,
			&paths, e));
		*out = *out || paths_match(paths, path);
	}
	return 0;
}

static int gate_read(const json_t *o, struct evidence_gate *out, struct err *e)
{
	static const char where[] = "targets." FIELD ".gates";
	struct evidence_gate gate = {.n = 0};
	const json_t *list;

	TRY(json_arr(o, where, "policies", LIMIT_GATE_POLICIES, &list, e));
	for (; gate.n < json_array_size(list); gate.n++) {
		const char *hex = json_string_value(json_array_get(list, gate.n));

		if (sha256_parse(str_of(hex ? hex : ""), &gate.policies[gate.n], e) < 0)
			return err_wrap(e, "%s.policies[%u]", where, gate.n);
	}
	*out = gate;
	return 0;
}

static int gates_read(
	const struct meta *targets, const char *path, struct evidence_demand *out, struct err *e)
{
	const json_t *rule, *gates, *paths;

	if (!json_object_get(targets->signed_part, FIELD))
		return 0;
	TRY(json_obj(targets->signed_part, "targets", FIELD, &rule, e));
	TRY(json_arr(rule, "targets." FIELD, "gates", LIMIT_DELEGATIONS, &gates, e));
	for (size_t i = 0; i < json_array_size(gates); i++) {
		const json_t *one = json_array_get(gates, i);

		TRY(json_arr(
			one, "targets." FIELD ".gates", "paths", LIMIT_DELEGATIONS, &paths, e));
		if (!paths_match(paths, path))
			continue;
		if (out->n == LIMIT_GATES)
			return err_set(
				e, ERR_TOO_LARGE, "%s: more than %d gates", path, LIMIT_GATES);
		TRY(gate_read(one, &out->gates[out->n], e));
		out->n++;
	}
	return 0;
}

int evidence_demand(const struct meta *root, const struct meta *targets, const char *path,
	struct evidence_demand *out, struct err *e)
{
	struct evidence_demand demand = {.n = 0};
	bool demanded;

	TRY(is_demanded(root, path, &demanded, e));
	TRY(gates_read(targets, path, &demand, e));
	if (demanded && demand.n == 0)
		return err_set(e, ERR_UNPROVEN,
			"%s: root demands evidence, and targets names no gate for it", path);
	*out = demand;
	return 0;
}

/* ---- one envelope ---- */

static bool may_attest(const json_t *role, const char *type)
{
	const json_t *list = json_object_get(role, "predicateTypes"), *one;
	size_t i;

	json_array_foreach (list, i, one) {
		const char *is = json_string_value(one);

		if (is && predicate_by_type(str_of(is)) != PREDICATE_MAX &&
			predicate_by_type(str_of(is)) == predicate_by_type(str_of(type)))
			return true;
	}
	return false;
}

static int role_verify(const json_t *keys, const json_t *role, const struct dsse *d, struct err *e)
{
	CLEANUP(mem_free) struct pub_key *known = mem_new(LIMIT_KEYS * sizeof *known);
	const json_t *id;
	struct signers s;
	unsigned n = 0;
	size_t i;

	TRY(signers_read(keys, role, "targets." FIELD ".roles", &s, e));
	json_array_foreach (s.keyids, i, id) {
		if (signers_key(&s, json_string_value(id), &known[n]))
			n++;
	}
	return dsse_verify(d, known, n, s.threshold, e);
}

/* Everybody who may attest anything: which of them have signed is known before the payload is
 * read, and then it must be one of these that may attest its type. */
struct witnesses {
	unsigned n;
	const json_t *role[LIMIT_EVIDENCE_ROLES];
};

static int witnesses_of(
	const struct meta *targets, const struct dsse *d, struct witnesses *out, struct err *e)
{
	const json_t *rule, *keys, *roles;

	*out = (struct witnesses){.n = 0};
	if (!json_object_get(targets->signed_part, FIELD))
		return err_set(e, ERR_UNSIGNED, "targets knows no keys for evidence");
	TRY(json_obj(targets->signed_part, "targets", FIELD, &rule, e));
	TRY(json_obj(rule, "targets." FIELD, "keys", &keys, e));
	TRY(json_arr(rule, "targets." FIELD, "roles", LIMIT_EVIDENCE_ROLES, &roles, e));
	for (size_t i = 0; i < json_array_size(roles); i++) {
		int rc = role_verify(keys, json_array_get(roles, i), d, e);

		if (rc == 0)
			out->role[out->n++] = json_array_get(roles, i);
		else if (rc != -ERR_UNSIGNED)
			return rc;
	}
	if (out->n == 0)
		return err_set(e, ERR_UNSIGNED, "not signed by any key that may give evidence");
	return 0;
}

static const char *name_of(const json_t *role)
{
	const char *name = json_string_value(json_object_get(role, "name"));

	return name ? name : "?";
}

static int statement_check(const struct witnesses *w, const struct statement *s,
	const struct sha256 *document, struct err *e)
{
	char hex[SHA256_TEXT];
	bool may = false;

	for (unsigned i = 0; i < w->n; i++)
		may = may || may_attest(w->role[i], s->type);
	if (!may)
		return err_set(e, ERR_UNSIGNED,
			"%.32s, who signed, may not attest %s: top-level targets do not list it (backstay keys gate --kind)",
			name_of(w->role[0]), s->type);
	sha256_format(document, hex);
	if (!statement_is_about(s, document))
		return err_set(
			e, ERR_MIXED, "%s: it is not about release document %.12s", s->type, hex);
	return 0;
}

int evidence_read(const struct meta *targets, struct str envelope, const struct sha256 *document,
	struct statement *out, struct err *e)
{
	STATEMENT_AUTO s = {.n_subjects = 0};
	DSSE_AUTO d = {.n = 0};
	struct witnesses w;

	TRY(dsse_parse(envelope, LIMIT_ENVELOPE_BYTES, &d, e));
	TRY(witnesses_of(targets, &d, &w, e));
	TRY(statement_parse(buf_str(&d.payload), &s, e));
	TRY(statement_check(&w, &s, document, e));
	*out = s;
	s.doc = NULL;
	return 0;
}

int evidence_read_named(const struct meta *targets, const struct evidence_ref *ref,
	struct str envelope, const struct sha256 *document, struct statement *out, struct err *e)
{
	struct sha256 is;
	int rc = 0;

	digest_of(envelope.p, envelope.n, &is);
	if (envelope.n != ref->length || !sha256_eq(&is, &ref->hash))
		return err_set(e, ERR_ALTERED,
			"evidence of type %s: not the bytes that were signed", ref->type);
	if (evidence_read(targets, envelope, document, out, e) < 0)
		return err_wrap(e, "evidence of type %s", ref->type);
	if (strcmp(out->type, ref->type) != 0) {
		rc = err_set(e, ERR_MIXED, "evidence of type %s: it is of type %s", ref->type,
			out->type);
		statement_fini(out);
	}
	return rc;
}

/* ---- summaries ---- */

bool evidence_policy(const struct statement *s, struct sha256 *out)
{
	const json_t *hex = statement_field(s, "policy.digest.sha256");

	return s->kind == PREDICATE_VSA && json_is_string(hex) &&
	       sha256_parse(str_of(json_string_value(hex)), out, NULL) == 0;
}

static bool is_policy(const struct evidence_gate *gate, const struct sha256 *policy)
{
	for (unsigned i = 0; i < gate->n; i++)
		if (sha256_eq(&gate->policies[i], policy))
			return true;
	return false;
}

static bool is_in(const struct evidence_list *named, const struct sha256 *hash)
{
	for (unsigned i = 0; i < named->n; i++)
		if (sha256_eq(&named->v[i].hash, hash))
			return true;
	return false;
}

static bool is_input(const json_t *inputs, const struct sha256 *hash)
{
	char hex[SHA256_TEXT];
	const json_t *one;
	size_t i;

	sha256_format(hash, hex);
	json_array_foreach (inputs, i, one) {
		const char *is = json_string_value(
			json_object_get(json_object_get(one, "digest"), "sha256"));

		if (is && strcmp(is, hex) == 0)
			return true;
	}
	return false;
}

bool evidence_is_sum_of(const struct statement *summary, const struct evidence_list *named)
{
	const json_t *inputs = statement_field(summary, "inputAttestations"), *one;
	struct sha256 hash;
	size_t i;

	json_array_foreach (inputs, i, one) {
		const char *hex = json_string_value(
			json_object_get(json_object_get(one, "digest"), "sha256"));

		if (!hex || sha256_parse(str_of(hex), &hash, NULL) < 0 || !is_in(named, &hash))
			return false;
	}
	for (unsigned k = 0; k < named->n; k++)
		if (predicate_by_type(str_of(named->v[k].type)) != PREDICATE_VSA &&
			!is_input(inputs, &named->v[k].hash))
			return false;
	return json_is_array(inputs);
}

/* A summary of this gate for this path, whatever it says. */
static bool sums_up(const struct statement *s, const struct evidence_gate *gate, const char *path)
{
	const char *uri = json_string_value(statement_field(s, "resourceUri"));
	struct sha256 policy;

	return evidence_policy(s, &policy) && is_policy(gate, &policy) && uri &&
	       strcmp(uri, path) == 0;
}

/* What is wrong with a summary of the gate, or NULL. */
static const char *fault_of(
	const struct statement *s, const struct evidence_list *named, char seen[LIMIT_TEXT])
{
	if (!statement_says_yes(s, seen, LIMIT_TEXT))
		return seen;
	return evidence_is_sum_of(s, named) ? NULL : "it was made from other evidence";
}

static int gate_summed_up(const struct evidence_gate *gate, const char *path,
	const struct evidence_list *named, const struct statement *statements, unsigned n,
	struct err *e)
{
	char hex[SHA256_TEXT] = "none", seen[LIMIT_TEXT];
	const char *fault;

	if (gate->n)
		sha256_format(&gate->policies[0], hex);
	for (unsigned i = 0; i < n; i++) {
		if (!sums_up(&statements[i], gate, path))
			continue;
		fault = fault_of(&statements[i], named, seen);
		if (!fault)
			return 0;
		return err_set(
			e, ERR_UNPROVEN, "%s: the summary of gate %.12s: %s", path, hex, fault);
	}
	return err_set(e, ERR_UNPROVEN, "%s: no summary says that it passed gate %.12s", path, hex);
}

int evidence_summed_up(const struct evidence_demand *demand, const char *path,
	const struct evidence_list *named, const struct statement *statements, unsigned n,
	struct err *e)
{
	for (unsigned i = 0; i < demand->n; i++)
		TRY(gate_summed_up(&demand->gates[i], path, named, statements, n, e));
	return 0;
}
