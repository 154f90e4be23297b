/* The executors: order within a lane, lanes side by side, cancelling, and a close that loses
 * nobody. */
#include <poll.h>
#include <semaphore.h>

#include "agent/jobs.h"
#include "tests/lib/expect.h"

struct trial {
	struct jobs *jobs;
	unsigned n_run, n_done;
	int order[16]; /* by `done` */
};

struct errand {
	struct job job;
	struct trial *trial;
	int name;
	sem_t *wait; /* run waits for it, or NULL */
	sem_t *tell; /* run tells that it has begun, or NULL */
	bool saw_cancel;
};

static void run(struct job *job)
{
	struct errand *x = (struct errand *)job;

	if (x->tell)
		sem_post(x->tell);
	if (x->wait)
		sem_wait(x->wait);
	x->saw_cancel = atomic_load(&job->cancel);
}

static void done(struct job *job)
{
	struct errand *x = (struct errand *)job;

	x->trial->order[x->trial->n_done++] = x->name;
}

static void run_until_cancelled(struct job *job)
{
	struct errand *x = (struct errand *)job;

	sem_post(x->tell);
	while (!atomic_load(&job->cancel))
		continue;
	x->saw_cancel = true;
}

static struct errand errand(struct trial *t, int name, enum job_lane lane)
{
	return (struct errand){
		.job = {.lane = lane, .run = run, .done = done}, .trial = t, .name = name};
}

static void open_jobs(struct trial *t, enum jobs_kind kind)
{
	struct err e;

	*t = (struct trial){0};
	assert_int_equal(jobs_open(kind, &t->jobs, &e), 0);
}

static void collect(struct trial *t, unsigned n)
{
	while (t->n_done < n) {
		struct pollfd p = {.fd = jobs_fd(t->jobs), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 10000), 1);
		jobs_collect(t->jobs);
	}
}

static void inline_runs_in_order_of_submission(void **state UNUSED)
{
	struct trial t;

	open_jobs(&t, JOBS_INLINE);
	struct errand x[3] = {
		errand(&t, 1, LANE_NET), errand(&t, 2, LANE_SLOT), errand(&t, 3, LANE_NET)};

	for (int i = 0; i < 3; i++)
		jobs_submit(t.jobs, &x[i].job);
	assert_int_equal(jobs_fd(t.jobs), -1);
	assert_int_equal(t.n_done, 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(jobs_collect(t.jobs));
		assert_int_equal(t.n_done, i + 1);
		assert_int_equal(t.order[i], (int)i + 1);
	}
	assert_false(jobs_collect(t.jobs));
	jobs_close(&t.jobs);
	assert_null(t.jobs);
}

static void a_lane_keeps_its_order(void **state UNUSED)
{
	struct trial t;
	sem_t go;

	open_jobs(&t, JOBS_THREADS);
	sem_init(&go, 0, 0);
	struct errand x[3] = {
		errand(&t, 1, LANE_SVC), errand(&t, 2, LANE_SVC), errand(&t, 3, LANE_SVC)};

	x[0].wait = &go;
	for (int i = 0; i < 3; i++)
		jobs_submit(t.jobs, &x[i].job);
	assert_false(jobs_collect(t.jobs));
	sem_post(&go);
	collect(&t, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(t.order[i], i + 1);
	jobs_close(&t.jobs);
	sem_destroy(&go);
}

static void lanes_do_not_wait_for_each_other(void **state UNUSED)
{
	struct trial t;
	sem_t go;

	open_jobs(&t, JOBS_THREADS);
	sem_init(&go, 0, 0);
	struct errand slow = errand(&t, 1, LANE_SLOT), quick = errand(&t, 2, LANE_SVC);

	slow.wait = &go;
	jobs_submit(t.jobs, &slow.job);
	jobs_submit(t.jobs, &quick.job);
	collect(&t, 1);
	assert_int_equal(t.order[0], 2);
	sem_post(&go);
	collect(&t, 2);
	jobs_close(&t.jobs);
	sem_destroy(&go);
}

static void a_running_job_sees_its_cancel(void **state UNUSED)
{
	struct trial t;
	sem_t begun;

	open_jobs(&t, JOBS_THREADS);
	sem_init(&begun, 0, 0);
	struct errand x = errand(&t, 1, LANE_SLOT);

	x.tell = &begun;
	x.job.run = run_until_cancelled;
	jobs_submit(t.jobs, &x.job);
	sem_wait(&begun);
	atomic_store(&x.job.cancel, true);
	collect(&t, 1);
	assert_true(x.saw_cancel);
	jobs_close(&t.jobs);
	sem_destroy(&begun);
}

static void close_cancels_and_ends_everything(void **state UNUSED)
{
	struct trial t;
	sem_t begun;

	open_jobs(&t, JOBS_THREADS);
	sem_init(&begun, 0, 0);
	struct errand runs = errand(&t, 1, LANE_NET), waits = errand(&t, 2, LANE_NET);

	runs.tell = &begun;
	runs.job.run = run_until_cancelled;
	jobs_submit(t.jobs, &runs.job);
	jobs_submit(t.jobs, &waits.job);
	sem_wait(&begun);
	jobs_close(&t.jobs);
	assert_int_equal(t.n_done, 2);
	assert_true(runs.saw_cancel);
	assert_true(atomic_load(&waits.job.cancel));
	sem_destroy(&begun);
}

static void close_without_jobs_is_quiet(void **state UNUSED)
{
	struct trial t;

	open_jobs(&t, JOBS_INLINE);
	struct errand x = errand(&t, 1, LANE_NET);

	jobs_submit(t.jobs, &x.job);
	jobs_close(&t.jobs);
	assert_int_equal(t.n_done, 1);
	jobs_close(&t.jobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inline_runs_in_order_of_submission),
		cmocka_unit_test(a_lane_keeps_its_order),
		cmocka_unit_test(lanes_do_not_wait_for_each_other),
		cmocka_unit_test(a_running_job_sees_its_cancel),
		cmocka_unit_test(close_cancels_and_ends_everything),
		cmocka_unit_test(close_without_jobs_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
