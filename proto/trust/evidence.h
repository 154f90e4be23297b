/* Which evidence a release must carry, who may give it, and whether it holds. Pure. The same code
 * judges on the approvers' machines, in the server, and, for the summary alone, on every device.
 *
 * A release names its evidence in custom.match, which the approvers and the director all sign:
 *   "evidence": [{"predicateType", "length", "sha256"}]
 * of DSSE envelopes that are fetched like artifacts, by digest.
 *
 * The image repository's root says where evidence is demanded at all, and no other key can take
 * that away; its top-level targets say by whom and for which gates:
 *   root     "x-backstay-evidence": [{"paths": [PATTERN, ...]}]
 *   targets  "x-backstay-evidence": {
 *              "keys":  {KEYID: key, as in delegations},
 *              "roles": [{"name", "keyids", "threshold", "predicateTypes": [...]}],
 *              "gates": [{"paths": [PATTERN, ...], "policies": [SHA-256 of a gate, ...]}]}
 * Every gate whose paths fit must be passed: a verification summary (VSA) must say so for one of
 * its policies. Targets may demand where root does not; where root demands and targets names no
 * gate, nothing may be installed (docs/adr/0008). */
#ifndef PROTO_TRUST_EVIDENCE_H
#define PROTO_TRUST_EVIDENCE_H

#include "proto/trust/attest.h"
#include "proto/trust/director.h"

struct evidence_ref {
	char type[LIMIT_PREDICATE_TYPE];
	uint64_t length;
	struct sha256 hash; /* of the envelope's bytes */
};

struct evidence_list {
	unsigned n;
	struct evidence_ref v[LIMIT_EVIDENCE];
};

/* The evidence that a custom.match names; none when it names none. `match` may be NULL. */
int evidence_list(const json_t *match, struct evidence_list *out, struct err *e) MUST_CHECK;

struct evidence_gate {
	unsigned n; /* policies, any one of which will do */
	struct sha256 policies[LIMIT_GATE_POLICIES];
};

struct evidence_demand {
	unsigned n; /* 0: nothing is demanded */
	struct evidence_gate gates[LIMIT_GATES];
};

/* What is demanded of `path`. `root` and `targets` are those of the image repository. ERR_UNPROVEN
 * when root demands evidence and targets names no gate. */
int evidence_demand(const struct meta *root, const struct meta *targets, const char *path,
	struct evidence_demand *out, struct err *e) MUST_CHECK;

/* One envelope: signed by a role of targets' x-backstay-evidence that may attest its predicate
 * type, and about `document`. Signatures are verified before anything inside is read.
 * ERR_UNSIGNED, ERR_MIXED (another subject), ERR_BAD_INPUT. */
int evidence_read(const struct meta *targets, struct str envelope, const struct sha256 *document,
	struct statement *out, struct err *e) MUST_CHECK;
/* The same for bytes that a release names: also ERR_ALTERED, and ERR_MIXED when it is of another
 * predicate type than is named. */
int evidence_read_named(const struct meta *targets, const struct evidence_ref *ref,
	struct str envelope, const struct sha256 *document, struct statement *out,
	struct err *e) MUST_CHECK;

/* Do the summaries among `statements` say that `path` has passed every gate with the evidence that
 * it names? ERR_UNPROVEN names what is missing. */
int evidence_summed_up(const struct evidence_demand *demand, const char *path,
	const struct evidence_list *named, const struct statement *statements, unsigned n,
	struct err *e) MUST_CHECK;
/* Was the summary made from exactly this evidence: is each of its inputs named, and all that is
 * named, but summaries, among its inputs? Else a report that came afterwards would ride along. */
bool evidence_is_sum_of(const struct statement *summary, const struct evidence_list *named);
/* The policy of a summary; false for other kinds and for no digest. */
bool evidence_policy(const struct statement *s, struct sha256 *out);

/* ---- the device ---- */

/* The summaries that must be fetched before `d`, which both repositories agree on, may be acted
 * upon; none where none are demanded. A release that runs already, or that the running one
 * pre-authorised as a way back, needs none: what was signed before gates were demanded must not
 * cut a device off from its way back. ERR_UNPROVEN when they are demanded and not named,
 * ERR_TOO_LARGE. */
int evidence_wanted(const struct trusted_set *director, const struct trusted_set *image,
	const struct device_facts *dev, const struct desired *d, struct evidence_list *out,
	struct err *e) MUST_CHECK;
/* Their verdict: bytes[i] is what was fetched for wanted->v[i]. */
int evidence_agree(const struct trusted_set *director, const struct trusted_set *image,
	const struct desired *d, const struct evidence_list *wanted, const struct str *bytes,
	struct err *e) MUST_CHECK;

#endif
