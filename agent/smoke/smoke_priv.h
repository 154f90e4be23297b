/* The kinds of smoke tests, and what they share. */
#ifndef AGENT_SMOKE_SMOKE_PRIV_H
#define AGENT_SMOKE_SMOKE_PRIV_H

#include "agent/smoke/smoke.h"
#include "lib/sys/proc.h"

/* A test's program, ready to be run. Borrows from `in` and `test`; must not be moved. */
struct smoke_program {
	struct proc_spec spec;
	const char *argv[LIMIT_ARGV + 1];
	const char *env[6];
	char slot[320], tmp[320], home[320], device[320], port[32];
};
/* port 0: none is given. */
void smoke_program_init(struct smoke_program *p, const struct smoke_in *in,
	const struct smoke_test *test, unsigned port);

/* smoke_image.c: a device with the image, for as long as it is open. ERR_IO: that says nothing
 * about the release. */
#define SMOKE_DEVICE_MAX 256
struct smoke_image {
	int loop; /* -1: the path is a device itself */
	char device[SMOKE_DEVICE_MAX];
};
int smoke_image_open(const char *path, struct smoke_image *out, struct err *e) MUST_CHECK;
void smoke_image_close(struct smoke_image *image);

/* A run that ended as it should not have, as ERR_SMOKE_FAILED (or ERR_CANCELLED). */
int smoke_program_judge(const struct smoke_test *test, const struct proc_result *r, struct err *e);

/* The kinds: 0 when the test passed. Output is appended to *out_log. */
int smoke_exec_run(const struct smoke_in *in, const struct smoke_test *test, struct buf *out_log,
	struct err *e) MUST_CHECK;
int smoke_http_run(const struct smoke_in *in, const struct smoke_test *test, struct buf *out_log,
	struct err *e) MUST_CHECK;

/* A number that changes when anything in the tree does (names, modes, sizes, times of change). */
int smoke_trace_take(const char *dir, uint64_t *out, struct err *e) MUST_CHECK;

/* Makes `dir` if it is missing, owned by uid and gid where they are given, and empties it. */
int smoke_tmp_clear(const char *dir, unsigned uid, unsigned gid, struct err *e) MUST_CHECK;

#endif
