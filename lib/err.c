#include "lib/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Here are the functions themselves, not what the header makes of a call. */
#undef err_set
#undef err_sys
#undef err_wrap
#undef err_copy

struct err_row {
	const char *name, *text;
	enum err_retry retry;
	int http, exit;
};

static const struct err_row rows[] = {
#define X(id, name, retry, http, exit, text)                                                       \
	[ERR_##id] = {name, text, ERR_RETRY_##retry, http, exit},
	ERR_TABLE(X)
#undef X
};

static const struct err_row *row(enum err_code code)
{
	return &rows[code < ERR_CODE_MAX ? code : ERR_BUG];
}

PRINTF(4, 0)
static void fill(struct err *e, enum err_code code, int sys, const char *fmt, va_list ap)
{
	e->code = code;
	e->sys = sys;
	vsnprintf(e->text, sizeof e->text, fmt, ap);
}

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (e) {
		va_start(ap, fmt);
		fill(e, code, 0, fmt, ap);
		va_end(ap);
	}
	return -(int)code;
}

int err_copy(struct err *e, const struct err *from)
{
	if (e)
		*e = *from;
	return -(int)from->code;
}

static enum err_code code_of_errno(int sys)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
		return ERR_NO_SPACE;
	case ENOENT:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case ELOOP:
	case EXDEV:
		return ERR_DENIED;
	case EBUSY:
		return ERR_BUSY;
	default:
		return ERR_IO;
	}
}

int err_sys(struct err *e, int sys, const char *fmt, ...)
{
	enum err_code code = code_of_errno(sys);
	const char *why = strerrordesc_np(sys);
	va_list ap;
	size_t n;

	if (e) {
		va_start(ap, fmt);
		fill(e, code, sys, fmt, ap);
		va_end(ap);
		n = strlen(e->text);
		snprintf(e->text + n, sizeof e->text - n, ": %s", why ? why : "unknown error");
	}
	return -(int)code;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char old[sizeof e->text];
	va_list ap;
	size_t n;

	if (!e)
		return -(int)ERR_BUG;
	memcpy(old, e->text, sizeof old);
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof e->text - n, ": %.*s", (int)(sizeof old - 1), old);
	return -(int)e->code;
}

const char *err_name(enum err_code code)
{
	return row(code)->name;
}

const char *err_text(enum err_code code)
{
	return row(code)->text;
}

enum err_retry err_retry(enum err_code code)
{
	return row(code)->retry;
}

int err_http(enum err_code code)
{
	return row(code)->http;
}

int err_exit(enum err_code code)
{
	return row(code)->exit;
}

enum err_code err_by_name(const char *name)
{
	enum err_code c = ERR_OK;

	while (c < ERR_CODE_MAX && strcmp(rows[c].name, name) != 0)
		c++;
	return c;
}

enum err_code err_by_http(int status)
{
	if (status < 400)
		return ERR_OK;
	if (status == 401 || status == 403)
		return ERR_DENIED;
	if (status == 409)
		return ERR_CONFLICT;
	for (enum err_code c = ERR_BAD_INPUT; c < ERR_CODE_MAX; c++)
		if (rows[c].http == status)
			return c;
	return status >= 500 ? ERR_NET : ERR_BAD_INPUT;
}
