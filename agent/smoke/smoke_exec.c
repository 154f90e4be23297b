#include "agent/smoke/smoke_priv.h"

int smoke_exec_run(const struct smoke_in *in, const struct smoke_test *test, struct buf *out_log,
	struct err *e)
{
	struct smoke_program p;
	struct proc_result r;
	int rc;

	smoke_program_init(&p, in, test, 0);
	TRY(proc_run(&p.spec, in->cancel, &r, e));
	buf_add(out_log, r.output.p, r.output.n);
	rc = smoke_program_judge(test, &r, e);
	buf_fini(&r.output);
	return rc;
}
