#include "tests/lib/expect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "proto/wire/promtext.h"

static void expect_near(double got, double want)
{
	bool ok = isnan(want) ? isnan(got)
			      : got >= want - 1e-9 * fabs(want) - 1e-12 &&
					got <= want + 1e-9 * fabs(want) + 1e-12;

	if (isinf(want))
		ok = isinf(got) && signbit(got) == signbit(want);
	if (!ok)
		fail_msg("got %.17g, wanted %.17g", got, want);
}

/* ---- values ---- */

static const struct {
	const char *page;
	double want;
} good[] = {
	{"m 1\n", 1},
	{"m 1\nm{a=\"b\"} 2.5\n", 3.5},
	{"m{a=\"b\"} 1\nm{a=\"c\"} 2\nmm 100\n_m 100\n", 3},
	{"m 1e3\n", 1000},
	{"m 1.5E-2\n", 0.015},
	{"m -7\n", -7},
	{"m .5\n", 0.5},
	{"m 1.\n", 1},
	{"m +Inf\n", (double)INFINITY},
	{"m Inf\n", (double)INFINITY},
	{"m -Inf\n", (double)-INFINITY},
	{"m NaN\n", (double)NAN},
	{"m NaN\nm{a=\"\"} 2\n", 2},
	{"m 1 1760000000000\n", 1},
	{"m 1 -5\n", 1},
	{"m\t1\t2\t\n", 1},
	{"  m 1\n", 1},
	{"m{} 1\n", 1},
	{"m{ } 1\n", 1},
	{"m {a=\"b\"} 1\n", 1},
	{"m{a=\"b\"}1\n", 1},
	{"m{a=\"b\",} 1\n", 1},
	{"m{ a = \"b\" , c = \"d\" } 1\n", 1},
	{"m{a=\"\\\\\\\"\\n\"} 1\n", 1},
	{"m{a=\"}\"} 1\n", 1},
	{"m{a=\"# , = {\"} 1\n", 1},
	{"m{a=\"\xc3\xa9\"} 1\n", 1},
	{"\n\n \t\nm 1\n", 1},
	{"#\n# \n#x\n# HELP\tm any \\ text\n# HELP m\n# TYPE m counter\n# TYPED m nothing\nm 1\n",
		1},
	{"# TYPE m gauge\n# TYPE m histogram\n# TYPE m summary\n# TYPE m untyped\nm 1\n", 1},
	{"# EOF\nm 1\n", 1},
	{"m 1\nother:name_9 2\n", 1},
};

static void samples_are_summed(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		double got = 4711;

		expect_ok(prom_value(str_of(good[i].page), "m", &got, &e), &e);
		expect_near(got, good[i].want);
	}
}

static const struct {
	const char *page, *why;
} bad[] = {
	{"m 1", "the last line is cut off"},
	{"m 1\nm", "the last line is cut off"},
	{"m 1\nm\n", "line 2: not a number"},
	{"m \n", "line 1: not a number"},
	{"m x\n", "not a number"},
	{"m 1x\n", "not a number"},
	{"m 0x10\n", "not a number"},
	{"m inf\n", "not a number"},
	{"m nan\n", "not a number"},
	{"m 1e\n", "not a number"},
	{"m 1-1\n", "not a number"},
	{"m e\n", "not a number"},
	{"m +\n", "not a number"},
	{"m 1,5\n", "not a number"},
	{"m 11111111111111111111111111111111111111111111111111111111111111111\n", "not a number"},
	{"m 1 x\n", "whole number"},
	{"m 1 1.5\n", "whole number"},
	{"m 1 -\n", "whole number"},
	{"m 1 2 3\n", "more than a value and a time"},
	{"m 1 9223372036854775808\n", "not between"},
	{"9m 1\n", "a name is wanted"},
	{"-m 1\n", "a name is wanted"},
	{"{a=\"b\"} 1\n", "a name is wanted"},
	{"m-x 1\n", "not a number"},
	{"m{ 1\n", "a name is wanted"},
	{"m{,} 1\n", "a name is wanted"},
	{"m{a} 1\n", "without '='"},
	{"m{9=\"b\"} 1\n", "a name is wanted"},
	{"m{a:b=\"c\"} 1\n", "without '='"},
	{"m{a=b} 1\n", "a quoted label value"},
	{"m{a=} 1\n", "a quoted label value"},
	{"m{a='b'} 1\n", "a quoted label value"},
	{"m{a=\"b} 1\n", "without an end"},
	{"m{a=\"b\\", "cut off"},
	{"m{a=\"b\\\n", "escape"},
	{"m{a=\"\\t\"} 1\n", "escape"},
	{"m{a=\"b\" c=\"d\"} 1\n", "',' or '}'"},
	{"m{a=\"b\"\n", "',' or '}'"},
	{"m{a=\"b\",,} 1\n", "a name is wanted"},
	{"m{le=\"x\"} 1\n", "not a number"},
	{"# TYPE m rate\nm 1\n", "line 1: an unknown type"},
	{"# TYPE m\nm 1\n", "an unknown type"},
	{"# TYPE\nm 1\n", "a name is wanted"},
	{"# HELP 9\nm 1\n", "a name is wanted"},
	{"m 1\r\n", "a control character"},
	{"m 1\n\x01\n", "line 2: a control character"},
	{"# \x7f\nm 1\n", "a control character"},
	{"m 1\nm 2\n", "a series of m stands twice"},
	{"m{a=\"b\",c=\"d\"} 1\nm{c=\"d\",a=\"b\"} 2\n", "stands twice"},
	{"<html>\n", "a name is wanted"},
};

static void malformed_pages_are_refused_with_the_line(void **state)
{
	struct err e;
	double got = 4711;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(prom_value(str_of(bad[i].page), "m", &got, &e), &e, ERR_BAD_INPUT,
			bad[i].why, bad[i].page);
	expect_err(prom_value(STR("m \0"
				  "1\n"),
			   "m", &got, &e),
		&e, ERR_BAD_INPUT, "control", "");
	assert_true(got > 4710 && got < 4712);
}

static void what_is_not_there_is_not_found(void **state)
{
	struct hist h;
	struct err e;
	double got;

	(void)state;
	expect_err(prom_value(STR(""), "m", &got, &e), &e, ERR_NOT_FOUND, "no samples of m", "");
	expect_err(prom_value(STR("mm 1\n"), "m", &got, &e), &e, ERR_NOT_FOUND, NULL, "");
	expect_err(prom_hist(STR("m 1\n"), "m", &h, &e), &e, ERR_NOT_FOUND, "m_bucket", "");
}

static void pages_and_lines_are_bounded(void **state)
{
	BUF_AUTO page = {0};
	struct err e;
	double got;

	(void)state;
	buf_add_str(&page, "m 1\n# ");
	for (int i = 2; i < LIMIT_METRICS_LINE; i++)
		buf_add_char(&page, 'x');
	buf_add_str(&page, "\n");
	expect_ok(prom_value(buf_str(&page), "m", &got, &e), &e);
	page.p[page.n - 1] = 'x';
	buf_add_str(&page, "\n");
	expect_err(
		prom_value(buf_str(&page), "m", &got, &e), &e, ERR_TOO_LARGE, "line 2: 1025", "");
	buf_clear(&page);
	buf_add_str(&page, "m 1\n");
	while (page.n < LIMIT_METRICS_BYTES)
		buf_add_char(&page, '\n');
	expect_ok(prom_value(buf_str(&page), "m", &got, &e), &e);
	buf_add_char(&page, '\n');
	expect_err(prom_value(buf_str(&page), "m", &got, &e), &e, ERR_TOO_LARGE, "a page of", "");
}

/* ---- histograms on a page ---- */

static void histograms_are_summed_over_label_sets(void **state)
{
	const char *page = "m_bucket{le=\"0.1\",model=\"a\"} 1\n"
			   "m_bucket{le=\"0.5\",model=\"a\"} 3\n"
			   "m_bucket{le=\"+Inf\",model=\"a\"} 3\n"
			   "m_bucket{model=\"b\",le=\"+Inf\"} 10\n" /* in any order */
			   "m_bucket{model=\"b\",le=\"5e-1\"} 6\n"
			   "m_bucket{model=\"b\",le=\"0.10\"} 2\n"
			   "m_sum 4\nm_count 13\n";
	struct hist h;
	struct err e;

	(void)state;
	expect_ok(prom_hist(str_of(page), "m", &h, &e), &e);
	assert_int_equal(h.n, 3);
	expect_near(h.le[0], 0.1);
	expect_near(h.le[1], 0.5);
	assert_true(isinf(h.le[2]));
	assert_int_equal(h.count[0], 3);
	assert_int_equal(h.count[1], 6);
	assert_int_equal(h.count[2], 4);
	assert_int_equal(hist_total(&h), 13);
}

static void a_real_page_is_read(void **state)
{
	BUF_AUTO page = {0};
	struct hist h;
	struct err e;
	double got;

	(void)state;
	source_read("manifests/vectors/good/promtext.service.txt", &page);
	expect_ok(prom_hist(buf_str(&page), "ocr_infer_seconds", &h, &e), &e);
	assert_int_equal(hist_total(&h), 100);
	expect_near(hist_quantile(&h, 0.5), 0.09);
	expect_ok(prom_value(buf_str(&page), "ocr_infer_total", &got, &e), &e);
	expect_near(got, 100);
	expect_ok(prom_value(buf_str(&page), "ocr_queue", &got, &e), &e);
	assert_true(isnan(got));
	expect_ok(prom_value(buf_str(&page), "ocr_limit", &got, &e), &e);
	assert_true(isinf(got));
}

static const struct {
	const char *page, *why;
} bad_hist[] = {
	{"m_bucket{le=\"1\"} 1\n", "up to +Inf"},
	{"m_bucket 1\n", "up to +Inf"},
	{"m_bucket 1\nm_bucket{le=\"+Inf\"} 1\n", "up to +Inf"},
	{"m_bucket{le=\"NaN\"} 1\n", "line 1: a bound that is no number"},
	{"m_bucket{le=\"1\"} 2\nm_bucket{le=\"+Inf\"} 1\n", "below that of a lower bound"},
	{"m_bucket{le=\"+Inf\"} -1\n", "not a whole number"},
	{"m_bucket{le=\"+Inf\"} 0.5\n", "not a whole number"},
	{"m_bucket{le=\"+Inf\"} NaN\n", "not a whole number"},
	{"m_bucket{le=\"+Inf\"} +Inf\n", "not a whole number"},
	{"m_bucket{le=\"+Inf\"} 1e300\n", "not a whole number"},
	{"m_bucket{le=\"+Inf\"} 1\nm_bucket{le=\"Inf\"} 1\n", "stands twice"},
	{"m_bucket{le=\"1\"} 1\nm_bucket{le=\"1.0\"} 1\nm_bucket{le=\"+Inf\"} 1\n", "stands twice"},
	{"m_bucket{le=\"+Inf\"} 1\nm_bucket{a=\"b\",le=\"+Inf\"} 1\nm_bucket{a=\"b\",le=\"1\"} 1\n",
		"different bounds"},
	{"m_bucket{le=\"+Inf\"} 1\nm_bucket{le=\"2\"} 1\nm_bucket{a=\"b\",le=\"+Inf\"} 1\n"
	 "m_bucket{a=\"b\",le=\"1\"} 1\n",
		"different bounds"},
};

static void broken_histograms_are_refused(void **state)
{
	struct hist h = {.n = 4711};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_hist); i++)
		expect_err(prom_hist(str_of(bad_hist[i].page), "m", &h, &e), &e, ERR_BAD_INPUT,
			bad_hist[i].why, bad_hist[i].page);
	assert_int_equal(h.n, 4711);
}

static void buckets_are_bounded(void **state)
{
	BUF_AUTO page = {0};
	struct hist h;
	struct err e;

	(void)state;
	buf_add_str(&page, "m_bucket{le=\"+Inf\"} 100\n");
	for (int i = 1; i < LIMIT_HIST_BUCKETS; i++)
		buf_addf(&page, "m_bucket{le=\"%d\"} %d\n", i, i);
	expect_ok(prom_hist(buf_str(&page), "m", &h, &e), &e);
	assert_int_equal(h.n, LIMIT_HIST_BUCKETS);
	buf_addf(&page, "m_bucket{le=\"99\"} 99\n");
	expect_err(prom_hist(buf_str(&page), "m", &h, &e), &e, ERR_TOO_LARGE, "more than 32", "");
}

/* ---- histograms as values ---- */

#define INF ((double)INFINITY)

static void quantiles_are_those_of_promql(void **state)
{
	static const struct hist usual = {4, {0.1, 0.2, 0.4, INF}, {10, 0, 80, 10}};
	static const struct hist none = {4, {0.1, 0.2, 0.4, INF}, {0}};
	static const struct hist below = {3, {-1, 1, INF}, {5, 5, 0}};
	static const struct hist only_inf = {1, {INF}, {7}};
	static const struct hist all_in_inf = {3, {1, 2, INF}, {0, 0, 9}};
	static const struct {
		const struct hist *h;
		double q, want;
	} rows[] = {
		{&usual, 0.05, 0.05},
		{&usual, 0.1, 0.1},
		{&usual, 0.5, 0.3},
		{&usual, 0.9, 0.4},
		{&usual, 0.95, 0.4}, /* falls into +Inf: the last finite bound */
		{&usual, 0.99, 0.4},
		{&none, 0.5, (double)NAN},
		{&below, 0.25, -1}, /* nothing to interpolate from */
		{&below, 0.75, 0},
		{&only_inf, 0.5, (double)NAN},
		{&all_in_inf, 0.5, 2},
	};
	static const struct hist zero = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_near(hist_quantile(rows[i].h, rows[i].q), rows[i].want);
	assert_true(isnan(hist_quantile(&zero, 0.5)));
}

static void deltas_count_from_zero_after_a_restart(void **state)
{
	static const struct hist a = {2, {1, INF}, {10, 4}}, b = {2, {1, INF}, {12, 4}};
	static const struct hist restarted = {2, {1, INF}, {11, 1}},
				 other = {2, {2, INF}, {50, 50}};
	static const struct hist none = {0};
	struct hist d;

	(void)state;
	hist_delta(&b, &a, &d);
	assert_int_equal(d.count[0], 2);
	assert_int_equal(d.count[1], 0);
	hist_delta(&restarted, &a, &d);
	assert_int_equal(d.count[0], 11);
	assert_int_equal(d.count[1], 1);
	hist_delta(&other, &a, &d);
	assert_int_equal(hist_total(&d), 100);
	hist_delta(&a, &none, &d);
	assert_int_equal(hist_total(&d), 14);
	d = b;
	hist_delta(&d, &a, &d);
	assert_int_equal(hist_total(&d), 2);
}

static void sums_need_the_same_bounds(void **state)
{
	static const struct hist a = {2, {1, INF}, {10, 4}}, other = {2, {2, INF}, {50, 50}};
	struct hist sum = {0};

	(void)state;
	hist_add(&sum, &a);
	hist_add(&sum, &a);
	assert_int_equal(sum.count[0], 20);
	assert_int_equal(hist_total(&sum), 28);
	hist_add(&sum, &other);
	assert_int_equal(hist_total(&sum), 100);
	assert_true(hist_has_bounds(&sum, &other));
	assert_false(hist_has_bounds(&sum, &a));
}

static void samples_above_a_value_are_counted(void **state)
{
	static const struct hist h = {4, {1, 2, 4, INF}, {10, 20, 40, 5}};
	static const struct {
		double x, want;
	} rows[] = {{-1, 75}, {0, 75}, {0.5, 70}, {1, 65}, {1.5, 55}, {3, 25}, {4, 5}, {100, 5}};
	struct hist none = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_near(hist_above(&h, rows[i].x), rows[i].want);
	expect_near(hist_above(&none, 1), 0);
}

static void buckets_fold_into_bins(void **state)
{
	static const struct hist h = {5, {-1, 0.1, 0.2, 0.4, INF}, {1, 2, 4, 8, 16}};
	static const double edges[] = {0.1, 0.4}, all[] = {-1, 0.1, 0.2, 0.4}, other[] = {0.1, 0.3};
	struct hist f = {.n = 77};

	(void)state;
	assert_false(hist_fold(&h, other, 2, &f));
	assert_false(hist_fold(&(struct hist){0}, edges, 2, &f));
	assert_int_equal(f.n, 77);
	assert_true(hist_fold(&h, edges, 2, &f));
	assert_int_equal(f.n, 3);
	assert_int_equal(f.count[0], 3);
	assert_int_equal(f.count[1], 12);
	assert_int_equal(f.count[2], 16);
	expect_near(f.le[1], 0.4);
	assert_true(hist_fold(&h, all, 4, &f));
	assert_true(hist_has_bounds(&h, &f));
	f = h;
	assert_true(hist_fold(&f, edges, 1, &f)); /* into itself */
	assert_int_equal(f.count[1], 28);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_are_summed),
		cmocka_unit_test(malformed_pages_are_refused_with_the_line),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(pages_and_lines_are_bounded),
		cmocka_unit_test(histograms_are_summed_over_label_sets),
		cmocka_unit_test(a_real_page_is_read),
		cmocka_unit_test(broken_histograms_are_refused),
		cmocka_unit_test(buckets_are_bounded),
		cmocka_unit_test(quantiles_are_those_of_promql),
		cmocka_unit_test(deltas_count_from_zero_after_a_restart),
		cmocka_unit_test(sums_need_the_same_bounds),
		cmocka_unit_test(samples_above_a_value_are_counted),
		cmocka_unit_test(buckets_fold_into_bins),
	};

	return cmocka_run_group_tests_name("promtext", tests, NULL, NULL);
}
