/* A real challenger, a real champion's packets, and whoever else sends some. */
#include "tests/lib/expect.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/shadow/shadow_priv.h"
#include "agent/svc/beside_priv.h"

struct world {
	struct svc_conf conf;
	struct beside *beside;
	struct inlet inlet;
};

/* This process is the leader of the session that stands in the record, as a workload's is. */
static void be_the_workload(struct world *w)
{
	struct svc_record r = {.slot = 0};
	struct fs run;
	struct err e;

	expect_ok(proc_id_of(getpid(), &r.id, &e), &e);
	expect_ok(fs_posix_open(w->conf.run_dir, &run, &e), &e);
	expect_ok(svc_record_save(&run, &r, &e), &e);
	fs_posix_close(&run);
}

static int begin(void **state)
{
	struct world *w = mem_new(sizeof *w);
	struct err e;
	char cwd[128];

	assert_non_null(getcwd(cwd, sizeof cwd));
	strcpy(w->conf.kind, "exec");
	snprintf(w->conf.run_dir, sizeof w->conf.run_dir, "%s/sh.XXXXXX", cwd);
	assert_non_null(mkdtemp(w->conf.run_dir));
	be_the_workload(w);
	expect_ok(beside_open(&w->conf, &w->beside, &e), &e);
	expect_ok(inlet_open(w->conf.run_dir, w->beside, &w->inlet, &e), &e);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	struct err e;

	inlet_close(&w->inlet);
	expect_ok(beside_stop(w->beside, &e), &e);
	beside_close(&w->beside);
	mem_free(&w);
	return 0;
}

/* ---- sending ---- */

static bool give(struct world *w, const char *text, int fd)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct iovec piece = {(void *)text, strlen(text)};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room = {0};
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &piece, .msg_iovlen = 1};
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof to.sun_path, "%.107s", w->inlet.path);
	if (fd >= 0) {
		m.msg_control = room.bytes;
		m.msg_controllen = sizeof room.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		*c = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof fd)};
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	bool ok = sendmsg(s, &m, MSG_DONTWAIT) >= 0;

	close(s);
	return ok;
}

/* Somebody whose session is another. */
static void give_as_stranger(struct world *w, const char *text)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		_exit(give(w, text, -1) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int memory_file(const char *text, unsigned seals)
{
	int fd = memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static int take(struct world *w, struct str *out)
{
	struct err e = {0};
	int rc = inlet_take(&w->inlet, 1000, out, &e);

	assert_true(rc >= 0);
	return rc;
}

/* ---- the inlet ---- */

static void the_workload_is_heard(void **state)
{
	struct world *w = *state;
	struct str got;

	assert_true(give(w, "one", -1));
	assert_int_equal(take(w, &got), 1);
	assert_true(str_is(got, "one"));
}

static void a_stranger_is_not(void **state)
{
	struct world *w = *state;
	struct str got = {0};

	give_as_stranger(w, "mine");
	assert_int_equal(take(w, &got), 0);
	assert_int_equal(got.n, 0);
}

static void a_sealed_file_is_read(void **state)
{
	struct world *w = *state;
	int fd = memory_file("input", F_SEAL_WRITE | F_SEAL_SHRINK);
	struct str got;

	assert_true(give(w, "head\n", fd));
	assert_int_equal(take(w, &got), 1);
	assert_true(str_is(got, "head\ninput"));
	close(fd);
}

static void nothing_else_is_read(void **state)
{
	struct world *w = *state;
	int pipe_ends[2];
	struct str got;

	assert_int_equal(pipe2(pipe_ends, O_CLOEXEC), 0);
	const int fds[] = {pipe_ends[0], memory_file("input", F_SEAL_SHRINK),
		memory_file("input", F_SEAL_WRITE), memory_file("", F_SEAL_WRITE | F_SEAL_SHRINK),
		open("/dev/zero", O_RDONLY | O_CLOEXEC)};

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		assert_true(give(w, "head\n", fds[i]));
		assert_int_equal(take(w, &got), 1);
		assert_int_equal(got.n, 0);
		close(fds[i]);
	}
	close(pipe_ends[1]);
}

static void who_is_not_heard_does_not_wait(void **state)
{
	struct world *w = *state;
	unsigned taken = 0, i;
	struct str got;

	for (i = 0; i < 100000 && give(w, "again", -1); i++)
		;
	assert_true(i < 100000);
	while (taken < i && take(w, &got))
		taken++;
	assert_int_equal(taken, i);
}

/* ---- beside ---- */

static void what_is_beside_goes_with_the_next_life(void **state)
{
	static const char *const argv[] = {"/bin/sleep", "1000", NULL}, *const env[] = {NULL};
	struct world *w = *state;
	struct beside_spec spec = {.argv = argv, .env = env, .slot_dir = w->conf.run_dir};
	struct err e;
	bool alive;

	expect_ok(beside_start(w->beside, &spec, &e), &e);
	expect_ok(beside_look(w->beside, &alive, &e), &e);
	assert_true(alive);
	assert_false(beside_is_workload(w->beside, w->beside->record.id.pid));
	assert_int_equal(sched_getscheduler(w->beside->record.id.pid), SCHED_IDLE);
	/* What holds it depends on the machine; that it is told does not. */
	assert_true(strcmp(beside_limits(w->beside), "a scope of the service manager") == 0 ||
		    strncmp(beside_limits(w->beside), "each process by itself: ", 24) == 0);
	expect_ok(beside_clear(&w->conf, &e), &e);
	expect_ok(beside_look(w->beside, &alive, &e), &e);
	assert_false(alive);
}

static void only_some_drivers_can(void **state UNUSED)
{
	static const struct {
		const char *kind, *base;
		bool can;
	} rows[] = {{"exec", "", true}, {"systemd", "", true}, {"http_reload", "exec", true},
		{"http_reload", "none", false}, {"none", "", false}, {"reboot", "systemd", false}};
	struct beside *b;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct svc_conf c = {.unit = "x.service"};

		strcpy(c.kind, rows[i].kind);
		strcpy(c.base, rows[i].base);
		assert_true(beside_is_possible(&c) == rows[i].can);
		if (!rows[i].can)
			expect_err(beside_open(&c, &b, &e), &e, ERR_UNSUPPORTED, rows[i].kind,
				rows[i].kind);
	}
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_workload_is_heard),
		WORLD_TEST(a_stranger_is_not),
		WORLD_TEST(a_sealed_file_is_read),
		WORLD_TEST(nothing_else_is_read),
		WORLD_TEST(who_is_not_heard_does_not_wait),
		WORLD_TEST(what_is_beside_goes_with_the_next_life),
		cmocka_unit_test(only_some_drivers_can),
	};

	pid_t pid = fork();
	int status = 1;

	/* In a session of its own, whose leader can be written down as the workload. */
	if (pid == 0) {
		setsid();
		return cmocka_run_group_tests_name("shadow_run", tests, NULL, NULL);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
