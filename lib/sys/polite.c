#include "lib/sys/polite.h"

#include <linux/ioprio.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct errand {
	void (*f)(void *ctx);
	void *ctx;
};

/* Of this thread alone: what is given up for good here ends with it, and needs no right to be taken
 * back. */
static void *run(void *arg)
{
	const struct errand *x = arg;
	int self = (int)syscall(SYS_gettid);

	(void)!setpriority(PRIO_PROCESS, (id_t)self, 19);
	(void)!syscall(
		SYS_ioprio_set, IOPRIO_WHO_PROCESS, self, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
	x->f(x->ctx);
	return NULL;
}

void polite_run(void (*f)(void *ctx), void *ctx)
{
	struct errand x = {f, ctx};
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, &x) == 0)
		pthread_join(thread, NULL);
	else
		f(ctx);
}
