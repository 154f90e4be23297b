/* When a new version is compared with the old one before the switch, and what comes of it, on the
 * simulated device. */
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
	const struct sim_release *plain, *same, *other;
};

static int lab_open(void **state)
{
	struct lab *l = mem_new(sizeof(*l));

	log_init("test_agent_shadow", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	l->disk = crashfs_new();
	sim_vendor_init(&l->vendor);
	l->plain = sim_vendor_make(&l->vendor, "sim-1", 1, SIM_GOOD);
	l->same = sim_vendor_make_shadow(&l->vendor, "sim-2", 2, SIM_GOOD);
	l->other = sim_vendor_make_shadow(&l->vendor, "sim-3", 3, SIM_DISAGREES);
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

static json_t *ask(struct lab *l, enum ctl_cmd cmd)
{
	JSON_AUTO *r = json_object();
	json_t *out = NULL;
	struct err e;

	expect_ok(agent_answer(l->dev.agent, cmd, r, &out, &e), &e);
	return out;
}

static void rest(struct lab *l)
{
	simdev_run(&l->dev, NULL, NULL, NULL);
	simdev_check_rest(&l->dev);
	expect_text(l->dev.violation, "");
}

static void order(struct lab *l, const struct sim_release *r, bool rollback)
{
	struct err e;

	simdev_want(&l->dev, r, rollback);
	if (!l->dev.agent) {
		simdev_power_up(&l->dev);
		expect_ok(simdev_start_agent(&l->dev, &e), &e);
	} else {
		json_decref(ask(l, CTL_CHECK));
	}
	rest(l);
}

static void runs(struct lab *l, const struct sim_release *r)
{
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), r);
}

static const char *text_at(const json_t *j, const char *a, const char *b, const char *c)
{
	j = json_object_get(j, a);
	j = b ? json_object_get(j, b) : j;
	j = c ? json_object_get(j, c) : j;
	return json_is_string(j) ? json_string_value(j) : "";
}

static bool says(const json_t *explained, const char *piece)
{
	const json_t *all = json_object_get(explained, "sentences"), *one;
	size_t i;

	json_array_foreach (all, i, one)
		if (strstr(json_string_value(one), piece))
			return true;
	return false;
}

static void a_first_install_is_not_compared(void **state)
{
	struct lab *l = *state;

	order(l, l->other, false);
	runs(l, l->other);
	assert_int_equal(l->dev.shadow.runs, 0);
}

static void who_agrees_is_promoted(void **state)
{
	struct lab *l = *state;

	order(l, l->plain, false);
	order(l, l->same, false);
	runs(l, l->same);
	assert_int_equal(l->dev.shadow.runs, 1);
}

static void who_disagrees_is_refused(void **state)
{
	struct lab *l = *state;

	order(l, l->plain, false);
	uint32_t ended = l->dev.work.ended;

	order(l, l->other, false);
	runs(l, l->plain);
	assert_int_equal(l->dev.work.ended, ended);
	JSON_AUTO *x = ask(l, CTL_EXPLAIN);

	expect_text(text_at(x, "status", "last", "code"), "shadow_failed");
	expect_text(text_at(x, "status", "last", "state"), "failed");
	expect_text(text_at(json_object_get(x, "saw"), "dossier", "shadow", "cause"), "disagrees");
	expect_text(text_at(json_object_get(x, "saw"), "dossier", "shadow", "verdict"), "refused");
	expect_text(text_at(x, "saw", "dossier", "challenger_log"), "served\n");
	assert_true(says(x, "disagrees: 270 of 300 answers are the champion's"));
	assert_true(says(x, "sim-3 is not taken again"));
	/* It is remembered. */
	order(l, l->other, false);
	runs(l, l->plain);
	assert_int_equal(l->dev.shadow.runs, 1);
}

static void the_way_back_is_not_compared(void **state)
{
	struct lab *l = *state;

	order(l, l->same, false);
	order(l, l->plain, false);
	order(l, l->same, true);
	runs(l, l->same);
	assert_int_equal(l->dev.shadow.runs, 0);
}

static void a_device_that_cannot_refuses_the_release(void **state)
{
	struct lab *l = *state;
	unsigned n;

	l->dev.shadow.cannot = true;
	order(l, l->plain, false);
	n = l->dev.server.n_reports;
	order(l, l->same, false);
	runs(l, l->plain);
	assert_true(l->dev.server.n_reports > n);
	assert_int_equal(l->dev.server.report[l->dev.server.n_reports - 1].kind, REPORT_REFUSED);
	assert_int_equal(l->dev.server.report[l->dev.server.n_reports - 1].code, ERR_UNSUPPORTED);
	JSON_AUTO *s = ask(l, CTL_STATUS);

	assert_int_equal(json_array_size(json_object_get(s, "quarantine")), 0);
	/* Another release comes as ever. */
	order(l, sim_vendor_make(&l->vendor, "sim-4", 4, SIM_GOOD), false);
	runs(l, &l->vendor.rel[3]);
}

static void what_could_not_be_compared_is_tried_again(void **state)
{
	struct lab *l = *state;

	order(l, l->plain, false);
	l->dev.shadow.fails = 3;
	order(l, l->same, false);
	runs(l, l->same);
	assert_int_equal(l->dev.shadow.runs, 4);
}

#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, lab_open, lab_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAB_TEST(a_first_install_is_not_compared),
		LAB_TEST(who_agrees_is_promoted),
		LAB_TEST(who_disagrees_is_refused),
		LAB_TEST(the_way_back_is_not_compared),
		LAB_TEST(a_device_that_cannot_refuses_the_release),
		LAB_TEST(what_could_not_be_compared_is_tried_again),
	};

	return cmocka_run_group_tests_name("agent_shadow", tests, NULL, NULL);
}
