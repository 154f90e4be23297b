/* The difference between two versions of a metadata file, for people who are to sign the second. */
#ifndef KEYS_REVIEW_H
#define KEYS_REVIEW_H

#include "proto/wire/json.h"

/* Appends a line for every key that a role gains or loses, every threshold and target that changes,
 * and the name of every other member that does. `before` and `after` are "signed" parts. */
void review_format(const json_t *before, const json_t *after, struct buf *out);

#endif
