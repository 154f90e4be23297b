/* Bytes of artifacts, as files named by their digest: FOLDER/aa/aabb... (aa: the first two digits).
 */
#ifndef SERVER_RUN_ARTIFACT_H
#define SERVER_RUN_ARTIFACT_H

#include "lib/buf.h"
#include "lib/id.h"

/* Where it is, or would be. ERR_TOO_LARGE. */
int artifact_path(const char *folder, const struct sha256 *digest, char *out, size_t cap,
	struct err *e) MUST_CHECK;

/* Takes over `file`, which must be on the same file system, when its bytes have this digest:
 * synced, moved into place, durable on return. ERR_ALTERED otherwise. One that is there already is
 * kept, and `file` is left alone. */
int artifact_put(const char *folder, const struct sha256 *digest, const char *file,
	struct err *e) MUST_CHECK;

/* Appends its bytes, which nobody has checked. ERR_NOT_FOUND; ERR_TOO_LARGE beyond `max`. */
int artifact_read(const char *folder, const struct sha256 *digest, size_t max, struct buf *out,
	struct err *e) MUST_CHECK;

/* ERR_NOT_FOUND; ERR_ALTERED when it is not `length` long. */
int artifact_check(
	const char *folder, const struct sha256 *digest, uint64_t length, struct err *e) MUST_CHECK;

#endif
