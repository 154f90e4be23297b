#include "tests/lib/signproc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/log.h"
#include "server/signd/door.h"
#include "tests/lib/expect.h"

#define MUCH                                                                                       \
	{                                                                                          \
		1000000, 1000000000                                                                \
	}

static ms_t shared_now(void *self)
{
	return *(ms_t *)self;
}

static int serve(ms_t *now, int fd, struct err *e)
{
	static struct clock clock;
	struct signd_conf c = {
		.keys = "keys/online",
		.root = "keys/repo/image/1.root.json",
		.data = "signer",
		.limits = {8 * 86400, 8 * 86400, 2 * 86400, 90 * 86400, MUCH, MUCH, MUCH, MUCH,
			MUCH, MUCH},
		.clock = &clock,
	};
	struct signd *d CLEANUP(signd_close) = NULL;
	struct door *door CLEANUP(door_close) = NULL;
	sd_event *loop CLEANUP(sd_event_unrefp) = NULL;

	clock = (struct clock){shared_now, shared_now, now};
	if (sd_event_new(&loop) < 0)
		return err_set(e, ERR_IO, "event loop");
	TRY(signd_open(&c, &d, e));
	TRY(door_one(loop, d, fd, &door, e));
	return sd_event_loop(loop);
}

__attribute__((noreturn)) static void live(ms_t *now, int fd)
{
	struct err e = {0};
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log_init("signer", LOG_FORM_TEXT, LOG_ERR);
	rc = serve(now, fd, &e);
	if (rc < 0)
		fprintf(stderr, "signer: %s\n", e.text);
	_exit(rc < 0);
}

void signproc_start(struct signproc *p, ms_t now, struct signer **out)
{
	struct link_conf c = {.socket = "", .program = "", .conf = "", .timeout = SEC(60)};
	int pair[2];
	struct err e;

	p->now = mmap(
		NULL, sizeof *p->now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(p->now, MAP_FAILED);
	*p->now = now;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	p->pid = fork();
	assert_true(p->pid >= 0);
	if (p->pid == 0) {
		close(pair[0]);
		live(p->now, pair[1]);
	}
	close(pair[1]);
	c.fd = pair[0];
	expect_ok(signer_open(&c, out, &e), &e);
}

void signproc_stop(struct signproc *p)
{
	int status;

	if (p->pid <= 0)
		return;
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	munmap(p->now, sizeof *p->now);
	*p = (struct signproc){.pid = 0};
}
