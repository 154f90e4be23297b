#include "tests/lib/expect.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/probe/probe.h"
#include "tests/lib/webtest.h"

/* A workload whose metrics page and health a test sets. */
struct world {
	struct webtest *web;
	struct svc *svc;
	char metrics_url[64];
	char page[2048];
	int metrics_status, health_status;
};

static void answer(void *ctx, const struct webtest_request *rq, struct webtest_reply *out)
{
	struct world *w = ctx;

	if (strcmp(rq->path, "/metrics") == 0) {
		out->status = w->metrics_status;
		buf_add_str(&out->body, w->page);
	} else {
		out->status = w->health_status;
	}
}

static int begin(void **state)
{
	struct world *w = mem_new(sizeof *w);
	struct svc_conf c = {.kind = "none"};
	struct err e;

	w->web = webtest_open(0, answer, w);
	w->metrics_status = w->health_status = 200;
	webtest_url(w->web, "/metrics", w->metrics_url, sizeof w->metrics_url);
	webtest_url(w->web, "/healthz", c.health_url, sizeof c.health_url);
	expect_ok(svc_open(&c, &w->svc, &e), &e);
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	svc_close(&w->svc);
	webtest_close(&w->web);
	mem_free(&w);
	return 0;
}

static const struct trig_rule rules[] = {
	{.type = TRIG_LATENCY, .metric = "req_seconds"},
	{.type = TRIG_ERROR_RATE, .metric = "errors_total", .total = "req_total"},
	{.type = TRIG_HEALTH_FAILED},
	{.type = TRIG_CRASH_LOOP},
	{.type = TRIG_OPERATOR},
	{.type = TRIG_SMOKE_FAILED},
	{.type = TRIG_START_FAILED},
};
enum { LATENCY, ERRORS, HEALTH, CRASHES, ORDERS, SMOKE, START };

static struct probe *open_probe(struct world *w, const char *url)
{
	struct probe_in in = {.svc = w->svc, .metrics_url = url, .timeout = SEC(30)};
	struct probe *p;
	struct err e;

	expect_ok(probe_open(&in, rules, ARRAY_LEN(rules), &p, &e), &e);
	return p;
}

/* A page with a histogram of (fast, slow) requests, and counters; negative: the line is left out.
 */
static void set_page(struct world *w, int fast, int slow, double errors, double total)
{
	size_t n = 0;

	n += (size_t)snprintf(w->page + n, sizeof w->page - n, "# TYPE req_seconds histogram\n");
	if (fast >= 0)
		n += (size_t)snprintf(w->page + n, sizeof w->page - n,
			"req_seconds_bucket{le=\"0.1\"} %d\nreq_seconds_bucket{le=\"+Inf\"} %d\n"
			"req_seconds_sum 1\nreq_seconds_count %d\n",
			fast, fast + slow, fast + slow);
	if (errors >= 0)
		n += (size_t)snprintf(w->page + n, sizeof w->page - n,
			"errors_total{kind=\"a\"} %g\nerrors_total{kind=\"b\"} 0\n", errors);
	if (isnan(total))
		snprintf(w->page + n, sizeof w->page - n, "req_total NaN\n");
	else if (total >= 0)
		snprintf(w->page + n, sizeof w->page - n, "req_total %g\n", total);
}

/* One look after another at the same probe: the page, and what the look must say. */
static const struct {
	const char *name;
	int fast, slow;
	double errors, total;
	int status;
	bool hist_blind, rate_blind;
	uint64_t hist_n, slow_n, rate_n, rate_bad;
} looks[] = {
	{"the first sets the reference", 10, 1, 5, 100, 200, false, false, 0, 0, 0, 0},
	{"what came since", 14, 2, 7, 130, 200, false, false, 5, 1, 30, 2},
	{"nothing came", 14, 2, 7, 130, 200, false, false, 0, 0, 0, 0},
	{"no page", 20, 2, 7, 140, 500, true, true, 0, 0, 0, 0},
	{"counted from the last that was read", 24, 3, 7, 150, 200, false, false, 11, 1, 20, 0},
	{"restarted: from zero", 3, 0, 1, 4, 200, false, false, 3, 0, 4, 1},
	{"no histogram", -1, 0, 1, 5, 200, true, false, 0, 0, 1, 0},
	{"no total", 5, 0, 1, -1, 200, false, true, 2, 0, 0, 0},
	{"total is no number", 5, 0, 1, (double)NAN, 200, false, true, 0, 0, 0, 0},
	{"errors have not been counted yet", 5, 0, -1, 9, 200, false, false, 0, 0, 4, 0},
	{"the first error", 5, 0, 2, 12, 200, false, false, 0, 0, 3, 2},
};

static void metrics_become_what_came_since(void **state)
{
	struct world *w = *state;
	struct probe *p = open_probe(w, w->metrics_url);
	struct sample s[LIMIT_TRIGGERS];

	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		set_page(w, looks[i].fast, looks[i].slow, looks[i].errors, looks[i].total);
		w->metrics_status = looks[i].status;
		probe_look(p, (ms_t)(1000 + i), s);
		if (s[LATENCY].blind != looks[i].hist_blind || s[LATENCY].n != looks[i].hist_n ||
			(s[LATENCY].n && s[LATENCY].hist.count[1] != looks[i].slow_n))
			fail_msg("%s: histogram n=%d", looks[i].name, (int)s[LATENCY].n);
		if (s[ERRORS].blind != looks[i].rate_blind || s[ERRORS].n != looks[i].rate_n ||
			s[ERRORS].bad != looks[i].rate_bad)
			fail_msg("%s: rate n=%d bad=%d", looks[i].name, (int)s[ERRORS].n,
				(int)s[ERRORS].bad);
		assert_int_equal(s[LATENCY].at, 1000 + i);
	}
	probe_close(&p);
	probe_close(&p);
}

static void a_malformed_page_is_blind(void **state)
{
	struct world *w = *state;
	struct probe *p = open_probe(w, w->metrics_url);
	struct sample s[LIMIT_TRIGGERS];

	strcpy(w->page, "req_total 1\nreq seconds{{{ 1\n");
	probe_look(p, 1, s);
	assert_true(s[LATENCY].blind && s[ERRORS].blind);
	assert_false(s[HEALTH].blind || s[CRASHES].blind || s[ORDERS].blind || s[SMOKE].blind ||
		     s[START].blind);
	probe_close(&p);
}

static void without_a_url_metrics_are_blind(void **state)
{
	const char *const urls[] = {"", NULL};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct probe *p = open_probe(w, urls[i]);
		struct sample s[LIMIT_TRIGGERS];

		probe_look(p, 1, s);
		assert_true(s[LATENCY].blind && s[ERRORS].blind);
		probe_close(&p);
	}
}

static void health_is_one_check_a_look(void **state)
{
	static const int status[] = {200, 200, 500, 404, 204, 200};
	static const int bad[] = {0, 0, 1, 1, 1, 0};
	struct world *w = *state;
	struct probe *p = open_probe(w, "");
	struct sample s[LIMIT_TRIGGERS];

	for (size_t i = 0; i < ARRAY_LEN(status); i++) {
		w->health_status = status[i];
		probe_look(p, (ms_t)i, s);
		assert_int_equal(s[HEALTH].n, i > 0);
		assert_int_equal(s[HEALTH].bad, bad[i]);
	}
	webtest_close(&w->web);
	probe_look(p, 9, s);
	assert_int_equal(s[HEALTH].bad, 1);
	assert_false(s[HEALTH].blind);
	probe_close(&p);
}

static void what_comes_as_an_event_is_never_sampled(void **state)
{
	struct world *w = *state;
	struct probe *p = open_probe(w, "");
	struct sample s[LIMIT_TRIGGERS];

	for (ms_t now = 0; now < 3; now++) {
		probe_look(p, now, s);
		assert_int_equal(s[ORDERS].n + s[SMOKE].n + s[START].n + s[CRASHES].n, 0);
	}
	probe_close(&p);
}

static void every_source_is_known(void **state)
{
	(void)state;
	for (enum trig_type t = 0; t < TRIG_TYPE_MAX; t++)
		assert_non_null(probe_source_of(trig_type_source(t)));
	assert_null(probe_source_of((enum trig_source)99));
}

static void there_is_a_bound_on_rules(void **state)
{
	struct world *w = *state;
	struct probe_in in = {.svc = w->svc};
	struct trig_rule many[LIMIT_TRIGGERS + 1] = {0};
	struct probe *p;
	struct err e;

	expect_err(probe_open(&in, many, ARRAY_LEN(many), &p, &e), &e, ERR_TOO_LARGE, "13",
		"one too many");
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(metrics_become_what_came_since),
		WORLD_TEST(a_malformed_page_is_blind),
		WORLD_TEST(without_a_url_metrics_are_blind),
		WORLD_TEST(health_is_one_check_a_look),
		WORLD_TEST(what_comes_as_an_event_is_never_sampled),
		cmocka_unit_test(every_source_is_known),
		WORLD_TEST(there_is_a_bound_on_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
