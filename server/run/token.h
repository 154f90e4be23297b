/* Secrets that are handed out once: "NAME~" and 256 random bits in hexadecimal. The name in front
 * says whose row to look at, so that the secret itself is compared with one digest only, in
 * constant time, and never searched for. */
#ifndef SERVER_RUN_TOKEN_H
#define SERVER_RUN_TOKEN_H

#include "lib/id.h"

#define TOKEN_TEXT (ID_TEXT_MAX + 66) /* with its NUL */

/* A fresh one, and the digest that the store keeps. */
void token_new(const char *name, char out[TOKEN_TEXT], struct sha256 *out_digest);

/* Whose token it says it is; `otherwise` when it names nobody. ERR_DENIED when it is no token. */
int token_name(
	struct str token, const char *otherwise, char out[ID_TEXT_MAX], struct err *e) MUST_CHECK;

void token_digest(struct str token, struct sha256 *out);
/* Takes the same time whether they differ or not. */
bool token_is(struct str token, const struct sha256 *digest);

#endif
