/* What the files of this directory know of metadata beyond meta.h. */
#ifndef PROTO_TRUST_META_PRIV_H
#define PROTO_TRUST_META_PRIV_H

#include "proto/trust/meta.h"

#define META_VERSION_MAX ((1ULL << 53) - 1)

/* Who may sign for one role: everything borrowed from the delegating file. */
struct signers {
	const json_t *keys;   /* key id to key, of the whole delegating file */
	const json_t *keyids; /* of this role */
	uint64_t threshold;
};

/* Reads and checks one role object ("keyids", "threshold") beside its file's keys. */
int signers_read(const json_t *keys, const json_t *role, const char *where, struct signers *out,
	struct err *e) MUST_CHECK;
/* The role of that name in root's "roles" or in targets' "delegations", or NULL. */
const json_t *role_find(const struct meta *delegator, const char *name);
/* ERR_UNSIGNED when there is no such role. */
int signers_find(const struct meta *delegator, const char *role, struct signers *out,
	struct err *e) MUST_CHECK;
bool signers_has(const struct signers *s, const char *keyid);
/* False when the id names no key, or one that does not parse. */
bool signers_key(const struct signers *s, const char *keyid, struct pub_key *out);
/* Have enough of them signed `m` (its doc's "signatures", over its signed_bytes)? ERR_UNSIGNED. */
int signers_check(
	const struct signers *s, const struct meta *m, const char *role, struct err *e) MUST_CHECK;

/* "signatures" of a whole file: a bounded list of key id and text, no key id twice. */
int signatures_check(const json_t *doc, const char *name, struct err *e) MUST_CHECK;

/* What each kind of role must look like below "signed" (meta_form.c). */
int meta_form_check(const struct meta *m, struct err *e) MUST_CHECK;
/* The keys of a root or of delegations: each an object, whatever it holds. */
int keys_check(
	const json_t *o, const char *where, const json_t **out_keys, struct err *e) MUST_CHECK;

/* The delegations of a targets file, if it has any (meta_delegation.c). */
int delegations_check(const json_t *signed_part, struct err *e) MUST_CHECK;
/* One delegation, in the order in which they are asked; NULL behind the last. */
const json_t *delegation_at(const struct meta *delegator, size_t i);
const char *delegation_name(const json_t *role);
/* Does the search end with this role and those below it? */
bool delegation_is_terminating(const json_t *role);
/* By "paths" or "path_hash_prefixes"; false for NULL. */
bool delegation_covers(const json_t *role, const char *path);

/* One pin object: {"version", "length"?, "hashes"?}. */
int pin_read(const json_t *o, const char *where, struct meta_pin *out, struct err *e) MUST_CHECK;
/* One entry of "targets" without its name: length, and hashes of which perhaps none is known. */
int file_read(const json_t *o, const char *where, struct meta_pin *out, struct err *e) MUST_CHECK;
/* Does any of the patterns match, where '*' and '?' do not match '/'? */
bool paths_match(const json_t *patterns, const char *path);

#endif
