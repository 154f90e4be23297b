/* backstay release gate: does a packed release have the evidence that a gate wants? Who passes gets
 * the verifier's summary, without which no device takes a release where gates are demanded. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keys/attest.h"
#include "keys/witnesses.h"
#include "lib/sys/fs.h"
#include "proto/trust/gate_eval.h"
#include "server/cli/packed_evidence.h"
#include "server/cli/table.h"
#include "server/cli/trusted.h"

struct gating {
	const struct cli *c;
	const char *dir;
	struct trusted_set set;
	char path[LIMIT_TARGET_NAME], summary[EVIDENCE_NAME];
	struct sha256 document, policy;
	struct buf text; /* of the gate */
	struct gate gate;
	struct packed_evidence evidence;
	unsigned n;
	struct statement statements[LIMIT_EVIDENCE];
	struct sha256 inputs[LIMIT_EVIDENCE];
	struct gate_table table;
	bool is_named; /* do the repository's targets name this gate? */
	bool is_summed_up;
};

static void gating_fini(struct gating *g)
{
	for (unsigned i = 0; i < g->n; i++)
		statement_fini(&g->statements[i]);
	packed_evidence_fini(&g->evidence);
	trusted_fini(&g->set);
	buf_fini(&g->text);
}

static int load_gate(struct gating *g, struct err *e)
{
	const char *file = cli_value(g->c, CLI_OPT_GATE, NULL);

	if (!file)
		return err_set(e, ERR_USAGE, "--gate FILE is needed: which evidence is wanted");
	TRY(cli_read(file, LIMIT_GATE_BYTES, &g->text, e));
	if (gate_parse(buf_str(&g->text), &g->gate, e) < 0)
		return err_wrap(e, "%s", file);
	digest_of(g->text.p, g->text.n, &g->policy);
	snprintf(g->summary, sizeof g->summary, "summary-%s" EVIDENCE_ENVELOPE, g->gate.name);
	return 0;
}

static int look_for_gate(struct gating *g, struct err *e)
{
	struct evidence_demand demand;

	TRY(evidence_demand(&g->set.root, &g->set.targets, g->path, &demand, e));
	for (unsigned i = 0; i < demand.n; i++)
		for (unsigned k = 0; k < demand.gates[i].n; k++)
			g->is_named |= sha256_eq(&demand.gates[i].policies[k], &g->policy);
	return 0;
}

/* Evidence that does not verify counts for nothing, and is told as a row of its own. */
static void refuse(struct gating *g, unsigned i, const struct err *why)
{
	struct gate_row row = {.met = false};

	if (g->table.n == GATE_ROWS)
		return;
	snprintf(row.requirement, sizeof row.requirement, "%.40s", g->evidence.name[i]);
	snprintf(row.wanted, sizeof row.wanted, "signed by who may attest it");
	snprintf(row.seen, sizeof row.seen, "%.200s", why->text);
	g->table.rows[g->table.n++] = row;
	g->table.met = false;
}

static bool is_own_summary(const struct gating *g, unsigned i)
{
	return strcmp(g->evidence.name[i], g->summary) == 0;
}

/* A summary of an earlier run stays when it still says the same: signing a release twice must find
 * the same evidence. */
static void look_at_summary(struct gating *g, const struct statement *s)
{
	struct sha256 policy;
	char seen[LIMIT_TEXT];

	g->is_summed_up = evidence_policy(s, &policy) && sha256_eq(&policy, &g->policy) &&
			  statement_says_yes(s, seen, sizeof seen) &&
			  evidence_is_sum_of(s, &g->evidence.refs);
}

static void judge(struct gating *g, int64_t now_s)
{
	struct err why[LIMIT_EVIDENCE];
	bool refused[LIMIT_EVIDENCE] = {false};

	for (unsigned i = 0; i < g->evidence.n; i++) {
		struct statement *s = &g->statements[g->n];
		int rc = evidence_read_named(&g->set.targets, &g->evidence.refs.v[i],
			buf_str(&g->evidence.bytes[i]), &g->document, s, &why[i]);

		refused[i] = rc < 0 && !is_own_summary(g, i);
		if (rc == 0 && is_own_summary(g, i)) {
			look_at_summary(g, s);
			statement_fini(s);
		} else if (rc == 0) {
			g->inputs[g->n++] = g->evidence.refs.v[i].hash;
		}
	}
	gate_eval(&g->gate, g->statements, g->n, now_s, &g->table);
	for (unsigned i = 0; i < g->evidence.n; i++)
		if (refused[i])
			refuse(g, i, &why[i]);
}

/* ---- the summary ---- */

static int find_verifier(
	const struct gating *g, struct keystore *ks, const struct sign_key **out, struct err *e)
{
	const struct sign_key *found[LIMIT_KEYS];

	TRY(packed_keys(ks, g->c, EVIDENCE_FOLDER, e));
	if (!keystore_find(ks, WITNESS_VERIFIER, found))
		return err_set(e, ERR_NOT_FOUND,
			"all is met, but no key of the " WITNESS_VERIFIER " is here to say so");
	*out = found[0];
	return 0;
}

static int make_summary(
	const struct gating *g, const struct sign_key *key, struct buf *out, struct err *e)
{
	struct attest_summary s = {.verifier = key->name,
		.path = g->path,
		.gate = g->gate.name,
		.policy = g->policy,
		.now_s = g->set.now_s,
		.n_inputs = g->n};
	struct attest_subject subject = {.digest = g->document};
	BUF_AUTO predicate = {0}, statement = {0};

	memcpy(s.inputs, g->inputs, sizeof s.inputs);
	snprintf(subject.name, sizeof subject.name, "%s", g->path);
	attest_summary(&s, &predicate);
	TRY(attest_write(
		predicate_type(PREDICATE_VSA), &subject, 1, buf_str(&predicate), &statement, e));
	return attest_sign(buf_str(&statement), &key, 1, out, e);
}

/* The gate goes with the release: the server judges by it again. */
static int store(const struct gating *g, const struct buf *summary, struct err *e)
{
	char dir[600], file[EVIDENCE_NAME];
	struct fs fs;
	int rc;

	snprintf(dir, sizeof dir, "%s/" EVIDENCE_FOLDER, g->dir);
	snprintf(file, sizeof file, "%s" EVIDENCE_GATE, g->gate.name);
	TRY(fs_posix_open(dir, &fs, e));
	rc = fs_write_file(&fs, file, g->text.p, g->text.n, 0644, e);
	if (rc == 0 && summary->n)
		rc = fs_write_file(&fs, g->summary, summary->p, summary->n, 0644, e);
	fs_posix_close(&fs);
	return rc;
}

static int sum_up(struct gating *g, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	const struct sign_key *key = NULL;
	BUF_AUTO summary = {0};

	if (!g->is_summed_up) {
		TRY(find_verifier(g, ks, &key, e));
		TRY(make_summary(g, key, &summary, e));
	}
	return store(g, &summary, e);
}

/* ---- output ---- */

static json_t *rows_of(const struct gate_table *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < t->n; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:b}", "requirement",
				      t->rows[i].requirement, "wanted", t->rows[i].wanted, "seen",
				      t->rows[i].seen, "met", t->rows[i].met));
	return list;
}

static void print_table(const struct gating *g)
{
	struct table t;

	table_init(&t, " |REQUIREMENT|WANTED|SEEN");
	for (unsigned i = 0; i < g->table.n; i++) {
		const struct gate_row *row = &g->table.rows[i];

		table_cell(&t, "%s", row->met ? "\u2713 met" : "\u2717 missing");
		table_cell(&t, "%s", row->requirement);
		table_cell(&t, "%s", row->wanted);
		table_cell(&t, "%s", row->seen[0] ? row->seen : "yes");
	}
	table_print(&t);
	table_fini(&t);
	if (!g->is_named)
		printf("Note: the repository does not name this gate, so no device asks for it.\n");
}

static int answer(struct gating *g, struct err *e)
{
	char hex[SHA256_TEXT];
	JSON_AUTO *json = NULL;
	BUF_AUTO missing = {0};

	sha256_format(&g->policy, hex);
	json = json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "gate", g->gate.name, "policy", hex,
		"release", g->path, "met", g->table.met, "named", g->is_named, "rows",
		rows_of(&g->table));
	if (!cli_json(g->c, json))
		print_table(g);
	if (!g->table.met) {
		gate_missing(&g->table, &missing);
		return err_set(e, ERR_UNPROVEN, "%s does not pass %s: %s", g->path, g->gate.name,
			buf_cstr(&missing));
	}
	TRY(sum_up(g, e));
	if (!cli_flag(g->c, CLI_OPT_JSON))
		printf("%s passes %s; %s/" EVIDENCE_FOLDER "/%s says so.\n", g->path, g->gate.name,
			g->dir, g->summary);
	return 0;
}

int cmd_RELEASE_GATE(const struct cli *c, struct err *e)
{
	CLEANUP(mem_free) struct gating *g = mem_new(sizeof *g);
	int rc;

	memset(g, 0, sizeof *g);
	g->c = c;
	g->dir = c->args[0];
	rc = load_gate(g, e);
	if (rc == 0)
		rc = trusted_document(g->dir, g->path, &g->document, e);
	if (rc == 0)
		rc = trusted_open(c, &g->set, e);
	if (rc == 0)
		rc = look_for_gate(g, e);
	if (rc == 0)
		rc = packed_evidence_load(g->dir, &g->evidence, e);
	if (rc == 0) {
		judge(g, g->set.now_s);
		rc = answer(g, e);
	}
	gating_fini(g);
	return rc;
}
