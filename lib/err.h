/* Errors are values with a class. A function that can fail returns 0 or the negative of an err_code
 * and fills the struct err its caller owns; outputs are untouched on failure. Library code never
 * logs. */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include "lib/err.tbl.h"
#include "lib/util.h"

enum err_retry { ERR_RETRY_NEVER, ERR_RETRY_SOON, ERR_RETRY_LATER, ERR_RETRY_OPERATOR };

enum err_code {
#define X(id, ...) ERR_##id,
	ERR_TABLE(X)
#undef X
		ERR_CODE_MAX
};

/* Owned by the caller, usually on its stack; never allocates. `text` is one line; layers add
 * prefixes on the way up: "stage models: chunk 7: HTTP 403". */
struct err {
	enum err_code code;
	int sys; /* errno of the system call that failed, or 0 */
	char text[320];
};

/* Fills *e (which may be NULL) and returns -code. `code` must not be ERR_OK. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) PRINTF(3, 4);

/* The same for a failed system call: `sys` is its errno, whose text is appended. ENOSPC and EDQUOT
 * become ERR_NO_SPACE, ENOENT ERR_NOT_FOUND, EACCES, EPERM and ELOOP ERR_DENIED, the rest ERR_IO.
 */
int err_sys(struct err *e, int sys, const char *fmt, ...) PRINTF(3, 4);

/* Puts "prefix: " before the text and returns -e->code, so that it can end a return statement. */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF(2, 3);

/* Hands up a failure that was kept in another struct: copies it and returns its negative code. */
int err_copy(struct err *e, const struct err *from);

/* Says in the header, where every compiler and analyzer looks, that the four above never return 0:
 * so they know that what a call fills is filled when it did not fail. A failure whose code is
 * ERR_OK is a mistake of the caller, and returned as -ERR_BUG. */
static inline int err_negative(int rc)
{
	return rc < 0 ? rc : -(int)ERR_BUG;
}
#define err_set(...)  err_negative(err_set(__VA_ARGS__))
#define err_sys(...)  err_negative(err_sys(__VA_ARGS__))
#define err_wrap(...) err_negative(err_wrap(__VA_ARGS__))
#define err_copy(...) err_negative(err_copy(__VA_ARGS__))

/* Facts of the table. `code` may come from outside: an unknown one is answered as ERR_BUG. */
const char *err_name(enum err_code code);
const char *err_text(enum err_code code);
enum err_retry err_retry(enum err_code code);
int err_http(enum err_code code);
int err_exit(enum err_code code);

/* The code named `name`, or ERR_CODE_MAX. */
enum err_code err_by_name(const char *name);

/* The code whose row has this HTTP status as its first, but what a status alone can mean for 401,
 * 403 (ERR_DENIED) and 409 (ERR_CONFLICT); ERR_NET for any other status of 500 or more,
 * ERR_BAD_INPUT for any other of 400 or more, ERR_OK below. */
enum err_code err_by_http(int status);

#endif
