#include "agent/jobs.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/buf.h"

struct queue {
	struct job *head, **tail;
};

struct lane {
	struct jobs *of;
	struct queue waiting;
	struct job *running;
	pthread_t thread;
	bool has_thread;
	pthread_cond_t more;
};

struct jobs {
	enum jobs_kind kind;
	pthread_mutex_t lock; /* of everything below */
	struct lane lane[LANE_MAX];
	struct queue ended;
	bool closing;
	int fd;
};

static void queue_init(struct queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static void queue_put(struct queue *q, struct job *job)
{
	job->next = NULL;
	*q->tail = job;
	q->tail = &job->next;
}

static struct job *queue_take(struct queue *q)
{
	struct job *job = q->head;

	if (!job)
		return NULL;
	q->head = job->next;
	if (!q->head)
		q->tail = &q->head;
	job->next = NULL;
	return job;
}

static struct job *lane_next(struct lane *l)
{
	struct jobs *j = l->of;

	while (!l->waiting.head && !j->closing)
		pthread_cond_wait(&l->more, &j->lock);
	l->running = queue_take(&l->waiting);
	return l->running;
}

static void lane_end(struct lane *l)
{
	struct jobs *j = l->of;

	queue_put(&j->ended, l->running);
	l->running = NULL;
	/* Fails only when the counter is full, and then the descriptor is readable anyway. */
	(void)!eventfd_write(j->fd, 1);
}

static void *lane_main(void *ctx)
{
	struct lane *l = ctx;
	struct job *job;

	pthread_mutex_lock(&l->of->lock);
	while ((job = lane_next(l))) {
		pthread_mutex_unlock(&l->of->lock);
		job->run(job);
		pthread_mutex_lock(&l->of->lock);
		lane_end(l);
	}
	pthread_mutex_unlock(&l->of->lock);
	return NULL;
}

/* Signals belong to the loop: a lane's thread is born with all of them blocked. Without a thread no
 * job could ever run, so failing to get one ends the process like memory that cannot be had. */
static void lane_start(struct lane *l)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&l->thread, NULL, lane_main, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	assert(rc == 0);
	l->has_thread = true;
}

int jobs_open(enum jobs_kind kind, struct jobs **out, struct err *e)
{
	int fd = kind == JOBS_THREADS ? eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;

	if (kind == JOBS_THREADS && fd < 0)
		return err_sys(e, errno, "eventfd");
	struct jobs *j = mem_new(sizeof(*j));

	j->kind = kind;
	j->fd = fd;
	pthread_mutex_init(&j->lock, NULL);
	queue_init(&j->ended);
	for (unsigned i = 0; i < LANE_MAX; i++) {
		j->lane[i].of = j;
		queue_init(&j->lane[i].waiting);
		pthread_cond_init(&j->lane[i].more, NULL);
	}
	*out = j;
	return 0;
}

static void cancel_all(struct jobs *j)
{
	j->closing = true;
	for (unsigned i = 0; i < LANE_MAX; i++) {
		struct lane *l = &j->lane[i];

		if (l->running)
			atomic_store(&l->running->cancel, true);
		for (struct job *job; (job = queue_take(&l->waiting));) {
			atomic_store(&job->cancel, true);
			queue_put(&j->ended, job);
		}
		pthread_cond_signal(&l->more);
	}
}

static void finish_all(struct jobs *j)
{
	for (struct job *job; (job = queue_take(&j->ended));)
		job->done(job);
}

void jobs_close(struct jobs **pj)
{
	struct jobs *j = *pj;

	if (!j)
		return;
	pthread_mutex_lock(&j->lock);
	cancel_all(j);
	pthread_mutex_unlock(&j->lock);
	for (unsigned i = 0; i < LANE_MAX; i++) {
		if (j->lane[i].has_thread)
			pthread_join(j->lane[i].thread, NULL);
		pthread_cond_destroy(&j->lane[i].more);
	}
	finish_all(j);
	pthread_mutex_destroy(&j->lock);
	if (j->fd >= 0)
		close(j->fd);
	mem_free(pj);
	*pj = NULL;
}

void jobs_submit(struct jobs *j, struct job *job)
{
	assert(job->lane < LANE_MAX);
	/* Inline, one queue keeps the order of submission over all lanes. */
	struct lane *l = &j->lane[j->kind == JOBS_INLINE ? 0 : job->lane];

	pthread_mutex_lock(&j->lock);
	assert(!j->closing);
	queue_put(&l->waiting, job);
	if (j->kind == JOBS_THREADS && !l->has_thread)
		lane_start(l);
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&j->lock);
}

int jobs_fd(const struct jobs *j)
{
	return j->fd;
}

static bool collect_inline(struct jobs *j)
{
	struct job *job = queue_take(&j->lane[0].waiting);

	if (!job)
		return false;
	job->run(job);
	job->done(job);
	return true;
}

bool jobs_collect(struct jobs *j)
{
	eventfd_t dummy;
	struct queue ended;
	bool any = false;

	if (j->kind == JOBS_INLINE)
		return collect_inline(j);
	/* Empty the descriptor before the list: an ending in between makes it readable again. */
	(void)!eventfd_read(j->fd, &dummy);
	queue_init(&ended);
	pthread_mutex_lock(&j->lock);
	for (struct job *job; (job = queue_take(&j->ended));)
		queue_put(&ended, job);
	pthread_mutex_unlock(&j->lock);
	for (struct job *job; (job = queue_take(&ended)); any = true)
		job->done(job);
	return any;
}
