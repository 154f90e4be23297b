#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void expect_ok_at(int rc, const struct err *e, const char *file, int line)
{
	if (rc < 0) {
		print_error("%s:%d: %s: %s\n", file, line, err_name(e->code), e->text);
		_fail(file, line);
	}
}

void expect_err_at(int rc, const struct err *e, enum err_code code, const char *piece,
	const char *what, const char *file, int line)
{
	bool ok = rc == -(int)code && e->code == code;

	if (ok && (!piece || strstr(e->text, piece)))
		return;
	print_error("%s:%d: %s: wanted %s \"%s\", got %d %s \"%s\"\n", file, line, what,
		err_name(code), piece ? piece : "", rc, rc < 0 ? err_name(e->code) : "success",
		rc < 0 ? e->text : "");
	_fail(file, line);
}

void expect_text_at(const char *got, const char *want, const char *file, int line)
{
	if (strcmp(got, want) == 0)
		return;
	print_error(
		"%s:%d: got    \"%s\"\n%s:%d: wanted \"%s\"\n", file, line, got, file, line, want);
	_fail(file, line);
}

unsigned campaign_every(void)
{
	const char *n = getenv("BACKSTAY_EVERY");

	return n && atoi(n) > 0 ? (unsigned)atoi(n) : 1;
}

void source_path(const char *name, char *out, size_t cap)
{
	const char *root = getenv("BACKSTAY_SRC");

	snprintf(out, cap, "%s/%s", root ? root : ".", name);
}

void source_read(const char *name, struct buf *out)
{
	char path[512];
	FILE *f;
	size_t n;

	source_path(name, path, sizeof path);
	f = fopen(path, "re");
	if (!f)
		fail_msg("%s cannot be opened", path);
	while ((n = fread(buf_reserve(out, 4096), 1, 4096, f)) > 0)
		out->n += n;
	fclose(f);
}
