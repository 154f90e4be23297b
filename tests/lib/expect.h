/* What every test program says about results: an error shows its text when it was not wanted. */
#ifndef TESTS_LIB_EXPECT_H
#define TESTS_LIB_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/buf.h"

/* Did the call succeed? */
#define expect_ok(call, e) expect_ok_at((call), (e), __FILE__, __LINE__)
void expect_ok_at(int rc, const struct err *e, const char *file, int line);

/* Did it fail with this code, and does the text hold `piece` (NULL: any)? `what` names the case. */
#define expect_err(call, e, code, piece, what)                                                     \
	expect_err_at((call), (e), (code), (piece), (what), __FILE__, __LINE__)
void expect_err_at(int rc, const struct err *e, enum err_code code, const char *piece,
	const char *what, const char *file, int line);

/* Texts are equal, or both are shown. */
#define expect_text(got, want) expect_text_at((got), (want), __FILE__, __LINE__)
void expect_text_at(const char *got, const char *want, const char *file, int line);

/* Campaigns over every place try only each nth of them: BACKSTAY_EVERY, 1 when it is not set. For
 * builds that watch memory, and are several times as slow. */
unsigned campaign_every(void);

/* A file of the source tree, named from its root. */
void source_path(const char *name, char *out, size_t cap);
void source_read(const char *name, struct buf *out);

#endif
