#include "agent/svc/svc_priv.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/sys/clock.h"

#define LOOK_EVERY    50     /* ms, while it starts */
#define SETTLED       500    /* ms alive in one piece, when nobody can be asked for health */
#define CHECK_AT_MOST SEC(2) /* one health check while it starts */
#define ENDS_TO_FAIL  3      /* ends while it starts: more will not help */
#define PAGE_MAX      65536  /* of a health page, which nobody reads */

struct svc {
	const struct svc_driver *driver;
	void *self;
	char health_url[sizeof((struct svc_conf *)0)->health_url];
};

static ms_t now_mono(void)
{
	return clock_system.mono(clock_system.self);
}

int svc_open(const struct svc_conf *c, struct svc **out, struct err *e)
{
	const struct svc_driver *driver = svc_driver_find(c->kind);
	struct svc *s;
	int rc;

	if (!driver)
		return err_set(e, ERR_CONFIG, "no service driver is called \"%s\"", c->kind);
	s = mem_new(sizeof *s);
	s->driver = driver;
	memcpy(s->health_url, c->health_url, sizeof s->health_url);
	rc = driver->open(c, &s->self, e);
	if (rc < 0) {
		mem_free(&s);
		return err_wrap(e, "service driver %s", driver->kind);
	}
	*out = s;
	return 0;
}

void svc_close(struct svc **s)
{
	if (!*s)
		return;
	(*s)->driver->close((*s)->self);
	mem_free(s);
}

int svc_stop(struct svc *s, struct err *e)
{
	return s->driver->stop(s->self, e);
}

int svc_look(struct svc *s, struct svc_view *out, struct err *e)
{
	return s->driver->look(s->self, out, e);
}

int svc_log_tail(struct svc *s, size_t max, struct buf *out, struct err *e)
{
	return s->driver->log_tail(s->self, max, out, e);
}

static int ask_alive(struct svc *s, struct err *e)
{
	struct svc_view view;

	TRY(svc_look(s, &view, e));
	return view.alive ? 0 : err_set(e, ERR_NOT_FOUND, "the workload does not run");
}

int svc_healthy(struct svc *s, ms_t timeout, struct err *e)
{
	struct http_conf http = {.connect_timeout = timeout, .total_timeout = timeout};
	struct http_answer answer = {0};
	int rc;

	if (s->health_url[0] == 0)
		return ask_alive(s, e);
	rc = http_get(&http, s->health_url, NULL, PAGE_MAX, NULL, &answer, e);
	if (rc == 0 && answer.status != 200)
		rc = err_set(e, ERR_NET, "%s answers %d", s->health_url, answer.status);
	http_answer_fini(&answer);
	return rc;
}

/* ---- starting ---- */

struct start {
	unsigned slot;
	ms_t deadline, alive_since; /* 0: not alive */
	uint32_t ended_before, ended;
	const atomic_bool *cancel;
};

/* Positive when it is up, 0 when it may still come, with what is missing in *e; negative when it
 * will not. */
static int check(struct svc *s, struct start *t, struct err *e)
{
	struct svc_view view;
	ms_t now = now_mono();

	TRY(svc_look(s, &view, e));
	if (view.ended - t->ended_before >= ENDS_TO_FAIL)
		return err_set(e, ERR_START_FAILED, "it ended %u times while it was started",
			view.ended - t->ended_before);
	if (!view.alive || !t->alive_since || view.ended != t->ended)
		t->alive_since = view.alive ? now : 0;
	t->ended = view.ended;
	if (!view.alive)
		err_set(e, ERR_START_FAILED, "it does not run");
	else if (view.slot != t->slot && view.slot != SLOT_NONE)
		err_set(e, ERR_START_FAILED, "it runs from slot %s", slot_name(view.slot));
	else if (s->health_url[0])
		return svc_healthy(s, MIN(CHECK_AT_MOST, MAX(t->deadline - now, 1)), e) == 0;
	else if (now - t->alive_since >= SETTLED)
		return 1;
	else
		err_set(e, ERR_START_FAILED, "it has only just started");
	return 0;
}

static int wait_until_up(struct svc *s, struct start *t, struct err *e)
{
	const struct timespec pause = {.tv_nsec = LOOK_EVERY * 1000000L};

	for (;;) {
		int rc;

		if (t->cancel && atomic_load(t->cancel))
			return err_set(e, ERR_CANCELLED, "cancelled while the workload started");
		rc = check(s, t, e);
		if (rc != 0)
			return MIN(rc, 0);
		if (now_mono() >= t->deadline)
			return err_wrap(e, "not up in time");
		nanosleep(&pause, NULL);
	}
}

int svc_start(struct svc *s, unsigned slot, enum activation how, ms_t timeout,
	const atomic_bool *cancel, struct err *e)
{
	struct start t = {.slot = slot,
		.deadline = now_mono() + timeout + s->driver->patience,
		.cancel = cancel};
	struct svc_view before;
	struct err own;
	int rc;

	if (!e)
		e = &own;
	*e = (struct err){0};
	rc = s->driver->apply(s->self, slot, how, timeout, e);
	if (rc == 0)
		rc = svc_look(s, &before, e);
	if (rc == 0) {
		t.ended_before = t.ended = before.ended;
		rc = wait_until_up(s, &t, e);
	}
	if (rc < 0 && e->code != ERR_CANCELLED)
		e->code = ERR_START_FAILED;
	return rc < 0 ? err_wrap(e, "slot %s", slot_name(slot)) : 0;
}
