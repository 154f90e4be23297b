#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/proc.h"

#define SH(text)                                                                                   \
	(const char *const[])                                                                      \
	{                                                                                          \
		"sh", "-c", text, NULL                                                             \
	}

static const char *output(struct proc_result *r)
{
	return buf_cstr(&r->output);
}

/* What a shell command ends with and prints. */
static const struct {
	const char *text;
	int exit, signal;
	const char *output;
} runs[] = {
	{"exit 0", 0, 0, ""},
	{"exit 7", 7, 0, ""},
	{"echo out; echo err >&2", 0, 0, "out\nerr\n"},
	{"kill -9 $$", -1, SIGKILL, ""},
	{"kill -15 $$", -1, SIGTERM, ""},
	{"read x || echo end of file", 0, 0, "end of file\n"},
	{"echo $LANG $EXTRA", 0, 0, "C.UTF-8 more\n"},
	{"env | cut -d= -f1 | grep -vxE '_|PWD|SHLVL|OLDPWD' | sort | tr '\\n' ' '", 0, 0,
		"EXTRA LANG PATH TMPDIR "},
	{"cd /proc/self/fd && echo *", 0, 0, "0 1 2 3\n"}, /* 3 is the listing itself */
	{"pwd", 0, 0, "/\n"},
	{"for i in 1 2 3 4 5 6 7 8 9; do echo 0123456789abcdef; done | tr -d '\\n'", 0, 0,
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},
};

static void a_command_runs_to_its_end(void **state)
{
	const char *const env[] = {"EXTRA=more", NULL};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		struct proc_spec spec = {
			.argv = SH(runs[i].text), .env = env, .dir = "/", .max_output = 64};
		struct proc_result r;

		assert_int_equal(proc_run(&spec, NULL, &r, &e), 0);
		assert_string_equal(output(&r), runs[i].output);
		assert_int_equal(r.exit, runs[i].exit);
		assert_int_equal(r.signal, runs[i].signal);
		assert_false(r.timed_out || r.cancelled);
		buf_fini(&r.output);
	}
}

static void a_flood_of_output_is_read_and_dropped(void **state)
{
	struct proc_spec spec = {
		.argv = SH("head -c 3000000 /dev/zero; echo done >&2"), .max_output = 100};
	struct proc_result r;
	struct err e;

	(void)state;
	assert_int_equal(proc_run(&spec, NULL, &r, &e), 0);
	assert_int_equal(r.exit, 0);
	assert_int_equal(r.output.n, 100);
	buf_fini(&r.output);
}

static const struct {
	const char *argv0, *dir;
	enum err_code code;
	const char *text;
} refused[] = {
	{"no-such-program-anywhere", NULL, ERR_NOT_FOUND, "not in"},
	{"/nowhere/at-all", NULL, ERR_NOT_FOUND, "executed"},
	{"./absent", "/", ERR_NOT_FOUND, "executed"},
	{"/etc/passwd", NULL, ERR_DENIED, "executed"},
	{"sh", "/nowhere", ERR_NOT_FOUND, "folder"},
	{"", NULL, ERR_BAD_INPUT, "name"},
};

static void what_cannot_be_started_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		const char *const argv[] = {refused[i].argv0, NULL};
		struct proc_spec spec = {.argv = argv, .dir = refused[i].dir};
		struct proc_result r;
		struct proc_id id;
		struct err e = {0};

		assert_int_equal(proc_run(&spec, NULL, &r, &e), -(int)refused[i].code);
		assert_non_null(strstr(e.text, refused[i].text));
		assert_int_equal(
			proc_spawn(&spec, "log", NULL, NULL, &id, &e), -(int)refused[i].code);
		assert_non_null(strstr(e.text, refused[i].text));
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(errno, ECHILD);
	}
}

static bool is_gone(pid_t pid)
{
	struct proc_id id;

	return proc_id_of(pid, &id, NULL) < 0;
}

static void time_is_limited_and_the_whole_group_dies(void **state)
{
	/* The grandchild ignores SIGTERM; the leader does not. */
	const char *text = "(trap '' TERM; while :; do sleep 1; done) & echo $!; wait";
	struct proc_spec spec = {.argv = SH(text), .timeout = 2000, .max_output = 64};
	struct proc_result r;
	struct err e;
	pid_t grandchild;

	(void)state;
	assert_int_equal(proc_run(&spec, NULL, &r, &e), 0);
	assert_true(r.timed_out);
	assert_int_equal(r.signal, SIGTERM);
	grandchild = atoi(output(&r));
	assert_true(grandchild > 1);
	while (!is_gone(grandchild))
		usleep(1000);
	buf_fini(&r.output);
}

static void who_ignores_the_request_is_killed(void **state)
{
	struct proc_spec spec = {
		.argv = SH("trap '' TERM; while :; do sleep 1; done"), .timeout = 2000};
	struct proc_result r;
	struct err e;

	(void)state;
	assert_int_equal(proc_run(&spec, NULL, &r, &e), 0);
	assert_true(r.timed_out);
	assert_int_equal(r.signal, SIGKILL);
	buf_fini(&r.output);
}

static void *set_flag(void *flag)
{
	usleep(20000);
	atomic_store((atomic_bool *)flag, true);
	return NULL;
}

static void a_run_can_be_cancelled(void **state)
{
	struct proc_spec spec = {.argv = SH("sleep 1000")};
	atomic_bool cancel = false;
	struct proc_result r;
	struct err e;
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, set_flag, &cancel), 0);
	assert_int_equal(proc_run(&spec, &cancel, &r, &e), 0);
	assert_true(r.cancelled);
	assert_false(r.timed_out);
	pthread_join(t, NULL);
	buf_fini(&r.output);
}

static const struct {
	struct proc_spec limits;
	const char *text;
	int signal;
	const char *output;
} limited[] = {
	{{.max_files_size = 4096}, "exec head -c 100000 /dev/zero >big", SIGXFSZ, NULL},
	{{.max_cpu_s = 1}, "while :; do :; done", SIGXCPU, NULL},
	{{.max_memory = 96 << 20}, "ulimit -v", 0, "98304\n"},
	{{.humble = true},
		"cat /proc/self/oom_score_adj; set -- $(cat /proc/self/stat); echo ${41}", 0,
		"1000\n5\n"},
	{{.uid = 65534, .gid = 65534},
		"id -u; id -g; id -G; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status", 0,
		"65534\n65534\n65534\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n"},
};

static void limits_bind(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limited); i++) {
		struct proc_spec spec = limited[i].limits;
		struct proc_result r;
		struct err e;

		if (spec.uid && geteuid() != 0)
			continue;
		spec.argv = SH(limited[i].text);
		spec.max_output = 200;
		assert_int_equal(proc_run(&spec, NULL, &r, &e), 0);
		assert_int_equal(r.signal, limited[i].signal);
		if (limited[i].output)
			assert_string_equal(output(&r), limited[i].output);
		buf_fini(&r.output);
	}
}

static void a_protected_folder_cannot_be_written(void **state)
{
	char dir[300];
	struct proc_spec spec = {
		.argv = SH("echo x >inside; echo y >../outside"), .dir = dir, .protect = dir};
	struct proc_result r;
	struct err e;

	(void)state;
	assert_non_null(getcwd(dir, sizeof dir - 8));
	strcat(dir, "/slot");
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(proc_run(&spec, NULL, &r, &e), 0);
	buf_fini(&r.output);
	assert_int_equal(access("outside", F_OK), 0);
	if (access("slot/inside", F_OK) == 0)
		print_message(
			"== this kernel or user may not make a mount namespace: left unprotected\n");
	else
		assert_int_equal(geteuid(), 0);
}

/* Signals 32 and 33 belong to the C library, which lets nobody reset them: a child has them as
 * whoever started the test had them. */
static void expect_signals(const char *status, const char *field)
{
	const char *at = strstr(status, field);

	assert_non_null(at);
	assert_int_equal(strtoull(at + strlen(field), NULL, 16) & ~(3ULL << 31), 0);
}

static void signals_start_afresh(void **state)
{
	struct proc_spec spec = {
		.argv = SH("grep -E '^Sig(Blk|Ign)' /proc/self/status"), .max_output = 100};
	struct proc_result r;
	sigset_t set, old;
	struct err e;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(proc_run(&spec, NULL, &r, &e), 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	expect_signals(output(&r), "SigBlk:");
	expect_signals(output(&r), "SigIgn:");
	buf_fini(&r.output);
}

/* Several threads fork at once; each must get its own child's answer. */
static void *run_often(void *n)
{
	char text[32], expect[16];

	snprintf(text, sizeof text, "echo %d", *(int *)n);
	snprintf(expect, sizeof expect, "%d\n", *(int *)n);
	for (int i = 0; i < 20; i++) {
		struct proc_spec spec = {.argv = SH(text), .max_output = 16};
		struct proc_result r;

		if (proc_run(&spec, NULL, &r, NULL) < 0 || strcmp(output(&r), expect) != 0)
			return n;
		buf_fini(&r.output);
	}
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	pthread_t t[4];
	int n[4];
	void *bad;

	(void)state;
	for (int i = 0; i < 4; i++) {
		n[i] = i;
		assert_int_equal(pthread_create(&t[i], NULL, run_often, &n[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		assert_null(bad);
	}
}

/* ---- processes that outlive the caller ---- */

struct birth {
	struct proc_id id;
	bool refuse;
};

static int record(void *ctx, const struct proc_id *id, struct err *e)
{
	struct birth *b = ctx;

	b->id = *id;
	return b->refuse ? err_set(e, ERR_IO, "cannot be written down") : 0;
}

static void read_text(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(out, 1, cap - 1, f) : 0;

	if (f)
		fclose(f);
	out[n] = 0;
}

static void wait_for_text(const char *path, const char *text)
{
	char now[256];

	do {
		usleep(1000);
		read_text(path, now, sizeof now);
	} while (!strstr(now, text));
}

static void a_spawned_process_stands_alone(void **state)
{
	const char *text =
		"ps -o ppid= -o pgid= -o sid= -p $$ | tr -s ' ' >who; echo ready; exec sleep 1000";
	struct proc_spec spec = {.argv = SH(text)};
	struct birth b = {0};
	struct proc_id id, later;
	char who[64], expect[64];
	struct err e;

	(void)state;
	assert_int_equal(proc_spawn(&spec, "spawn.log", record, &b, &id, &e), 0);
	assert_memory_equal(&id, &b.id, sizeof id);
	assert_true(proc_is_alive(&id));
	wait_for_text("spawn.log", "ready");
	read_text("who", who, sizeof who);
	snprintf(expect, sizeof expect, " %d %d\n", id.pid, id.pid);
	assert_non_null(strstr(who, expect));
	assert_true(atoi(who) != getpid());
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);

	later = id;
	later.start++;
	assert_false(proc_is_alive(&later));
	assert_int_equal(proc_stop(&later, 1000, &e), 0);
	assert_true(proc_is_alive(&id));

	assert_int_equal(proc_stop(&id, 1000, &e), 0);
	assert_false(proc_is_alive(&id));
	assert_int_equal(proc_stop(&id, 1000, &e), 0);
}

static void a_birth_that_is_not_recorded_leaves_nothing(void **state)
{
	struct proc_spec spec = {.argv = SH("echo ran >ran; exec sleep 1000")};
	struct birth b = {.refuse = true};
	struct proc_id id;
	struct err e;

	(void)state;
	assert_int_equal(proc_spawn(&spec, "spawn.log", record, &b, &id, &e), -(int)ERR_IO);
	assert_string_equal(e.text, "cannot be written down");
	while (proc_is_alive(&b.id))
		usleep(1000);
	assert_int_equal(access("ran", F_OK), -1);
}

static int die_here(void *ctx, const struct proc_id *id, struct err *e)
{
	(void)e;
	if (write(*(int *)ctx, id, sizeof *id) == sizeof *id)
		kill(getpid(), SIGKILL);
	return 0;
}

static void a_caller_that_dies_meanwhile_leaves_nothing(void **state)
{
	struct proc_spec spec = {.argv = SH("echo ran >ran2; exec sleep 1000")};
	struct proc_id id;
	int fd[2];
	pid_t caller;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	caller = fork();
	if (caller == 0) {
		int rc = proc_spawn(&spec, "spawn.log", die_here, &fd[1], &id, NULL);

		_exit(rc == 0);
	}
	assert_int_equal(read(fd[0], &id, sizeof id), sizeof id);
	assert_int_equal(waitpid(caller, NULL, 0), caller);
	while (proc_is_alive(&id))
		usleep(1000);
	assert_int_equal(access("ran2", F_OK), -1);
	close(fd[0]);
	close(fd[1]);
}

static void stop_ends_the_stubborn_and_their_children(void **state)
{
	const char *text =
		"trap '' TERM; (while :; do sleep 1; done) & echo child $! .; while :; do sleep 1; done";
	struct proc_spec spec = {.argv = SH(text)};
	struct proc_id id;
	char log[200];
	struct err e;
	pid_t child;

	(void)state;
	assert_int_equal(proc_spawn(&spec, "stubborn.log", NULL, NULL, &id, &e), 0);
	wait_for_text("stubborn.log", " .");
	read_text("stubborn.log", log, sizeof log);
	child = atoi(strstr(log, "child ") + 6);
	assert_int_equal(proc_stop(&id, 100, &e), 0);
	assert_false(proc_is_alive(&id));
	while (!is_gone(child))
		usleep(1000);
}

static void stop_sweeps_what_a_dead_leader_left(void **state)
{
	struct proc_spec spec = {.argv = SH("(while :; do sleep 1; done) & echo child $! .")};
	struct proc_id id;
	char log[200];
	struct err e;
	pid_t child;

	(void)state;
	assert_int_equal(proc_spawn(&spec, "left.log", NULL, NULL, &id, &e), 0);
	wait_for_text("left.log", " .");
	read_text("left.log", log, sizeof log);
	child = atoi(strstr(log, "child ") + 6);
	while (proc_is_alive(&id))
		usleep(1000);
	assert_false(is_gone(child));
	assert_int_equal(proc_stop(&id, 100, &e), 0);
	while (!is_gone(child))
		usleep(1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_runs_to_its_end),
		cmocka_unit_test(a_flood_of_output_is_read_and_dropped),
		cmocka_unit_test(what_cannot_be_started_says_why),
		cmocka_unit_test(time_is_limited_and_the_whole_group_dies),
		cmocka_unit_test(who_ignores_the_request_is_killed),
		cmocka_unit_test(a_run_can_be_cancelled),
		cmocka_unit_test(limits_bind),
		cmocka_unit_test(a_protected_folder_cannot_be_written),
		cmocka_unit_test(signals_start_afresh),
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(a_spawned_process_stands_alone),
		cmocka_unit_test(a_birth_that_is_not_recorded_leaves_nothing),
		cmocka_unit_test(a_caller_that_dies_meanwhile_leaves_nothing),
		cmocka_unit_test(stop_ends_the_stubborn_and_their_children),
		cmocka_unit_test(stop_sweeps_what_a_dead_leader_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
