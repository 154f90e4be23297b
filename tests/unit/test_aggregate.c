/* Sums over devices and time: order and grouping make no difference, quantiles are those of the
 * samples within a bucket, and what is stored comes back or is refused. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"
#include "server/core/aggregate.h"

static const int64_t edges[] = {1000, 2000, 5000, 10000, 50000};
#define EDGES ARRAY_LEN(edges)

static void same(const struct aggregate *a, const struct aggregate *b)
{
	BUF_AUTO x = {0}, y = {0};

	aggregate_encode(a, &x);
	aggregate_encode(b, &y);
	expect_text(buf_cstr(&x), buf_cstr(&y));
}

/* One window as chance has it. */
static void window(struct prng *r, struct aggregate *a)
{
	static const char *const names[] = {"requests_total", "errors_total", "zebra", "alpha"};
	uint64_t counts[EDGES + 1];

	aggregate_add_window(a, 60000);
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (prng_below(r, 3))
			aggregate_add_counter(a, names[i], prng_below(r, 1000));
	aggregate_add_gauge(a, "temperature", (int64_t)prng_below(r, 90000) - 20000);
	for (unsigned i = 0; i <= EDGES; i++)
		counts[i] = prng_below(r, 50);
	aggregate_add_hist(a, "latency_seconds", edges, EDGES, counts);
}

#define WINDOWS 40

static void order_and_grouping_make_no_difference(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct aggregate one[WINDOWS], halves[2] = {{0}};
		AGGREGATE_AUTO all = {0}, back = {0};
		struct prng r = {seed};

		memset(one, 0, sizeof one);
		for (unsigned i = 0; i < WINDOWS; i++) {
			window(&r, &one[i]);
			aggregate_merge(&all, &one[i]);
			aggregate_merge(&halves[prng_below(&r, 2)], &one[i]);
		}
		for (unsigned i = WINDOWS; i > 0; i--)
			aggregate_merge(&back, &one[i - 1]);
		aggregate_merge(&halves[1], &halves[0]);
		same(&all, &back);
		same(&all, &halves[1]);
		assert_int_equal(all.windows, WINDOWS);
		assert_int_equal(all.span, WINDOWS * 60000);
		for (unsigned i = 0; i < WINDOWS; i++)
			aggregate_fini(&one[i]);
		aggregate_fini(&halves[0]);
		aggregate_fini(&halves[1]);
	}
}

static void a_quantile_lies_in_the_bucket_of_its_sample(void **state)
{
	static const struct {
		uint64_t counts[EDGES + 1];
		unsigned permille;
		int64_t want;
		bool any, beyond;
	} cases[] = {
		{{0, 0, 0, 0, 0, 0}, 500, 0, false, false},
		{{10, 0, 0, 0, 0, 0}, 500, 500, true, false},
		{{10, 0, 0, 0, 0, 0}, 1000, 1000, true, false},
		{{0, 100, 0, 0, 0, 0}, 990, 1990, true, false},
		{{50, 0, 50, 0, 0, 0}, 500, 1000, true, false},
		{{50, 0, 50, 0, 0, 0}, 990, 4940, true, false},
		{{0, 0, 0, 0, 90, 10}, 900, 50000, true, false},
		{{0, 0, 0, 0, 90, 10}, 990, 50000, true, true},
		{{0, 0, 0, 0, 0, 1}, 1, 50000, true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AGGREGATE_AUTO a = {0};
		int64_t got = 0;
		bool beyond;

		aggregate_add_hist(&a, "l", edges, EDGES, cases[i].counts);
		assert_int_equal(agg_hist_quantile(aggregate_find(&a, AGG_HIST, "l"),
					 cases[i].permille, &got, &beyond),
			cases[i].any);
		assert_int_equal(got, cases[i].want);
		assert_int_equal(beyond, cases[i].beyond);
	}
}

/* Whoever ships other edges must not make the fleet look faster than it is. */
static void other_edges_never_make_it_look_better(void **state)
{
	static const int64_t finer[] = {500, 1500, 1900, 40000};
	static const uint64_t first[EDGES + 1] = {1}, more[] = {1, 2, 3, 4, 5};
	static const uint64_t want[EDGES + 1] = {2, 5, 0, 0, 4, 5};
	const struct agg_metric *m;
	AGGREGATE_AUTO a = {0}, b = {0};

	(void)state;
	aggregate_add_hist(&a, "l", edges, EDGES, first);
	aggregate_add_hist(&a, "l", finer, ARRAY_LEN(finer), more);
	m = aggregate_find(&a, AGG_HIST, "l");
	assert_memory_equal(m->count, want, sizeof want);
	assert_int_equal(m->moved, 15);
	/* merged again, nothing is moved twice */
	aggregate_merge(&b, &a);
	same(&a, &b);
	aggregate_merge(&b, &a);
	assert_int_equal(aggregate_find(&b, AGG_HIST, "l")->moved, 30);
}

static void names_are_bounded(void **state)
{
	AGGREGATE_AUTO a = {0};
	char name[AGG_NAME + 1];

	(void)state;
	for (unsigned i = 0; i < AGG_METRICS + 10; i++) {
		snprintf(name, sizeof name, "m%u", i);
		aggregate_add_counter(&a, name, 1);
	}
	assert_int_equal(a.n, AGG_METRICS);
	assert_int_equal(a.left_out, 10);
	aggregate_add_counter(&a, "m0", 1);
	assert_int_equal(aggregate_find(&a, AGG_COUNTER, "m0")->sum, 2);
	assert_int_equal(a.left_out, 10);
	memset(name, 'a', AGG_NAME);
	name[AGG_NAME] = 0;
	aggregate_add_counter(&a, name, 1);
	assert_int_equal(a.left_out, 11);
}

static void sums_do_not_wrap(void **state)
{
	static const uint64_t most[] = {UINT64_MAX, UINT64_MAX};
	static const int64_t edge[] = {AGG_EDGE_MOST};
	AGGREGATE_AUTO a = {0}, back = {0};
	BUF_AUTO text = {0};
	int64_t q;
	bool beyond;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		aggregate_add_window(&a, INT64_MAX);
		aggregate_add_counter(&a, "c", UINT64_MAX);
		aggregate_add_gauge(&a, "g", INT64_MIN);
		aggregate_add_hist(&a, "h", edge, 1, most);
	}
	assert_true(aggregate_find(&a, AGG_COUNTER, "c")->sum == INT64_MAX);
	assert_true(aggregate_find(&a, AGG_GAUGE, "g")->sum == INT64_MIN);
	assert_true(aggregate_find(&a, AGG_HIST, "h")->count[1] == UINT64_MAX);
	assert_true(agg_hist_quantile(aggregate_find(&a, AGG_HIST, "h"), 999, &q, &beyond));
	aggregate_encode(&a, &text);
	expect_ok(aggregate_decode(buf_str(&text), &back, &e), &e);
	same(&a, &back);
}

static void what_was_stored_comes_back(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		AGGREGATE_AUTO a = {0}, back = {0};
		BUF_AUTO text = {0};
		struct prng r = {seed};
		struct err e;

		for (uint64_t n = prng_below(&r, 5); n > 0; n--)
			window(&r, &a);
		aggregate_encode(&a, &text);
		expect_ok(aggregate_decode(buf_str(&text), &back, &e), &e);
		same(&a, &back);
	}
}

static void what_was_not_stored_by_us_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"b 1 2 3\n",
		"a 1 2\n",
		"a 1 2 3\nc x 1 1\nc x 1 1\n",
		"a 1 2 -3\n",
		"a 1 2 3\nd x 1 1\n",
		"a 1 2 3\nc x 1\n",
		"a 1 2 3\nc x 1 1 1\n",
		"a 1 2 3\nc  1 1\n",
		"a 1 2 3\nc b 1 1\nc a 1 1\n",
		"a 1 2 3\ng b 1 1\nc a 1 1\n",
		"a 1 2 3\ng b 1 1 2\n",
		"a 1 2 3\ng b 1 1 2 --1\n",
		"a 1 2 3\nc b 1 9223372036854775808\n",
		"a 1 2 3\nh b 1 0 2 5 5 1 2 3\n",
		"a 1 2 3\nh b 1 0 2 5 6 1 2\n",
		"a 1 2 3\nh b 1 0 99 5 6 1 2\n",
		"a 1 2 3\nh b 1 0 1 9223372036854775807 1 2\n",
		"a 1 2 3\nc 0123456789012345678901234567890123456789012345678901234567890123 1 1\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct aggregate a = {.windows = 77};
		struct err e;

		assert_true(aggregate_decode(str_of(bad[i]), &a, &e) < 0);
		assert_true(e.code == ERR_BAD_INPUT || e.code == ERR_TOO_LARGE);
		assert_int_equal(a.windows, 77);
		assert_null(a.v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_and_grouping_make_no_difference),
		cmocka_unit_test(a_quantile_lies_in_the_bucket_of_its_sample),
		cmocka_unit_test(other_edges_never_make_it_look_better),
		cmocka_unit_test(names_are_bounded),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(what_was_stored_comes_back),
		cmocka_unit_test(what_was_not_stored_by_us_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
