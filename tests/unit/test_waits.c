/* What an update waits for, on a simulated device whose power, gear and clock a test sets: where it
 * waits, what it says, how it goes on, and that the way back does not wait. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/simdev.h"

struct lab {
	struct sim_vendor vendor;
	struct crashfs *disk;
	struct simdev dev;
	const struct sim_release *one, *two, *errs;
};

static int lab_open(void **state)
{
	struct lab *l = mem_new(sizeof(*l));

	log_init("test_waits", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	l->disk = crashfs_new();
	sim_vendor_init(&l->vendor);
	l->one = sim_vendor_make(&l->vendor, "sim-1", 1, SIM_GOOD);
	l->two = sim_vendor_make(&l->vendor, "sim-2", 2, SIM_GOOD);
	l->errs = sim_vendor_make(&l->vendor, "sim-errs", 3, SIM_ERRS);
	simdev_init(&l->dev, crashfs_fs(l->disk), &l->vendor, 1);
	*state = l;
	return 0;
}

static int lab_close(void **state)
{
	struct lab *l = *state;

	simdev_fini(&l->dev);
	sim_vendor_fini(&l->vendor);
	crashfs_free(&l->disk);
	mem_free(state);
	return 0;
}

static void asks_for(struct lab *l, enum precond_type type, const char *text)
{
	snprintf(l->dev.conf.precond.rule[type], LIMIT_PRECOND_TEXT, "%s", text);
}

static void power_up(struct lab *l)
{
	struct err e;

	simdev_power_up(&l->dev);
	expect_ok(simdev_start_agent(&l->dev, &e), &e);
}

static void run_for(struct lab *l, ms_t span)
{
	ms_t end = l->dev.now + span;

	while (l->dev.now < end) {
		agent_run(l->dev.agent);
		l->dev.now = MAX(l->dev.now + 1, MIN(end, l->dev.booted + l->dev.wake));
	}
	agent_run(l->dev.agent);
	expect_text(l->dev.violation, "");
}

static void order(struct lab *l, const struct sim_release *r, bool rollback)
{
	json_t *answer;
	struct err e;

	simdev_want(&l->dev, r, rollback);
	if (!l->dev.agent) {
		power_up(l);
		return;
	}
	expect_ok(agent_answer(l->dev.agent, CTL_CHECK, NULL, &answer, &e), &e);
	json_decref(answer);
}

static void rest(struct lab *l)
{
	simdev_run(&l->dev, NULL, NULL, NULL);
	simdev_check_rest(&l->dev);
	expect_text(l->dev.violation, "");
}

static bool soaks(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_SOAKING;
}

static json_t *ask(struct lab *l, enum ctl_cmd cmd)
{
	json_t *answer = NULL;
	struct err e;

	expect_ok(agent_answer(l->dev.agent, cmd, NULL, &answer, &e), &e);
	return answer;
}

static void expect_says(struct lab *l, const char *sentence)
{
	JSON_AUTO *explained = ask(l, CTL_EXPLAIN);
	const json_t *all = json_object_get(explained, "sentences"), *s;
	size_t i;

	json_array_foreach (all, i, s)
		if (strstr(json_string_value(s), sentence))
			return;
	fail_msg("nothing says \"%s\": %s", sentence, json_dumps(all, 0));
}

static void expect_runs(struct lab *l, const struct sim_release *r)
{
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), r);
}

static void expect_waits_in(struct lab *l, enum upd_state s)
{
	expect_text(upd_state_name(agent_state(l->dev.agent)), upd_state_name(s));
}

static bool reported(const struct lab *l, enum upd_state s, enum err_code code)
{
	for (unsigned i = 0; i < l->dev.server.n_reports; i++)
		if (strcmp(l->dev.server.report[i].state, upd_state_name(s)) == 0 &&
			l->dev.server.report[i].code == code)
			return true;
	return false;
}

static void has_battery(struct lab *l, unsigned percent)
{
	l->dev.facts.power.known = true;
	l->dev.facts.power.has_battery = true;
	l->dev.facts.power.percent = percent;
}

/* ---- cases ---- */

static void before_the_download_it_waits_for_power(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_POWER, "battery_percent=50");
	has_battery(l, 34);
	order(l, l->one, false);
	run_for(l, MINUTE(10));
	expect_waits_in(l, UPD_ACCEPTED);
	expect_says(l, "waits: the battery has 34 %, at least 50 % is wanted (power, asked for by "
		       "this device)");
	assert_true(l->dev.looks > 15);
	has_battery(l, 50);
	run_for(l, SEC(31));
	expect_waits_in(l, UPD_SOAKING);
	rest(l);
	expect_runs(l, l->one);
}

static void status_has_the_value_and_the_limit(void **state)
{
	struct lab *l = *state;
	JSON_AUTO *status = NULL;
	const json_t *waits, *rule;

	asks_for(l, PRECOND_POWER, "battery_percent=50");
	asks_for(l, PRECOND_FREE_SPACE, "at_least=5, before=install");
	has_battery(l, 34);
	order(l, l->one, false);
	run_for(l, SEC(1));
	status = ask(l, CTL_STATUS);
	waits = json_object_get(status, "waits");
	expect_text(json_string_value(json_object_get(waits, "text")),
		"the battery has 34 %, at least 50 % is wanted");
	assert_int_equal(json_array_size(json_object_get(waits, "preconditions")), 2);
	rule = json_array_get(json_object_get(waits, "preconditions"), 0);
	expect_text(json_string_value(json_object_get(rule, "type")), "power");
	expect_text(json_string_value(json_object_get(rule, "is")), "unmet");
	expect_text(json_string_value(json_object_get(rule, "value")), "34 %, on battery");
	expect_text(json_string_value(json_object_get(rule, "limit")), "mains or at least 50 %");
	/* Nobody knows the room, and that passes. */
	rule = json_array_get(json_object_get(waits, "preconditions"), 1);
	expect_text(json_string_value(json_object_get(rule, "is")), "unknown");
	assert_true(json_is_true(json_object_get(rule, "holds")));
}

static void before_the_swap_it_waits_to_be_parked(void **state)
{
	struct lab *l = *state;
	unsigned reports;

	order(l, l->one, false);
	rest(l);
	asks_for(l, PRECOND_PARKED, "yes");
	l->dev.facts.parked.is = PRECOND_SIGNAL_NO;
	strcpy(l->dev.facts.parked.text, "D");
	order(l, l->two, false);
	run_for(l, MINUTE(5));
	expect_waits_in(l, UPD_READY);
	expect_says(l, "waits: the machine is not parked: its source says 'D'");
	/* It is told once, however often it is looked at. */
	reports = l->dev.server.n_reports;
	run_for(l, MINUTE(10));
	assert_int_equal(l->dev.server.n_reports, reports);
	expect_runs(l, l->one);
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	run_for(l, MINUTE(1));
	rest(l);
	expect_runs(l, l->two);
}

static unsigned switches(const struct lab *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->dev.server.n_reports; i++)
		n += l->dev.server.report[i].kind == REPORT_SWITCH;
	return n;
}

static void expect_condition(const struct lab *l, unsigned i, const char *want)
{
	const struct report_condition *c = &l->dev.server.switched.conditions[i];
	char is[256];

	snprintf(is, sizeof(is), "%s of %s: %s '%s', %s", precond_type_name(c->type),
		c->of_device ? "device" : "release", c->known ? "met" : "unknown", c->value,
		c->limit);
	expect_text(is, want);
}

/* As they were when it was decided, not when it was first looked; and before the new version runs.
 */
static void the_switch_tells_what_it_waited_for(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_POWER, "battery_percent=50, before=swap");
	asks_for(l, PRECOND_PARKED, "yes");
	asks_for(l, PRECOND_TEMPERATURE, "at_most=60, before=swap");
	asks_for(l, PRECOND_FREE_SPACE, "at_least=5, before=install");
	has_battery(l, 34);
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	strcpy(l->dev.facts.parked.text, "P");
	order(l, l->one, false);
	run_for(l, MINUTE(5));
	expect_waits_in(l, UPD_READY);
	assert_int_equal(switches(l), 0);
	has_battery(l, 81);
	run_for(l, MINUTE(1));
	rest(l);
	expect_runs(l, l->one);
	assert_int_equal(switches(l), 1);
	assert_int_equal(l->dev.server.switched.n_conditions, 3);
	expect_condition(l, 0, "power of device: met '81 %, on battery', mains or at least 50 %");
	expect_condition(l, 1, "parked of device: met 'P', parked");
	expect_condition(l, 2, "temperature of device: unknown '', at most 60 C");
	expect_text(l->dev.server.switched.state, "ready");
	expect_text(l->dev.server.switched.target.s, "sim-1");
	expect_text(l->dev.server.switched.text, "switches to sim-1: all that it waited for holds");
}

static void who_waits_for_nothing_tells_nothing(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_FREE_SPACE, "at_least=5, before=install");
	order(l, l->one, false);
	rest(l);
	expect_runs(l, l->one);
	assert_int_equal(switches(l), 0);
}

static void a_window_is_waited_for_until_it_opens(void **state)
{
	struct lab *l = *state;
	unsigned looks;

	asks_for(l, PRECOND_WINDOW, "windows=mon 10:00-11:00");
	l->dev.facts.local.known = true;
	l->dev.facts.local.minute = 9 * 60 + 15;
	order(l, l->one, false);
	run_for(l, MINUTE(5));
	expect_waits_in(l, UPD_READY);
	expect_says(l, "the next window opens in 45 min: mon 10:00-11:00");
	looks = l->dev.looks;
	run_for(l, MINUTE(35));
	assert_int_equal(l->dev.looks, looks);
	l->dev.facts.local.minute = 10 * 60;
	run_for(l, MINUTE(6));
	rest(l);
	expect_runs(l, l->one);
}

static void both_must_hold(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_PARKED, "yes");
	asks_for(l, PRECOND_TEMPERATURE, "at_most=60, before=swap");
	l->dev.facts.n_zones = 1;
	l->dev.facts.zones[0] = (struct precond_zone){"cpu", 61000};
	order(l, l->one, false);
	run_for(l, MINUTE(2));
	expect_says(l, "waits: parked is not known, parked is wanted (parked");
	expect_says(l, "waits: cpu has 61.0 C, at most 60 C is wanted (temperature");
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	run_for(l, MINUTE(2));
	expect_waits_in(l, UPD_READY);
	l->dev.facts.zones[0].milli_c = 60000;
	rest(l);
	expect_runs(l, l->one);
}

/* It speaks against nobody: the same release may come again. */
static void waiting_has_an_end(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_PARKED, "yes");
	l->dev.conf.precond.wait = MINUTE(20);
	order(l, l->one, false);
	run_for(l, MINUTE(19));
	expect_waits_in(l, UPD_READY);
	run_for(l, MINUTE(2));
	expect_waits_in(l, UPD_IDLE);
	assert_true(reported(l, UPD_FAILED, ERR_EXPIRED));
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	order(l, l->one, false);
	rest(l);
	expect_runs(l, l->one);
}

/* The clock may be set and the power may be cut: what was waited counts, and nothing else. */
static void waiting_is_counted_over_power_cuts(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_PARKED, "yes");
	l->dev.conf.precond.wait = MINUTE(20);
	order(l, l->one, false);
	run_for(l, MINUTE(10));
	simdev_stop_agent(&l->dev);
	l->dev.now += MINUTE(60 * 24 * 365);
	power_up(l);
	run_for(l, MINUTE(8));
	expect_waits_in(l, UPD_READY);
	run_for(l, MINUTE(4));
	expect_waits_in(l, UPD_IDLE);
	assert_true(reported(l, UPD_FAILED, ERR_EXPIRED));
}

static void it_goes_on_waiting_after_a_power_cut(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_POWER, "mains, before=download+install+swap");
	has_battery(l, 100);
	order(l, l->one, false);
	run_for(l, MINUTE(1));
	simdev_stop_agent(&l->dev);
	power_up(l);
	run_for(l, MINUTE(1));
	expect_waits_in(l, UPD_ACCEPTED);
	l->dev.facts.power.mains = true;
	rest(l);
	expect_runs(l, l->one);
}

static void answer(struct lab *l, const char *request, enum err_code code)
{
	JSON_AUTO *r = NULL;
	json_t *got = NULL;
	struct err e;

	expect_ok(json_read(str_of(request), 4096, &r, &e), &e);
	if (code == ERR_OK) {
		expect_ok(agent_answer(l->dev.agent, CTL_CONSENT, r, &got, &e), &e);
		json_decref(got);
	} else {
		expect_err(agent_answer(l->dev.agent, CTL_CONSENT, r, &got, &e), &e, code, NULL,
			request);
	}
}

static unsigned consents(const struct lab *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->dev.server.n_reports; i++)
		n += l->dev.server.report[i].kind == REPORT_CONSENT;
	return n;
}

static void somebody_has_to_agree(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_CONSENT, "yes");
	order(l, l->one, false);
	run_for(l, MINUTE(2));
	expect_waits_in(l, UPD_READY);
	expect_says(l, "waits: a person at the device has to agree: backstay consent");
	answer(l, "{\"answer\":\"maybe\",\"who\":\"anna\"}", ERR_BAD_INPUT);
	answer(l, "{\"answer\":\"yes\"}", ERR_BAD_INPUT);
	answer(l, "{\"answer\":\"later\",\"who\":\"anna\"}", ERR_BAD_INPUT);
	answer(l, "{\"answer\":\"no\",\"who\":\"anna\"}", ERR_OK);
	run_for(l, MINUTE(2));
	expect_says(l, "waits: anna has said no to it");
	answer(l, "{\"answer\":\"yes\",\"span_ms\":600000,\"who\":\"ben\"}", ERR_OK);
	run_for(l, MINUTE(9));
	expect_says(l, "waits: ben has put it off");
	run_for(l, MINUTE(2));
	rest(l);
	expect_runs(l, l->one);
	assert_int_equal(consents(l), 2);
	answer(l, "{\"answer\":\"yes\",\"who\":\"ben\"}", ERR_CONFLICT);
}

/* It goes on at once, not at the next look. */
static void consent_wakes_the_update(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_CONSENT, "yes");
	l->dev.conf.precond.look_interval = MINUTE(50);
	order(l, l->one, false);
	run_for(l, MINUTE(1));
	expect_waits_in(l, UPD_READY);
	answer(l, "{\"answer\":\"yes\",\"who\":\"anna\"}", ERR_OK);
	run_for(l, SEC(2));
	expect_waits_in(l, UPD_SOAKING);
}

static void consent_to_one_is_none_to_another(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_CONSENT, "yes");
	order(l, l->one, false);
	run_for(l, MINUTE(1));
	answer(l, "{\"answer\":\"yes\",\"who\":\"anna\"}", ERR_OK);
	rest(l);
	expect_runs(l, l->one);
	order(l, l->two, false);
	run_for(l, MINUTE(5));
	expect_waits_in(l, UPD_READY);
	expect_says(l, "waits: a person at the device has to agree");
}

static void consent_survives_a_power_cut(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_CONSENT, "yes");
	asks_for(l, PRECOND_PARKED, "yes");
	l->dev.server.down = true;
	order(l, l->one, false);
	l->dev.server.down = false;
	run_for(l, MINUTE(5));
	expect_waits_in(l, UPD_READY);
	l->dev.server.down = true;
	answer(l, "{\"answer\":\"yes\",\"who\":\"anna\"}", ERR_OK);
	simdev_stop_agent(&l->dev);
	power_up(l);
	l->dev.server.down = false;
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	run_for(l, MINUTE(5));
	rest(l);
	expect_runs(l, l->one);
	assert_int_equal(consents(l), 1);
}

/* It is asked for last, and while it is refused again and again. */
static void a_lease_is_waited_for(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_LEASE, "yes");
	asks_for(l, PRECOND_PARKED, "yes");
	l->dev.lease.again = SEC(7);
	strcpy(l->dev.lease.text, "1 of at most 1 of line=north are disrupted");
	order(l, l->one, false);
	run_for(l, MINUTE(3));
	expect_waits_in(l, UPD_READY);
	expect_says(l, "waits: parked is not known");
	assert_int_equal(l->dev.leases, 0);
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	run_for(l, MINUTE(2));
	expect_waits_in(l, UPD_READY);
	expect_says(
		l, "1 of at most 1 of line=north are disrupted (lease, asked for by this device)");
	assert_true(l->dev.leases > 5);
	l->dev.lease.granted = true;
	rest(l);
	expect_runs(l, l->one);
}

static void without_the_server_there_is_no_lease(void **state)
{
	struct lab *l = *state;

	asks_for(l, PRECOND_LEASE, "yes");
	asks_for(l, PRECOND_PARKED, "yes");
	l->dev.lease.granted = true;
	order(l, l->one, false);
	run_for(l, MINUTE(3));
	expect_waits_in(l, UPD_READY);
	l->dev.server.down = true;
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	run_for(l, MINUTE(2));
	expect_waits_in(l, UPD_READY);
	expect_says(
		l, "waits: lease is not known: nobody answers, a lease of the server is wanted");
	l->dev.conf.precond.lease_offline = true;
	run_for(l, MINUTE(2));
	l->dev.server.down = false;
	rest(l);
	expect_runs(l, l->one);
}

/* With nothing left that holds, the device still goes back at once. */
static void the_way_back_waits_for_nothing(void **state)
{
	struct lab *l = *state;
	ms_t began;

	order(l, l->one, false);
	rest(l);
	asks_for(l, PRECOND_PARKED, "before=download+install+swap");
	asks_for(l, PRECOND_POWER, "mains, before=download+install+swap");
	asks_for(l, PRECOND_CONSENT, "before=download+install+swap, on_unknown=pass");
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	l->dev.facts.power.known = l->dev.facts.power.mains = true;
	l->dev.conf.precond.rule[PRECOND_CONSENT][0] = '\0';
	order(l, l->errs, false);
	simdev_run(&l->dev, soaks, NULL, NULL);
	l->dev.facts = (struct precond_facts){0};
	began = l->dev.now;
	run_for(l, SEC(10));
	assert_true(reported(l, UPD_REVERTED, ERR_TRIGGERED));
	assert_true(l->dev.now - began <= SEC(11));
	rest(l);
	expect_runs(l, l->one);
}

/* What a person or the fleet orders back does not wait for windows and consent, but for what makes
 * a restart dangerous. */
static void an_ordered_rollback_waits_for_safety_only(void **state)
{
	struct lab *l = *state;

	order(l, l->one, false);
	rest(l);
	order(l, l->two, false);
	rest(l);
	asks_for(l, PRECOND_PARKED, "yes");
	asks_for(l, PRECOND_CONSENT, "yes");
	asks_for(l, PRECOND_WINDOW, "windows=sun");
	order(l, l->one, true);
	run_for(l, MINUTE(2));
	expect_waits_in(l, UPD_READY);
	expect_says(l, "waits: parked is not known");
	l->dev.facts.parked.is = PRECOND_SIGNAL_YES;
	rest(l);
	expect_runs(l, l->one);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, lab_open, lab_close)
	const struct CMUnitTest tests[] = {
		CASE(before_the_download_it_waits_for_power),
		CASE(status_has_the_value_and_the_limit),
		CASE(before_the_swap_it_waits_to_be_parked),
		CASE(the_switch_tells_what_it_waited_for),
		CASE(who_waits_for_nothing_tells_nothing),
		CASE(a_window_is_waited_for_until_it_opens),
		CASE(both_must_hold),
		CASE(waiting_has_an_end),
		CASE(waiting_is_counted_over_power_cuts),
		CASE(it_goes_on_waiting_after_a_power_cut),
		CASE(somebody_has_to_agree),
		CASE(consent_wakes_the_update),
		CASE(consent_to_one_is_none_to_another),
		CASE(consent_survives_a_power_cut),
		CASE(a_lease_is_waited_for),
		CASE(without_the_server_there_is_no_lease),
		CASE(the_way_back_waits_for_nothing),
		CASE(an_ordered_rollback_waits_for_safety_only),
	};

	return cmocka_run_group_tests_name("waits", tests, NULL, NULL);
}
