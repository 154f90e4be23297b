/* A PKCS#11 token of software (SoftHSM) in the current folder. */
#ifndef TESTS_LIB_SOFTTOKEN_H
#define TESTS_LIB_SOFTTOKEN_H

#include "keys/sign.h"

#define SOFTTOKEN_MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define SOFTTOKEN_PIN    "1234-five"

/* Makes the folder NAME, its configuration, which this process and its children use from now on,
 * and in it a token of that name. May be called again for another token in the same folder. Fails
 * the test. */
void softtoken_make(const char *name);
/* Brings a private key into the token under a label. */
void softtoken_import(const char *token, const char *label, const struct sign_key *key);
/* The URI of a key, without newline; its PIN is expected in the file "pin". */
void softtoken_uri(const char *token, const char *label, char out[256]);

/* Writes a file with a mode. */
void softtoken_write(const char *path, const char *text, unsigned mode);

#endif
