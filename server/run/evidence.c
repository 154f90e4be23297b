#include "server/run/evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/trust/gate_eval.h"
#include "server/repo/gates.h"
#include "server/repo/metadata.h"
#include "server/run/artifact.h"
#include "server/run/run_priv.h"

/* One release before its gates. */
struct trial {
	struct run *r;
	const struct meta *targets;
	const char *path;
	const struct sha256 *document;
	struct evidence_list named;
	struct evidence_demand demand;
	unsigned n;
	struct statement statements[LIMIT_EVIDENCE];
	struct gate gate;
	struct gate_table table;
	struct gate_verdict verdicts[LIMIT_GATES];
};

static void trial_free(struct trial **t)
{
	for (unsigned i = 0; *t && i < (*t)->n; i++)
		statement_fini(&(*t)->statements[i]);
	free(*t);
	*t = NULL;
}

/* ---- what is here ---- */

static int read_one(struct trial *t, const struct evidence_ref *ref, struct err *e)
{
	BUF_AUTO bytes = {0};

	if (artifact_read(t->r->c.artifacts, &ref->hash, (size_t)ref->length, &bytes, e) < 0)
		return err_wrap(e, "evidence of type %s", ref->type);
	TRY(evidence_read_named(
		t->targets, ref, buf_str(&bytes), t->document, &t->statements[t->n], e));
	t->n++;
	return 0;
}

static int read_evidence(struct trial *t, const json_t *match, struct err *e)
{
	TRY(evidence_list(match, &t->named, e));
	for (unsigned i = 0; i < t->named.n; i++)
		TRY(read_one(t, &t->named.v[i], e));
	return 0;
}

static int read_gate(struct trial *t, const struct sha256 *policy, struct err *e)
{
	BUF_AUTO bytes = {0};
	char hex[SHA256_TEXT];
	struct sha256 is;

	sha256_format(policy, hex);
	if (artifact_read(t->r->c.artifacts, policy, LIMIT_GATE_BYTES, &bytes, e) < 0)
		return err_wrap(e, "gate %.12s", hex);
	digest_of(bytes.p, bytes.n, &is);
	if (!sha256_eq(&is, policy))
		return err_set(e, ERR_ALTERED, "gate %.12s: its file was altered", hex);
	return gate_parse(buf_str(&bytes), &t->gate, e);
}

/* ---- judging ---- */

/* Which of a gate's versions the release was held against: that of its summary. */
static const struct sha256 *policy_of(const struct trial *t, const struct evidence_gate *gate)
{
	struct sha256 policy;

	for (unsigned i = 0; i < t->n; i++)
		for (unsigned k = 0; k < gate->n; k++)
			if (evidence_policy(&t->statements[i], &policy) &&
				sha256_eq(&policy, &gate->policies[k]))
				return &gate->policies[k];
	return &gate->policies[0];
}

static int judge_gate(struct trial *t, unsigned i, struct err *e)
{
	const struct evidence_demand one = {1, {t->demand.gates[i]}};
	struct gate_verdict *v = &t->verdicts[i];
	BUF_AUTO missing = {0};

	if (t->demand.gates[i].n == 0)
		return err_set(e, ERR_UNPROVEN, "a gate without policies, which nothing passes");
	v->policy = *policy_of(t, &t->demand.gates[i]);
	TRY(read_gate(t, &v->policy, e));
	memcpy(v->name, t->gate.name, sizeof v->name);
	gate_eval(&t->gate, t->statements, t->n, run_now_s(t->r), &t->table);
	if (!t->table.met) {
		gate_missing(&t->table, &missing);
		return err_set(e, ERR_UNPROVEN, "%s", buf_cstr(&missing));
	}
	return evidence_summed_up(&one, t->path, &t->named, t->statements, t->n, e);
}

/* Every gate is judged, so that all that is missing is told at once. Storage that fails is no
 * verdict. */
static int judge(struct trial *t, struct err *e)
{
	for (unsigned i = 0; i < t->demand.n; i++) {
		struct gate_verdict *v = &t->verdicts[i];
		struct err why = {0};
		int rc = judge_gate(t, i, &why);

		if (rc == -ERR_IO)
			return err_copy(e, &why);
		v->met = rc == 0;
		v->judged = run_now(t->r);
		snprintf(v->missing, sizeof v->missing, "%s", rc < 0 ? why.text : "");
	}
	return 0;
}

static int verdict(const struct trial *t, struct err *e)
{
	BUF_AUTO text = {0};

	for (unsigned i = 0; i < t->demand.n; i++)
		if (!t->verdicts[i].met)
			buf_addf(&text, "%s%s%s%s", text.n ? "; " : "", t->verdicts[i].name,
				t->verdicts[i].name[0] ? ": " : "", t->verdicts[i].missing);
	if (text.n)
		return err_set(e, ERR_UNPROVEN, "%s does not pass its gates: %s", t->path,
			buf_cstr(&text));
	return 0;
}

static int keep(struct trial *t, struct err *e)
{
	return gates_put(t->r->c.db, t->path, t->verdicts, t->demand.n, e);
}

static struct trial *trial_new(
	struct run *r, const struct meta *targets, const char *path, const struct sha256 *document)
{
	struct trial *t = mem_new(sizeof *t);

	memset(t, 0, sizeof *t);
	t->r = r;
	t->targets = targets;
	t->path = path;
	t->document = document;
	return t;
}

int evidence_check(struct run *r, const struct meta *root, const struct meta *targets,
	const char *path, const struct sha256 *document, const json_t *match, struct err *e)
{
	CLEANUP(trial_free) struct trial *t = trial_new(r, targets, path, document);

	TRY(evidence_demand(root, targets, path, &t->demand, e));
	TRY(read_evidence(t, match, e));
	TRY(judge(t, e));
	TRY(verdict(t, e));
	return t->demand.n ? keep(t, e) : 0;
}

/* ---- once more ---- */

/* The newest root or targets, which were verified when they were published. */
static int newest(struct run *r, enum role_kind kind, size_t max, struct meta *out, struct err *e)
{
	META_ROW_AUTO row = {0};

	TRY(metadata_get(r->c.db, REPO_IMAGE, role_kind_name(kind), 0, &row, e));
	return meta_parse(buf_str(&row.bytes), kind, max, out, e);
}

static int check_row(struct run *r, const struct release_row *row, struct err *e)
{
	CLEANUP(meta_fini) struct meta root = {0}, targets = {0};
	CLEANUP(trial_free)
	struct trial *t = trial_new(r, &targets, row->path, &row->digest);
	JSON_AUTO *match = NULL;

	TRY(newest(r, ROLE_ROOT, LIMIT_ROOT_BYTES, &root, e));
	TRY(newest(r, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &targets, e));
	TRY(evidence_demand(&root, &targets, row->path, &t->demand, e));
	if (t->demand.n == 0)
		return 0;
	TRY(json_read(buf_str(&row->match), row->match.n, &match, e));
	TRY(read_evidence(t, match, e));
	TRY(judge(t, e));
	TRY(run_begin(r, e));
	TRY(run_end(r, keep(t, e), e));
	return verdict(t, e);
}

int evidence_check_again(struct run *r, const char *release, struct err *e)
{
	RELEASE_ROW_AUTO row = {0};
	int rc = releases_get(r->c.db, release, &row, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	return check_row(r, &row, e);
}
