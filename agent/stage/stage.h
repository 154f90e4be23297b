/* Brings a release into a slot: for each component take over, or pull source -> digest -> zstd ->
 * digest -> tar or raw -> slot. Bytes are never buffered whole. Blocking; called from a job thread.
 */
#ifndef AGENT_STAGE_STAGE_H
#define AGENT_STAGE_STAGE_H

#include "agent/net/http.h"
#include "agent/slot/slot.h"

/* Where artifacts come from; "http" (SERVER/artifacts/DIGEST) and "dir" (a folder with files named
 * by digest: USB, tests). */
struct stage_source {
	const char *kind;
	/* `self` is the source's own; reads are sequential. */
	int (*open)(
		void *self, const struct artifact *a, void **out_stream, struct err *) MUST_CHECK;
	int (*read)(void *stream, void *p, size_t n, size_t *out_n, struct err *) MUST_CHECK;
	void (*close)(void *stream);
	void *self;
};

struct stage_http {
	const struct http_conf *http;
	const char *server;
	const atomic_bool *cancel;
};
/* `self` must outlive the source. */
struct stage_source stage_source_http(struct stage_http *self);
struct stage_source stage_source_dir(struct fs *fs);

struct stage_in {
	struct slots *slots;
	unsigned slot; /* to write: neither running nor active */
	unsigned from; /* valid slot to take unchanged components from, or SLOT_NONE */
	const struct release *release;
	struct sha256 document;
	struct stage_source source;
	const atomic_bool *cancel;
	_Atomic uint64_t *done; /* artifact bytes dealt with so far, for progress; may be NULL */
};

/* Before the first byte: sizes against bounds and free room. Then invalidate, components, seal. A
 * component that an earlier run completed is not fetched again. If the slot is VALID with this very
 * document and content already, only seal's read-back is done. *out_content is what seal returned.
 * Retry class of the error says whether trying again can help. */
int stage_run(const struct stage_in *in, struct sha256 *out_content, struct err *e) MUST_CHECK;

#endif
