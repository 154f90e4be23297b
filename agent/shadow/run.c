#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/shadow/shadow_priv.h"
#include "lib/sys/clock.h"
#include "lib/sys/port.h"

#define TAKE_WAIT  200    /* ms: how long an input is waited for before something else is seen to */
#define LOAD_WAIT  100    /* the same, while it loads */
#define LOOK_EVERY 500    /* ms: whether it still lives */
#define SAVE_EVERY SEC(5) /* what a power cut may take of the comparison */
#define COUNT_MOST SEC(30) /* of time between two counts: a machine that slept compared nothing */
#define RESTART_IN SEC(1)  /* after it has ended by itself */
#define LOG_BYTES  8192

struct run {
	const struct shadow_place *place;
	const struct shadow_ask *ask;
	const struct shadow_rule *rule;
	struct beside *beside;
	struct inlet inlet;
	struct challenger challenger;
	struct shadow_tally tally;
	bool alive, answers;
	ms_t began;   /* mono: of its last start */
	ms_t restart; /* mono: not to be started before */
	ms_t counted, looked, saved;
	bool changed; /* since it was saved */
};

static ms_t now_mono(void)
{
	return clock_system.mono(clock_system.self);
}

static void post(struct run *x)
{
	struct shadow_board *b = x->ask->board;

	pthread_mutex_lock(&b->lock);
	b->tally = x->tally;
	b->answers = x->answers;
	if (x->beside)
		snprintf(b->limits, sizeof b->limits, "%s", beside_limits(x->beside));
	pthread_mutex_unlock(&b->lock);
}

static int save(struct run *x, struct err *e)
{
	TRY(shadow_book_save(x->ask->fs, &x->ask->txn, &x->tally, e));
	x->saved = now_mono();
	x->changed = false;
	return 0;
}

static void judge(struct run *x)
{
	shadow_eval(x->rule, &x->tally);
	x->changed = true;
	post(x);
}

/* ---- its life ---- */

static int start(struct run *x, struct err *e)
{
	const char *argv[LIMIT_ARGV + 1] = {NULL};
	char port[32], slot[340];
	const char *const env[] = {port, slot, "BACKSTAY_SHADOW=1", NULL};
	struct beside_spec spec = {.argv = argv,
		.env = env,
		.slot_dir = x->place->slot_dir,
		.uid = x->place->uid,
		.gid = x->place->gid,
		.max_memory = x->rule->max_memory ? x->rule->max_memory : x->place->max_memory,
		.cpu_percent = x->rule->cpu_percent};

	for (unsigned i = 0; i < x->rule->argc; i++)
		argv[i] = x->rule->argv[i];
	TRY(port_find(0, &x->challenger.port, e));
	snprintf(port, sizeof port, "BACKSTAY_PORT=%u", x->challenger.port);
	snprintf(slot, sizeof slot, "BACKSTAY_SLOT_DIR=%s", x->place->slot_dir);
	x->began = now_mono();
	x->answers = false;
	TRY(beside_start(x->beside, &spec, e));
	x->alive = true;
	post(x);
	return 0;
}

/* What is not there, or cannot be executed, is the release's fault. */
static int start_or_refuse(struct run *x, struct err *e)
{
	struct err why = {0};
	int rc = start(x, &why);

	if (rc == 0)
		return 0;
	if (why.code != ERR_NOT_FOUND && why.code != ERR_DENIED && why.code != ERR_START_FAILED) {
		if (e)
			*e = why;
		return rc;
	}
	shadow_give_up(&x->tally, SHADOW_NO_START, why.text);
	x->changed = true;
	post(x);
	return 0;
}

static void mourn(struct run *x)
{
	x->alive = x->answers = false;
	x->restart = now_mono() + RESTART_IN;
	x->tally.crashes++;
	judge(x);
}

static int look(struct run *x, struct err *e)
{
	bool alive;

	x->looked = now_mono();
	TRY(beside_look(x->beside, &alive, e));
	if (x->alive && !alive)
		mourn(x);
	return 0;
}

static void wait_until_up(struct run *x)
{
	ms_t wait = x->ask->release->start_timeout;
	struct err why;
	char text[SHADOW_WHY];

	x->answers = challenger_ready(&x->challenger, &why) == 0;
	x->counted = now_mono();
	if (x->answers) {
		post(x);
	} else if (x->counted - x->began >= wait) {
		snprintf(text, sizeof text, "not up within %lld ms: %.90s", (long long)wait,
			why.text);
		shadow_give_up(&x->tally, SHADOW_NO_START, text);
		x->changed = true;
		post(x);
	}
}

/* ---- one input ---- */

static void put(struct run *x, struct str packet)
{
	struct shadow_note note;
	struct shadow_pair pair;

	if (shadow_note_parse(packet, &note, NULL) < 0) {
		x->tally.spoiled++;
		return;
	}
	x->tally.dropped += note.dropped;
	challenger_ask(&x->challenger, &note, &pair);
	if (x->ask->cancel && atomic_load(x->ask->cancel))
		return;
	shadow_count(&x->tally, &pair);
	if (pair.failed)
		x->looked = 0;
	judge(x);
}

static void count_time(struct run *x)
{
	ms_t now = now_mono();

	x->tally.ran += MIN(now - x->counted, COUNT_MOST);
	x->counted = now;
	judge(x);
}

/* Inputs that come while it loads are let go: they would be answered late, and blamed on it. */
static int take(struct run *x, struct err *e)
{
	struct str packet;
	int rc = inlet_take(&x->inlet, x->answers ? TAKE_WAIT : LOAD_WAIT, &packet, e);

	if (rc > 0 && x->answers)
		put(x, packet);
	return MIN(rc, 0);
}

static int turn(struct run *x, struct err *e)
{
	if (!x->alive && now_mono() >= x->restart)
		TRY(start_or_refuse(x, e));
	TRY(take(x, e));
	if (x->answers)
		count_time(x);
	else if (x->alive)
		wait_until_up(x);
	if (now_mono() - x->looked >= LOOK_EVERY)
		TRY(look(x, e));
	return x->changed && now_mono() - x->saved >= SAVE_EVERY ? save(x, e) : 0;
}

static int turn_until_decided(struct run *x, struct err *e)
{
	while (x->tally.verdict == SHADOW_OPEN) {
		if (x->ask->cancel && atomic_load(x->ask->cancel))
			return err_set(e, ERR_CANCELLED, "cancelled beside the champion");
		TRY(turn(x, e));
	}
	return 0;
}

/* ---- the whole ---- */

/* The verdict is remembered when the challenger is gone: who is killed in between asks again, and
 * gets the same. A cancelled comparison may be gone on with. */
static int compare(struct run *x, struct buf *out_log, struct err *e)
{
	struct err late = {0};
	int rc = turn_until_decided(x, e);
	int stopped = beside_stop(x->beside, rc < 0 ? &late : e);

	(void)!beside_log_tail(x->beside, LOG_BYTES, out_log, &late);
	if (rc < 0) {
		if (x->changed)
			(void)!save(x, &late);
		return rc;
	}
	TRY(stopped);
	return save(x, e);
}

static int open_and_compare(struct run *x, struct buf *out_log, struct err *e)
{
	int rc;

	TRY(inlet_open(x->place->svc.run_dir, x->beside, &x->inlet, e));
	rc = compare(x, out_log, e);
	inlet_close(&x->inlet);
	return rc;
}

int shadow_run(const struct shadow_place *place, const struct shadow_ask *ask, struct buf *out_log,
	struct err *e)
{
	struct run x = {.place = place,
		.ask = ask,
		.rule = &ask->release->shadow,
		.challenger = {.rule = &ask->release->shadow, .cancel = ask->cancel},
		.saved = now_mono() - SAVE_EVERY};
	int rc;

	shadow_book_load(ask->fs, &ask->txn, &x.tally);
	post(&x);
	if (x.tally.verdict != SHADOW_OPEN)
		return 0;
	TRY(beside_open(&place->svc, &x.beside, e));
	rc = open_and_compare(&x, out_log, e);
	beside_close(&x.beside);
	return rc;
}
