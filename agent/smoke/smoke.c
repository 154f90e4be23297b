#include "agent/smoke/smoke_priv.h"

#include "lib/sys/clock.h"

typedef int smoke_kind_f(const struct smoke_in *in, const struct smoke_test *test,
	struct buf *out_log, struct err *e);

static smoke_kind_f *const kinds[SMOKE_KIND_MAX] = {
	[SMOKE_EXEC] = smoke_exec_run,
	[SMOKE_HTTP] = smoke_http_run,
};

/* What cannot be started because it is not in the release, or is no program, is the release's
 * fault. */
static bool is_release_fault(int rc)
{
	return rc == -(int)ERR_NOT_FOUND || rc == -(int)ERR_DENIED || rc == -(int)ERR_TOO_LARGE;
}

static int run_guarded(const struct smoke_in *in, const struct smoke_test *test,
	struct buf *out_log, struct err *e)
{
	uint64_t before, after;
	int rc;

	TRY(smoke_tmp_clear(in->tmp_dir, in->uid, in->gid, e));
	TRY(smoke_trace_take(in->slot_dir, &before, e));
	rc = kinds[test->kind](in, test, out_log, e);
	if (rc < 0 && is_release_fault(rc))
		rc = -(int)(e->code = ERR_SMOKE_FAILED);
	TRY(rc);
	TRY(smoke_trace_take(in->slot_dir, &after, e));
	if (before != after)
		return err_set(e, ERR_SMOKE_FAILED, "it changed the slot");
	return 0;
}

static int run_one(
	const struct smoke_in *in, const struct smoke_test *test, struct buf *io_log, struct err *e)
{
	ms_t since = clock_system.mono(clock_system.self);
	BUF_AUTO output = {0};
	int rc = run_guarded(in, test, &output, e);

	if (rc < 0) {
		buf_clear(io_log);
		buf_add(io_log, output.p, output.n);
		return err_wrap(e, "smoke test %s", test->name);
	}
	buf_addf(io_log, "%s: passed in %.1f s\n", test->name,
		(double)(clock_system.mono(clock_system.self) - since) / 1000);
	return 0;
}

static int run_all(const struct smoke_in *in, struct buf *io_log, struct err *e)
{
	for (unsigned i = 0; i < in->release->n_smoke; i++)
		TRY(run_one(in, &in->release->smoke[i], io_log, e));
	return 0;
}

static int run_with_image(const struct smoke_in *in, struct buf *io_log, struct err *e)
{
	struct smoke_image image;
	struct smoke_in own = *in;

	TRY(smoke_image_open(in->image, &image, e));
	own.image = image.device;
	int rc = run_all(&own, io_log, e);

	smoke_image_close(&image);
	return rc;
}

int smoke_run(const struct smoke_in *in, struct buf *out_log, struct err *e)
{
	BUF_AUTO log = {0};
	struct err own = {0}, late;
	bool with_image = in->image && in->release->n_smoke;

	if (!e)
		e = &own;
	int rc = (with_image ? run_with_image : run_all)(in, &log, e);

	/* What cannot be emptied now must be before the next run. */
	if (in->release->n_smoke)
		(void)!smoke_tmp_clear(in->tmp_dir, in->uid, in->gid, &late);
	buf_add(out_log, log.p, log.n);
	return rc;
}
