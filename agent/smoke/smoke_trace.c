#include "agent/smoke/smoke_priv.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/prng.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static uint64_t add_number(uint64_t h, uint64_t v)
{
	return hash64(h, &v, sizeof v);
}

/* The time of change cannot be set back, not even by root, without setting the clock. */
static uint64_t add_entry(uint64_t h, const FTSENT *f)
{
	const struct stat *st = f->fts_statp;

	h = hash64(h, f->fts_path, f->fts_pathlen);
	h = add_number(h, st->st_mode);
	h = add_number(h, (uint64_t)st->st_size);
	h = add_number(h, st->st_ino);
	h = add_number(h, (uint64_t)st->st_ctim.tv_sec);
	return add_number(h, (uint64_t)st->st_ctim.tv_nsec);
}

int smoke_trace_take(const char *dir, uint64_t *out, struct err *e)
{
	char *const roots[] = {(char *)dir, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	uint64_t h = 0;
	FTSENT *f;
	int rc = 0;

	if (!tree)
		return err_sys(e, errno, "%s", dir);
	while (rc == 0 && (f = fts_read(tree))) {
		if (f->fts_info == FTS_ERR || f->fts_info == FTS_DNR || f->fts_info == FTS_NS)
			rc = err_sys(e, f->fts_errno, "%s", f->fts_path);
		else if (f->fts_info != FTS_DP)
			h = add_entry(h, f);
	}
	fts_close(tree);
	if (rc == 0)
		*out = h;
	return rc;
}
