/* A folder of plates and what stands on them: truth.tsv, one line per image, NAME<TAB>TEXT. */
#ifndef OCR_TRUTH_H
#define OCR_TRUTH_H

#include "lib/buf.h"
#include "manifests/examples/ocr/plate.h"

#define TRUTH_MAX 10000

struct truth_plate {
	char name[64];
	char text[PLATE_TEXT];
	struct buf image; /* the file's bytes */
};

struct truth {
	struct truth_plate *v;
	size_t n;
};

/* Reads the list and every image into memory. ERR_NOT_FOUND, ERR_BAD_INPUT with the line,
 * ERR_TOO_LARGE; a list without a line is malformed. */
int truth_load(const char *dir, struct truth *out, struct err *e) MUST_CHECK;
void truth_fini(struct truth *t);

#endif
