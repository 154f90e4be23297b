/* A document with one thing changed: how tables of bad input are written. */
#ifndef TESTS_LIB_PATCH_H
#define TESTS_LIB_PATCH_H

#include "proto/wire/json.h"

/* Writes `base` to *out (cleared before) with the member at `path` ("components.0.path") set to the
 * JSON `value`; NULL takes it away. The path must exist but for its last step; "" is the whole
 * document. */
void patch_write(const json_t *base, const char *path, const char *value, struct buf *out);

#endif
