#include "agent/smoke/smoke_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/net/http.h"
#include "lib/sys/clock.h"
#include "lib/sys/port.h"

#define BODY_MAX    ((size_t)1024 * 1024)
#define ASK_EVERY   50 /* ms, until it answers */
#define PORTS_TRIED 3

/* ---- the private instance: proc_run in a thread of its own, ended by cancelling it ---- */

struct instance {
	struct smoke_program program;
	pthread_t thread;
	atomic_bool stop, ended;
	int rc;
	struct err err;
	struct proc_result result;
};

static void *run_instance(void *arg)
{
	struct instance *x = arg;

	x->rc = proc_run(&x->program.spec, &x->stop, &x->result, &x->err);
	atomic_store(&x->ended, true);
	return NULL;
}

static int instance_begin(struct instance *x, struct err *e)
{
	int sys = pthread_create(&x->thread, NULL, run_instance, x);

	return sys ? err_sys(e, sys, "thread") : 0;
}

static void instance_end(struct instance *x)
{
	atomic_store(&x->stop, true);
	pthread_join(x->thread, NULL);
}

/* It ended by itself, which no instance should. */
static int judge_early_end(struct instance *x, const struct smoke_test *test, struct err *e)
{
	if (x->rc < 0) {
		*e = x->err;
		return x->rc;
	}
	if (smoke_program_judge(test, &x->result, e) < 0)
		return err_wrap(e, "the instance did not stay");
	return err_set(e, ERR_SMOKE_FAILED, "the instance did not stay: exit 0");
}

/* ---- asking it ---- */

static int judge_answer(const struct smoke_test *test, const struct http_answer *a, struct err *e)
{
	size_t n = strlen(test->expect_body);

	if (a->status != (int)test->expect_status)
		return err_set(e, ERR_SMOKE_FAILED, "%s answers %d, not %u", test->path, a->status,
			test->expect_status);
	if (n && (a->body.n < n || !memmem(a->body.p, a->body.n, test->expect_body, n)))
		return err_set(e, ERR_SMOKE_FAILED, "%s answers without \"%s\"", test->path,
			test->expect_body);
	return 0;
}

struct asking {
	const struct smoke_in *in;
	const struct smoke_test *test;
	struct instance *instance;
	char url[192];
	ms_t deadline;
};

/* 1: decided, in *out_verdict and *e; 0: ask again, with what was seen in *e. */
static int ask_once(struct asking *a, int *out_verdict, struct buf *out_log, struct err *e)
{
	ms_t left = MAX(a->deadline - clock_system.mono(clock_system.self), 1);
	struct http_conf http = {.connect_timeout = left, .total_timeout = left};
	struct http_answer answer = {0};
	int rc, decided = 0;

	rc = http_get(&http, a->url, NULL, BODY_MAX, a->in->cancel, &answer, e);
	if (rc == -(int)ERR_CANCELLED || rc == -(int)ERR_TOO_LARGE) {
		*out_verdict = rc;
		decided = 1;
	} else if (rc == 0 && (answer.status != 503 || a->test->expect_status == 503)) {
		*out_verdict = judge_answer(a->test, &answer, e);
		if (*out_verdict < 0)
			buf_add(out_log, answer.body.p, MIN(answer.body.n, 4096));
		decided = 1;
	} else if (rc == 0) {
		err_set(e, ERR_TIMEOUT, "%s still answers 503", a->test->path);
	}
	http_answer_fini(&answer);
	return decided;
}

static int ask_until_decided(struct asking *a, struct buf *out_log, struct err *e)
{
	const struct timespec pause = {.tv_nsec = ASK_EVERY * 1000000L};
	int verdict;

	for (;;) {
		if (atomic_load(&a->instance->ended))
			return -(int)ERR_NOT_FOUND;
		if (ask_once(a, &verdict, out_log, e))
			return verdict;
		if (a->in->cancel && atomic_load(a->in->cancel))
			return err_set(e, ERR_CANCELLED, "cancelled in a smoke test");
		if (clock_system.mono(clock_system.self) >= a->deadline) {
			e->code = ERR_SMOKE_FAILED;
			return err_wrap(
				e, "no answer within %.1f s", (double)a->test->timeout / 1000);
		}
		nanosleep(&pause, NULL);
	}
}

/* *out_again: the port was taken by somebody else meanwhile. */
static int run_on_port(const struct smoke_in *in, const struct smoke_test *test, unsigned port,
	struct buf *out_log, bool *out_again, struct err *e)
{
	struct instance x = {.rc = 0};
	struct asking a = {.in = in, .test = test, .instance = &x};
	int rc;

	smoke_program_init(&x.program, in, test, port);
	x.program.spec.timeout = 0;
	snprintf(a.url, sizeof a.url, "http://127.0.0.1:%u%s", port, test->path);
	a.deadline = clock_system.mono(clock_system.self) + test->timeout;
	TRY(instance_begin(&x, e));
	rc = ask_until_decided(&a, out_log, e);
	/* An answer counts only if it was our instance's: if somebody else has the port, ours could
	 * not stay. */
	if (rc != -(int)ERR_CANCELLED && atomic_load(&x.ended)) {
		rc = judge_early_end(&x, test, e);
		*out_again = port_find(port, &port, NULL) < 0;
	}
	instance_end(&x);
	buf_add(out_log, x.result.output.p, x.result.output.n);
	buf_fini(&x.result.output);
	return rc;
}

int smoke_http_run(const struct smoke_in *in, const struct smoke_test *test, struct buf *out_log,
	struct err *e)
{
	bool again = true;
	int rc = 0;

	for (int i = 0; i < PORTS_TRIED && again; i++) {
		unsigned port = 0;

		again = false;
		TRY(port_find(0, &port, e));
		rc = run_on_port(in, test, port, out_log, &again, e);
	}
	return rc;
}
