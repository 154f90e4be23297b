/* What must hold for any bytes given to a parser. Vectors and fuzz targets share it. */
#ifndef TESTS_LIB_VECTOR_H
#define TESTS_LIB_VECTOR_H

#include "lib/str.h"

/* Reads `text` as a document of `kind` ("json", "release", ...), ends the process if the parser
 * breaks a promise, and hands up what it answered. ERR_USAGE when there is no such kind. */
int vector_check(const char *kind, struct str text, struct err *e) MUST_CHECK;

#endif
