/* The kinds of evidence that are understood. Gates name them by their short name; two rows may share one (an SBOM may
 * be SPDX or CycloneDX).
 *  id, short name, predicateType, may a version follow ("/v2.3"), where it says when it was made, what it is */
#define PREDICATE_TABLE(X)                                                                                          \
	X(PROVENANCE, "provenance", "https://slsa.dev/provenance/v1", false, "runDetails.metadata.finishedOn",      \
		"who built it, from what, and how (SLSA provenance v1)")                                            \
	X(TEST_RESULT, "test-result", "https://in-toto.io/attestation/test-result/v0.1", false, "finishedOn",       \
		"what a test bench or a simulation found (in-toto test result v0.1)")                               \
	X(DATASET_CARD, "dataset-card", "urn:backstay:dataset-card:v1", false, "createdOn",                         \
		"which data a model was trained and judged with")                                                   \
	X(MODEL_CARD, "model-card", "urn:backstay:model-card:v1", false, "createdOn",                               \
		"what a model is for, and how well it does it")                                                     \
	X(LICENCES, "licence-matrix", "urn:backstay:licence-matrix:v1", false, "createdOn",                         \
		"the licence of every part, and whether it was accepted")                                           \
	X(SBOM_SPDX, "sbom", "https://spdx.dev/Document", true, "creationInfo.created",                             \
		"what it is made of (SPDX)")                                                                        \
	X(SBOM_CYCLONEDX, "sbom", "https://cyclonedx.org/bom", true, "metadata.timestamp",                          \
		"what it is made of (CycloneDX)")                                                                   \
	X(CONSENT, "consent", "urn:backstay:consent:v1", false, "createdOn",                                        \
		"who agreed to the use of data or to the change itself")                                            \
	X(UPDATE, "update-record", "urn:backstay:update-record:v1", false, "createdOn",                             \
		"what an update is for, which systems it touches, and what that means for their approval")          \
	X(VSA, "vsa", "https://slsa.dev/verification_summary/v1", false, "timeVerified",                            \
		"that a gate was passed (SLSA verification summary v1)")
