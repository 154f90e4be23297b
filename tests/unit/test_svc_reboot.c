/* Slots that the machine is started from. Nothing here restarts this one: the bus is a private one,
 * and the last resort only counts. */
#include <stdlib.h>
#include <string.h>

#include "agent/svc/svc.h"
#include "tests/lib/expect.h"
#include "tests/lib/manager.h"

static unsigned resorts;

static int last_resort(struct err *e)
{
	resorts++;
	return err_set(e, ERR_DENIED, "not this one");
}

struct world {
	struct manager_says says;
	struct manager *manager;
	struct svc_conf conf;
	struct svc *svc;
};

static int begin(void **state)
{
	struct world *w = mem_new(sizeof *w);
	struct err e;

	w->says.state = "active";
	w->says.result = "done";
	w->manager = manager_open(&w->says);
	w->conf = (struct svc_conf){.kind = "reboot",
		.base = "systemd",
		.unit = "x.service",
		.run_dir = ".",
		.booted = 1,
		.restart_machine = last_resort};
	expect_ok(svc_open(&w->conf, &w->svc, &e), &e);
	resorts = 0;
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	svc_close(&w->svc);
	manager_close(&w->manager);
	mem_free(&w);
	return 0;
}

static void expect_heard(struct world *w, const char *want)
{
	char *heard = manager_heard(w->manager);

	expect_text(heard, want);
	mem_free(&heard);
}

/* Its own end is what ends the wait: the lane's cancel comes with it. */
static int start(struct world *w, unsigned slot, bool cancelled, struct err *e)
{
	const atomic_bool cancel = cancelled;

	return svc_start(w->svc, slot, ACTIVATE_RESTART, SEC(1), &cancel, e);
}

static void from_that_slot_already_there_is_nothing_to_do(void **state)
{
	struct world *w = *state;
	struct err e;

	expect_ok(start(w, 1, false, &e), &e);
	expect_heard(w, "");
}

static void the_login_manager_is_asked_to_restart_the_machine(void **state)
{
	struct world *w = *state;
	struct err e;

	expect_err(start(w, 0, true, &e), &e, ERR_CANCELLED, NULL, "the way down");
	expect_heard(w, "Reboot(no)");
	assert_int_equal(resorts, 0);
}

static void where_it_refuses_the_service_manager_is(void **state)
{
	struct world *w = *state;
	struct err e;

	w->says.no_reboot = "org.freedesktop.login1.OperationInProgress";
	expect_err(start(w, 0, true, &e), &e, ERR_CANCELLED, NULL, "the way down");
	expect_heard(w, "Reboot(no) StartUnit(reboot.target,replace-irreversibly)");
	assert_int_equal(resorts, 0);
}

static void when_all_refuse_there_is_a_last_resort(void **state)
{
	struct world *w = *state;
	struct err e;

	w->says.no_reboot = "org.freedesktop.login1.OperationInProgress";
	w->says.error = "org.freedesktop.systemd1.TransactionIsDestructive";
	expect_err(start(w, 0, false, &e), &e, ERR_START_FAILED,
		"restart the machine: not this one", "nobody restarts it");
	assert_int_equal(resorts, 1);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	expect_err(start(w, 0, false, &e), &e, ERR_START_FAILED, "not this one", "no bus");
	assert_int_equal(resorts, 2);
}

static void the_slot_is_known_before_the_workload_is_up(void **state)
{
	struct world *w = *state;
	struct svc_view v;
	struct err e;

	expect_ok(svc_look(w->svc, &v, &e), &e);
	assert_true(v.alive);
	assert_int_equal(v.slot, 1);
	w->says.state = "activating";
	expect_ok(svc_look(w->svc, &v, &e), &e);
	assert_false(v.alive);
	assert_int_equal(v.slot, 1);
}

static void what_starts_from_home_cannot_be_the_base(void **state)
{
	struct world *w = *state;
	struct svc_conf c = w->conf;
	struct svc *s = NULL;
	struct err e;

	strcpy(c.base, "exec");
	expect_err(svc_open(&c, &s, &e), &e, ERR_CONFIG, "exec", "exec");
	strcpy(c.base, "reboot");
	expect_err(svc_open(&c, &s, &e), &e, ERR_CONFIG, "reboot", "itself");
	assert_null(s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(from_that_slot_already_there_is_nothing_to_do),
		TEST(the_login_manager_is_asked_to_restart_the_machine),
		TEST(where_it_refuses_the_service_manager_is),
		TEST(when_all_refuse_there_is_a_last_resort),
		TEST(the_slot_is_known_before_the_workload_is_up),
		TEST(what_starts_from_home_cannot_be_the_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
