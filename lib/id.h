/* Identities are plain values of distinct types: a device id is no release id. */
#ifndef LIB_ID_H
#define LIB_ID_H

#include "lib/str.h"

#define ID_TEXT_MAX 48 /* with its NUL */

struct dev_id {
	char s[ID_TEXT_MAX];
};
struct rel_id {
	char s[ID_TEXT_MAX]; /* "ocr-4": the name of a release document; its digest is what
				identifies it */
};
struct camp_id {
	char s[ID_TEXT_MAX];
};
struct txn_id {
	uint8_t b[16]; /* one update on one device */
};
struct sha256 {
	uint8_t b[32];
};

#define SHA256_TEXT 65 /* hexadecimal with its NUL */
#define TXN_TEXT    33

/* An id is 1 to 47 of [A-Za-z0-9._-] and begins with a letter or digit. ERR_BAD_INPUT otherwise;
 * `what` names it. */
int id_parse(struct str text, const char *what, char out[ID_TEXT_MAX], struct err *e) MUST_CHECK;

int sha256_parse(struct str hex, struct sha256 *out, struct err *e) MUST_CHECK;
void sha256_format(const struct sha256 *d, char out[SHA256_TEXT]);
bool sha256_eq(const struct sha256 *a, const struct sha256 *b);
bool sha256_is_zero(const struct sha256 *a);
void txn_format(const struct txn_id *t, char out[TXN_TEXT]);

#endif
