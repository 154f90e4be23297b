/* What is measured: the kernel's files, the workload's page, windows that are merged. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/core/kernel.h"
#include "agent/core/meter.h"
#include "agent/tele/measure.h"

/* ---- the kernel ---- */

static void the_kernel_is_understood(void **state)
{
	static const char stat[] = "cpu  100 0 50 800 40 5 5 0 7 0\ncpu0 50 0 25 400 20 2 3 0\n";
	static const char memory[] =
		"MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    4000 kB\n";
	struct kernel_cpu c;
	struct kernel_memory m;
	uint64_t permille;
	int64_t milli;

	(void)state;
	assert_true(kernel_cpu_parse(str_of(stat), &c));
	assert_int_equal(c.all, 1000);
	assert_int_equal(c.busy, 160);
	assert_true(kernel_cpu_parse(STR("cpu 1 2 3 4\n"), &c)); /* an old kernel */
	assert_int_equal(c.busy, 6);
	assert_true(kernel_memory_parse(str_of(memory), &m));
	assert_int_equal(m.available, 4000 * 1024);
	assert_true(kernel_pressure_parse(
		STR("some avg10=1.53 avg60=0.00\nfull avg10=9.00\n"), &permille));
	assert_int_equal(permille, 15);
	assert_true(kernel_temperature_parse(STR("47500\n"), &milli));
	assert_int_equal(milli, 47500);
	assert_true(kernel_temperature_parse(STR("-5000\n"), &milli));
	assert_int_equal(milli, -5000);
}

static void what_the_kernel_does_not_say_is_not_known(void **state)
{
	static const char *const texts[] = {"", "\n", "cpu", "cpu 1 2 3\n", "cpu a b c d\n",
		"cpus 1 2 3 4\n", "cpu -1 2 3 4\n", "MemTotal: 1 kB\n", "MemAvailable: 1 kB\n",
		"MemTotal: x kB\nMemAvailable: 1 kB\n", "some\n", "some avg10=\n", "some avg10=1\n",
		"some avg10=1.5\n", "some avg60=1.53\n", "full avg10=1.53\n", "some avg10=101.00\n",
		"some avg10=99999999999999999999.00\n"};
	static const char *const zones[] = {"", "\n", "hot", "--5", "47500 C", "9999999999"};
	struct kernel_memory m;
	struct kernel_cpu c;
	uint64_t permille;
	int64_t milli;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_false(kernel_cpu_parse(str_of(texts[i]), &c));
		assert_false(kernel_memory_parse(str_of(texts[i]), &m));
		assert_false(kernel_pressure_parse(str_of(texts[i]), &permille));
	}
	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		assert_false(kernel_temperature_parse(str_of(zones[i]), &milli));
}

/* ---- the workload's page ---- */

#define PAGE(requests, low, high, queue)                                                           \
	"# HELP requests_total All.\n# TYPE requests_total counter\n"                              \
	"requests_total{code=\"200\"} " requests "\nrequests_total{code=\"500\"} 1\n"              \
	"# TYPE queue_length gauge\nqueue_length " queue "\n"                                      \
	"# TYPE confidence histogram\nconfidence_bucket{le=\"0.5\"} " low                          \
	"\nconfidence_bucket{le=\"0.75\"} " low "\nconfidence_bucket{le=\"+Inf\"} " high           \
	"\nconfidence_sum 1\nconfidence_count " high "\n# TYPE nothing counter\n"

static const struct meter_rules rules = {.metrics = "*", .model = "*score*,confidence"};

static int take(struct meter *m, const struct meter_rules *r, const char *page,
	struct telemetry_window v[2])
{
	v[0] = v[1] = (struct telemetry_window){0};
	return meter_take(m, r, str_of(page), &v[0], &v[1], NULL);
}

static void finish(struct telemetry_window v[2])
{
	telemetry_window_fini(&v[0]);
	telemetry_window_fini(&v[1]);
}

static void pages_become_windows(void **state)
{
	struct telemetry_window v[2];
	struct meter m = {0};

	(void)state;
	assert_int_equal(take(&m, &rules, PAGE("10", "3", "5", "2.5"), v), 0);
	assert_int_equal(v[0].n_counters + v[1].n_hists, 0);
	assert_int_equal(v[0].gauge[0].milli, 2500);
	finish(v);
	assert_int_equal(take(&m, &rules, PAGE("17", "4", "9", "1"), v), 0);
	assert_int_equal(v[0].n_counters, 1);
	expect_text(v[0].counter[0].name, "requests_total");
	assert_int_equal(v[0].counter[0].value, 7);
	assert_int_equal(v[0].n_hists, 0);
	assert_int_equal(v[1].n_hists, 1);
	assert_int_equal(v[1].hist[0].n, 3);
	assert_int_equal(v[1].hist[0].edges_micro[1], 750000);
	assert_int_equal(v[1].hist[0].counts[0], 1);
	assert_int_equal(v[1].hist[0].counts[2], 3);
	finish(v);
	/* Restarted: from zero. */
	assert_int_equal(take(&m, &rules, PAGE("2", "1", "1", "1"), v), 0);
	assert_int_equal(v[0].counter[0].value, 3);
	assert_int_equal(v[1].hist[0].counts[0], 1);
	finish(v);
}

static void histograms_get_the_edges_of_the_release(void **state)
{
	struct trig_rule drift = {.metric = "confidence", .n_edges = 1, .edge = {0.5}};
	struct trig_rule other = {.metric = "confidence", .n_edges = 1, .edge = {0.6}};
	struct meter_rules r = rules;
	struct telemetry_window v[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct meter m = {0};

		r.rule = i ? &other : &drift;
		r.n_rules = 1;
		assert_int_equal(take(&m, &r, PAGE("10", "3", "5", "2.5"), v), 0);
		finish(v);
		assert_int_equal(take(&m, &r, PAGE("10", "4", "9", "2.5"), v), 0);
		assert_int_equal(v[1].hist[0].n, i ? 3 : 2);
		finish(v);
	}
}

static void what_is_no_page_adds_nothing_to_count(void **state)
{
	struct telemetry_window v[2];
	struct meter m = {0};

	(void)state;
	assert_true(take(&m, &rules, "# TYPE a counter\n<html>\n", v) < 0);
	finish(v);
	assert_int_equal(take(&m, &rules, "", v), 0);
	finish(v);
}

static void names_are_chosen_by_patterns(void **state)
{
	static const struct {
		const char *list, *name;
		bool yes;
	} cases[] = {{"*", "a", true}, {"", "a", false}, {"a", "a", true}, {"a", "ab", false},
		{"a*", "ab", true}, {"*b", "ab", true}, {"*a*b*", "xaxbx", true},
		{"*a*b", "abx", false}, {"x, a*", "ab", true}, {"**", "", true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(meter_matches(cases[i].list, cases[i].name), cases[i].yes);
}

static void only_so_many_are_taken(void **state)
{
	struct telemetry_window v[2];
	struct meter m = {0};
	BUF_AUTO page = {0};

	(void)state;
	for (int i = 0; i < 3 * LIMIT_TELEMETRY_METRICS; i++)
		buf_addf(&page, "# TYPE g%d gauge\ng%d %d\n", i, i, i);
	assert_int_equal(take(&m, &rules, buf_cstr(&page), v), 0);
	assert_int_equal(v[0].n_gauges, LIMIT_TELEMETRY_METRICS);
	expect_text(v[0].gauge[LIMIT_TELEMETRY_METRICS - 1].name, "g15");
	finish(v);
}

/* ---- merging ---- */

static void windows_are_merged(void **state)
{
	struct hist h = {.n = 2, .le = {1, 1e300 * 1e300}, .count = {2, 3}}, other = h;
	struct telemetry_window a = {.at = 5, .span = 10, .release = {{1}}, .slot = "a"};
	struct telemetry_window b = {.at = 9, .span = 4, .release = {{1}}, .slot = "a"}, c;

	(void)state;
	other.le[0] = 2;
	telemetry_add_counter(&a, "n", 3);
	telemetry_add_counter(&b, "n", 4);
	telemetry_add_counter(&b, "9n", 4); /* no name */
	telemetry_add_gauge(&a, "g", 1.5);
	telemetry_add_gauge(&b, "g", -2);
	telemetry_add_gauge(&b, "nan", 0.0 / 0.0);
	telemetry_add_gauge(&b, "huge", 1e300);
	telemetry_add_hist(&a, "h", &h);
	telemetry_add_hist(&b, "h", &h);
	telemetry_merge(&a, &b);
	assert_true(a.at == 9 && a.span == 14 && !sha256_is_zero(&a.release));
	assert_int_equal(a.counter[0].value, 7);
	assert_int_equal(a.n_counters, 1);
	assert_int_equal(a.n_gauges, 1);
	assert_int_equal(a.gauge[0].milli, -2000);
	assert_int_equal(a.hist[0].counts[1], 6);
	telemetry_window_copy(&a, &c);
	assert_int_equal(c.hist[0].counts[1], 6);
	b.release.b[0] = 2;
	telemetry_add_hist(&b, "h", &other);
	telemetry_merge(&a, &b);
	assert_true(sha256_is_zero(&a.release));
	assert_int_equal(a.hist[0].counts[1], 3); /* other edges: the newer one */
	telemetry_window_fini(&a);
	telemetry_window_fini(&b);
	telemetry_window_fini(&c);
}

/* ---- the real machine ---- */

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void a_machine_is_measured(void **state)
{
	struct measure_in in = {.proc = "proc", .sys = "sys", .metrics_url = ""};
	struct measure m;

	(void)state;
	mkdir("proc", 0755);
	mkdir("proc/pressure", 0755);
	mkdir("sys", 0755);
	mkdir("sys/class", 0755);
	mkdir("sys/class/thermal", 0755);
	mkdir("sys/class/thermal/thermal_zone0", 0755);
	mkdir("sys/class/thermal/thermal_zone1", 0755);
	measure_look(&in, &m);
	assert_false(m.has_cpu || m.has_memory || m.has_temperature || m.has_pressure);
	measure_fini(&m);
	write_file("proc/stat", "cpu 1 2 3 4\n");
	write_file("proc/meminfo", "MemTotal: 8 kB\nMemAvailable: 4 kB\n");
	write_file("proc/pressure/cpu", "some avg10=1.00 avg60=0.00\n");
	write_file("sys/class/thermal/thermal_zone0/temp", "41000\n");
	write_file("sys/class/thermal/thermal_zone1/temp", "52000\n");
	measure_look(&in, &m);
	assert_true(m.has_cpu && m.has_memory && m.has_temperature && m.has_pressure);
	assert_int_equal(m.milli_c, 52000);
	assert_int_equal(m.memory.available, 4096);
	measure_fini(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_is_understood),
		cmocka_unit_test(what_the_kernel_does_not_say_is_not_known),
		cmocka_unit_test(pages_become_windows),
		cmocka_unit_test(histograms_get_the_edges_of_the_release),
		cmocka_unit_test(what_is_no_page_adds_nothing_to_count),
		cmocka_unit_test(names_are_chosen_by_patterns),
		cmocka_unit_test(only_so_many_are_taken),
		cmocka_unit_test(windows_are_merged),
		cmocka_unit_test(a_machine_is_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
