#include "agent/trial.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/deadman/tell.h"
#include "lib/sys/fs.h"
#include "lib/sys/proc.h"

#define NOTE "promise"

ms_t trial_awake(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_MONOTONIC, &t);
	return SEC(t.tv_sec) + t.tv_nsec / 1000000;
}

static int read_note(struct fs *fs, struct promise_note *out, struct err *e)
{
	BUF_AUTO text = {0};

	TRY(fs_read_file(fs, NOTE, PROMISE_NOTE_MAX, &text, e));
	return promise_parse(buf_str(&text), out, e);
}

int trial_read(const struct agent_conf *conf, struct promise_note *out, struct err *e)
{
	struct fs fs;

	TRY(fs_posix_open(conf->agent.run_dir, &fs, e));
	int rc = read_note(&fs, out, e);

	fs_posix_close(&fs);
	return rc;
}

static int write_note(
	struct fs *fs, const struct promise *p, const struct txn_id *txn, struct err *e)
{
	struct promise_note before, n;
	struct proc_id me;
	char line[PROMISE_NOTE_MAX];

	TRY(proc_id_of(getpid(), &me, e));
	promise_note(p, txn, trial_awake(), read_note(fs, &before, NULL) == 0 ? &before : NULL, &n);
	n.pid = (uint64_t)me.pid;
	n.start = me.start;
	promise_format(&n, line);
	return fs_write_file(fs, NOTE, line, strlen(line), 0644, e);
}

static int keep_note(const struct agent_conf *conf, const struct promise *p,
	const struct txn_id *txn, struct err *e)
{
	struct fs fs;

	TRY(fs_posix_open(conf->agent.run_dir, &fs, e));
	int rc = p->on_trial ? write_note(&fs, p, txn, e) : fs.ops->unlink(&fs, NOTE, e);

	fs_posix_close(&fs);
	return rc;
}

/* Only where a restart of the machine is what changes slots would one help. */
static int tell_deadman(const struct agent_conf *conf, const struct promise *p, struct err *e)
{
	struct deadman_msg alive = {DEADMAN_ALIVE, p->message_in};
	struct deadman_msg decide = {DEADMAN_DECIDE, p->decision_in};
	struct deadman_msg down = {DEADMAN_STAND_DOWN, 0};

	if (strcmp(conf->service.kind, "reboot") != 0)
		return 0;
	if (!p->on_trial)
		return deadman_tell(&down, e);
	TRY(deadman_tell(&decide, e));
	return deadman_tell(&alive, e);
}

int trial_tell(const struct agent_conf *conf, const struct promise *p, const struct txn_id *txn,
	struct err *e)
{
	int rc = keep_note(conf, p, txn, e);

	return tell_deadman(conf, p, rc < 0 ? NULL : e) < 0 && rc == 0 ? -(int)e->code : rc;
}
