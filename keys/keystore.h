/* A set of private keys, loaded from folders of files named after what they sign:
 * "image-root-1.pem" holds a key of the role "image-root", "image-root-2.p11" says in which PKCS#11
 * token another one is (keys/token_uri.h). */
#ifndef KEYS_KEYSTORE_H
#define KEYS_KEYSTORE_H

#include "keys/sign.h"
#include "proto/wire/limits.h"

struct keystore;

struct keystore *keystore_new(void);
void keystore_free(struct keystore **ks);

/* Adds every *.pem and *.p11 of a folder (not of folders in it); a key that is there already counts
 * once. A PIN's file is named beside the .p11 or absolutely. ERR_DENIED when anybody but the owner
 * may read or change one of these files, ERR_NOT_FOUND when the folder holds no key; what a token
 * refuses as sign_key_token says. */
int keystore_load(struct keystore *ks, const char *dir, struct err *e) MUST_CHECK;

/* Makes a key and writes DIR/NAME.pem, mode 0600, durable on return; adds it, too. ERR_CONFLICT
 * when the file exists: a private key is never replaced. */
int keystore_create(struct keystore *ks, const char *dir, const char *name, enum sig_scheme scheme,
	struct err *e) MUST_CHECK;

/* Writes DIR/NAME.pub (keys/pubfile.h) for every key of the store that has none there yet; durable
 * on return. */
int keystore_put_public(const struct keystore *ks, const char *dir, struct err *e) MUST_CHECK;

/* The keys of a role, in order of their names, borrowed from the store; returns how many. */
unsigned keystore_find(
	const struct keystore *ks, const char *role, const struct sign_key *out[LIMIT_KEYS]);

/* All keys, in order of their names. */
unsigned keystore_count(const struct keystore *ks);
const struct sign_key *keystore_at(const struct keystore *ks, unsigned i);
/* The key of a name, or NULL; borrowed. */
const struct sign_key *keystore_get(const struct keystore *ks, const char *name);

#endif
