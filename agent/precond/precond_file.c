#include "agent/precond/precond_priv.h"

#include <string.h>

static int check(struct str where, struct err *e)
{
	if (where.n == 0 || where.p[0] != '/')
		return err_set(e, ERR_CONFIG, "file: wants an absolute path");
	return 0;
}

static int ask(const struct precond_in *in UNUSED, struct str where, struct buf *out, struct err *e)
{
	char path[256], line[256];

	TRY(str_copy(where, path, sizeof path, e));
	TRY(precond_read_line(path, line, sizeof line, e));
	buf_add_str(out, line);
	return 0;
}

const struct precond_teller precond_file = {
	.kind = "file",
	.help = "file:/PATH: the first line of a file",
	.check = check,
	.ask = ask,
};
