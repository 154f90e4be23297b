#include "tests/lib/expect.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/svc/svc_priv.h"
#include "lib/sys/clock.h"
#include "tests/lib/webtest.h"

/* A home with two slots whose ./run stays, and the HTTP side of the workload played by the test. */
struct world {
	struct svc_conf conf;
	struct svc *svc;
	struct webtest *web;
	atomic_int health, reload, asked; /* statuses; how often health was asked for */
	atomic_int healthy_after;         /* that many times asked, health is 200 */
	char slot_dir[SVC_PATH_MAX];      /* of the last reload */
};

static void answer(void *ctx, const struct webtest_request *rq, struct webtest_reply *out)
{
	struct world *w = ctx;
	json_t *j;

	if (strcmp(rq->path, "/reload") == 0) {
		out->status = strcmp(rq->method, "POST") == 0 ? w->reload : 405;
		if (json_read(rq->body, 4096, &j, NULL) < 0 ||
			json_text(j, "", "slot_dir", w->slot_dir, sizeof w->slot_dir, NULL) < 0)
			out->status = 400;
		else
			json_decref(j);
		if (out->status != 200)
			buf_add_str(&out->body,
				"{\"error\":\"bad_input\",\"reason\":\"no model there\"}");
	} else {
		out->status = ++w->asked > w->healthy_after ? w->health : 503;
	}
}

static void put_program(struct world *w, unsigned slot, const char *text)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof path, "%s/slots/%s/run", w->conf.home, slot_name(slot));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

#define STAYS "#!/bin/sh\necho \"from $BACKSTAY_SLOT\"\nexec sleep 1000\n"

static void point_current(struct world *w, const char *slot)
{
	char path[300], target[16];

	snprintf(path, sizeof path, "%s/current", w->conf.home);
	snprintf(target, sizeof target, "slots/%s", slot);
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

static void make_tree(struct world *w)
{
	char cwd[128];

	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(w->conf.home, sizeof w->conf.home, "%s/svc.XXXXXX", cwd);
	assert_non_null(mkdtemp(w->conf.home));
	snprintf(w->conf.run_dir, sizeof w->conf.run_dir, "%.200s/run", w->conf.home);
	assert_int_equal(chdir(w->conf.home), 0);
	assert_int_equal(mkdir("run", 0755) + mkdir("slots", 0755), 0);
	assert_int_equal(mkdir("slots/a", 0755) + mkdir("slots/b", 0755), 0);
	assert_int_equal(symlink("slots/a", "current"), 0);
	assert_int_equal(chdir(cwd), 0);
	put_program(w, 0, STAYS);
	put_program(w, 1, STAYS);
}

static int begin(void **state)
{
	struct world *w = mem_new(sizeof *w);

	make_tree(w);
	w->web = webtest_open(0, answer, w);
	w->health = w->reload = 200;
	strcpy(w->conf.kind, "exec");
	strcpy(w->conf.base, "exec");
	strcpy(w->conf.command, "./run");
	w->conf.stop_timeout = 2000;
	webtest_url(w->web, "/reload", w->conf.reload_url, sizeof w->conf.reload_url);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;
	struct err e;

	if (w->svc)
		expect_ok(svc_stop(w->svc, &e), &e);
	svc_close(&w->svc);
	svc_close(&w->svc);
	webtest_close(&w->web);
	mem_free(&w);
	return 0;
}

static void open_svc(struct world *w, const char *kind, bool health)
{
	struct err e;

	strcpy(w->conf.kind, kind);
	if (health)
		webtest_url(w->web, "/healthz", w->conf.health_url, sizeof w->conf.health_url);
	expect_ok(svc_open(&w->conf, &w->svc, &e), &e);
}

static struct svc_view look(struct world *w)
{
	struct svc_view v;
	struct err e;

	expect_ok(svc_look(w->svc, &v, &e), &e);
	return v;
}

static pid_t workload(struct world *w)
{
	struct svc_record r;
	struct fs run;
	struct err e;

	expect_ok(fs_posix_open(w->conf.run_dir, &run, &e), &e);
	expect_ok(svc_record_load(&run, &r, &e), &e);
	fs_posix_close(&run);
	return r.id.pid;
}

/* ---- starting ---- */

static void it_is_up_when_health_says_so(void **state)
{
	struct world *w = *state;
	struct err e;

	open_svc(w, "exec", true);
	w->healthy_after = 3;
	expect_ok(svc_start(w->svc, 1, ACTIVATE_RESTART, SEC(60), NULL, &e), &e);
	assert_int_equal(w->asked, 4);
	assert_true(look(w).alive);
	assert_int_equal(look(w).slot, 1);
	expect_ok(svc_healthy(w->svc, SEC(10), &e), &e);
	w->health = 500;
	expect_err(svc_healthy(w->svc, SEC(10), &e), &e, ERR_NET, "500", "unhealthy");
}

static void alive_is_enough_without_a_health_url(void **state)
{
	struct world *w = *state;
	struct err e;

	point_current(w, "none");
	open_svc(w, "exec", false);
	expect_err(
		svc_healthy(w->svc, SEC(1), &e), &e, ERR_NOT_FOUND, "not run", "nothing applied");
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(60), NULL, &e), &e);
	expect_ok(svc_healthy(w->svc, SEC(1), &e), &e);
}

static const struct {
	const char *name, *program;
	int health; /* 0: no health URL */
	ms_t timeout;
	const char *text;
} failing[] = {
	{"never healthy", STAYS, 503, 300, "slot a: not up in time"},
	{"dies at once", "#!/bin/sh\nexit 3\n", 0, SEC(60), "ended 3 times"},
	{"dies at once, health from elsewhere", "#!/bin/sh\nexit 3\n", 503, SEC(60),
		"ended 3 times"},
	{"cannot be executed", "#!/nowhere/sh\n", 0, SEC(60), "could not be executed"},
};

static void what_does_not_come_up_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(failing); i++) {
		struct world *w;
		struct err e;
		void *mine;

		begin(&mine);
		w = mine;
		w->health = failing[i].health;
		put_program(w, 0, failing[i].program);
		open_svc(w, "exec", failing[i].health);
		expect_err(svc_start(w->svc, 0, ACTIVATE_RESTART, failing[i].timeout, NULL, &e), &e,
			ERR_START_FAILED, failing[i].text, failing[i].name);
		end(&mine);
	}
}

static void *set_flag(void *flag)
{
	usleep(20000);
	atomic_store((atomic_bool *)flag, true);
	return NULL;
}

static void a_start_can_be_cancelled(void **state)
{
	struct world *w = *state;
	atomic_bool cancel = false;
	pthread_t t;
	struct err e;

	open_svc(w, "exec", true);
	w->health = 503;
	assert_int_equal(pthread_create(&t, NULL, set_flag, &cancel), 0);
	expect_err(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(60), &cancel, &e), &e, ERR_CANCELLED,
		NULL, "cancel");
	pthread_join(t, NULL);
}

static void its_log_can_be_read(void **state)
{
	struct world *w = *state;
	struct err e;

	open_svc(w, "exec", false);
	expect_ok(svc_start(w->svc, 1, ACTIVATE_RESTART, SEC(60), NULL, &e), &e);
	for (;;) {
		BUF_AUTO log = {0};

		expect_ok(svc_log_tail(w->svc, 100, &log, &e), &e);
		if (log.n) {
			expect_text(buf_cstr(&log), "from b\n");
			return;
		}
		usleep(1000);
	}
}

/* ---- reloading ---- */

static void a_running_workload_is_reloaded(void **state)
{
	struct world *w = *state;
	char want[SVC_PATH_MAX];
	struct err e;
	pid_t pid;

	point_current(w, "none");
	open_svc(w, "http_reload", true);
	/* Nothing runs yet: a reload is a start. */
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RELOAD, SEC(60), NULL, &e), &e);
	expect_text(w->slot_dir, "");
	pid = workload(w);

	expect_ok(svc_start(w->svc, 1, ACTIVATE_RELOAD, SEC(60), NULL, &e), &e);
	expect_ok(svc_place_of_slot(&w->conf, 1, want, &e), &e);
	expect_text(w->slot_dir, want);
	assert_int_equal(workload(w), pid);
	assert_int_equal(look(w).slot, 1);

	/* The next agent knows it, too. */
	svc_close(&w->svc);
	open_svc(w, "http_reload", true);
	assert_int_equal(look(w).slot, 1);

	/* What its supervisor starts afresh loads what `current` names. */
	point_current(w, "a");
	assert_int_equal(kill(pid, SIGKILL), 0);
	while (look(w).ended == 0 || !look(w).alive)
		usleep(1000);
	assert_int_equal(look(w).slot, 0);
}

static void who_cannot_hear_is_restarted(void **state)
{
	struct webtest *gone = webtest_open(0, answer, NULL);
	struct world *w = *state;
	struct err e;
	pid_t pid;

	webtest_url(gone, "/reload", w->conf.reload_url, sizeof w->conf.reload_url);
	webtest_close(&gone);
	open_svc(w, "http_reload", false);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(60), NULL, &e), &e);
	pid = workload(w);
	expect_ok(svc_start(w->svc, 1, ACTIVATE_RELOAD, SEC(60), NULL, &e), &e);
	assert_true(workload(w) != pid);
	assert_int_equal(look(w).slot, 1);
}

static void a_release_may_ask_for_a_restart(void **state)
{
	struct world *w = *state;
	struct err e;
	pid_t pid;

	open_svc(w, "http_reload", false);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(60), NULL, &e), &e);
	pid = workload(w);
	expect_ok(svc_start(w->svc, 1, ACTIVATE_RESTART, SEC(60), NULL, &e), &e);
	assert_true(workload(w) != pid);
	expect_text(w->slot_dir, "");
}

static void a_refused_reload_leaves_the_old_version_serving(void **state)
{
	struct world *w = *state;
	struct err e;
	pid_t pid;

	open_svc(w, "http_reload", false);
	expect_ok(svc_start(w->svc, 0, ACTIVATE_RESTART, SEC(60), NULL, &e), &e);
	pid = workload(w);
	w->reload = 500;
	expect_err(svc_start(w->svc, 1, ACTIVATE_RELOAD, SEC(60), NULL, &e), &e, ERR_START_FAILED,
		"no model there", "refused");
	assert_int_equal(workload(w), pid);
	assert_int_equal(look(w).slot, 0);
}

/* ---- none ---- */

static void none_believes_everything(void **state)
{
	struct world *w = *state;
	BUF_AUTO log = {0};
	struct err e;

	open_svc(w, "none", false);
	expect_ok(svc_start(w->svc, 1, ACTIVATE_RELOAD, SEC(60), NULL, &e), &e);
	assert_true(look(w).alive);
	assert_int_equal(look(w).slot, SLOT_NONE);
	expect_ok(svc_log_tail(w->svc, 100, &log, &e), &e);
	assert_int_equal(log.n, 0);
}

/* ---- configuration ---- */

static const struct {
	const char *kind, *base, *reload_url, *command, *unit, *text;
} refused[] = {
	{"sysv", "", "", "./run", "", "sysv"},
	{"", "", "", "./run", "", "no service driver"},
	{"exec", "", "", "", "", "command"},
	{"systemd", "", "", "", "", "unit"},
	{"http_reload", "", "http://x/", "./run", "", "base"},
	{"http_reload", "http_reload", "http://x/", "./run", "", "base"},
	{"http_reload", "exec", "", "./run", "", "reload_url"},
	{"http_reload", "exec", "http://x/", " ", "", "command"},
};

static void a_wrong_configuration_is_refused(void **state)
{
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct svc_conf c = w->conf;
		struct svc *s = NULL;

		strcpy(c.kind, refused[i].kind);
		strcpy(c.base, refused[i].base);
		strcpy(c.reload_url, refused[i].reload_url);
		strcpy(c.command, refused[i].command);
		strcpy(c.unit, refused[i].unit);
		expect_err(svc_open(&c, &s, &e), &e, ERR_CONFIG, refused[i].text, refused[i].kind);
		assert_null(s);
	}
}

static void every_driver_says_what_it_is(void **state)
{
	static const char *const kinds[] = {"systemd", "exec", "http_reload", "none"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		const struct svc_driver *d = svc_driver_find(kinds[i]);

		assert_non_null(d);
		expect_text(d->kind, kinds[i]);
		assert_true(strlen(d->help) > 20);
	}
	assert_null(svc_driver_find("reboot?"));
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(it_is_up_when_health_says_so),
		WORLD_TEST(alive_is_enough_without_a_health_url),
		cmocka_unit_test(what_does_not_come_up_says_why),
		WORLD_TEST(a_start_can_be_cancelled),
		WORLD_TEST(its_log_can_be_read),
		WORLD_TEST(a_running_workload_is_reloaded),
		WORLD_TEST(who_cannot_hear_is_restarted),
		WORLD_TEST(a_release_may_ask_for_a_restart),
		WORLD_TEST(a_refused_reload_leaves_the_old_version_serving),
		WORLD_TEST(none_believes_everything),
		WORLD_TEST(a_wrong_configuration_is_refused),
		cmocka_unit_test(every_driver_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
