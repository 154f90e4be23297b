#include "proto/wire/routes.h"

#include <string.h>

#define ROUTE_SEGMENT_MAX 256

struct route_row {
	const char *method, *path, *text;
	enum route_caller caller;
	uint64_t body_limit;
};

static const struct route_row rows[] = {
#define X(id, method, path, caller, limit, text)                                                   \
	[ROUTE_##id] = {#method, path, text, CALLER_##caller, limit},
	ROUTE_TABLE(X)
#undef X
};

static bool is_name(struct str segment)
{
	return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

/* Compares segment by segment; a {name} takes any non-empty one. */
static bool path_fits(const char *pattern, struct str path, struct str args[ROUTE_ARGS_MAX])
{
	struct str want = str_of(pattern), w, have;
	unsigned n = 0;

	while (str_split(&want, '/', &w)) {
		if (!str_split(&path, '/', &have))
			return false;
		if (!is_name(w)) {
			if (!str_eq(w, have))
				return false;
			continue;
		}
		if (have.n == 0 || have.n > ROUTE_SEGMENT_MAX || n == ROUTE_ARGS_MAX)
			return false;
		args[n++] = have;
	}
	return path.p == NULL;
}

enum route route_match(const char *method, struct str path, struct str args[ROUTE_ARGS_MAX],
	bool *out_other_method)
{
	struct str found[ROUTE_ARGS_MAX];

	*out_other_method = false;
	for (enum route r = 0; r < ROUTE_MAX; r++) {
		memset(found, 0, sizeof found);
		if (!path_fits(rows[r].path, path, found))
			continue;
		if (strcmp(method, rows[r].method) == 0) {
			memcpy(args, found, sizeof found);
			return r;
		}
		*out_other_method = true;
	}
	return ROUTE_MAX;
}

const char *route_method(enum route r)
{
	return rows[r].method;
}

const char *route_path(enum route r)
{
	return rows[r].path;
}

const char *route_text(enum route r)
{
	return rows[r].text;
}

enum route_caller route_caller(enum route r)
{
	return rows[r].caller;
}

uint64_t route_body_limit(enum route r)
{
	return rows[r].body_limit;
}

int route_format(enum route r, const char *const *args, char *out, size_t cap, struct err *e)
{
	struct str rest = str_of(rows[r].path), segment;
	BUF_AUTO b = {0};
	bool first = true;

	while (str_split(&rest, '/', &segment)) {
		if (!first)
			buf_add_char(&b, '/');
		first = false;
		if (is_name(segment))
			buf_add_str(&b, *args++);
		else
			buf_add(&b, segment.p, segment.n);
	}
	return str_copy(buf_str(&b), out, cap, e);
}
