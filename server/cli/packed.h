/* The folder that `release create` makes, and what the commands about it share.
 *
 *   DIR/ID.json      the release document
 *   DIR/artifacts/   what its components are made from
 *   DIR/evidence/    what is said of it (packed_evidence.h)
 *   DIR/approval/    what travels between creator and approvers: request.json, and N.ROLE.json of
 *                    the image repository, the approved ones among them
 */
#ifndef SERVER_CLI_PACKED_H
#define SERVER_CLI_PACKED_H

#include "keys/release_sign.h"
#include "proto/wire/release.h"
#include "server/cli/cli.h"

double packed_mib(uint64_t bytes);

/* The path of the one document in a folder; ERR_BAD_INPUT when there is not exactly one. */
int packed_document(const char *dir, char out[512], struct err *e) MUST_CHECK;
/* Its bytes, and parsed; *out is the caller's to free. */
int packed_load(const char *path, struct buf *text, struct release **out, struct err *e) MUST_CHECK;

/* As packed_load, at an author's desk: refused with ERR_BAD_INPUT when nothing could ever measure
 * one of its triggers; others that cannot speak are warned of on stderr (proto/wire/mute.h). */
int packed_vet(const char *path, struct buf *text, struct release **out, struct err *e) MUST_CHECK;

/* The copy of the image repository that the options name; maybe in `buf`. */
const char *packed_repo(const struct cli *c, char buf[512]);
/* Loads the key files of --keys: they lie in the folder itself, or, when `keys init` made it, in
 * the folder `part` of it. */
int packed_keys(
	struct keystore *ks, const struct cli *c, const char *part, struct err *e) MUST_CHECK;
/* Appends the newest N.ROLE.json of a folder. */
int packed_newest(const char *dir, const char *role, struct buf *out, struct err *e) MUST_CHECK;

/* --hardware, --counter, --rollback-to. */
int packed_terms(const struct cli *c, struct release_terms *out, struct err *e) MUST_CHECK;

/* For people: components, tests, triggers. */
void packed_print(const struct release *r);

#endif
