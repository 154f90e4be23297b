#include "keys/witnesses.h"

#include <string.h>

#define KINDS_MAX 4

static const struct witness_row {
	const char *name;
	unsigned n;
	enum predicate kinds[KINDS_MAX];
} rows[] = {
	{"builder", 3, {PREDICATE_PROVENANCE, PREDICATE_SBOM_SPDX, PREDICATE_SBOM_CYCLONEDX}},
	{"lab", 3, {PREDICATE_TEST_RESULT, PREDICATE_MODEL_CARD, PREDICATE_DATASET_CARD}},
	{"counsel", 3, {PREDICATE_LICENCES, PREDICATE_CONSENT, PREDICATE_UPDATE}},
	{WITNESS_VERIFIER, 1, {PREDICATE_VSA}},
};

void witnesses_set(
	json_t *targets, const struct keystore *ks, const struct sha256 *gates, unsigned n_gates)
{
	const struct sign_key *keys[ARRAY_LEN(rows)][LIMIT_KEYS];
	struct repo_witness list[ARRAY_LEN(rows)];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned n = keystore_find(ks, rows[i].name, keys[i]);

		list[i] = (struct repo_witness){
			{rows[i].name, 1, n, keys[i]}, rows[i].n, rows[i].kinds};
	}
	repo_set_witnesses(targets, list, ARRAY_LEN(rows), gates, n_gates);
}

const char *witnesses_of(enum predicate kind)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (unsigned k = 0; k < rows[i].n; k++)
			if (rows[i].kinds[k] == kind)
				return rows[i].name;
	return "";
}
