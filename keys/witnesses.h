/* Who gives evidence in a fleet as the ceremony founds it: which key may attest what. A table, so
 * that commands and ceremony tell the same: builder (provenance, sbom), lab (test-result,
 * model-card, dataset-card), counsel (licence-matrix, consent, update-record), verifier (vsa). Keys
 * are files of these names. */
#ifndef KEYS_WITNESSES_H
#define KEYS_WITNESSES_H

#include "keys/keystore.h"
#include "keys/repo.h"

#define WITNESS_VERIFIER "verifier"

/* Puts x-backstay-evidence into the image repository's top-level targets: each witness with the
 * keys that the store has of it, and every one of the gates for every release. */
void witnesses_set(
	json_t *targets, const struct keystore *ks, const struct sha256 *gates, unsigned n_gates);

/* The witness that attests a kind. */
const char *witnesses_of(enum predicate kind);

#endif
