/* An image that came from somewhere: PNG or PNM, and not larger than a plate may be. */
#ifndef OCR_IMAGE_H
#define OCR_IMAGE_H

#include <leptonica/allheaders.h>

#include "lib/buf.h"

#define IMAGE_BYTES_MAX (1024 * 1024)
#define IMAGE_SIDE_MIN  16
#define IMAGE_SIDE_MAX  4096
#define IMAGE_AREA_MAX  (4 * 1024 * 1024)

/* Size is checked in the header, before anything is unpacked. ERR_BAD_INPUT, ERR_TOO_LARGE. The
 * caller destroys *out. */
int image_decode(const uint8_t *p, size_t n, PIX **out, struct err *e) MUST_CHECK;

/* Appends a file of at most IMAGE_BYTES_MAX. */
int image_load(const char *path, struct buf *out, struct err *e) MUST_CHECK;

#endif
