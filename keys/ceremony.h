/* The first keys and files of a fleet's two repositories. */
#ifndef KEYS_CEREMONY_H
#define KEYS_CEREMONY_H

#include "keys/keystore.h"

/* Makes, beneath the folder `dir` (made when missing):
 *   offline/  image-root-1..3, image-targets-1..3, engineering-1, safety-1, compliance-1,
 *             director-root-1..3
 *   online/   image-snapshot, image-timestamp, director-targets, director-snapshot,
 *             director-timestamp, director-time, director-audit
 *   creator/  creator-1, with which whoever packs releases asks for approval
 *   evidence/ builder, lab, counsel, verifier (keys/witnesses.h)
 *   (devices/ is made beside them by device_ca_create)
 *   repo/image/     1.root.json, 1.targets.json, 1.engineering.json, 1.safety.json,
 *                   1.compliance.json
 *   repo/director/  1.root.json
 * Roots and top-level targets need two of three keys and expire in a year; an approver's file needs
 * one and expires in half a year. Snapshots, timestamps and the director's files are made by the
 * server, which gets online/ and repo/ and never offline/.
 *
 * ERR_CONFLICT when any of it exists: nothing is ever replaced. What was made before a failure
 * stays, and has to be removed by hand. */
int ceremony_init(const char *dir, int64_t now_s, struct err *e) MUST_CHECK;

/* The same for a fleet in which every release must pass these gates (digests of their files): the
 * image repository's root demands evidence, its top-level targets name the gates. */
int ceremony_init_gated(const char *dir, const struct sha256 *gates, unsigned n_gates,
	int64_t now_s, struct err *e) MUST_CHECK;

#endif
