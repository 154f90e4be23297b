/* A release: immutable, content-addressed, signed as a TUF target. It names its components and how
 * to accept them. The document is JSON (manifests/schema/release.md); hardware ids, release counter
 * and rollbackTo stand in the target's custom.match (proto/trust/director.h), because both
 * repositories must agree on them. */
#ifndef PROTO_WIRE_RELEASE_H
#define PROTO_WIRE_RELEASE_H

#include "lib/id.h"
#include "proto/wire/fsimage.h"
#include "proto/wire/path.h"
#include "proto/wire/precond.h"
#include "proto/wire/shadow.h"
#include "proto/wire/trigger.h"

enum component_kind {
	COMPONENT_MODEL,
	COMPONENT_CODE,
	COMPONENT_CONFIG,
	COMPONENT_IMAGE,
	COMPONENT_KIND_MAX
};
enum compression { COMPRESSION_NONE, COMPRESSION_ZSTD, COMPRESSION_MAX };
enum archive_form { ARCHIVE_RAW, ARCHIVE_TAR, ARCHIVE_FORM_MAX };

struct artifact {
	struct sha256 digest; /* of the bytes that cross the network: also its name there */
	uint64_t length;
	enum compression compression;
	enum archive_form archive;
	struct sha256 content_digest; /* after decompression */
	uint64_t content_length;
	struct sha256 tree; /* of what it becomes on disk: see proto/wire/tree.h */
};

struct component {
	char name[ID_TEXT_MAX];
	enum component_kind kind;
	enum fsimage filesystem;      /* of an image; FSIMAGE_NONE: not stated */
	char path[LIMIT_TARGET_NAME]; /* in the slot: a folder for a tar, a file for raw */
	struct artifact artifact;
};

enum activation { ACTIVATE_RESTART, ACTIVATE_RELOAD, ACTIVATE_MAX };

/* How the new version gets its place: at once, or after it has been compared with the old one. */
enum strategy { STRATEGY_SWAP, STRATEGY_SHADOW, STRATEGY_MAX };

enum smoke_kind { SMOKE_EXEC, SMOKE_HTTP, SMOKE_KIND_MAX };

/* Runs with the slot as working directory and BACKSTAY_SLOT_DIR, and for HTTP BACKSTAY_PORT, in the
 * environment. EXEC passes when the command exits with 0. HTTP starts the command as a private
 * instance, asks `path` until it answers or the time is over, and passes when status and (if given)
 * a piece of the body are as expected. */
struct smoke_test {
	char name[ID_TEXT_MAX];
	enum smoke_kind kind;
	unsigned argc;
	char argv[LIMIT_ARGV][LIMIT_ARG_BYTES];
	ms_t timeout;
	uint64_t max_memory;          /* bytes, 0: the device's default */
	char path[LIMIT_TARGET_NAME]; /* HTTP */
	uint32_t expect_status;       /* HTTP */
	char expect_body[LIMIT_TEXT]; /* HTTP: must occur in the body; "" : anything */
};

struct release {
	struct rel_id id;
	char product[ID_TEXT_MAX];
	char version[ID_TEXT_MAX];
	char notes[LIMIT_TEXT];
	unsigned n_components;
	struct component components[LIMIT_COMPONENTS];
	enum activation activation;
	ms_t start_timeout;
	ms_t soak;
	ms_t baseline_wait; /* how long to wait for the old version's baseline before the swap; 0:
			       do not wait */
	unsigned n_smoke;
	struct smoke_test smoke[LIMIT_SMOKE_TESTS];
	unsigned n_triggers;
	struct trig_rule triggers[LIMIT_TRIGGERS];
	unsigned n_preconditions;
	struct precond_rule preconditions[LIMIT_PRECONDITIONS];
	enum strategy strategy;
	struct shadow_rule shadow; /* STRATEGY_SHADOW */
	ms_t precondition_wait;    /* given up when they are waited for so long; 0: never */
};

/* Parses and checks the whole document: bounds, known members only, component paths relative and
 * without "..", no two components whose paths are equal or inside each other. *out is a value
 * without pointers (about 40 KiB: keep it off small stacks). ERR_BAD_INPUT or ERR_TOO_LARGE with
 * the place. */
int release_parse(struct str text, struct release *out, struct err *e) MUST_CHECK;

/* Bytes that all components take on disk, and that must cross the network. */
uint64_t release_content_bytes(const struct release *r);
uint64_t release_artifact_bytes(const struct release *r);

const char *component_kind_name(enum component_kind k);
const char *activation_name(enum activation a);

#endif
