/* Campaigns with real cores on both sides, in virtual time: that a seed is a course, that no law
 * breaks, and that each mistake on purpose is found by a law or by what a scenario expects. All
 * scenarios with their ends: make check-sim. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "sim/course.h"

static const char *const files[] = {
	"good", "one-in-five", "freeze", "silent-bricks", "slow-model", "power-cuts"};

static struct scenario *read_scenario(const char *name)
{
	struct scenario *s = mem_new(sizeof *s);
	BUF_AUTO text = {0};
	char path[128];
	struct err e;

	snprintf(path, sizeof path, "manifests/scenarios/%s.json", name);
	source_read(path, &text);
	expect_ok(scenario_parse(buf_str(&text), s, &e), &e);
	return s;
}

static struct course_result run(
	const struct scenario *s, uint64_t seed, enum course_mistake mistake)
{
	struct course_conf c = {.scenario = s,
		.policy = &s->policy,
		.devices = s->devices,
		.seed = seed,
		.mistake = mistake};
	struct course_result r = {0};
	struct err e;

	expect_ok(course_run(&c, &r, &e), &e);
	return r;
}

static void a_seed_is_a_course(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct scenario *s CLEANUP(mem_free) = read_scenario(files[i]);
		struct course_result a = run(s, 5, COURSE_NONE), b = run(s, 5, COURSE_NONE);
		struct course_result other = run(s, 6, COURSE_NONE);

		assert_memory_equal(&a, &b, sizeof a);
		assert_true(a.trace != other.trace);
		assert_int_equal(a.violations + other.violations, 0);
		printf("== %s: trace %016llx\n", files[i], (unsigned long long)a.trace);
	}
}

static void a_good_release_reaches_everybody(void **state)
{
	struct scenario *s CLEANUP(mem_free) = read_scenario("good");
	struct course_result r = run(s, 1, COURSE_NONE);

	(void)state;
	assert_int_equal(r.end, END_DONE);
	assert_int_equal(r.committed, s->devices);
	assert_int_equal(r.left, s->devices);
	assert_int_equal(r.false_rollbacks, 0);
	assert_true(r.cuts > 0);
}

static void a_bad_one_is_taken_back(void **state)
{
	struct scenario *s CLEANUP(mem_free) = read_scenario("one-in-five");

	(void)state;
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct course_result r = run(s, seed, COURSE_NONE);

		assert_int_equal(r.end, END_ABORTED);
		assert_int_equal(r.left, 0);
		assert_int_equal(r.bad_committed, 0);
		assert_int_equal(r.violations, 0);
		assert_true(r.mend_median > 0 && r.mend_median < MINUTE(10));
	}
}

/* Devices that are known by their labels meet the faults of their labels, and no others. */
static void a_fleet_that_there_is(void **state)
{
	struct scenario *s CLEANUP(mem_free) = read_scenario("slow-model");
	const char *labels[60];
	struct course_conf c = {
		.scenario = s, .policy = &s->policy, .devices = 60, .labels = labels, .seed = 3};
	struct course_result r;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		labels[i] = i % 3 ? "model=a,region=north" : "region=south,model=b,owner=x";
	expect_ok(course_run(&c, &r, &e), &e);
	assert_int_equal(r.bad, 20);
	assert_int_equal(r.end, END_ABORTED);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		labels[i] = "model=a";
	expect_ok(course_run(&c, &r, &e), &e);
	assert_int_equal(r.bad, 0);
	assert_int_equal(r.end, END_DONE);
}

static bool is_found(enum course_mistake mistake, char *said, size_t cap)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct scenario *s CLEANUP(mem_free) = read_scenario(files[i]);

		struct course_result r = run(s, 1, mistake);

		if (r.violations)
			snprintf(said, cap, "%s", r.law);
		if (r.violations || course_differs(s, &r, said, cap))
			return true;
	}
	return false;
}

static void every_mistake_is_found(void **state)
{
	char said[200] = "";

	(void)state;
	assert_false(is_found(COURSE_NONE, said, sizeof said));
	for (enum course_mistake m = COURSE_NONE + 1; m < COURSE_MISTAKE_MAX; m++) {
		bool found = is_found(m, said, sizeof said);

		printf("== mistake: %s: %s\n", course_mistake_text(m), found ? said : "NOT FOUND");
		assert_true(found);
	}
}

static void what_cannot_be_is_refused(void **state)
{
	struct scenario *s CLEANUP(mem_free) = read_scenario("good");
	const struct policy none = {0};
	struct course_conf bad[] = {{.scenario = s, .policy = &none, .devices = 5},
		{.scenario = s, .policy = &s->policy}};
	struct course_result r = {.events = 5};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(course_run(&bad[i], &r, &e), &e, ERR_BAD_INPUT, NULL, "row");
	s->groups[0].offline_every = 2000;
	s->groups[0].offline_for = 500;
	expect_err(course_run(&(struct course_conf){.scenario = s,
				      .policy = &s->policy,
				      .devices = LIMIT_SCENARIO_DEVICES},
			   &r, &e),
		&e, ERR_TOO_LARGE, NULL, "more gaps than can be simulated");
	assert_int_equal(r.events, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_is_a_course),
		cmocka_unit_test(a_good_release_reaches_everybody),
		cmocka_unit_test(a_bad_one_is_taken_back),
		cmocka_unit_test(a_fleet_that_there_is),
		cmocka_unit_test(every_mistake_is_found),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
