#include "server/cli/simulated.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/cli/table.h"

/* What is told of every run, as quantiles. Ends of a span are told in words. */
static const struct {
	const char *key, *text;
	size_t offset;
	bool is_span;
} quantities[] = {
	{"had_it", "devices that are given the release", offsetof(struct course_result, had_it),
		false},
	{"switched", "of those, run it", offsetof(struct course_result, switched), false},
	{"bad", "devices on which something is wrong with it", offsetof(struct course_result, bad),
		false},
	{"bad_committed", "of those, accept it", offsetof(struct course_result, bad_committed),
		false},
	{"reverted", "go back by themselves", offsetof(struct course_result, reverted), false},
	{"false_rollbacks", "of those, for nothing",
		offsetof(struct course_result, false_rollbacks), false},
	{"silent", "are not heard of in time", offsetof(struct course_result, silent), false},
	{"bricked", "are gone for good", offsetof(struct course_result, bricked), false},
	{"left", "run it when all is over", offsetof(struct course_result, left), false},
	{"took_ms", "until it is decided", offsetof(struct course_result, took), true},
	{"mend_ms", "from its start to the old version running again",
		offsetof(struct course_result, mend_median), true},
};

static const unsigned percents[] = {10, 50, 90, 100};

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t value_of(const struct course_result *r, size_t q)
{
	const char *at = (const char *)r + quantities[q].offset;

	return quantities[q].is_span ? *(const ms_t *)(const void *)at
				     : *(const uint32_t *)(const void *)at;
}

static int64_t quantile(const struct simulated *s, size_t q, unsigned percent)
{
	int64_t *v CLEANUP(mem_free) = mem_new(s->runs * sizeof *v);

	for (uint32_t i = 0; i < s->runs; i++)
		v[i] = value_of(&s->v[i], q);
	qsort(v, s->runs, sizeof *v, by_size);
	return v[(uint64_t)(s->runs - 1) * percent / 100];
}

static uint32_t count_ends(const struct simulated *s, unsigned end)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->runs; i++)
		n += s->v[i].end == end;
	return n;
}

/* Given up although nothing is wrong with it anywhere. */
static uint32_t count_false_aborts(const struct simulated *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->runs; i++)
		n += s->v[i].end == END_ABORTED && !s->v[i].bad;
	return n;
}

static uint32_t count_by(const struct simulated *s, enum judge_test by)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->runs; i++)
		n += s->v[i].end == END_ABORTED && s->v[i].by == by;
	return n;
}

/* ---- for people ---- */

static void span_cell(struct table *t, ms_t span)
{
	if (span < MINUTE(2))
		table_cell(t, "%lld s", (long long)(span / 1000));
	else if (span < MINUTE(120))
		table_cell(t, "%lld min", (long long)(span / MINUTE(1)));
	else if (span < MINUTE(72 * 60))
		table_cell(t, "%lld h", (long long)(span / MINUTE(60)));
	else
		table_cell(t, "%lld d", (long long)(span / MINUTE(24 * 60)));
}

static void print_quantities(const struct simulated *s)
{
	struct table t;

	table_init(&t, "WHAT|1 RUN IN 10: AT MOST|MEDIAN|9 IN 10: AT MOST|ALL: AT MOST");
	for (size_t q = 0; q < ARRAY_LEN(quantities); q++) {
		table_cell(&t, "%s", quantities[q].text);
		for (size_t k = 0; k < ARRAY_LEN(percents); k++) {
			int64_t v = quantile(s, q, percents[k]);

			if (quantities[q].is_span)
				span_cell(&t, v);
			else
				table_cell(&t, "%lld", (long long)v);
		}
	}
	table_print(&t);
	table_fini(&t);
}

static void print_ends(const struct simulated *s)
{
	struct table t;

	table_init(&t, "ENDS|RUNS|WAVE|FOUND BY");
	for (unsigned end = 0; end < END_MAX; end++) {
		uint32_t n = count_ends(s, end), last = 0;

		for (uint32_t i = 0; i < s->runs; i++)
			last = s->v[i].end == end ? MAX(last, s->v[i].wave) : last;
		if (!n)
			continue;
		table_cell(&t, "%s", scenario_end_name(end));
		table_cell(&t, "%u of %u", n, s->runs);
		table_cell(&t, "%s%s", end == END_DONE ? "" : "at the latest ",
			s->policy->waves[last].name);
		if (end == END_ABORTED)
			table_cell(&t, "guard %u, statistics %u, other %u",
				count_by(s, JUDGE_BY_GUARD),
				count_by(s, JUDGE_BY_POOLED) + count_by(s, JUDGE_BY_STRATUM),
				count_by(s, JUDGE_BY_NONE) + count_by(s, JUDGE_BY_PROMOTE));
		else
			table_cell(&t, "-");
	}
	table_print(&t);
	table_fini(&t);
}

static void print_all(const struct simulated *s)
{
	uint64_t trace = 0, updates = 0;

	for (uint32_t i = 0; i < s->runs; i++) {
		trace ^= s->v[i].trace + i;
		updates += s->v[i].update_steps;
	}
	printf("Scenario %s, policy %s (%s), %u %s, %u runs from seed %llu.\n", s->scenario->name,
		s->policy->name, s->policy_from, s->devices,
		s->real ? "devices of the server" : "simulated devices", s->runs,
		(unsigned long long)s->seed);
	if (*s->scenario->text)
		printf("%s\n", s->scenario->text);
	puts("");
	print_ends(s);
	puts("");
	print_quantities(s);
	printf("\n%u of %u runs were given up although nothing was wrong; %llu steps of update machines, no law broken; "
	       "trace %016llx.\n",
		count_false_aborts(s), s->runs, (unsigned long long)updates,
		(unsigned long long)trace);
}

/* ---- for scripts ---- */

static json_t *run_of(const struct course_result *r)
{
	json_t *o = json_object();
	char trace[17];

	json_object_set_new(o, "end", json_string(scenario_end_name(r->end)));
	json_object_set_new(o, "by", json_string(judge_test_name(r->by)));
	json_object_set_new(o, "wave", json_integer(r->wave));
	for (size_t q = 0; q < ARRAY_LEN(quantities); q++)
		json_object_set_new(o, quantities[q].key, json_integer(value_of(r, q)));
	snprintf(trace, sizeof trace, "%016llx", (unsigned long long)r->trace);
	json_object_set_new(o, "trace", json_string(trace));
	return o;
}

static json_t *json_of(const struct simulated *s)
{
	json_t *runs = json_array(), *ends = json_object();

	for (uint32_t i = 0; i < s->runs; i++)
		json_array_append_new(runs, run_of(&s->v[i]));
	for (unsigned end = 0; end < END_MAX; end++)
		json_object_set_new(ends, scenario_end_name(end), json_integer(count_ends(s, end)));
	return json_pack("{s:s, s:s, s:I, s:b, s:I, s:o, s:I, s:o}", "scenario", s->scenario->name,
		"policy", s->policy->name, "devices", (json_int_t)s->devices, "real", s->real,
		"seed", (json_int_t)s->seed, "ends", ends, "false_aborts",
		(json_int_t)count_false_aborts(s), "runs", runs);
}

int simulate_say(const struct cli *c, const struct simulated *s, struct err *e)
{
	JSON_AUTO *answer = NULL;

	for (uint32_t i = 0; i < s->runs; i++)
		if (s->v[i].violations)
			return err_set(e, ERR_BUG, "run %u, %s", i, s->v[i].law);
	answer = json_of(s);
	if (!cli_json(c, answer))
		print_all(s);
	return 0;
}
