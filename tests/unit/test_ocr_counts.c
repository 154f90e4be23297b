/* What the plate reader counts must be what the agent's parser reads, and what the stream reports
 * must be what it saw. */
#include "tests/lib/expect.h"

#include <math.h>
#include <string.h>

#include "manifests/examples/ocr/score.h"
#include "manifests/examples/ocr/tally.h"
#include "proto/wire/promtext.h"

static const struct reader_facts facts = {.model = "eng", .release = "ocr-1", .slot = "a"};

static void page_of(struct tally *t, struct buf *page)
{
	buf_clear(page);
	tally_format(t, &facts, page);
}

static double value_of(const struct buf *page, const char *name)
{
	double v = (double)NAN;
	struct err e = {0};

	if (prom_value(buf_str(page), name, &v, &e) < 0)
		fail_msg("%s: %s", name, e.text);
	return v;
}

static void every_outcome_has_its_counter(void **state)
{
	static const struct {
		unsigned status;
		double requests, errors, rejects, answers;
	} rows[] = {
		{200, 1, 0, 0, 1},
		{400, 2, 0, 1, 1},
		{413, 3, 0, 2, 1},
		{500, 4, 1, 2, 1},
		{503, 5, 2, 2, 1},
		{200, 6, 2, 2, 2},
	};
	BUF_AUTO page = {0};
	struct tally t;

	(void)state;
	tally_init(&t);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tally_request(&t, rows[i].status, 0.03, 90);
		page_of(&t, &page);
		assert_true(value_of(&page, "infer_requests_total") == rows[i].requests);
		assert_true(value_of(&page, "infer_errors_total") == rows[i].errors);
		assert_true(value_of(&page, "infer_rejects_total") == rows[i].rejects);
		assert_true(value_of(&page, "infer_seconds_count") == rows[i].answers);
		assert_true(value_of(&page, "infer_confidence_count") == rows[i].answers);
	}
	tally_fini(&t);
}

static void latency_reads_back_as_quantiles(void **state)
{
	BUF_AUTO page = {0};
	struct err e = {0};
	struct tally t;
	struct hist h;

	(void)state;
	tally_init(&t);
	for (unsigned i = 0; i < 90; i++)
		tally_request(&t, 200, 0.022, 94);
	for (unsigned i = 0; i < 10; i++)
		tally_request(&t, 200, 9.0, 40);
	page_of(&t, &page);
	assert_int_equal(prom_hist(buf_str(&page), "infer_seconds", &h, &e), 0);
	assert_int_equal(hist_total(&h), 100);
	assert_true(hist_quantile(&h, 0.5) > 0.02 && hist_quantile(&h, 0.5) <= 0.025);
	assert_true(hist_quantile(&h, 0.99) == 5.0);
	assert_int_equal(prom_hist(buf_str(&page), "infer_confidence", &h, &e), 0);
	assert_true(hist_quantile(&h, 0.5) > 0.9 && hist_quantile(&h, 0.5) <= 0.95);
	tally_fini(&t);
}

static void reloads_and_the_model_are_told(void **state)
{
	BUF_AUTO page = {0};
	struct tally t;

	(void)state;
	tally_init(&t);
	tally_reload(&t, true);
	tally_reload(&t, true);
	tally_reload(&t, false);
	page_of(&t, &page);
	assert_true(value_of(&page, "reloads_total") == 3);
	assert_true(value_of(&page, "infer_model_info") == 1);
	assert_non_null(strstr(buf_cstr(&page), "reloads_total{result=\"failed\"} 1\n"));
	assert_non_null(
		strstr(buf_cstr(&page), "{model=\"eng\",release=\"ocr-1\",slot=\"a\"} 1\n"));
	tally_fini(&t);
}

static void scores_count_and_rank(void **state)
{
	struct score a = {0}, b = {0};

	(void)state;
	assert_int_equal(score_quantile(&a, 500), 0);
	for (unsigned i = 0; i < 99; i++)
		score_answer(&a, 20000, true);
	score_answer(&b, 800000, false);
	score_failed(&b);
	score_add(&a, &b);
	assert_int_equal(a.requests, 101);
	assert_int_equal(a.failed, 1);
	assert_int_equal(a.wrong, 1);
	assert_in_range(score_quantile(&a, 500), 20000 * 95 / 100, 20000 * 105 / 100);
	assert_in_range(score_quantile(&a, 990), 20000 * 95 / 100, 20000 * 105 / 100);
	assert_in_range(score_quantile(&a, 1000), 800000 * 95 / 100, 800000 * 105 / 100);
}

static void scores_take_any_time(void **state)
{
	static const uint64_t times[] = {0, 1, 1ULL << 23, 1ULL << 24, 1ULL << 40, UINT64_MAX};
	struct score s = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		score_answer(&s, times[i], true);
	assert_int_equal(s.bucket[0], 2);
	assert_int_equal(s.bucket[SCORE_BUCKETS - 1], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_its_counter),
		cmocka_unit_test(latency_reads_back_as_quantiles),
		cmocka_unit_test(reloads_and_the_model_are_told),
		cmocka_unit_test(scores_count_and_rank),
		cmocka_unit_test(scores_take_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
