/* Brings a release into a slot: for each component take over, or pull source -> digest -> zstd ->
 * digest -> tar or raw -> slot. Bytes are never buffered whole. Blocking; called from a job thread.
 */
#ifndef AGENT_STAGE_STAGE_H
#define AGENT_STAGE_STAGE_H

#include "agent/net/http.h"
#include "agent/slot/slot.h"

/* Where an artifact's entries go, one after the other: what slot.h says of put_dir, put_file,
 * put_link and put_data holds for each. Of a raw artifact only data come. */
struct stage_sink {
	int (*dir)(void *self, const char *path, struct err *) MUST_CHECK;
	int (*file)(void *self, const char *path, bool executable, uint64_t size,
		struct err *) MUST_CHECK;
	int (*link)(void *self, const char *path, const char *target, struct err *) MUST_CHECK;
	int (*data)(void *self, const void *p, size_t n, struct err *) MUST_CHECK;
	/* Everything up to the last byte of data can be gone on from here. NULL: no matter. */
	int (*foothold)(void *self, const struct foothold *at, struct err *) MUST_CHECK;
	void *self;
};

struct stage_pull;

/* Where artifacts come from; "http" (SERVER/artifacts/DIGEST) and "dir" (a folder with files named
 * by digest: USB, tests). */
struct stage_source {
	const char *kind;
	/* `self` is the source's own; reads are sequential, from byte `from` on. */
	int (*open)(void *self, const struct artifact *a, uint64_t from, void **out_stream,
		struct err *) MUST_CHECK;
	/* *out_n == 0 only at the end. */
	int (*read)(void *stream, void *p, size_t n, size_t *out_n, struct err *) MUST_CHECK;
	/* Makes a read that waits in another thread end soon. NULL where none waits. */
	void (*stop)(void *stream);
	void (*close)(void *stream);
	/* Instead of all these: brings the artifact, checks it and gives its entries to p->sink,
	 * somewhere else. NULL: it is read, checked and unpacked here. */
	int (*unpack)(void *self, const struct stage_pull *p, struct err *) MUST_CHECK;
	void *self;
};

/* One artifact on its way. */
struct stage_pull {
	const struct artifact *artifact;
	struct stage_source source;
	struct stage_sink sink;
	struct slot_part part;     /* what the sink has already; all zero: nothing */
	const atomic_bool *cancel; /* may be NULL */
	_Atomic uint64_t *done;    /* artifact bytes dealt with so far; may be NULL */
	bool overlap; /* fetch and decompress in a second thread; false: one thread, one order */
	uint64_t foothold_every; /* bytes of the artifact between two footholds; 0: 1 MiB */
};

/* source -> digest -> zstd -> digest -> tar or raw -> sink. Everything that p->artifact states but
 * its tree was found right when it returns 0, or, when it went on from a foothold, everything but
 * its tree and digests: then the tree alone says whether the parts are the whole. ERR_ALTERED,
 * ERR_BAD_INPUT, ERR_DENIED, ERR_TOO_LARGE, ERR_CANCELLED, and what source and sink say. */
int stage_unpack(const struct stage_pull *p, struct err *e) MUST_CHECK;

struct stage_http {
	const struct http_conf *http;
	const char *server;
	const atomic_bool *cancel;
};
/* `self` must outlive the source. */
struct stage_source stage_source_http(struct stage_http *self);
struct stage_source stage_source_dir(struct fs *fs);
/* A folder that was carried here, with artifacts/DIGEST. ERR_NOT_FOUND when it does not have one;
 * ERR_ALTERED before the first byte is given when it is another. */
struct stage_source stage_source_folder(struct fs *fs);

struct stage_in {
	struct slots *slots;
	unsigned slot; /* to write: neither running nor active */
	unsigned from; /* valid slot to take unchanged components from, or SLOT_NONE */
	const struct release *release;
	struct sha256 document;
	struct stage_source source;
	const atomic_bool *cancel; /* may be NULL */
	_Atomic uint64_t *done;    /* artifact bytes dealt with so far, for progress; may be NULL */
	bool overlap; /* fetch and decompress in a second thread; false: one thread, one order */
	uint64_t foothold_every; /* bytes of the artifact between two footholds; 0: 1 MiB */
};

/* Before the first byte, and before anything on disk changes: lengths and free room. Then
 * invalidate, components, seal. A component that an earlier run completed, or that `from` holds, is
 * not fetched; one that it began is gone on with from where the slot has noted it, wherever the
 * rest comes from now. If the slot is VALID with this very document and content already, only
 * seal's read-back is done. *out_content is what seal returned.
 *
 * ERR_NO_SPACE; ERR_ALTERED when bytes, lengths or trees are not the signed ones; ERR_BAD_INPUT,
 * ERR_DENIED, ERR_TOO_LARGE for an archive that no device takes; ERR_CANCELLED; what the source and
 * the slot say. Retry class of the error says whether trying again can help. No other slot is ever
 * touched. */
int stage_run(const struct stage_in *in, struct sha256 *out_content, struct err *e) MUST_CHECK;

#endif
