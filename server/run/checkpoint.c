#include "server/run/checkpoint.h"

#include "server/repo/checkpoints.h"
#include "server/run/run_priv.h"

#define PERIOD MINUTE(1)

static int add(struct run *r, uint64_t n, const struct sha256 *chain, struct err *e)
{
	BUF_AUTO bytes = {0};
	int rc = signer_checkpoint(r->c.signer, n, chain, &bytes, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	TRY(run_begin(r, e));
	return run_end(r, checkpoints_add(r->c.db, n, run_now(r), buf_str(&bytes), e), e);
}

int checkpoint_now(struct run *r, struct err *e)
{
	struct sha256 chain;
	uint64_t n, signed_n;

	TRY(audit_newest(r->c.db, &n, &chain, e));
	TRY(checkpoints_newest(r->c.db, &signed_n, e));
	return n > signed_n ? add(r, n, &chain, e) : 0;
}

int checkpoint_due(struct run *r, struct err *e)
{
	ms_t now = run_now(r);

	if (now >= r->checkpoint && now < r->checkpoint + PERIOD)
		return 0;
	r->checkpoint = now;
	return checkpoint_now(r, e);
}
