/* Packing a release: folders and files become artifacts, the template becomes the release document.
 *
 * The template is a release document whose components carry "source" instead of "artifact": a
 * folder (becomes a tar) or a file (stays raw), named relative to the template, and may carry
 * "compression": "zstd" (default) or "none". The same input gives the same bytes on every machine:
 * sorted names, owner 0, time 0, modes 0755 and 0644. Compressed artifacts are made of independent
 * frames of 4 MiB of content, between which a device can go on after a cut. */
#ifndef SERVER_PACK_PACK_H
#define SERVER_PACK_PACK_H

#include "lib/id.h"
#include "proto/wire/release.h"

/* Told now and then while `component` is packed: bytes read of it so far, and in all. */
typedef void pack_progress_f(void *ctx, const char *component, uint64_t done, uint64_t total);

struct pack_spec {
	const char *template_path;
	const char *out_dir;       /* made when missing */
	int level;                 /* of zstd, 1 to 19; 0: 9 */
	pack_progress_f *progress; /* may be NULL */
	void *ctx;
};

struct pack_result {
	struct rel_id id;
	char product[ID_TEXT_MAX];
	struct sha256 document; /* digest of out_dir/ID.json */
	uint64_t artifact_bytes, content_bytes;
};

/* Writes out_dir/ID.json and out_dir/artifacts/DIGEST (artifacts that are there already stay). The
 * document is the last to appear, and has been parsed again by release_parse. Refused are links
 * that leave their folder, devices, sockets, setuid and setgid files, names that no agent would
 * accept, a trigger that nothing measures (proto/wire/mute.h): ERR_BAD_INPUT with the name; a
 * document of this id with other content: ERR_CONFLICT. */
int pack_release(const struct pack_spec *spec, struct pack_result *out, struct err *e) MUST_CHECK;

#endif
