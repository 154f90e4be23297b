#include "proto/wire/path.h"

#include <string.h>

static int part_check(struct str part, struct err *e)
{
	if (part.n == 0)
		return err_set(e, ERR_BAD_INPUT, "a path with an empty part");
	if (str_is(part, ".") || str_is(part, ".."))
		return err_set(
			e, ERR_BAD_INPUT, "a path with a \"%.*s\" part", (int)part.n, part.p);
	for (size_t i = 0; i < part.n; i++)
		if ((unsigned char)part.p[i] < 0x20 || part.p[i] == 0x7f || part.p[i] == '\\')
			return err_set(
				e, ERR_BAD_INPUT, "a path with a backslash or control character");
	return 0;
}

int path_check(struct str path, size_t max, struct err *e)
{
	struct str part;
	unsigned depth = 0;

	if (path.n == 0)
		return err_set(e, ERR_BAD_INPUT, "an empty path");
	if (path.n > max)
		return err_set(e, ERR_BAD_INPUT, "a path of %zu bytes, at most %zu are allowed",
			path.n, max);
	if (path.p[0] == '/')
		return err_set(e, ERR_BAD_INPUT, "an absolute path");
	while (str_split(&path, '/', &part)) {
		TRY(part_check(part, e));
		if (++depth > LIMIT_TAR_DEPTH)
			return err_set(
				e, ERR_BAD_INPUT, "a path of more than %d parts", LIMIT_TAR_DEPTH);
	}
	return 0;
}

bool path_overlaps(const char *a, const char *b)
{
	size_t n = MIN(strlen(a), strlen(b));

	return strncmp(a, b, n) == 0 && (a[n] == 0 || a[n] == '/') && (b[n] == 0 || b[n] == '/');
}

static unsigned depth_above(const char *path)
{
	unsigned n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int points_out(const char *path, const char *target, struct err *e)
{
	char from[120], to[120];

	return err_set(e, ERR_DENIED, "%s points out, at %s",
		str_printable(str_of(path), from, sizeof from),
		str_printable(str_of(target), to, sizeof to));
}

int path_link_check(const char *path, const char *target, struct err *e)
{
	struct str rest = str_of(target), part;
	unsigned up = depth_above(path);
	bool down = false;

	if (target[0] == '\0' || target[0] == '/' || rest.n > LIMIT_TAR_NAME)
		return points_out(path, target, e);
	while (str_split(&rest, '/', &part)) {
		bool dots = str_is(part, "..");

		/* Behind a name there may be another link, and ".." of what that points at is
		 * anywhere: hence only at the beginning, where the folders are real. */
		if (dots && (down || up == 0))
			return points_out(path, target, e);
		up -= dots;
		down |= !dots && part.n > 0 && !str_is(part, ".");
	}
	return 0;
}

static bool is_plain(char c, bool keep_slashes)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       str_has_char("-._~", c) || (keep_slashes && c == '/');
}

void path_quote(struct str text, bool keep_slashes, struct buf *out)
{
	for (size_t i = 0; i < text.n; i++) {
		if (is_plain(text.p[i], keep_slashes))
			buf_add_char(out, text.p[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)text.p[i]);
	}
}
