/* The driver while the power holds: what it tells people and the server, what it takes and what it
 * does not. What it does when it does not is tests/fault/test_power.c. */
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
	const struct sim_release *one, *two, *errs, *smoke;
};

static int lab_open(void **state)
{
	struct lab *l = mem_new(sizeof(*l));

	log_init("test_agent", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	l->disk = crashfs_new();
	sim_vendor_init(&l->vendor);
	l->one = sim_vendor_make(&l->vendor, "sim-1", 1, SIM_GOOD);
	l->two = sim_vendor_make(&l->vendor, "sim-2", 2, SIM_GOOD);
	l->errs = sim_vendor_make(&l->vendor, "sim-errs", 3, SIM_ERRS);
	l->smoke = sim_vendor_make(&l->vendor, "sim-smoke", 3, SIM_FAILS_SMOKE);
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

static void power_up(struct lab *l)
{
	struct err e;

	simdev_power_up(&l->dev);
	expect_ok(simdev_start_agent(&l->dev, &e), &e);
}

static void rest(struct lab *l)
{
	simdev_run(&l->dev, NULL, NULL, NULL);
	simdev_check_rest(&l->dev);
	expect_text(l->dev.violation, "");
}

static void run_for(struct lab *l, ms_t span)
{
	ms_t end = l->dev.now + span;

	while (l->dev.now < end) {
		agent_run(l->dev.agent);
		l->dev.now = MAX(l->dev.now + 1, l->dev.booted + l->dev.wake);
	}
	agent_run(l->dev.agent);
	expect_text(l->dev.violation, "");
}

static void order(struct lab *l, const struct sim_release *r, bool rollback)
{
	simdev_want(&l->dev, r, rollback);
	if (!l->dev.agent)
		return;
	json_t *answer;
	struct err e;

	expect_ok(agent_answer(l->dev.agent, CTL_CHECK, NULL, &answer, &e), &e);
	json_decref(answer);
}

static void install(struct lab *l, const struct sim_release *r)
{
	order(l, r, false);
	if (!l->dev.agent)
		power_up(l);
	rest(l);
}

static json_t *ask(struct lab *l, enum ctl_cmd cmd, const char *request)
{
	JSON_AUTO *r = NULL;
	json_t *answer = NULL;
	struct err e;

	expect_ok(json_read(str_of(request), 4096, &r, &e), &e);
	expect_ok(agent_answer(l->dev.agent, cmd, r, &answer, &e), &e);
	return answer;
}

static void tell(struct lab *l, enum ctl_cmd cmd, const char *request)
{
	json_decref(ask(l, cmd, request));
}

/* The member at "a.b.c", which must be a text. */
static const char *text_at(const json_t *j, const char *path)
{
	struct str rest = str_of(path), part;
	char key[64];

	while (str_split(&rest, '.', &part)) {
		expect_ok(str_copy(part, key, sizeof(key), NULL), NULL);
		j = json_object_get(j, key);
	}
	assert_true(json_is_string(j));
	return json_string_value(j);
}

/* Does any sentence hold this piece? */
static bool says(const json_t *explained, const char *piece)
{
	const json_t *all = json_object_get(explained, "sentences"), *s;
	size_t i;

	json_array_foreach (all, i, s)
		if (strstr(json_string_value(s), piece))
			return true;
	return false;
}

static void expect_says(struct lab *l, const char *piece)
{
	JSON_AUTO *x = ask(l, CTL_EXPLAIN, "{}");
	BUF_AUTO all = {0};

	if (says(x, piece))
		return;
	json_write(json_object_get(x, "sentences"), &all);
	fail_msg("nothing says \"%s\": %s", piece, buf_cstr(&all));
}

static unsigned count_reports(const struct lab *l, enum report_kind kind, enum err_code code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->dev.server.n_reports; i++)
		n += l->dev.server.report[i].kind == kind && l->dev.server.report[i].code == code;
	return n;
}

static bool is_soaking(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_SOAKING;
}

static bool is_ready(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_READY;
}

/* ---- the straight way ---- */

static void an_update_is_told(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	install(l, l->two);
	JSON_AUTO *s = ask(l, CTL_STATUS, "{}");

	expect_text(text_at(s, "state"), "idle");
	expect_text(text_at(s, "running.release"), "sim-2");
	expect_text(text_at(s, "running.slot"), "b");
	expect_text(text_at(s, "last.state"), "committed");
	assert_true(json_is_null(json_object_get(s, "update")));
	assert_true(json_is_null(json_object_get(s, "rollback")));
	assert_int_equal(json_integer_value(json_object_get(s, "reports_waiting")), 0);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_OK), 2);
	assert_int_equal(count_reports(l, REPORT_HELLO, ERR_OK), 1);
	expect_says(l, "runs sim-2 from slot b");
}

static void nothing_wanted_is_nothing_done(void **state)
{
	struct lab *l = *state;

	power_up(l);
	rest(l);
	assert_int_equal(simdev_active(&l->dev), SLOT_NONE);
	expect_says(l, "nothing is installed");
	assert_int_equal(count_reports(l, REPORT_STATE, ERR_OK), 0);
}

static void a_soak_is_explained(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	order(l, l->two, false);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	run_for(l, SEC(5));
	JSON_AUTO *x = ask(l, CTL_EXPLAIN, "{}");

	expect_text(text_at(x, "state"), "soaking");
	expect_text(text_at(x, "status.progress.of"), "soak_ms");
	assert_int_equal(json_array_size(json_object_get(x, "triggers")), 3);
	expect_says(l, "of 10 s and nothing has fired");
	expect_says(l, "error_rate 0.00 %, limit 10.00 %");
	expect_says(l, "2 x own baseline, which was not measured");
	rest(l);
}

static void a_wait_is_explained(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	order(l, l->two, false);
	simdev_run(&l->dev, is_ready, NULL, NULL);
	expect_says(l, "waits for the baseline of latency p99 on sim-1: 0 of 10 samples");
	rest(l);
}

/* ---- the ways back ---- */

static void a_rollback_is_explained(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	install(l, l->errs);
	JSON_AUTO *x = ask(l, CTL_EXPLAIN, "{}");

	expect_text(text_at(x, "saw.outcome.release"), "sim-errs");
	expect_text(text_at(x, "saw.outcome.cause"), "error_rate");
	expect_text(text_at(x, "saw.dossier.outcome"), "reverted");
	expect_text(text_at(x, "saw.dossier.log"), "a line that it logged\n");
	const json_t *d = json_object_get(json_object_get(x, "saw"), "dossier");
	const json_t *rule = json_array_get(json_object_get(d, "triggers"), 0);

	expect_text(text_at(rule, "type"), "error_rate");
	assert_int_equal(json_integer_value(json_object_get(rule, "value_micro")), 500000);
	assert_int_equal(json_integer_value(json_object_get(rule, "limit_micro")), 100000);
	assert_true(json_array_size(json_object_get(d, "looks")) > 3);
	expect_says(l, "sim-errs was taken back");
	expect_says(l, "sim-errs is not taken again for");
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_TRIGGERED), 1);
}

/* ---- checks of the machine's owner ---- */

static void checks_that_pass_let_a_release_stay(void **state)
{
	struct lab *l = *state;

	l->dev.checks.has = true;
	install(l, l->one);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	/* Ten seconds of soak, a round every three. */
	assert_in_range(l->dev.checks.rounds, 3, 5);
}

static void a_check_that_goes_on_failing_takes_a_release_back(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	simdev_stop_agent(&l->dev);
	l->dev.checks.has = true;
	l->dev.checks.fails = 1000;
	order(l, l->two, false);
	power_up(l);
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(l->dev.checks.rounds, 3);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_TRIGGERED), 1);
	expect_says(l, "required.d/one failed 3 times: exit 1: no");

	JSON_AUTO *x = ask(l, CTL_EXPLAIN, "{}");
	const json_t *d = json_object_get(json_object_get(x, "saw"), "dossier");
	const json_t *c =
		json_array_get(json_object_get(json_object_get(d, "health"), "checks"), 0);

	expect_text(text_at(x, "saw.dossier.cause"), "health_failed");
	expect_text(text_at(c, "name"), "required.d/one");
	expect_text(text_at(c, "output"), "looked, no");
}

static void a_check_may_fail_for_a_while(void **state)
{
	struct lab *l = *state;

	l->dev.checks.has = true;
	l->dev.checks.fails = 2;
	install(l, l->one);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
}

/* Rounds that fail now and then never count, and yet the last one must pass. */
static void nothing_is_accepted_before_a_round_has_passed(void **state)
{
	struct lab *l = *state;

	l->dev.conf.health.tries = 1000;
	l->dev.checks.has = true;
	l->dev.checks.fails = 30;
	order(l, l->one, false);
	power_up(l);
	run_for(l, SEC(25));
	assert_int_equal(agent_state(l->dev.agent), UPD_SOAKING);
	expect_says(l, "required check required.d/one failed: exit 1: no");
	expect_says(l, "waits for a round of the machine's own checks that passes");

	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(l->dev.checks.fails, 0);
}

static void a_wanted_check_is_a_warning(void **state)
{
	struct lab *l = *state;

	l->dev.checks.has = true;
	l->dev.checks.wanted_fails = true;
	order(l, l->one, false);
	power_up(l);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	run_for(l, SEC(5));
	expect_says(l, "wanted check wanted.d/two failed: exit 1: no");
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);

	JSON_AUTO *h = ask(l, CTL_HISTORY, "{}");
	unsigned told = 0;

	for (size_t i = 0; i < json_array_size(json_object_get(h, "lines")); i++)
		told += strstr(json_string_value(json_array_get(json_object_get(h, "lines"), i)),
				"wanted check wanted.d/two failed (exit 1: no)") != NULL;
	assert_int_equal(told, 1);
}

static void a_quarantined_release_is_refused_once(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	install(l, l->smoke);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_SMOKE_FAILED), 1);
	install(l, l->smoke);
	run_for(l, MINUTE(10));
	assert_int_equal(count_reports(l, REPORT_REFUSED, ERR_QUARANTINED), 1);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_SMOKE_FAILED), 1);
	tell(l, CTL_CLEAR, "{\"release\": \"sim-smoke\"}");

	rest(l);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_SMOKE_FAILED), 2);
}

static void a_person_ends_the_soak(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	order(l, l->two, false);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	tell(l, CTL_ROLLBACK, "{\"reason\": \"smells\"}");

	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_CANCELLED), 1);
	expect_says(l, "smells");
}

static void a_person_goes_back_after_the_commit(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	install(l, l->two);
	tell(l, CTL_ROLLBACK, "{}");

	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	/* The fleet's order stands, and is not followed until somebody clears it. */
	simdev_want(&l->dev, l->two, false);
	run_for(l, MINUTE(10));
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(count_reports(l, REPORT_REFUSED, ERR_QUARANTINED), 1);
	tell(l, CTL_CLEAR, "{\"release\": \"sim-2\"}");

	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->two);
}

static void going_back_needs_something_to_go_to(void **state)
{
	struct lab *l = *state;
	json_t *answer;
	struct err e;

	install(l, l->one);
	expect_err(agent_answer(l->dev.agent, CTL_ROLLBACK, NULL, &answer, &e), &e, ERR_CONFLICT,
		"nothing to go back to", "one slot");
	expect_err(agent_answer(l->dev.agent, CTL_RESET, NULL, &answer, &e), &e, ERR_CONFLICT,
		"nothing is stuck", "reset");
}

/* ---- the server ---- */

static void a_refusal_is_told_once(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	(void)err_set(&l->dev.server.refuse, ERR_UNSIGNED, "director/targets.json: 1 of 2");
	simdev_want(&l->dev, l->two, false);
	run_for(l, MINUTE(10));
	assert_int_equal(count_reports(l, REPORT_REFUSED, ERR_UNSIGNED), 1);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	expect_says(l, "director/targets.json: 1 of 2 (unsigned)");
}

/* HTTP 403 is not a desired state that this device refused. */
static void a_server_that_says_no_has_sent_nothing_to_refuse(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	(void)err_set(&l->dev.server.refuse, ERR_DENIED, "director: timestamp.json: HTTP 403");
	l->dev.server.turns_away = true;
	run_for(l, MINUTE(10));
	assert_int_equal(count_reports(l, REPORT_REFUSED, ERR_DENIED), 0);
	expect_says(l, "director: timestamp.json: HTTP 403 (denied)");
	l->dev.server.turns_away = false;
	run_for(l, MINUTE(10));
	assert_int_equal(count_reports(l, REPORT_REFUSED, ERR_DENIED), 1);
}

static void a_bad_release_goes_back_without_a_server(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	order(l, l->errs, false);
	simdev_run(&l->dev, is_ready, NULL, NULL);
	l->dev.server.down = true;
	run_for(l, MINUTE(2));
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(agent_state(l->dev.agent), UPD_IDLE);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_TRIGGERED), 0);
	expect_says(l, "reports wait for the server");
	l->dev.server.down = false;
	run_for(l, MINUTE(30));
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_TRIGGERED), 1);
}

static void a_newer_order_supersedes(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	order(l, l->two, false);
	simdev_run(&l->dev, is_ready, NULL, NULL);
	order(l, l->smoke, false);
	rest(l);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_SUPERSEDED), 1);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_SMOKE_FAILED), 1);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
}

static void a_fleet_rollback_is_an_update(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	install(l, l->two);
	order(l, l->one, true);
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_OK), 3);
}

/* An outage that all versions show must not bring back what the fleet was ordered away from. */
static void a_way_back_is_not_undone_by_numbers(void **state)
{
	struct lab *l = *state;

	install(l, l->two);
	order(l, l->errs, true);
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->errs);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_TRIGGERED), 0);
}

/* ---- the agent's own death ---- */

static void the_soak_goes_on_after_a_restart(void **state)
{
	struct lab *l = *state;
	struct err e;

	install(l, l->one);
	order(l, l->two, false);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	run_for(l, SEC(8));
	simdev_stop_agent(&l->dev);
	ms_t before = l->dev.now;

	expect_ok(simdev_start_agent(&l->dev, &e), &e);
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->two);
	/* All but one or two seconds of the ten stood in a checkpoint. */
	assert_true(l->dev.now - before < SEC(5));
	assert_int_equal(count_reports(l, REPORT_HELLO, ERR_OK), 2);
}

/* Three within a minute are too many, whoever was there to count them. */
static void a_crash_loop_is_counted_over_restarts(void **state)
{
	struct lab *l = *state;
	struct err e;

	install(l, l->one);
	order(l, l->two, false);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(agent_state(l->dev.agent), UPD_SOAKING);
		run_for(l, SEC(1));
		l->dev.work.ended++;
		run_for(l, SEC(1));
		simdev_stop_agent(&l->dev);
		expect_ok(simdev_start_agent(&l->dev, &e), &e);
		run_for(l, 10);
	}
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	expect_says(l, "crash_loop: the workload ended 3 times");
}

/* ---- what is promised to who holds the agent to it ---- */

static void a_trial_is_promised_to_end(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	assert_int_equal(l->dev.promise.on_trial, false);
	order(l, l->two, false);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	assert_int_equal(l->dev.promise.on_trial, true);
	assert_int_equal(l->dev.promise.message_in, l->dev.conf.agent.lost);
	unsigned before = l->dev.promises;

	/* renewed, while it lives */
	run_for(l, SEC(5));
	assert_int_equal(l->dev.promises, before);
	run_for(l, SEC(4));
	rest(l);
	assert_int_equal(l->dev.promise.on_trial, false);
}

/* A boot loader that tries something, and a record that knows of nothing: whoever watches goes on
 * watching. */
static void what_the_boot_layer_tries_is_not_called_good(void **state)
{
	struct lab *l = *state;
	struct err e;

	install(l, l->one);
	install(l, l->two);
	simdev_stop_agent(&l->dev);
	expect_ok(fs_replace_symlink(l->dev.disk, "slots/a", "confirmed", &e), &e);
	unsigned before = l->dev.promises;

	expect_ok(simdev_start_agent(&l->dev, &e), &e);
	run_for(l, MINUTE(20));
	assert_int_equal(agent_state(l->dev.agent), UPD_IDLE);
	assert_int_equal(l->dev.promises, before);
}

static bool goes_down(void *ctx)
{
	return ((const struct simdev *)ctx)->restarts;
}

/* The switch is made, the machine is not restarted yet: the old version still runs. */
static void what_runs_is_what_was_started(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	simdev_stop_agent(&l->dev);
	simdev_use_loader(&l->dev);
	simdev_want(&l->dev, l->two, false);
	power_up(l);
	simdev_run(&l->dev, NULL, goes_down, &l->dev);
	assert_true(l->dev.restarts);
	JSON_AUTO *down = ask(l, CTL_STATUS, "{}");

	assert_string_equal(text_at(down, "running.release"), l->one->id.s);
	assert_string_equal(text_at(down, "running.slot"), slot_name(l->dev.from));
	simdev_stop_agent(&l->dev);
	power_up(l);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	JSON_AUTO *up = ask(l, CTL_STATUS, "{}");

	assert_string_equal(text_at(up, "running.release"), l->two->id.s);
	rest(l);
}

/* ---- a soak that gets nowhere ---- */

/* The workload comes and goes: never away for long enough to be given up, and never there for long
 * enough. */
static void a_soak_that_gets_nowhere_is_decided(void **state)
{
	struct lab *l = *state;

	l->dev.conf.agent.lost = SEC(2);
	install(l, l->one);
	order(l, l->two, false);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	unsigned one = slot_other(l->dev.work.slot), two = l->dev.work.slot;

	for (unsigned i = 0; i < 10 && agent_state(l->dev.agent) == UPD_SOAKING; i++) {
		l->dev.work.slot = one;
		run_for(l, SEC(2));
		if (agent_state(l->dev.agent) == UPD_SOAKING)
			l->dev.work.slot = two;
		run_for(l, SEC(1));
	}
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_TRIGGERED), 1);
	expect_says(l, "could be watched");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, lab_open, lab_close)

/* ---- sleepers ---- */

static bool is_tested(const struct simdev *d)
{
	return agent_state(d->agent) >= UPD_SEALED;
}

/* Something is staged and tested, and then the machine sleeps for a year. */
static void sleep_before_the_switch(struct lab *l, const struct sim_release *r)
{
	order(l, r, false);
	if (!l->dev.agent)
		power_up(l);
	simdev_run(&l->dev, is_tested, NULL, NULL);
	assert_true(agent_state(l->dev.agent) <= UPD_READY);
	simdev_stop_agent(&l->dev);
	l->dev.now += MINUTE(60 * 24 * 365);
}

static void a_sleeper_asks_before_it_switches(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	unsigned active = simdev_active(&l->dev);

	sleep_before_the_switch(l, l->two);
	l->dev.server.down = true;
	power_up(l);
	run_for(l, MINUTE(60));
	assert_int_equal(agent_state(l->dev.agent), UPD_READY);
	assert_int_equal(simdev_active(&l->dev), active);
	json_t *said = ask(l, CTL_EXPLAIN, "{}");
	BUF_AUTO text = {0};
	json_write(said, &text);
	assert_non_null(strstr(buf_cstr(&text), "asks the director before it switches"));
	json_decref(said);
	l->dev.server.down = false;
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->two);
}

static void what_was_called_off_while_it_slept_is_not_switched_to(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	sleep_before_the_switch(l, l->two);
	simdev_want(&l->dev, NULL, false);
	power_up(l);
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
}

static void what_was_replaced_while_it_slept_is_not_switched_to(void **state)
{
	struct lab *l = *state;
	const struct sim_release *three = sim_vendor_make(&l->vendor, "sim-3", 3, SIM_GOOD);

	install(l, l->one);
	sleep_before_the_switch(l, l->two);
	simdev_want(&l->dev, three, false);
	power_up(l);
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), three);
}

/* The agent's process slept with the machine: counting goes on, and its answer is old. */
static void a_suspended_agent_asks_before_it_switches(void **state)
{
	struct lab *l = *state;

	l->dev.conf.server.fresh = MINUTE(60 * 24);
	install(l, l->one);
	unsigned active = simdev_active(&l->dev);

	order(l, l->two, false);
	simdev_run(&l->dev, is_tested, NULL, NULL);
	l->dev.now += MINUTE(60 * 24 * 365);
	l->dev.server.down = true;
	run_for(l, MINUTE(60));
	assert_int_equal(agent_state(l->dev.agent), UPD_READY);
	assert_int_equal(simdev_active(&l->dev), active);
	l->dev.server.down = false;
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->two);
}

/* ---- what must keep the connection ---- */

/* Its answer is of today, and it is not there now. */
static void what_must_keep_the_connection_is_switched_to_while_there_is_one(void **state)
{
	struct lab *l = *state;
	const struct sim_release *online =
		sim_vendor_make_online(&l->vendor, "sim-online", 3, SIM_GOOD);

	install(l, l->one);
	unsigned active = simdev_active(&l->dev);

	order(l, online, false);
	simdev_run(&l->dev, is_ready, NULL, NULL);
	l->dev.server.down = true;
	l->dev.now += MINUTE(2);
	run_for(l, MINUTE(60));
	assert_int_equal(agent_state(l->dev.agent), UPD_READY);
	assert_int_equal(simdev_active(&l->dev), active);
	l->dev.server.down = false;
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), online);
}

static void what_loses_the_connection_goes_back_without_one(void **state)
{
	struct lab *l = *state;
	const struct sim_release *online =
		sim_vendor_make_online(&l->vendor, "sim-online", 3, SIM_GOOD);

	install(l, l->one);
	order(l, online, false);
	simdev_run(&l->dev, is_ready, NULL, NULL);
	l->dev.server.down = true; /* it answered within the minute, and never again */
	run_for(l, MINUTE(5));
	assert_int_equal(agent_state(l->dev.agent), UPD_IDLE);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	expect_says(l, "connectivity");
	l->dev.server.down = false;
	run_for(l, MINUTE(30));
	assert_int_equal(count_reports(l, REPORT_OUTCOME, ERR_TRIGGERED), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_update_is_told),
		CASE(nothing_wanted_is_nothing_done),
		CASE(a_soak_is_explained),
		CASE(a_wait_is_explained),
		CASE(a_rollback_is_explained),
		CASE(checks_that_pass_let_a_release_stay),
		CASE(a_check_that_goes_on_failing_takes_a_release_back),
		CASE(a_check_may_fail_for_a_while),
		CASE(nothing_is_accepted_before_a_round_has_passed),
		CASE(a_wanted_check_is_a_warning),
		CASE(a_quarantined_release_is_refused_once),
		CASE(a_person_ends_the_soak),
		CASE(a_person_goes_back_after_the_commit),
		CASE(going_back_needs_something_to_go_to),
		CASE(a_refusal_is_told_once),
		CASE(a_server_that_says_no_has_sent_nothing_to_refuse),
		CASE(a_bad_release_goes_back_without_a_server),
		CASE(a_newer_order_supersedes),
		CASE(a_fleet_rollback_is_an_update),
		CASE(a_way_back_is_not_undone_by_numbers),
		CASE(the_soak_goes_on_after_a_restart),
		CASE(a_crash_loop_is_counted_over_restarts),
		CASE(a_trial_is_promised_to_end),
		CASE(what_the_boot_layer_tries_is_not_called_good),
		CASE(what_runs_is_what_was_started),
		CASE(a_soak_that_gets_nowhere_is_decided),
		CASE(a_sleeper_asks_before_it_switches),
		CASE(what_was_called_off_while_it_slept_is_not_switched_to),
		CASE(what_was_replaced_while_it_slept_is_not_switched_to),
		CASE(a_suspended_agent_asks_before_it_switches),
		CASE(what_must_keep_the_connection_is_switched_to_while_there_is_one),
		CASE(what_loses_the_connection_goes_back_without_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
