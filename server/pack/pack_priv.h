/* How one source becomes one artifact: scanned into a tree, written through a sink. */
#ifndef SERVER_PACK_PACK_PRIV_H
#define SERVER_PACK_PACK_PRIV_H

#include "lib/sys/fs.h"
#include "proto/trust/digest.h"
#include "proto/wire/tree.h"
#include "server/pack/pack.h"

#define PACK_BLOCK (128U * 1024) /* bytes read at once */

/* ---- source: what is to be packed ---- */

struct pack_source {
	struct fs fs;           /* the folder, or the folder of the one file */
	char file[FS_PATH_MAX]; /* the one file; "" for a folder */
	bool executable;        /* of the one file */
	struct tree tree;       /* of a folder, sorted; digests come while it is packed */
	uint64_t bytes;         /* of all files */
};

/* Follows links to the source itself, and none below it. */
int pack_source_open(const char *path, struct pack_source *out, struct err *e) MUST_CHECK;
void pack_source_close(struct pack_source *s);

/* ---- sink: digest, zstd, digest, file ---- */

struct pack_sink;

/* The artifact grows in out's folder artifacts/ under a name of its own. level 0: not compressed.
 */
int pack_sink_open(struct fs *out, int level, struct pack_sink **s, struct err *e) MUST_CHECK;
int pack_sink_add(struct pack_sink *s, const void *p, size_t n, struct err *e) MUST_CHECK;
/* Durable under artifacts/DIGEST on return. Fills digest and length of artifact and content. */
int pack_sink_commit(struct pack_sink *s, struct artifact *out, struct err *e) MUST_CHECK;
/* Removes what was not committed; harmless afterwards. */
void pack_sink_close(struct pack_sink **s);

/* ---- the two ways to fill a sink ---- */

struct packing {
	const struct pack_spec *spec;
	struct fs *out; /* out_dir */
	const char *component;
	enum fsimage filesystem; /* that it says it is */
	uint64_t done, total;
};

/* Both fill everything of *out but the compression. */
int pack_tar(struct packing *p, struct pack_source *s, struct pack_sink *to, struct artifact *out,
	struct err *e) MUST_CHECK;
int pack_raw(struct packing *p, struct pack_source *s, struct pack_sink *to, struct artifact *out,
	struct err *e) MUST_CHECK;

#endif
