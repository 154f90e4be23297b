/* The systemd driver against a real service manager: run by 25-systemd.sh inside a container that
 * has one. */
#include "tests/lib/expect.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/svc/beside.h"
#include "agent/svc/svc_priv.h"

struct world {
	struct svc_conf conf;
	struct svc *svc;
};

static void write_text(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void put_program(struct world *w, unsigned slot, const char *text)
{
	char path[600];

	snprintf(path, sizeof path, "%s/slots/%s/run", w->conf.home, slot_name(slot));
	write_text(path, text, 0755);
}

#define STAYS                                                                                      \
	"#!/bin/sh\ntrap 'echo reloaded' HUP\necho \"works in $(pwd -P)\"\nwhile :; do sleep 0.05; done\n"

/* A unit as the manual recommends it; `more` is added to its [Service]. */
static void put_unit(struct world *w, const char *name, const char *more)
{
	char path[200], text[1200];

	snprintf(w->conf.unit, sizeof w->conf.unit, "%s", name);
	snprintf(path, sizeof path, "/run/systemd/system/%s", name);
	snprintf(text, sizeof text,
		"[Unit]\nStartLimitIntervalSec=0\n[Service]\nWorkingDirectory=%s/current\n"
		"ExecStart=%s/current/run\nExecReload=/bin/kill -HUP $MAINPID\n"
		"Restart=always\nRestartSec=50ms\nTimeoutStopSec=5s\n%s\n",
		w->conf.home, w->conf.home, more);
	write_text(path, text, 0644);
	assert_int_equal(system("systemctl daemon-reload"), 0);
}

static void point_current(struct world *w, const char *slot)
{
	char path[300], target[16];

	snprintf(path, sizeof path, "%s/current", w->conf.home);
	snprintf(target, sizeof target, "slots/%s", slot);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static int begin(void **state)
{
	struct world *w = mem_new(sizeof *w);
	char cwd[128];

	assert_non_null(getcwd(cwd, sizeof cwd));
	strcpy(w->conf.kind, "systemd");
	/* Not beneath /tmp or /var/tmp, of which a challenger has its own. */
	strcpy(w->conf.home, "/srv/backstay.XXXXXX");
	assert_non_null(mkdtemp(w->conf.home));
	snprintf(w->conf.run_dir, sizeof w->conf.run_dir, "%.200s/run", w->conf.home);
	assert_int_equal(chdir(w->conf.home), 0);
	assert_int_equal(mkdir("run", 0755) + mkdir("slots", 0755), 0);
	assert_int_equal(mkdir("slots/a", 0755) + mkdir("slots/b", 0755), 0);
	assert_int_equal(chdir(cwd), 0);
	put_program(w, 0, STAYS);
	put_program(w, 1, STAYS);
	point_current(w, "a");
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	struct err e;

	expect_ok(svc_stop(w->svc, &e), &e);
	svc_close(&w->svc);
	mem_free(&w);
	return 0;
}

static void open_svc(struct world *w)
{
	struct err e;

	svc_close(&w->svc);
	expect_ok(svc_open(&w->conf, &w->svc, &e), &e);
}

static struct svc_view look(struct world *w)
{
	struct svc_view v;
	struct err e;

	expect_ok(svc_look(w->svc, &v, &e), &e);
	return v;
}

static unsigned long shown(const char *unit, const char *property)
{
	char command[300];
	unsigned long n;
	FILE *f;

	snprintf(command, sizeof command, "systemctl show -P %s %s", property, unit);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &n), 1);
	pclose(f);
	return n;
}

static unsigned main_pid(struct world *w)
{
	return (unsigned)shown(w->conf.unit, "MainPID");
}

static void it_starts_in_the_slot_that_current_names(void **state)
{
	struct world *w = *state;
	struct err e;

	put_unit(w, "backstay-plain.service", "");
	open_svc(w);
	assert_false(look(w).alive);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	assert_int_equal(look(w).slot, 0);
	point_current(w, "b");
	expect_ok(svc_start(w->svc, 1, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	assert_int_equal(look(w).slot, 1);
	assert_int_equal(look(w).ended, 0);
}

static void crashes_are_counted(void **state)
{
	struct world *w = *state;
	struct err e;

	put_unit(w, "backstay-crash.service", "");
	open_svc(w);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	for (uint32_t n = 1; n <= 2; n++) {
		assert_int_equal(kill((pid_t)main_pid(w), SIGKILL), 0);
		while (look(w).ended < n || !look(w).alive)
			usleep(10000);
	}
	/* Starting it by hand makes the manager count from zero; we do not. */
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	assert_int_equal(look(w).ended, 2);
	open_svc(w);
	assert_int_equal(look(w).ended, 2);
}

static void a_reload_keeps_the_process(void **state)
{
	struct world *w = *state;
	struct err e;
	unsigned pid;

	put_unit(w, "backstay-reload.service", "");
	open_svc(w);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	pid = main_pid(w);
	point_current(w, "b");
	expect_ok(svc_start(w->svc, 1, ACTIVATE_RELOAD, SEC(30), NULL, &e), &e);
	assert_int_equal(main_pid(w), pid);
	assert_int_equal(look(w).slot, 1);
	open_svc(w);
	assert_int_equal(look(w).slot, 1);
	/* Another process is where it works. */
	point_current(w, "a");
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	while (look(w).ended < 1 || !look(w).alive)
		usleep(10000);
	assert_int_equal(look(w).slot, 0);
}

static const struct {
	const char *unit, *more, *program;
	ms_t timeout;
	const char *text;
} failing[] = {
	{"backstay-loop.service", "", "#!/bin/sh\nexit 1\n", SEC(60), "ended 3 times"},
	{"backstay-once.service", "Restart=no", "#!/bin/sh\nexit 1\n", 500, "it does not run"},
	{"backstay-notify.service", "Type=notify\nRestart=no", "#!/bin/sh\nexit 1\n", SEC(60),
		"job failed"},
	{"backstay-late.service", "Type=notify", STAYS, 500, "not done in time"},
	{"backstay-absent.service", "ExecStart=", STAYS, SEC(60), "backstay-absent.service"},
};

static void what_does_not_start_says_why(void **state)
{
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(failing); i++) {
		put_program(w, 0, failing[i].program);
		put_unit(w, failing[i].unit, failing[i].more);
		open_svc(w);
		expect_err(svc_start(w->svc, 0, ACTIVATE_RESTART, failing[i].timeout, NULL, &e), &e,
			ERR_START_FAILED, failing[i].text, failing[i].unit);
		(void)!svc_stop(w->svc, NULL);
	}
	put_unit(w, "backstay-last.service", "");
	open_svc(w);
}

static void a_unit_that_gave_up_has_ended(void **state)
{
	struct world *w = *state;
	struct err e;

	put_unit(w, "backstay-gaveup.service", "Restart=no");
	open_svc(w);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	assert_int_equal(kill((pid_t)main_pid(w), SIGKILL), 0);
	while (look(w).alive || look(w).ended < 1)
		usleep(10000);
	open_svc(w);
	assert_int_equal(look(w).ended, 1);
}

static void its_journal_can_be_read(void **state)
{
	struct world *w = *state;
	char want[400];
	struct err e;

	put_unit(w, "backstay-journal.service", "");
	open_svc(w);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	snprintf(want, sizeof want, "works in %s/slots/a\n", w->conf.home);
	for (;;) {
		BUF_AUTO log = {0};

		expect_ok(svc_log_tail(w->svc, 4000, &log, &e), &e);
		if (log.n) {
			expect_text(buf_cstr(&log), want);
			return;
		}
		usleep(10000);
	}
}

/* ---- beside it ---- */

static bool is_alive(struct beside *b)
{
	struct err e;
	bool alive;

	expect_ok(beside_look(b, &alive, &e), &e);
	return alive;
}

static struct beside *open_beside(struct world *w)
{
	struct beside *b;
	struct err e;

	expect_ok(beside_open(&w->conf, &b, &e), &e);
	return b;
}

static int start_beside(struct world *w, struct beside *b, const char *program, struct err *e)
{
	static const char *const env[] = {"BACKSTAY_SHADOW=1", "BACKSTAY_PORT=7", NULL};
	const char *const argv[] = {program, NULL};
	char dir[300];
	struct beside_spec spec = {.argv = argv,
		.env = env,
		.slot_dir = dir,
		.max_memory = 64 << 20,
		.cpu_percent = 25};

	snprintf(dir, sizeof dir, "%s/slots/b", w->conf.home);
	return beside_start(b, &spec, e);
}

static void expect_humble(unsigned pid)
{
	char path[64];
	int adj;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%u/oom_score_adj", pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &adj), 1);
	fclose(f);
	assert_int_equal(adj, 1000);
	assert_int_equal(sched_getscheduler((pid_t)pid), SCHED_IDLE);
}

/* The control groups of a process, as the kernel has them. */
static void groups_of(pid_t pid, char *out, size_t cap)
{
	char path[64];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	f = fopen(path, "r");
	n = f ? fread(out, 1, cap - 1, f) : 0;
	if (f)
		fclose(f);
	out[n] = 0;
}

/* What a program has written about itself. */
static pid_t pid_in(const struct world *w, const char *name)
{
	char path[400];
	int pid = 0;

	snprintf(path, sizeof path, "%s/%s", w->conf.run_dir, name);
	for (unsigned i = 0; i < 1000 && pid == 0; i++) {
		FILE *f = fopen(path, "r");

		if (!f || fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			fclose(f);
		usleep(10000);
	}
	assert_true(pid > 0);
	return pid;
}

/* It is killed when the group is; the container's init may take a moment to bury it. */
static void expect_gone(pid_t pid)
{
	for (unsigned i = 0; i < 500 && kill(pid, 0) == 0; i++)
		usleep(10000);
	assert_int_equal(kill(pid, 0), -1);
}

/* Runs ./run of slot b beside a workload that the agent starts itself, with 64 MiB. */
static struct beside *start_in_scope(struct world *w, const char *program)
{
	struct beside *b;
	struct err e;

	strcpy(w->conf.kind, "exec");
	strcpy(w->conf.command, "run");
	open_svc(w);
	put_program(w, 1, program);
	b = open_beside(w);
	expect_ok(start_beside(w, b, "./run", &e), &e);
	expect_text(beside_limits(b), "a scope of the service manager");
	return b;
}

/* Even a child that has left its session is in the group, and goes with it. */
static void a_challenger_of_the_agents_own_has_a_scope(void **state)
{
	struct world *w = *state;
	char text[800], groups[2000], *scope;
	struct err e;

	snprintf(text, sizeof text,
		"#!/bin/sh\nsetsid sh -c 'echo $$ >%s/escaped; exec sleep 1000' &\n"
		"echo $$ >%s/challenger.pid\nexec sleep 1000\n",
		w->conf.run_dir, w->conf.run_dir);
	struct beside *b = start_in_scope(w, text);
	pid_t pid = pid_in(w, "challenger.pid"), escaped = pid_in(w, "escaped");

	groups_of(escaped, groups, sizeof groups);
	scope = strstr(groups, "backstay-challenger-");
	assert_non_null(scope);
	scope[strcspn(scope, "\n/")] = 0;
	assert_int_equal(shown(scope, "MemoryMax"), 64 << 20);
	assert_int_equal(shown(scope, "TasksMax"), 512);
	assert_int_equal(shown(scope, "CPUWeight"), 1);
	expect_humble((unsigned)pid);
	expect_ok(beside_stop(b, &e), &e);
	expect_gone(pid);
	expect_gone(escaped);
	/* A name that was used is free again. */
	expect_ok(start_beside(w, b, "./run", &e), &e);
	expect_text(beside_limits(b), "a scope of the service manager");
	expect_ok(beside_stop(b, &e), &e);
	beside_close(&b);
}

static long long number_at(const char *mount, const char *group, const char *file)
{
	long long v = -1;
	char path[700];
	FILE *f;

	snprintf(path, sizeof path, "/sys/fs/cgroup%s%s/%s", mount, group, file);
	f = fopen(path, "r");
	if (f && fscanf(f, "%lld", &v) != 1)
		v = -1;
	if (f)
		fclose(f);
	return v;
}

/* What the kernel holds the process's group to, in either hierarchy; -1: nothing is counted. */
static long long memory_limit(pid_t pid)
{
	char groups[2000], *save = NULL;
	long long limit = -1;

	groups_of(pid, groups, sizeof groups);
	for (char *line = strtok_r(groups, "\n", &save); line && limit < 0;
		line = strtok_r(NULL, "\n", &save)) {
		const char *group = strchr(line, '/');

		if (!group)
			continue;
		limit = number_at("", group, "memory.max");
		if (limit < 0 && strstr(line, ":memory:"))
			limit = number_at("/memory", group, "memory.limit_in_bytes");
	}
	return limit;
}

static void the_kernel_holds_the_group_to_its_memory(void **state)
{
	struct world *w = *state;
	struct err e;
	char text[400];

	snprintf(text, sizeof text, "#!/bin/sh\necho $$ >%s/challenger.pid\nexec sleep 1000\n",
		w->conf.run_dir);
	struct beside *b = start_in_scope(w, text);
	long long limit = memory_limit(pid_in(w, "challenger.pid"));

	if (limit < 0)
		print_message("NOT TESTED: the kernel counts no memory of groups here\n");
	else
		assert_int_equal(limit, 64 << 20);
	expect_ok(beside_stop(b, &e), &e);
	beside_close(&b);
}

static void a_challenger_runs_beside_the_unit(void **state)
{
	static const char unit[] = "backstay-champion-challenger.service";
	struct world *w = *state;
	struct err e;

	put_unit(w, "backstay-champion.service", "");
	open_svc(w);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(30), NULL, &e), &e);
	unsigned champion = main_pid(w);
	struct beside *b = open_beside(w);

	assert_false(is_alive(b));
	expect_ok(start_beside(w, b, "./run", &e), &e);
	assert_true(is_alive(b));
	unsigned pid = (unsigned)shown(unit, "MainPID");

	expect_humble(pid);
	assert_int_equal(shown(unit, "MemoryMax"), 64 << 20);
	assert_int_equal(shown(unit, "TasksMax"), 512);
	assert_true(beside_is_workload(b, (pid_t)champion));
	assert_false(beside_is_workload(b, (pid_t)pid));
	assert_false(beside_is_workload(b, getpid()));
	/* It ends by itself, and may be started again. */
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
	while (is_alive(b))
		usleep(10000);
	expect_ok(start_beside(w, b, "./run", &e), &e);
	/* The next life of the agent stops what this one has left. */
	beside_close(&b);
	expect_ok(beside_clear(&w->conf, &e), &e);
	b = open_beside(w);
	assert_false(is_alive(b));
	expect_ok(beside_stop(b, &e), &e);
	beside_close(&b);
	assert_int_equal(main_pid(w), champion);
	assert_int_equal(look(w).ended, 0);
}

static void a_challenger_that_is_none_is_told(void **state)
{
	struct world *w = *state;
	struct err e;

	put_unit(w, "backstay-alone.service", "");
	open_svc(w);
	struct beside *b = open_beside(w);

	expect_err(start_beside(w, b, "bin/absent", &e), &e, ERR_START_FAILED, NULL, "absent");
	assert_false(is_alive(b));
	expect_ok(beside_stop(b, &e), &e);
	beside_close(&b);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(it_starts_in_the_slot_that_current_names),
		WORLD_TEST(crashes_are_counted),
		WORLD_TEST(a_reload_keeps_the_process),
		WORLD_TEST(what_does_not_start_says_why),
		WORLD_TEST(a_unit_that_gave_up_has_ended),
		WORLD_TEST(its_journal_can_be_read),
		WORLD_TEST(a_challenger_runs_beside_the_unit),
		WORLD_TEST(a_challenger_that_is_none_is_told),
		WORLD_TEST(a_challenger_of_the_agents_own_has_a_scope),
		WORLD_TEST(the_kernel_holds_the_group_to_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
