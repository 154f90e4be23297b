/* A public key in a file of its own, NAME.pub: {"keytype", "scheme", "keyval": {"public"}}, as
 * metadata lists keys. It is how the holder of a private key hands over what others have to know.
 */
#ifndef KEYS_PUBFILE_H
#define KEYS_PUBFILE_H

#include "proto/trust/sig.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"

struct pub_file {
	json_t *json; /* owned */
	char keyid[SHA256_TEXT];
	struct pub_key pub;
};

/* Strict: these members only, and a key that can be verified with. ERR_BAD_INPUT, ERR_TOO_LARGE
 * beyond LIMIT_PUB_FILE_BYTES. */
int pub_file_parse(struct str text, struct pub_file *out, struct err *e) MUST_CHECK;
void pub_file_fini(struct pub_file *f);

#endif
