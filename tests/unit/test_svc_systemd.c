#include "tests/lib/expect.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/svc/svc_priv.h"
#include "tests/lib/manager.h"

struct world {
	struct manager_says says;
	struct manager *manager;
	struct svc_conf conf;
	void *self;
	pid_t main; /* a process whose working directory is slot b */
};

/* Returns when its working directory is `dir`. */
static pid_t stand_in(const char *dir)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (chdir(dir) == 0 && write(ready[1], "", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void make_home(struct world *w)
{
	char cwd[128];

	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(w->conf.home, sizeof w->conf.home, "%s/sd.XXXXXX", cwd);
	assert_non_null(mkdtemp(w->conf.home));
	snprintf(w->conf.run_dir, sizeof w->conf.run_dir, "%.200s/run", w->conf.home);
	assert_int_equal(chdir(w->conf.home), 0);
	assert_int_equal(mkdir("run", 0755) + mkdir("slots", 0755), 0);
	assert_int_equal(mkdir("slots/a", 0755) + mkdir("slots/b", 0755), 0);
	w->main = stand_in("slots/b");
	assert_int_equal(chdir(cwd), 0);
}

static void reopen(struct world *w)
{
	struct err e;

	if (w->self)
		svc_systemd.close(w->self);
	w->self = NULL;
	expect_ok(svc_systemd.open(&w->conf, &w->self, &e), &e);
}

static int begin(void **state)
{
	struct world *w = mem_new(sizeof *w);

	make_home(w);
	strcpy(w->conf.unit, "x.service");
	w->says.result = "done";
	w->says.state = "active";
	w->says.pid = (unsigned)w->main;
	w->manager = manager_open(&w->says);
	reopen(w);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	svc_systemd.close(w->self);
	manager_close(&w->manager);
	kill(w->main, SIGKILL);
	waitpid(w->main, NULL, 0);
	mem_free(&w);
	return 0;
}

static struct svc_view look(struct world *w)
{
	struct svc_view v;
	struct err e;

	expect_ok(svc_systemd.look(w->self, &v, &e), &e);
	return v;
}

static void expect_heard(struct world *w, const char *want)
{
	char *heard = manager_heard(w->manager);

	expect_text(heard, want);
	mem_free(&heard);
}

/* ---- jobs ---- */

static const struct {
	enum activation how;
	const char *heard;
} verbs[] = {
	{ACTIVATE_RESTART, "Subscribe RestartUnit(x.service,replace)"},
	{ACTIVATE_RELOAD, "Subscribe ReloadOrRestartUnit(x.service,replace)"},
};

static void a_job_is_ordered_and_followed(void **state)
{
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		expect_ok(svc_systemd.apply(w->self, 0, verbs[i].how, SEC(60), &e), &e);
		expect_heard(w, verbs[i].heard);
	}
	expect_ok(svc_systemd.stop(w->self, &e), &e);
	expect_heard(w, "Subscribe StopUnit(x.service,replace)");
}

static const struct {
	const char *result, *error;
	ms_t timeout;
	enum err_code code;
	const char *text;
} failures[] = {
	{"failed", NULL, SEC(60), ERR_START_FAILED, "RestartUnit x.service: job failed"},
	{"timeout", NULL, SEC(60), ERR_START_FAILED, "job timeout"},
	{"dependency", NULL, SEC(60), ERR_START_FAILED, "job dependency"},
	{"canceled", NULL, SEC(60), ERR_START_FAILED, "job canceled"},
	{NULL, NULL, 100, ERR_TIMEOUT, "not done in time"},
	{"done", "org.freedesktop.systemd1.NoSuchUnit", SEC(60), ERR_START_FAILED,
		"Unit x.service: no."},
	{"done", "org.freedesktop.DBus.Error.AccessDenied", SEC(60), ERR_DENIED,
		"Unit x.service: no."},
};

static void a_job_that_fails_says_how(void **state)
{
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		w->says.result = failures[i].result;
		w->says.error = failures[i].error;
		expect_err(svc_systemd.apply(w->self, 0, ACTIVATE_RESTART, failures[i].timeout, &e),
			&e, failures[i].code, failures[i].text, "job");
	}
}

static void without_a_bus_nothing_can_be_said(void **state)
{
	struct world *w = *state;
	struct svc_view v;
	struct err e;

	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus", 1);
	assert_true(svc_systemd.look(w->self, &v, &e) < 0);
	assert_non_null(strstr(e.text, "system bus"));
	assert_true(svc_systemd.apply(w->self, 0, ACTIVATE_RESTART, SEC(1), &e) < 0);
}

/* ---- looking ---- */

static const struct {
	const char *state;
	bool alive;
} states[] = {
	{"active", true},
	{"reloading", true},
	{"activating", false},
	{"deactivating", false},
	{"inactive", false},
	{"failed", false},
};

static void active_is_alive(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		w->says.state = states[i].state;
		assert_int_equal(look(w).alive, states[i].alive);
		assert_int_equal(look(w).slot, states[i].alive ? 1 : SLOT_NONE);
	}
}

static void the_slot_is_where_the_process_works(void **state)
{
	struct world *w = *state;

	assert_int_equal(look(w).slot, 1);
	w->says.pid = (unsigned)getpid();
	assert_int_equal(look(w).slot, SLOT_NONE);
	w->says.pid = 0;
	assert_int_equal(look(w).slot, SLOT_NONE);
}

static void a_reloaded_process_serves_from_the_new_slot(void **state)
{
	struct world *w = *state;
	struct err e;

	expect_ok(svc_systemd.apply(w->self, 0, ACTIVATE_RELOAD, SEC(60), &e), &e);
	assert_int_equal(look(w).slot, 0);
	reopen(w);
	assert_int_equal(look(w).slot, 0);
}

static void a_reload_that_became_a_restart_is_looked_at_anew(void **state)
{
	struct world *w = *state;
	pid_t fresh;
	struct err e;
	char dir[300];

	snprintf(dir, sizeof dir, "%s/slots/a", w->conf.home);
	fresh = stand_in(dir);
	w->says.pid_after = (unsigned)fresh;
	expect_ok(svc_systemd.apply(w->self, 0, ACTIVATE_RELOAD, SEC(60), &e), &e);
	assert_int_equal(look(w).slot, 0);
	kill(fresh, SIGKILL);
	waitpid(fresh, NULL, 0);
}

/* One look after another: what the manager counts, and what that means. */
static const struct {
	const char *state;
	unsigned restarts;
	uint32_t ended;
} ends[] = {
	{"active", 0, 0},
	{"active", 2, 2},
	{"active", 2, 2},
	{"active", 0, 2}, /* started by hand: the manager counts anew */
	{"active", 1, 3},
	{"failed", 1, 4}, /* an end that it leaves be */
	{"failed", 1, 4},
	{"active", 0, 4},
	{"failed", 0, 5},
};

static void ends_never_go_down(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		w->says.state = ends[i].state;
		w->says.restarts = ends[i].restarts;
		assert_int_equal(look(w).ended, ends[i].ended);
	}
	reopen(w);
	assert_int_equal(look(w).ended, 5);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_job_is_ordered_and_followed),
		WORLD_TEST(a_job_that_fails_says_how),
		WORLD_TEST(without_a_bus_nothing_can_be_said),
		WORLD_TEST(active_is_alive),
		WORLD_TEST(the_slot_is_where_the_process_works),
		WORLD_TEST(a_reloaded_process_serves_from_the_new_slot),
		WORLD_TEST(a_reload_that_became_a_restart_is_looked_at_anew),
		WORLD_TEST(ends_never_go_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
