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

static void expect_boot(struct lab *l, const char *active, const char *good, const char *line)
{
	JSON_AUTO *b = NULL;
	struct err e;
	BUF_AUTO env = {0};

	expect_ok(ask(l, CTL_BOOT, "{}", &b, &e), &e);
	expect_text(json_string_value(json_object_get(b, "adapter")), "symlink");
	expect_text(json_string_value(json_object_get(b, "active")), active);
	expect_text(json_string_value(json_object_get(b, "confirmed")), good);
	json_write(json_object_get(b, "environment"), &env);
	if (!strstr(buf_cstr(&env), line))
		fail_msg("no %s in %s", line, buf_cstr(&env));
}

static void the_boot_layer_is_told(void **state)
{
	struct lab *l = *state;

	install(l, l->one);
	expect_boot(l, "a", "a", "current=slots/a");
	soak(l, l->two);
	expect_boot(l, "b", "a", "confirmed=slots/a");
	rest(l);
	expect_boot(l, "b", "b", "confirmed=slots/b");
}

/* ---- the way back is read now and then ---- */

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

static json_t *scrub_of(struct lab *l, unsigned slot)
{
	JSON_AUTO *status = NULL;
	struct err e;

	expect_ok(ask(l, CTL_STATUS, "{}", &status, &e), &e);
	return json_incref(
		json_object_get(json_array_get(json_object_get(status, "slots"), slot), "scrub"));
}

static void expect_scrub(struct lab *l, unsigned slot, const char *code)
{
	JSON_AUTO *x = scrub_of(l, slot);

	if (!code)
		assert_true(json_is_null(x));
	else
		expect_text(json_string_value(json_object_get(x, "code")), code);
}

static unsigned conditions(const struct lab *l, enum err_code code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->dev.server.n_reports; i++)
		n += l->dev.server.report[i].kind == REPORT_CONDITION &&
		     l->dev.server.report[i].code == code;
	return n;
}

static void rot(struct lab *l, const char *path)
{
	struct fs *fs = crashfs_fs(l->disk);
	struct err e;
	int fd;

	expect_ok(fs->ops->open(fs, path, FS_WRITE, &fd, &e), &e);
	expect_ok(fs->ops->pwrite(fs, fd, "R", 1, 0, &e), &e);
	expect_ok(fs->ops->sync(fs, fd, &e), &e);
	expect_ok(fs->ops->close(fs, fd, &e), &e);
}

static void expect_explained(struct lab *l, const char *piece, bool wanted)
{
	JSON_AUTO *answer = NULL;
	struct err e;
	BUF_AUTO text = {0};

	expect_ok(ask(l, CTL_EXPLAIN, "{}", &answer, &e), &e);
	json_write(json_object_get(answer, "sentences"), &text);
	assert_int_equal(strstr(buf_cstr(&text), piece) != NULL, wanted);
}

static void two_releases(struct lab *l)
{
	l->dev.conf.agent.scrub_interval = MINUTE(60);
	install(l, l->one);
	install(l, l->two);
}

static void a_whole_way_back_stays(void **state)
{
	struct lab *l = *state;

	two_releases(l);
	expect_scrub(l, 0, NULL);
	run_for(l, MINUTE(15));
	expect_scrub(l, 0, "ok");
	expect_scrub(l, 1, NULL); /* what runs is left alone */
	run_for(l, MINUTE(180));
	expect_text(mark_of(l, 0), "valid");
	assert_int_equal(conditions(l, ERR_OK), 0); /* no news is not told */
}

static void a_rotten_way_back_is_none(void **state)
{
	struct lab *l = *state;

	two_releases(l);
	run_for(l, MINUTE(15));
	rot(l, "slots/a/models/eng/net/weights");
	run_for(l, MINUTE(90));
	expect_scrub(l, 0, "altered");
	expect_text(mark_of(l, 0), "invalid");
	expect_text(mark_of(l, 1), "valid");
	assert_int_equal(conditions(l, ERR_ALTERED), 1);
	expect_explained(l, "slot a is no way back", true);
	refuses(l, CTL_ROLLBACK, "{}", ERR_CONFLICT, "nothing to go back to");
	run_for(l, MINUTE(240));
	assert_int_equal(conditions(l, ERR_ALTERED), 1);
	install(l, sim_vendor_make(&l->vendor, "sim-3", 3, SIM_GOOD));
	expect_text(mark_of(l, 0), "valid");
	expect_explained(l, "no way back", false);
}

/* What is remembered outlives the agent, and the clock decides when it is due again. */
static void a_restart_does_not_begin_anew(void **state)
{
	struct lab *l = *state;
	struct err e;

	two_releases(l);
	run_for(l, MINUTE(15));
	JSON_AUTO *was = scrub_of(l, 0);
	simdev_stop_agent(&l->dev);
	simdev_power_up(&l->dev);
	expect_ok(simdev_start_agent(&l->dev, &e), &e);
	run_for(l, MINUTE(30));
	JSON_AUTO *is = scrub_of(l, 0);
	assert_true(json_equal(was, is));
	run_for(l, MINUTE(30));
	JSON_AUTO *later = scrub_of(l, 0);
	assert_false(json_equal(was, later));
}

static void nothing_is_read_while_an_update_runs(void **state)
{
	struct lab *l = *state;

	two_releases(l);
	l->dev.now += MINUTE(9);
	want(l, sim_vendor_make(&l->vendor, "sim-3", 3, SIM_GOOD));
	l->dev.now += MINUTE(9); /* it is due, and the update is under way */
	simdev_run(&l->dev, is_soaking, NULL, NULL);
	expect_scrub(l, 0, NULL);
	expect_scrub(l, 1, NULL);
	rest(l);
	run_for(l, MINUTE(15));
	expect_scrub(l, 1, "ok"); /* the way back is another one now */
}

/* Of a raw slot whose system writes to it, reading is all that can be asked. */
static void what_its_own_system_wrote_is_no_rot(void **state)
{
	struct lab *l = *state;

	simdev_use_raw(&l->dev);
	l->dev.conf.agent.scrub_interval = MINUTE(60);
	install(l, sim_vendor_make_image(&l->vendor, "img-1", 3, SIM_GOOD));
	install(l, sim_vendor_make_image(&l->vendor, "img-2", 4, SIM_GOOD));
	rot(l, "dev-a");
	l->dev.conf.slot.writable = true;
	run_for(l, MINUTE(15));
	expect_scrub(l, 0, "ok");
	expect_text(mark_of(l, 0), "valid");
	l->dev.conf.slot.writable = false;
	run_for(l, MINUTE(90));
	expect_scrub(l, 0, "altered");
	expect_text(mark_of(l, 0), "invalid");
	assert_int_equal(conditions(l, ERR_ALTERED), 1);
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
		CASE(the_boot_layer_is_told),
		CASE(a_whole_way_back_stays),
		CASE(a_rotten_way_back_is_none),
		CASE(a_restart_does_not_begin_anew),
		CASE(nothing_is_read_while_an_update_runs),
		CASE(what_its_own_system_wrote_is_no_rot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
