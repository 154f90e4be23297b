#include "server/cli/roots.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/cli/cli.h"

/* Keeps a parsed copy of what the set trusts now. */
static int keep(struct roots *r, struct str bytes, struct err *e)
{
	r->v = mem_resize(r->v, (r->n + 1) * sizeof *r->v);
	meta_init(&r->v[r->n]);
	TRY(meta_parse(bytes, ROLE_ROOT, LIMIT_ROOT_BYTES, &r->v[r->n], e));
	r->n++;
	return 0;
}

static int take(struct roots *r, struct trusted_set *set, const char *path, struct err *e)
{
	BUF_AUTO bytes = {0};

	TRY(cli_read(path, LIMIT_ROOT_BYTES, &bytes, e));
	if ((r->n ? trusted_next_root(set, buf_str(&bytes), e)
		  : trusted_load_root(set, buf_str(&bytes), e)) < 0)
		return err_wrap(e, "%s", path);
	return keep(r, buf_str(&bytes), e);
}

int roots_load(const char *dir, struct roots *out, struct err *e)
{
	struct trusted_set *set = mem_new(sizeof *set);
	char path[1024];
	int rc = 0;

	trusted_init(set, 0);
	while (rc == 0) {
		snprintf(path, sizeof path, "%s/%u.root.json", dir, out->n + 1);
		rc = take(out, set, path, e);
	}
	trusted_fini(set);
	free(set);
	/* The first that is missing is the end, unless it is the first of all. */
	return rc == -ERR_NOT_FOUND && out->n ? 0 : rc;
}

void roots_fini(struct roots *r)
{
	for (unsigned i = 0; i < r->n; i++)
		meta_fini(&r->v[i]);
	free(r->v);
	*r = (struct roots){0};
}
