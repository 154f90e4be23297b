/* Beside a workload that the agent supervises itself: a process in a session of its own, and in a
 * group of its own where a service manager gives it one. */
#include "agent/svc/beside_priv.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_BYTES  (1024 * 1024)
#define FILE_BYTES (256ULL << 20) /* one file that it may write */
#define GRACE      SEC(2)
#define ENV_MAX    16

static int exec_open(struct beside *b, struct err *e)
{
	return svc_record_load(&b->own, &b->record, e);
}

static int save(struct beside *b, const struct svc_record *r, struct err *e)
{
	TRY(svc_record_save(&b->own, r, e));
	b->record = *r;
	return 0;
}

struct birth {
	struct beside *b;
	const struct beside_spec *spec;
};

/* It stands ready and has executed nothing yet: all that it will start is in the group, too. */
static int record_birth(void *ctx, const struct proc_id *id, struct err *e)
{
	const struct birth *x = ctx;
	struct svc_record r = {.id = *id, .slot = SLOT_NONE};
	struct beside *b = x->b;
	struct err why;

	TRY(save(b, &r, e));
	if (beside_scope_take(b, id->pid, x->spec, &why) == 0)
		snprintf(b->limits, sizeof b->limits, "a scope of the service manager");
	else
		snprintf(b->limits, sizeof b->limits, "each process by itself: %.120s", why.text);
	return 0;
}

static void log_path(const struct beside *b, char out[SVC_PATH_MAX + 16])
{
	snprintf(out, SVC_PATH_MAX + 16, "%s/log", b->dir);
}

/* A folder that it may write to, empty. */
static int make_tmp(
	struct beside *b, const struct beside_spec *spec, const char *path, struct err *e)
{
	TRY(fs_remove_tree(&b->own, "tmp", e));
	if (mkdir(path, 0700) < 0 ||
		((spec->uid || spec->gid) && chown(path, spec->uid, spec->gid) < 0))
		return err_sys(e, errno, "%s", path);
	return 0;
}

static int exec_start(struct beside *b, const struct beside_spec *spec, struct err *e)
{
	char tmp[SVC_PATH_MAX + 8], log[SVC_PATH_MAX + 16], tmpdir[sizeof tmp + 8],
		home[sizeof tmp + 8];
	const char *env[ENV_MAX + 1] = {tmpdir, home};
	struct birth birth = {b, spec};
	struct proc_id id;
	size_t n = 2;

	snprintf(tmp, sizeof tmp, "%s/tmp", b->dir);
	snprintf(tmpdir, sizeof tmpdir, "TMPDIR=%s", tmp);
	snprintf(home, sizeof home, "HOME=%s", tmp);
	for (const char *const *v = spec->env; *v && n < ENV_MAX; v++)
		env[n++] = *v;
	log_path(b, log);
	TRY(svc_log_trim(log, LOG_BYTES, e));
	TRY(make_tmp(b, spec, tmp, e));
	return proc_spawn(&(struct proc_spec){.argv = spec->argv,
				  .env = env,
				  .dir = spec->slot_dir,
				  .protect = spec->slot_dir,
				  .max_memory = spec->max_memory,
				  .max_files_size = FILE_BYTES,
				  .humble = true,
				  .uid = spec->uid,
				  .gid = spec->gid},
		log, record_birth, &birth, &id, e);
}

static int exec_look(struct beside *b, bool *out_alive, struct err *e UNUSED)
{
	*out_alive = b->record.id.pid && proc_is_alive(&b->record.id);
	return 0;
}

static int exec_stop(struct beside *b, struct err *e)
{
	struct svc_record nobody = {.slot = SLOT_NONE};

	if (b->record.id.pid)
		TRY(proc_stop(&b->record.id, GRACE, e));
	beside_scope_stop(b);
	return b->record.id.pid ? save(b, &nobody, e) : 0;
}

static int exec_log_tail(struct beside *b, size_t max, struct buf *out, struct err *e)
{
	char log[SVC_PATH_MAX + 16];

	log_path(b, log);
	return svc_log_tail_of(log, max, out, e);
}

/* The agent has started it as the leader of a session. */
static bool exec_is_workload(struct beside *b, pid_t pid)
{
	struct svc_record r;

	return svc_record_load(&b->run, &r, NULL) == 0 && r.id.pid && proc_is_alive(&r.id) &&
	       getsid(pid) == r.id.pid;
}

const struct beside_driver beside_exec = {
	.kind = "exec",
	.open = exec_open,
	.start = exec_start,
	.look = exec_look,
	.stop = exec_stop,
	.log_tail = exec_log_tail,
	.is_workload = exec_is_workload,
};
