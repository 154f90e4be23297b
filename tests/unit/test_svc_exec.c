#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/svc/svc_priv.h"
#include "lib/sys/clock.h"

/* A home with two slots, in each of which ./run notes that it started and stays. */
struct home {
	struct svc_conf conf;
	void *self;
};

static void write_text(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void put_program(const struct home *h, unsigned slot, const char *text)
{
	char path[600];

	snprintf(path, sizeof path, "%s/slots/%s/run", h->conf.home, slot_name(slot));
	write_text(path, text, 0755);
}

#define STAYS                                                                                      \
	"#!/bin/sh\necho \"slot $BACKSTAY_SLOT $BACKSTAY_SLOT_DIR $PWD $1 $2\"\nexec sleep 1000\n"
#define DIES "#!/bin/sh\nexit 1\n"

static void point_current(const struct home *h, const char *slot)
{
	char path[300], target[16];

	snprintf(path, sizeof path, "%s/current", h->conf.home);
	snprintf(target, sizeof target, "slots/%s", slot);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static void reopen(struct home *h)
{
	struct err e;

	if (h->self)
		svc_exec.close(h->self);
	h->self = NULL;
	expect_ok(svc_exec.open(&h->conf, &h->self, &e), &e);
}

static int make_home(void **state)
{
	struct home *h = mem_new(sizeof *h);
	char cwd[128];

	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(h->conf.home, sizeof h->conf.home, "%s/home.XXXXXX", cwd);
	assert_non_null(mkdtemp(h->conf.home));
	snprintf(h->conf.run_dir, sizeof h->conf.run_dir, "%.200s/run", h->conf.home);
	snprintf(h->conf.kind, sizeof h->conf.kind, "exec");
	snprintf(h->conf.command, sizeof h->conf.command, "./run  --port 81 ");
	h->conf.stop_timeout = 1000;
	assert_int_equal(mkdir(h->conf.run_dir, 0755), 0);
	assert_int_equal(chdir(h->conf.home), 0);
	assert_int_equal(mkdir("slots", 0755) + mkdir("slots/a", 0755) + mkdir("slots/b", 0755), 0);
	assert_int_equal(chdir(cwd), 0);
	put_program(h, 0, STAYS);
	put_program(h, 1, STAYS);
	reopen(h);
	*state = h;
	return 0;
}

static int end_home(void **state)
{
	struct home *h = *state;
	struct err e;

	expect_ok(svc_exec.stop(h->self, &e), &e);
	svc_exec.close(h->self);
	mem_free(&h);
	return 0;
}

static struct svc_view look(struct home *h)
{
	struct svc_view v;
	struct err e;

	expect_ok(svc_exec.look(h->self, &v, &e), &e);
	return v;
}

static void apply(struct home *h, unsigned slot)
{
	struct err e;

	expect_ok(svc_exec.apply(h->self, slot, ACTIVATE_RESTART, 1000, &e), &e);
}

static struct svc_record record(struct home *h)
{
	struct svc_record r;
	struct fs run;
	struct err e;

	expect_ok(fs_posix_open(h->conf.run_dir, &run, &e), &e);
	expect_ok(svc_record_load(&run, &r, &e), &e);
	fs_posix_close(&run);
	return r;
}

/* Waits until the log holds `text`. */
static void wait_for_log(struct home *h, const char *text)
{
	struct err e;

	for (;;) {
		BUF_AUTO log = {0};

		expect_ok(svc_exec.log_tail(h->self, 4000, &log, &e), &e);
		if (strstr(buf_cstr(&log), text))
			return;
		usleep(1000);
	}
}

static void it_runs_from_the_slot_that_was_applied(void **state)
{
	struct home *h = *state;
	char text[1300], real[SVC_PATH_MAX];
	struct svc_view v;
	struct err e;

	v = look(h);
	assert_false(v.alive);
	assert_int_equal(v.slot, SLOT_NONE);
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		apply(h, slot);
		expect_ok(svc_place_of_slot(&h->conf, slot, real, &e), &e);
		snprintf(text, sizeof text, "slot %s %s %s --port 81\n", slot_name(slot), real,
			real);
		wait_for_log(h, text);
		v = look(h);
		assert_true(v.alive);
		assert_int_equal(v.slot, slot);
		assert_int_equal(v.ended, 0);
	}
}

static void a_new_agent_adopts_what_runs(void **state)
{
	struct home *h = *state;
	struct proc_id id, now;

	apply(h, 1);
	id = record(h).id;
	for (int i = 0; i < 3; i++) {
		reopen(h);
		assert_true(look(h).alive);
		assert_int_equal(look(h).slot, 1);
	}
	now = record(h).id;
	assert_memory_equal(&now, &id, sizeof id);
	assert_true(proc_is_alive(&id));
	assert_int_equal(look(h).ended, 0);
}

/* Another process plays the agent and is killed hard at any moment of an apply; whoever runs
 * afterwards is the one that is written down, and there is no other. */
static void a_killed_agent_leaves_at_most_one_workload(void **state)
{
	struct home *h = *state;
	char live[64] = "", find[700];

	snprintf(find, sizeof find,
		"n=0; for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = %s/slots/a ] && "
		"[ \"$(cat $p/comm)\" = sleep ] && n=$((n+1)); done; echo $n",
		h->conf.home);
	point_current(h, "a");
	for (int i = 0; i < 15; i++) {
		pid_t pid = fork();
		FILE *f;

		if (pid == 0) {
			for (;;)
				(void)!svc_exec.apply(h->self, 0, ACTIVATE_RESTART, 1000, NULL);
		}
		usleep((useconds_t)(i * 1500));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		reopen(h);
		look(h);
		apply(h, 0);
		wait_for_log(h, "slot a");
		while (strcmp(live, "1\n") != 0) {
			f = popen(find, "r");
			assert_non_null(f);
			assert_non_null(fgets(live, sizeof live, f));
			pclose(f);
			assert_true(atoi(live) <= 1);
		}
		live[0] = 0;
	}
}

static void kill_workload(struct home *h)
{
	struct proc_id id = record(h).id;

	assert_int_equal(kill(id.pid, SIGKILL), 0);
	while (proc_is_alive(&id))
		usleep(1000);
}

static void the_dead_are_restarted_and_counted(void **state)
{
	struct home *h = *state;
	struct svc_view v;

	apply(h, 0);
	point_current(h, "a");
	for (uint32_t i = 1; i <= 3; i++) {
		kill_workload(h);
		reopen(h); /* counts and pauses do not depend on who counts */
		v = look(h);
		assert_true(v.alive);
		assert_int_equal(v.slot, 0);
		assert_int_equal(v.ended, i);
	}
	apply(h, 1);
	assert_int_equal(look(h).ended, 3);
}

static void crash_after_crash_the_pause_grows(void **state)
{
	struct home *h = *state;
	ms_t since = clock_system.mono(clock_system.self);

	put_program(h, 0, DIES);
	point_current(h, "a");
	apply(h, 0);
	while (look(h).ended < 4)
		usleep(1000);
	/* The first restart came at once, the second after 200 ms, the third after 400. */
	assert_true(clock_system.mono(clock_system.self) - since >= 600);
	put_program(h, 0, STAYS);
	while (!look(h).alive)
		usleep(1000);
}

static void what_cannot_be_executed_counts_as_ended(void **state)
{
	struct home *h = *state;
	struct err e;

	point_current(h, "b");
	put_program(h, 1, "#!/nowhere/interpreter\n");
	expect_err(svc_exec.apply(h->self, 1, ACTIVATE_RESTART, 1000, &e), &e, ERR_NOT_FOUND, "run",
		"no interpreter");
	while (look(h).ended < 2)
		usleep(1000);
	assert_false(look(h).alive);
}

static void nobody_starts_what_was_stopped(void **state)
{
	struct home *h = *state;
	struct err e;

	point_current(h, "a");
	apply(h, 0);
	expect_ok(svc_exec.stop(h->self, &e), &e);
	reopen(h);
	assert_false(look(h).alive);
	assert_int_equal(look(h).ended, 0);
	assert_false(look(h).alive);
}

static void after_a_boot_it_starts_what_current_names(void **state)
{
	struct home *h = *state;
	char path[300];

	apply(h, 0);
	kill_workload(h);
	snprintf(path, sizeof path, "%.280s/workload.json", h->conf.run_dir);
	write_text(path,
		"{\"boot\":\"another\",\"pid\":1,\"start\":0,\"slot\":\"a\",\"ended\":5,"
		"\"restarts\":0,\"down\":true}",
		0640);
	reopen(h);
	assert_false(look(h).alive);
	point_current(h, "b");
	assert_true(look(h).alive);
	assert_int_equal(look(h).slot, 1);
	assert_int_equal(look(h).ended, 5);
}

static void a_moved_workload_serves_from_there_until_it_ends(void **state)
{
	struct home *h = *state;
	struct err e;

	apply(h, 0);
	point_current(h, "a");
	expect_ok(svc_exec.moved(h->self, 1, &e), &e);
	reopen(h);
	assert_int_equal(look(h).slot, 1);
	kill_workload(h);
	assert_int_equal(look(h).slot, 0);
}

static void the_log_is_bounded_while_it_is_written(void **state)
{
	struct home *h = *state;
	char path[300], old[310];
	struct stat st;
	BUF_AUTO tail = {0};
	struct err e;

	put_program(h, 0,
		"#!/bin/sh\ntrap 'echo the end; exec sleep 1000' USR1\n"
		"yes 0123456789abcdef | head -c 1500012\necho full\nwhile :; do sleep 0.01; done\n");
	apply(h, 0);
	wait_for_log(h, "full\n");
	snprintf(path, sizeof path, "%.280s/workload.log", h->conf.run_dir);
	snprintf(old, sizeof old, "%s.1", path);
	assert_true(look(h).alive);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_size, 1500017);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(kill(record(h).id.pid, SIGUSR1), 0);
	wait_for_log(h, "the end\n");
	expect_ok(svc_exec.log_tail(h->self, 40, &tail, &e), &e);
	expect_text(buf_cstr(&tail), "0123456789abcdef\nfull\nthe end\n");
}

static const struct {
	const char *text, *piece;
} bad_records[] = {
	{"", "workload.json"},
	{"{}", "boot"},
	{"{\"boot\":\"x\",\"pid\":-1,\"start\":0,\"slot\":\"a\",\"ended\":0,\"restarts\":0}",
		"pid"},
	{"{\"boot\":\"x\",\"pid\":1,\"start\":0,\"slot\":\"c\",\"ended\":0,\"restarts\":0}",
		"slot"},
	{"{\"boot\":\"x\",\"pid\":1,\"start\":0,\"slot\":\"a\",\"ended\":0,\"restarts\":0,\"y\":1}",
		"y"},
};

static void a_damaged_record_is_refused(void **state)
{
	struct home *h = *state;
	char path[300];
	struct err e;
	void *self;

	snprintf(path, sizeof path, "%.280s/workload.json", h->conf.run_dir);
	for (size_t i = 0; i < ARRAY_LEN(bad_records); i++) {
		write_text(path, bad_records[i].text, 0640);
		expect_err(svc_exec.open(&h->conf, &self, &e), &e, ERR_BAD_INPUT,
			bad_records[i].piece, bad_records[i].text);
	}
}

static void a_command_needs_words(void **state)
{
	struct home *h = *state;
	struct svc_conf c = h->conf;
	struct err e;
	void *self;

	snprintf(c.command, sizeof c.command, " \t ");
	expect_err(svc_exec.open(&c, &self, &e), &e, ERR_CONFIG, "empty", "blanks");
	memset(c.command, 0, sizeof c.command);
	for (int i = 0; i < 65; i++)
		memcpy(c.command + 2 * i, "w ", 2);
	expect_err(svc_exec.open(&c, &self, &e), &e, ERR_CONFIG, "64 words", "65 words");
	c = h->conf;
	snprintf(c.run_dir, sizeof c.run_dir, "/nowhere/run");
	expect_err(svc_exec.open(&c, &self, &e), &e, ERR_NOT_FOUND, "/nowhere/run", "no run_dir");
}

#define HOME_TEST(f) cmocka_unit_test_setup_teardown(f, make_home, end_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOME_TEST(it_runs_from_the_slot_that_was_applied),
		HOME_TEST(a_new_agent_adopts_what_runs),
		HOME_TEST(a_killed_agent_leaves_at_most_one_workload),
		HOME_TEST(the_dead_are_restarted_and_counted),
		HOME_TEST(crash_after_crash_the_pause_grows),
		HOME_TEST(what_cannot_be_executed_counts_as_ended),
		HOME_TEST(nobody_starts_what_was_stopped),
		HOME_TEST(after_a_boot_it_starts_what_current_names),
		HOME_TEST(a_moved_workload_serves_from_there_until_it_ends),
		HOME_TEST(the_log_is_bounded_while_it_is_written),
		HOME_TEST(a_damaged_record_is_refused),
		HOME_TEST(a_command_needs_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
