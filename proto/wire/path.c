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
