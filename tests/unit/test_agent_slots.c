/* What a person is told of the slots and may say of them, on the simulated device. */
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
	const struct sim_release *one, *two;
};

static int lab_open(void **state)
{
	struct lab *l = mem_new(sizeof(*l));

	log_init("test_agent_slots", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	l->disk = crashfs_new();
	sim_vendor_init(&l->vendor);
	l->one = sim_vendor_make(&l->vendor, "sim-1", 1, SIM_GOOD);
	l->two = sim_vendor_make(&l->vendor, "sim-2", 2, SIM_GOOD);
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

static void rest(struct lab *l)
{
	simdev_run(&l->dev, NULL, NULL, NULL);
	simdev_check_rest(&l->dev);
	expect_text(l->dev.violation, "");
}

static int ask(struct lab *l, enum ctl_cmd cmd, const char *request, json_t **out, struct err *e)
{
	JSON_AUTO *r = NULL;

	expect_ok(json_read(str_of(request), 4096, &r, e), e);
	return agent_answer(l->dev.agent, cmd, r, out, e);
}

static void tell(struct lab *l, enum ctl_cmd cmd, const char *request)
{
	JSON_AUTO *answer = NULL;
	struct err e;

	expect_ok(ask(l, cmd, request, &answer, &e), &e);
	assert_true(json_is_string(json_object_get(answer, "text")));
}

static void refuses(
	struct lab *l, enum ctl_cmd cmd, const char *request, enum err_code code, const char *piece)
{
	JSON_AUTO *answer = NULL;
	struct err e;

	expect_err(ask(l, cmd, request, &answer, &e), &e, code, piece, request);
}

static void want(struct lab *l, const struct sim_release *r)
{
	JSON_AUTO *answer = NULL;
	struct err e;

	simdev_want(&l->dev, r, false);
	if (l->dev.agent) {
		expect_ok(ask(l, CTL_CHECK, "{}", &answer, &e), &e);
		return;
	}
	simdev_power_up(&l->dev);
	expect_ok(simdev_start_agent(&l->dev, &e), &e);
}

static void install(struct lab *l, const struct sim_release *r)
{
	want(l, r);
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), r);
}

static bool is_soaking(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_SOAKING;
}

static bool is_ready(const struct simdev *d)
{
	return agent_state(d->agent) == UPD_READY;
}

static void soak(struct lab *l, const struct sim_release *r)
{
	want(l, r);
	simdev_run(&l->dev, is_soaking, NULL, NULL);
}

static const char *mark_of(struct lab *l, unsigned slot)
{
	JSON_AUTO *status = NULL;
	struct err e;

	expect_ok(ask(l, CTL_STATUS, "{}", &status, &e), &e);
	const json_t *s = json_array_get(json_object_get(status, "slots"), slot);
	return strcmp(json_string_value(json_object_get(s, "mark")), "valid") == 0 ? "valid"
										   : "invalid";
}

static unsigned outcomes(const struct lab *l, enum err_code code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->dev.server.n_reports; i++)
		n += l->dev.server.report[i].kind == REPORT_OUTCOME &&
		     l->dev.server.report[i].code == code;
	return n;
}

/* ---- good ---- */

static void good_ends_the_soak(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	soak(l, l->two);
	ms_t at = l->dev.now;
	tell(l, CTL_MARK_GOOD, "{\"reason\": \"seen\"}");
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->two);
	assert_true(l->dev.now - at < SEC(5)); /* of ten */
	assert_int_equal(outcomes(l, ERR_OK), 2);
	tell(l, CTL_MARK_GOOD, "{}"); /* again: it is */
}

static void good_is_said_of_what_runs_and_is_watched(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	soak(l, l->two);
	refuses(l, CTL_MARK_GOOD, "{\"slot\": \"a\"}", ERR_CONFLICT, "slot a does not run");
	refuses(l, CTL_MARK_GOOD, "{\"slot\": \"c\"}", ERR_NOT_FOUND, "no slot \"c\"");
	rest(l);
	want(l, sim_vendor_make(&l->vendor, "sim-3", 3, SIM_GOOD));
	simdev_run(&l->dev, is_ready, NULL, NULL);
	refuses(l, CTL_MARK_GOOD, "{}", ERR_CONFLICT, "is ready");
	refuses(l, CTL_MARK_BAD, "{}", ERR_CONFLICT, "is ready");
	refuses(l, CTL_MARK_BAD, "{\"slot\": \"a\"}", ERR_CONFLICT, "is ready");
	refuses(l, CTL_MARK_ACTIVE, "{\"slot\": \"a\"}", ERR_CONFLICT, "is ready");
	rest(l);
}

/* ---- bad ---- */

static void bad_takes_a_trial_back(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	soak(l, l->two);
	tell(l, CTL_MARK_BAD, "{\"reason\": \"dark\"}");
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
	assert_int_equal(outcomes(l, ERR_TRIGGERED), 1); /* blamed: it is not taken again */
}

static void bad_goes_back_after_the_commit(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	install(l, l->two);
	tell(l, CTL_MARK_BAD, "{}");
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->one);
}

static void a_bad_fallback_is_none(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	install(l, l->two);
	expect_text(mark_of(l, 0), "valid");
	tell(l, CTL_MARK_BAD, "{\"slot\": \"a\"}");
	expect_text(mark_of(l, 0), "invalid");
	expect_text(mark_of(l, 1), "valid");
	refuses(l, CTL_ROLLBACK, "{}", ERR_CONFLICT, "nothing to go back to");
	refuses(l, CTL_MARK_BAD, "{}", ERR_CONFLICT, "nothing to go back to");
	refuses(l, CTL_MARK_ACTIVE, "{\"slot\": \"a\"}", ERR_CONFLICT, "nothing to go back to");
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->two);
}

/* The way back of a trial is not to be had. */
static void bad_never_takes_the_way_back(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	soak(l, l->two);
	refuses(l, CTL_MARK_BAD, "{\"slot\": \"a\"}", ERR_CONFLICT, "is soaking");
	expect_text(mark_of(l, 0), "valid");
	rest(l);
}

/* ---- active ---- */

static void active_is_an_update_with_a_way_back(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	refuses(l, CTL_MARK_ACTIVE, "{}", ERR_BAD_INPUT, "slot");
	refuses(l, CTL_MARK_ACTIVE, "{\"slot\": \"b\"}", ERR_CONFLICT, "nothing to go back to");
	install(l, l->two);
	tell(l, CTL_MARK_ACTIVE, "{\"slot\": \"b\"}"); /* it is */
	rest(l);
	tell(l, CTL_MARK_ACTIVE, "{\"slot\": \"a\"}");
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	assert_int_equal(simdev_active(&l->dev), 0);
	assert_int_equal(simdev_confirmed(&l->dev), 1);
	tell(l, CTL_MARK_ACTIVE, "{\"slot\": \"b\"}"); /* changed one's mind */
	rest(l);
	assert_ptr_equal(simdev_content(&l->dev, simdev_active(&l->dev)), l->two);
}

/* ---- what is told ---- */

static int remove_one(void *ctx, const char *name, enum fs_kind kind UNUSED, struct err *e)
{
	struct fs *fs = ctx;

	return fs->ops->unlink(fs, name, e);
}

/* The slot's old mark is gone from the moment on at which it is written. */
static void a_failed_staging_leaves_no_old_mark_in_the_status(void **state)
{
	struct lab *l = *state;
	const struct sim_release *three = sim_vendor_make(&l->vendor, "sim-3", 3, SIM_GOOD);
	struct fs *shelf = &l->vendor.shelf;
	struct err e;

	install(l, l->one);
	install(l, l->two);
	expect_text(mark_of(l, 0), "valid");
	expect_ok(shelf->ops->list(shelf, "", remove_one, shelf, &e), &e);
	want(l, three);
	rest(l);
	assert_int_equal(outcomes(l, ERR_NOT_FOUND), 1);
	expect_text(mark_of(l, 0), "invalid");
	expect_text(mark_of(l, 1), "valid");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, lab_open, lab_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(good_ends_the_soak),
		CASE(good_is_said_of_what_runs_and_is_watched),
		CASE(bad_takes_a_trial_back),
		CASE(bad_goes_back_after_the_commit),
		CASE(a_bad_fallback_is_none),
		CASE(bad_never_takes_the_way_back),
		CASE(active_is_an_update_with_a_way_back),
		CASE(a_failed_staging_leaves_no_old_mark_in_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
