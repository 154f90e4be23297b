#include "server/broker/inbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct inbox {
	pthread_mutex_t lock;
	int fd;            /* an eventfd: its count is not 0 while something is in it */
	unsigned first, n; /* of the ring */
	size_t bytes;
	struct broker_message v[INBOX_MESSAGES];
};

void broker_message_fini(struct broker_message *m)
{
	buf_fini(&m->body);
}

int inbox_open(struct inbox **out, struct err *e)
{
	struct inbox *b = mem_new(sizeof *b);

	pthread_mutex_init(&b->lock, NULL);
	b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->fd < 0) {
		int sys = errno;

		inbox_close(&b);
		return err_sys(e, sys, "eventfd");
	}
	*out = b;
	return 0;
}

void inbox_close(struct inbox **pb)
{
	struct inbox *b = *pb;

	if (!b)
		return;
	for (unsigned i = 0; i < b->n; i++)
		broker_message_fini(&b->v[(b->first + i) % INBOX_MESSAGES]);
	if (b->fd >= 0)
		close(b->fd);
	pthread_mutex_destroy(&b->lock);
	free(b);
	*pb = NULL;
}

bool inbox_put(struct inbox *b, struct broker_message *m)
{
	bool taken;

	pthread_mutex_lock(&b->lock);
	taken = b->n < INBOX_MESSAGES && b->bytes + m->body.n <= INBOX_BYTES;
	if (taken) {
		b->v[(b->first + b->n++) % INBOX_MESSAGES] = *m;
		b->bytes += m->body.n;
		/* Fails only when the counter is full, and then it is readable anyway. */
		(void)!eventfd_write(b->fd, 1);
	}
	pthread_mutex_unlock(&b->lock);
	if (!taken)
		broker_message_fini(m);
	return taken;
}

unsigned inbox_take(struct inbox *b, struct broker_message *out, unsigned max)
{
	eventfd_t ignored;
	unsigned n = 0;

	pthread_mutex_lock(&b->lock);
	for (; n < max && b->n; n++) {
		out[n] = b->v[b->first];
		b->bytes -= out[n].body.n;
		b->first = (b->first + 1) % INBOX_MESSAGES;
		b->n--;
	}
	if (!b->n)
		(void)!eventfd_read(b->fd, &ignored);
	pthread_mutex_unlock(&b->lock);
	return n;
}

int inbox_fd(const struct inbox *b)
{
	return b->fd;
}

unsigned inbox_count(struct inbox *b)
{
	unsigned n;

	pthread_mutex_lock(&b->lock);
	n = b->n;
	pthread_mutex_unlock(&b->lock);
	return n;
}
