#include "agent/svc/svc_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/clock.h"

#define LOG_BYTES     (1024 * 1024)
#define PAUSE_FIRST   200 /* ms; the first restart comes at once */
#define PAUSE_LONGEST SEC(10)
#define LIVED_WELL    SEC(10) /* whoever lived so long begins with short pauses again */
#define STOP_DEFAULT  SEC(10)
#define MAX_WORDS     64

struct svc_exec {
	struct svc_conf conf;
	struct fs run;
	char log[SVC_PATH_MAX];
	char words[sizeof((struct svc_conf *)0)->command]; /* cut at the blanks */
	const char *argv[MAX_WORDS + 1];
	struct svc_record record;
	ms_t started, not_before, pause;
};

static ms_t now_mono(void)
{
	return clock_system.mono(clock_system.self);
}

static int split_words(struct svc_exec *x, struct err *e)
{
	size_t n = 0;
	char *save = NULL;

	memcpy(x->words, x->conf.command, sizeof x->words);
	for (char *w = strtok_r(x->words, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (n == MAX_WORDS)
			return err_set(e, ERR_CONFIG, "command: more than %d words", MAX_WORDS);
		x->argv[n++] = w;
	}
	return n ? 0 : err_set(e, ERR_CONFIG, "command: empty");
}

static int exec_open(const struct svc_conf *c, void **out_self, struct err *e)
{
	struct svc_exec *x = mem_new(sizeof *x);
	int rc;

	x->conf = *c;
	x->started = now_mono();
	snprintf(x->log, sizeof x->log, "%s/workload.log", c->run_dir);
	rc = split_words(x, e);
	if (rc == 0)
		rc = fs_posix_open(c->run_dir, &x->run, e);
	if (rc == 0)
		rc = svc_record_load(&x->run, &x->record, e);
	if (rc < 0) {
		if (x->run.ops)
			fs_posix_close(&x->run);
		mem_free(&x);
		return rc;
	}
	*out_self = x;
	return 0;
}

/* The workload runs on: the next agent adopts it. */
static void exec_close(void *self)
{
	struct svc_exec *x = self;

	fs_posix_close(&x->run);
	mem_free(&x);
}

static int save(struct svc_exec *x, const struct svc_record *r, struct err *e)
{
	TRY(svc_record_save(&x->run, r, e));
	x->record = *r;
	return 0;
}

struct birth {
	struct svc_exec *x;
	unsigned slot;
};

static int record_birth(void *ctx, const struct proc_id *id, struct err *e)
{
	struct birth *b = ctx;
	struct svc_record r = b->x->record;

	r.id = *id;
	r.slot = b->slot;
	r.down = false;
	return save(b->x, &r, e);
}

static int start(struct svc_exec *x, unsigned slot, struct err *e)
{
	char dir[SVC_PATH_MAX], env_slot[32], env_dir[SVC_PATH_MAX + 32],
		env_shadow[sizeof x->conf.run_dir + 48];
	const char *const env[] = {env_slot, env_dir, env_shadow, NULL};
	struct proc_spec spec = {.argv = x->argv, .env = env, .dir = dir};
	struct birth birth = {.x = x, .slot = slot};
	struct proc_id id;

	TRY(svc_place_of_slot(&x->conf, slot, dir, e));
	snprintf(env_slot, sizeof env_slot, "BACKSTAY_SLOT=%s", slot_name(slot));
	snprintf(env_dir, sizeof env_dir, "BACKSTAY_SLOT_DIR=%s", dir);
	snprintf(env_shadow, sizeof env_shadow, "BACKSTAY_SHADOW_SOCKET=%s/" SVC_SHADOW_SOCKET,
		x->conf.run_dir);
	x->started = now_mono();
	return proc_spawn(&spec, x->log, record_birth, &birth, &id, e);
}

/* Written down first, so that an agent that starts after a kill between the two does not count it
 * as a crash. */
static int stop(struct svc_exec *x, struct err *e)
{
	struct svc_record r = x->record;
	ms_t grace = x->conf.stop_timeout ? x->conf.stop_timeout : STOP_DEFAULT;

	r.down = true;
	TRY(save(x, &r, e));
	TRY(proc_stop(&r.id, grace, e));
	r.id = (struct proc_id){0};
	return save(x, &r, e);
}

static int exec_apply(void *self, unsigned slot, enum activation how, ms_t timeout, struct err *e)
{
	struct svc_exec *x = self;

	(void)how;
	(void)timeout;
	TRY(stop(x, e));
	x->pause = x->not_before = 0;
	return start(x, slot, e);
}

/* Counts the death of who should run, and says when the next may start. */
static int mourn(struct svc_exec *x, ms_t now, struct err *e)
{
	struct svc_record r = x->record;

	/* What a dead leader left behind may still hold its port. */
	TRY(proc_stop(&r.id, 0, e));
	if (!r.down)
		r.ended++;
	r.id = (struct proc_id){0};
	TRY(save(x, &r, e));
	if (now - x->started >= LIVED_WELL)
		x->pause = 0;
	x->not_before = now + x->pause;
	x->pause = MIN(MAX(x->pause * 2, PAUSE_FIRST), PAUSE_LONGEST);
	return 0;
}

static int revive(struct svc_exec *x, ms_t now, struct err *e)
{
	unsigned slot = svc_place_current(&x->conf);
	int rc;

	if (x->record.down || slot == SLOT_NONE || now < x->not_before)
		return 0;
	rc = start(x, slot, e);
	/* What cannot be executed was born and died: the next look counts it, like any other crash.
	 */
	return rc == -(int)ERR_NOT_FOUND || rc == -(int)ERR_DENIED ? 0 : rc;
}

static int exec_look(void *self, struct svc_view *out, struct err *e)
{
	struct svc_exec *x = self;
	ms_t now = now_mono();
	bool alive;

	TRY(svc_log_trim(x->log, LOG_BYTES, e));
	if (x->record.id.pid && !proc_is_alive(&x->record.id))
		TRY(mourn(x, now, e));
	if (!x->record.id.pid)
		TRY(revive(x, now, e));
	alive = x->record.id.pid && proc_is_alive(&x->record.id);
	*out = (struct svc_view){
		.alive = alive,
		.slot = alive ? x->record.slot : SLOT_NONE,
		.ended = x->record.ended,
		.pid = alive ? (uint32_t)x->record.id.pid : 0,
	};
	return 0;
}

static int exec_moved(void *self, unsigned slot, struct err *e)
{
	struct svc_exec *x = self;
	struct svc_record r = x->record;

	r.slot = slot;
	return save(x, &r, e);
}

static int exec_stop(void *self, struct err *e)
{
	return stop(self, e);
}

static int exec_log_tail(void *self, size_t max, struct buf *out, struct err *e)
{
	struct svc_exec *x = self;

	return svc_log_tail_of(x->log, max, out, e);
}

const struct svc_driver svc_exec = {
	.kind = "exec",
	.help = "The agent starts and supervises the workload itself, without a service manager.",
	.open = exec_open,
	.close = exec_close,
	.apply = exec_apply,
	.look = exec_look,
	.moved = exec_moved,
	.stop = exec_stop,
	.log_tail = exec_log_tail,
};
