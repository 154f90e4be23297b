/* What the process that signs refuses, and with which code. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/signd/core/rule.h"
#include "tests/lib/trepo.h"

#define NOW (TREPO_NOW * 1000)

static const char *const documents[] = {
	"{\"id\": \"toy-1\"}", "{\"id\": \"toy-2\"}", "{\"id\": \"toy-3\"}"};
static const char *const paths[] = {"toy/toy-1.json", "toy/toy-2.json", "toy/toy-3.json"};

static struct trepo repo;
static struct trusted_set image;
static struct sha256 digests[3];
static const struct sign_limits limits = {
	.director_life_s = 7 * 86400,
	.snapshot_life_s = 7 * 86400,
	.timestamp_life_s = 86400,
	.offline_life_s = 90 * 86400,
	.device = {3, 60},
	.newcomers = {2, 1},
	.total = {4, 3600},
	.image = {2, 60},
	.time = {2, 60},
};

/* toy-1 to toy-3, with counters 1 to 3; toy-3 pre-authorises toy-1 alone. */
static int open_world(void **state)
{
	struct err e;

	(void)state;
	trepo_init(&repo, TREPO_IMAGE, TREPO_NOW);
	for (unsigned i = 0; i < 3; i++) {
		struct repo_match match = trepo_match("edge", i + 1);

		digest_of(documents[i], strlen(documents[i]), &digests[i]);
		if (i == 2) {
			match.n_rollback_to = 1;
			snprintf(match.rollback_to[0].path, LIMIT_TARGET_NAME, "%s", paths[0]);
			match.rollback_to[0].hash = digests[0];
		}
		trepo_add_release(&repo, paths[i], str_of(documents[i]), &match);
	}
	trepo_publish(&repo);
	trusted_init(&image, TREPO_NOW);
	expect_ok(trepo_refresh(&repo, &image, &e), &e);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	trusted_fini(&image);
	trepo_fini(&repo);
	return 0;
}

static struct ask_director order(enum desired_order what, unsigned toy)
{
	struct ask_director a = {
		.device = {"lane-1"}, .order = what, .life_s = 86400, .timestamp_life_s = 3600};

	if (what != DESIRED_NOTHING) {
		snprintf(a.path, sizeof a.path, "%s", paths[toy - 1]);
		a.digest = digests[toy - 1];
	}
	return a;
}

struct outcome {
	struct sign_plan plan;
	struct target entry;
	struct sign_device device;
	struct sign_budgets left;
};

static int decide(const struct ask_director *a, const struct sign_device *dev, struct outcome *o,
	struct err *e)
{
	return rule_director(
		a, dev, &image, &limits, NOW, &o->left, &o->plan, &o->entry, &o->device, e);
}

/* A device that was ordered these toys, one after the other. */
static struct sign_device ordered(const unsigned *toys, unsigned n)
{
	struct outcome o = {.device = {.is_known = false}};
	struct err e;

	for (unsigned i = 0; i < n; i++) {
		struct ask_director a = order(DESIRED_INSTALL, toys[i]);
		struct sign_device before = o.device;

		memcpy(a.want, (struct sign_want[]){{i, true}, {i, true}, {i, true}},
			sizeof a.want);
		before.bucket = (struct bucket){0};
		o.left = (struct sign_budgets){.total = {0}};
		expect_ok(decide(&a, &before, &o, &e), &e);
	}
	o.device.bucket = (struct bucket){0};
	return o.device;
}

static void the_first_order_is_version_1(void **state)
{
	struct ask_director a = order(DESIRED_INSTALL, 2);
	struct sign_device unknown = {.is_known = false};
	struct outcome o = {.left = {.total = {0}}};
	struct err e;

	(void)state;
	expect_ok(decide(&a, &unknown, &o, &e), &e);
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
		assert_true(o.plan.fresh[f]);
		assert_int_equal(o.plan.version[f], 1);
	}
	assert_int_equal(o.plan.expires_s[SIGN_TARGETS], TREPO_NOW + 86400);
	assert_int_equal(o.plan.expires_s[SIGN_TIMESTAMP], TREPO_NOW + 3600);
	expect_text(o.entry.path, paths[1]);
	assert_true(o.device.is_known);
	assert_int_equal(o.device.counter, 2);
}

static void the_same_question_signs_nothing_and_costs_nothing(void **state)
{
	struct sign_device dev = ordered((unsigned[]){2}, 1);
	struct ask_director a = order(DESIRED_INSTALL, 2);
	struct outcome o = {.left = {.total = {0}}};
	struct err e;

	(void)state;
	a.want[SIGN_TARGETS].due = a.want[SIGN_SNAPSHOT].due = a.want[SIGN_TIMESTAMP].due = true;
	expect_ok(decide(&a, &dev, &o, &e), &e); /* it has nothing: the answer was lost */
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
		assert_false(o.plan.fresh[f]);
		assert_int_equal(o.plan.version[f], 1);
	}
	assert_int_equal(o.left.total.full_at_us, 0);
	assert_memory_equal(&o.device, &dev, sizeof dev);
}

/* What is due is made anew, and what pins it; a change makes all of it anew. */
static void only_what_has_to_be_is_signed(void **state)
{
	static const struct {
		unsigned toy, first_due; /* SIGN_FILE_MAX: nothing is */
		bool fresh[SIGN_FILE_MAX];
	} cases[] = {
		{2, SIGN_FILE_MAX, {false, false, false}},
		{2, SIGN_TIMESTAMP, {false, false, true}},
		{2, SIGN_SNAPSHOT, {false, true, true}},
		{2, SIGN_TARGETS, {true, true, true}},
		{3, SIGN_FILE_MAX, {true, true, true}},
	};
	struct sign_device dev = ordered((unsigned[]){2}, 1);
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ask_director a = order(DESIRED_INSTALL, cases[i].toy);
		struct outcome o = {.left = {.total = {0}}};

		for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
			a.want[f] = (struct sign_want){1, f == cases[i].first_due};
		expect_ok(decide(&a, &dev, &o, &e), &e);
		for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++) {
			assert_int_equal(o.plan.fresh[f], cases[i].fresh[f]);
			assert_int_equal(o.plan.version[f], cases[i].fresh[f] ? 2 : 1);
		}
	}
}

/* ---- refusals ---- */

struct refusal {
	const char *what;
	unsigned before[3], n_before; /* toys that it was ordered */
	enum desired_order order;
	unsigned toy;
	void (*spoil)(struct ask_director *a);
	enum err_code code;
	const char *piece;
};

static void unknown_release(struct ask_director *a)
{
	snprintf(a->path, sizeof a->path, "toy/toy-9.json");
}

static void other_document(struct ask_director *a)
{
	a->digest.b[0] ^= 1;
}

static void document_of_another(struct ask_director *a)
{
	a->digest = digests[0];
}

static void version_of_another_device(struct ask_director *a)
{
	a->want[SIGN_TARGETS].has = 57;
}

static void snapshot_of_another_device(struct ask_director *a)
{
	a->want[SIGN_SNAPSHOT].has = 2;
}

static void too_much_past(struct ask_director *a)
{
	a->want[SIGN_TIMESTAMP].has = LIMIT_SIGN_FIRST + 1;
}

static void life_of_a_year(struct ask_director *a)
{
	a->life_s = 365 * 86400;
}

static void timestamp_of_a_week(struct ask_director *a)
{
	a->timestamp_life_s = 7 * 86400;
}

static void offline_for_ever(struct ask_director *a)
{
	a->offline = true;
	a->life_s = 100 * 86400;
}

static const struct refusal refusals[] = {
	{"unknown release", {0}, 0, DESIRED_INSTALL, 2, unknown_release, ERR_UNSIGNED,
		"not signed by role"},
	{"other document", {0}, 0, DESIRED_INSTALL, 2, other_document, ERR_ALTERED, "another"},
	{"document of another name", {0}, 0, DESIRED_INSTALL, 2, document_of_another, ERR_ALTERED,
		"another"},
	{"lower counter", {2}, 1, DESIRED_INSTALL, 1, NULL, ERR_ROLLED_BACK, "counter 1"},
	{"rollback that nobody authorised", {2}, 1, DESIRED_ROLLBACK, 1, NULL, ERR_ROLLED_BACK,
		"counter 1"},
	{"rollback to another than is authorised", {3}, 1, DESIRED_ROLLBACK, 2, NULL,
		ERR_ROLLED_BACK, "counter 2"},
	{"authorised, but no rollback", {3}, 1, DESIRED_INSTALL, 1, NULL, ERR_ROLLED_BACK,
		"counter 1"},
	{"authorised by the one before", {3, 3}, 2, DESIRED_INSTALL, 2, NULL, ERR_ROLLED_BACK,
		"counter 2"},
	{"version of another device", {2}, 1, DESIRED_INSTALL, 3, version_of_another_device,
		ERR_MIXED, "version 57"},
	{"snapshot of another device", {2}, 1, DESIRED_INSTALL, 3, snapshot_of_another_device,
		ERR_MIXED, "snapshot"},
	{"newcomer with too much past", {0}, 0, DESIRED_INSTALL, 2, too_much_past, ERR_MIXED,
		"timestamp"},
	{"life of a year", {0}, 0, DESIRED_INSTALL, 2, life_of_a_year, ERR_DENIED, "168 h"},
	{"timestamp of a week", {0}, 0, DESIRED_INSTALL, 2, timestamp_of_a_week, ERR_DENIED,
		"24 h"},
	{"off line for longer than allowed", {0}, 0, DESIRED_INSTALL, 2, offline_for_ever,
		ERR_DENIED, "2160 h"},
	{"nothing, but for a year", {0}, 0, DESIRED_NOTHING, 0, life_of_a_year, ERR_DENIED,
		"168 h"},
};

static void everything_else_is_refused_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct sign_device dev = ordered(r->before, r->n_before);
		struct ask_director a = order(r->order, r->toy);
		struct outcome o, untouched;
		struct err e;

		memset(&o, 0, sizeof o);
		memcpy(&untouched, &o, sizeof o);
		if (r->spoil)
			r->spoil(&a);
		expect_err(decide(&a, &dev, &o, &e), &e, r->code, r->piece, r->what);
		assert_memory_equal(&o, &untouched, sizeof o);
	}
}

static void a_rollback_that_is_authorised_is_signed(void **state)
{
	struct sign_device dev = ordered((unsigned[]){2, 3}, 2);
	struct ask_director a = order(DESIRED_ROLLBACK, 1);
	struct outcome o = {.left = {.total = {0}}};
	struct err e;

	(void)state;
	expect_ok(decide(&a, &dev, &o, &e), &e);
	assert_int_equal(o.device.counter, 1);
	/* and then the next one up */
	dev = o.device;
	a = order(DESIRED_INSTALL, 2);
	expect_ok(decide(&a, &dev, &o, &e), &e);
	assert_int_equal(o.device.counter, 2);
}

/* To be told nothing does not open a way down. */
static void nothing_does_not_lower_the_counter(void **state)
{
	struct sign_device dev = ordered((unsigned[]){3}, 1);
	struct ask_director nothing = order(DESIRED_NOTHING, 0), lower = order(DESIRED_INSTALL, 2);
	struct outcome o = {.left = {.total = {0}}};
	struct err e;

	(void)state;
	expect_ok(decide(&nothing, &dev, &o, &e), &e);
	assert_true(o.plan.fresh[SIGN_TARGETS]);
	expect_text(o.entry.path, "");
	dev = o.device;
	expect_err(decide(&lower, &dev, &o, &e), &e, ERR_ROLLED_BACK, NULL, "after nothing");
}

static void a_role_that_has_expired_allows_nothing(void **state)
{
	struct ask_director a = order(DESIRED_INSTALL, 2);
	struct sign_device unknown = {.is_known = false};
	struct outcome o = {.left = {.total = {0}}};
	struct err e;

	(void)state;
	image.now_s = TREPO_NOW + 3650 * TREPO_DAY;
	expect_err(decide(&a, &unknown, &o, &e), &e, ERR_EXPIRED, NULL, "ten years later");
	image.now_s = TREPO_NOW;
}

static void a_role_that_is_missing_allows_nothing(void **state)
{
	struct trusted_set none;
	struct sha256 digest = digests[1];
	struct target t;
	struct err e;

	(void)state;
	trusted_init(&none, TREPO_NOW);
	expect_err(
		rule_release(&none, paths[1], &digest, &t, &e), &e, ERR_UNSIGNED, NULL, "nothing");
}

/* ---- budgets ---- */

static void each_budget_ends(void **state)
{
	static const struct {
		const char *what;
		bool is_known;
		unsigned n; /* that are signed */
		const char *piece;
	} cases[] = {
		{"one device's", true, 3, "this device"},
		{"newcomers'", false, 2, "new here"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ask_director a = order(DESIRED_INSTALL, 2);
		struct sign_device dev = {.is_known = cases[i].is_known};
		struct outcome o = {.left = {.total = {0}}};

		for (unsigned k = 0; k < cases[i].n; k++) {
			expect_ok(decide(&a, &dev, &o, &e), &e);
			dev.bucket = cases[i].is_known ? o.device.bucket : (struct bucket){0};
		}
		expect_err(decide(&a, &dev, &o, &e), &e, ERR_BUSY, cases[i].piece, cases[i].what);
	}
}

static void all_devices_share_one(void **state)
{
	struct ask_director a = order(DESIRED_INSTALL, 2);
	struct sign_device dev = {.is_known = true};
	struct outcome o = {.left = {.total = {0}}};
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		expect_ok(decide(&a, &dev, &o, &e), &e);
	expect_err(decide(&a, &dev, &o, &e), &e, ERR_BUSY, "all devices", "the fifth");
}

static void a_bucket_fills_again(void **state)
{
	const struct bucket_rule rule = {2, 60}; /* one a minute */
	struct bucket b = {0}, before;

	(void)state;
	assert_true(bucket_take(&b, &rule, NOW));
	assert_true(bucket_take(&b, &rule, NOW));
	before = b;
	assert_false(bucket_take(&b, &rule, NOW + SEC(59)));
	assert_memory_equal(&b, &before, sizeof b);
	assert_true(bucket_take(&b, &rule, NOW + SEC(60)));
	assert_false(bucket_take(&b, &rule, NOW + SEC(60)));
	assert_true(bucket_take(&b, &rule, NOW + SEC(600)));
	assert_true(bucket_take(&b, &rule, NOW + SEC(600)));
	assert_false(bucket_take(&b, &rule, NOW + SEC(600)));
	/* a clock that went back finds it empty, and no emptier */
	assert_false(bucket_take(&b, &rule, NOW));
	assert_true(bucket_take(&b, &rule, NOW + SEC(600 + 60)));
}

static void the_image_repository_has_rules_of_its_own(void **state)
{
	struct ask_image *a = mem_new(sizeof *a);
	const uint64_t last[SIGN_FILE_MAX] = {0, 4, 9};
	struct sign_budgets left = {.image = {0}};
	struct sign_plan plan;
	struct err e;

	(void)state;
	memset(a, 0, sizeof *a);
	a->life_s = a->timestamp_life_s = 3600;
	a->want[SIGN_SNAPSHOT].has = 4;
	a->want[SIGN_TIMESTAMP].has = 9;
	expect_ok(rule_image(a, last, true, &limits, NOW, &left, &plan, &e), &e);
	assert_false(plan.fresh[SIGN_SNAPSHOT] || plan.fresh[SIGN_TIMESTAMP]);
	a->want[SIGN_TIMESTAMP].due = true;
	expect_ok(rule_image(a, last, true, &limits, NOW, &left, &plan, &e), &e);
	assert_true(!plan.fresh[SIGN_SNAPSHOT] && plan.version[SIGN_TIMESTAMP] == 10);
	expect_ok(rule_image(a, last, false, &limits, NOW, &left, &plan, &e), &e);
	assert_true(plan.version[SIGN_SNAPSHOT] == 5 && plan.version[SIGN_TIMESTAMP] == 10);
	expect_err(rule_image(a, last, false, &limits, NOW, &left, &plan, &e), &e, ERR_BUSY,
		"budget", "the third");
	a->want[SIGN_SNAPSHOT].has = 5;
	expect_err(rule_image(a, last, true, &limits, NOW, &left, &plan, &e), &e, ERR_MIXED,
		"version 5", "never signed");
	a->timestamp_life_s = 2 * 86400;
	expect_err(rule_image(a, last, true, &limits, NOW, &left, &plan, &e), &e, ERR_DENIED,
		"24 h", "life");
	mem_free(&a);
}

static void the_time_is_told_to_known_devices(void **state)
{
	const struct ask_time a = {.device = {"lane-1"}};
	struct sign_device dev = {.is_known = false};
	struct sign_budgets left = {.time = {0}};
	struct err e;

	(void)state;
	expect_err(
		rule_time(&a, &dev, &limits, NOW, &left, &e), &e, ERR_NOT_FOUND, "lane-1", "new");
	dev.is_known = true;
	expect_ok(rule_time(&a, &dev, &limits, NOW, &left, &e), &e);
	expect_ok(rule_time(&a, &dev, &limits, NOW, &left, &e), &e);
	expect_err(rule_time(&a, &dev, &limits, NOW, &left, &e), &e, ERR_BUSY, "time", "third");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_order_is_version_1),
		cmocka_unit_test(the_same_question_signs_nothing_and_costs_nothing),
		cmocka_unit_test(only_what_has_to_be_is_signed),
		cmocka_unit_test(everything_else_is_refused_and_changes_nothing),
		cmocka_unit_test(a_rollback_that_is_authorised_is_signed),
		cmocka_unit_test(nothing_does_not_lower_the_counter),
		cmocka_unit_test(a_role_that_has_expired_allows_nothing),
		cmocka_unit_test(a_role_that_is_missing_allows_nothing),
		cmocka_unit_test(each_budget_ends),
		cmocka_unit_test(all_devices_share_one),
		cmocka_unit_test(a_bucket_fills_again),
		cmocka_unit_test(the_image_repository_has_rules_of_its_own),
		cmocka_unit_test(the_time_is_told_to_known_devices),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
