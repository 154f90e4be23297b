/* Where a key in a PKCS#11 token is: one line of RFC 7512, the whole of a file NAME.p11:
 *
 *   pkcs11:token=safety;object=safety-1?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=pin
 *
 * Path: token, serial, manufacturer, model (which token), object, id (which key, by its label or
 * its CKA_ID), type (private or nothing). Query: module-path, pin-source. Values are
 * percent-encoded; only an id may hold a NUL byte. Nothing else may be there, and nothing twice. A
 * PIN never is: pin-value is refused, pin-source names the file that holds it. */
#ifndef KEYS_TOKEN_URI_H
#define KEYS_TOKEN_URI_H

#include "lib/str.h"
#include "proto/wire/limits.h"

struct p11_kit_uri;

struct token_uri {
	struct p11_kit_uri *uri; /* which token and key; owned */
	const char *module;      /* the absolute path of a library; in uri */
	const char *pin;         /* a file's path, or its name beside the .p11; in uri */
};

/* ERR_TOO_LARGE beyond LIMIT_KEY_URI_BYTES, ERR_BAD_INPUT on anything but the above. One newline at
 * the end is allowed. Loads nothing and opens nothing. */
int token_uri_parse(struct str text, struct token_uri *out, struct err *e) MUST_CHECK;
void token_uri_fini(struct token_uri *u);

#endif
