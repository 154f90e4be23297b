/* What the kernel's files say of workload and machine: trees of such files, made by the test, and
 * this very process. */
#include "tests/lib/expect.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/probe/probe_priv.h"
#include "tests/lib/webtest.h"

static struct svc *svc;
static char root[200];

static int begin(void **state)
{
	struct svc_conf c = {.kind = "none"};
	char cwd[128];
	struct err e;

	(void)state;
	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(root, sizeof root, "%s/tree.XXXXXX", cwd);
	assert_non_null(mkdtemp(root));
	expect_ok(svc_open(&c, &svc, &e), &e);
	return 0;
}

static int end(void **state)
{
	(void)state;
	svc_close(&svc);
	return 0;
}

/* Writes ROOT/PATH with all its folders. */
static void put(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof full, "%s/%s", root, path);
	for (char *p = strchr(full + strlen(root) + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		(void)mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct probe_in in_tree(void)
{
	return (struct probe_in){.svc = svc, .proc = root, .sys = root, .home = root};
}

static void rule_parse(const char *text, struct trig_rule *out)
{
	JSON_AUTO *j = json_loads(text, 0, NULL);
	struct err e;

	expect_ok(trig_rule_parse(j, "t", out, &e), &e);
}

static struct probe *open_one(const struct probe_in *in, const char *rule)
{
	struct trig_rule r;
	struct probe *p;
	struct err e;

	rule_parse(rule, &r);
	expect_ok(probe_open(in, &r, 1, &p, &e), &e);
	return p;
}

static struct sample look(struct probe *p, ms_t now)
{
	struct sample s[LIMIT_TRIGGERS];

	probe_look(p, now, s);
	return s[0];
}

static struct sample look_once(const char *rule)
{
	struct probe_in in = in_tree();
	struct probe *p = open_one(&in, rule);
	struct sample s = look(p, 1);

	probe_close(&p);
	return s;
}

static void expect_near(double is, double wants)
{
	if (!(fabs(is - wants) < 1e-6))
		fail_msg("%.12g, wanted %.12g", is, wants);
}

/* ---- the machine ---- */

static void what_the_machine_has_left(void **state)
{
	struct sample s;

	(void)state;
	assert_true(look_once("{\"type\":\"resource\",\"of\":\"available\"}").blind);
	put("meminfo", "MemTotal:  9000 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n");
	s = look_once("{\"type\":\"resource\",\"of\":\"available\"}");
	assert_false(s.blind);
	expect_near(s.sum, 2);
	put("meminfo", "MemTotal:  9000 kB\nMemAvailable: many\n");
	assert_true(look_once("{\"type\":\"resource\",\"of\":\"available\"}").blind);
	s = look_once("{\"type\":\"resource\",\"of\":\"disk\"}");
	assert_false(s.blind);
	assert_true(s.sum > 0);
}

static void pressure_is_a_share_of_time(void **state)
{
	struct probe_in in = in_tree();
	struct probe *p = open_one(&in, "{\"type\":\"resource\",\"of\":\"cpu\"}");
	struct sample s;

	(void)state;
	assert_true(look(p, 1000).blind);
	put("stat", "cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1 1 1 1\n");
	assert_int_equal(look(p, 2000).n, 0); /* the reference */
	put("stat", "cpu  30 0 20 130 20 0 0 0 0 0\n");
	s = look(p, 3000); /* 100 ticks, 30 of them busy */
	assert_int_equal(s.n, 1);
	expect_near(s.sum, 0.3);
	put("pressure/cpu",
		"some avg10=1.00 avg60=2.00 avg300=3.00 total=5000000\nfull avg10=0 total=9\n");
	assert_int_equal(look(p, 4000).n, 0); /* another kind of number */
	put("pressure/cpu", "some avg10=1.00 avg60=2.00 avg300=3.00 total=5500000\n");
	s = look(p, 6000);
	expect_near(s.sum, 0.25);
	put("pressure/cpu", "some avg10=1.00 total=1\n");
	assert_int_equal(look(p, 7000).n, 0); /* it began anew */
	probe_close(&p);
}

/* ---- memory of a workload ---- */

static void a_control_group_is_what_it_needs(void **state)
{
	struct probe_in in = in_tree();
	uint64_t bytes = 0;
	struct err e;

	(void)state;
	put("self/cgroup", "0::/system.slice/agent.service\n");
	put("77/cgroup", "12:cpu:/x\n0::/system.slice/reader.service\n");
	put("fs/cgroup/system.slice/reader.service/memory.current", "1000000\n");
	expect_ok(probe_memory(&in, 77, &bytes, &e), &e);
	assert_int_equal(bytes, 1000000);
	put("fs/cgroup/system.slice/reader.service/memory.stat",
		"anon 5\ninactive_file 400000\nfile 6\n");
	expect_ok(probe_memory(&in, 77, &bytes, &e), &e);
	assert_int_equal(bytes, 600000);
	put("fs/cgroup/system.slice/reader.service/memory.stat", "inactive_file 9000000\n");
	expect_ok(probe_memory(&in, 77, &bytes, &e), &e);
	assert_int_equal(bytes, 0);
	put("fs/cgroup/system.slice/reader.service/memory.current", "max\n");
	expect_err(probe_memory(&in, 77, &bytes, &e), &e, ERR_NOT_FOUND, "77", "no number");
	expect_err(probe_memory(&in, 0, &bytes, &e), &e, ERR_NOT_FOUND, "nobody", "no process");
}

/* In the agent's own group: the process and what it has started. */
static void a_family_is_what_it_needs(void **state)
{
	struct probe_in in = in_tree();
	uint64_t bytes = 0;
	struct err e;

	(void)state;
	put("self/cgroup", "0::/\n");
	put("77/cgroup", "0::/\n");
	put("77/status", "Name:\tx\nRssAnon:\t     100 kB\nRssFile:\t 9 kB\nRssShmem:\t 10 kB\n");
	put("77/task/77/children", "78 ");
	put("77/task/79/children", "");
	put("78/status", "RssAnon:\t     1 kB\n");
	expect_ok(probe_memory(&in, 77, &bytes, &e), &e);
	assert_int_equal(bytes, 111 * 1024);
}

#define HOG ((size_t)24 << 20)

static void this_process_and_its_child_are_seen(void **state)
{
	struct probe_in in = {.svc = svc, .proc = "/proc", .sys = root};
	uint64_t before = 0, after = 0;
	int ready[2];
	struct err e;
	char c;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	expect_ok(probe_memory(&in, (uint32_t)getpid(), &before, &e), &e);
	pid_t child = fork();

	if (child == 0) {
		char *hog = malloc(HOG);

		memset(hog, 1, HOG);
		(void)!write(ready[1], hog, 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	expect_ok(probe_memory(&in, (uint32_t)getpid(), &after, &e), &e);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	assert_true(after >= before + HOG);
}

/* ---- heat ---- */

static void zones_are_read(void **state)
{
	struct sample s;

	(void)state;
	assert_true(
		look_once("{\"type\":\"thermal\",\"of\":\"temperature\",\"threshold_milli\":90000}")
			.blind);
	put("class/thermal/thermal_zone0/temp", "41000\n");
	put("class/thermal/thermal_zone0/type", "soc\n");
	put("class/thermal/thermal_zone1/temp", "63500\n");
	put("class/thermal/thermal_zone1/type", "gpu\n");
	put("class/thermal/thermal_zone2/type", "asleep\n");
	s = look_once("{\"type\":\"thermal\",\"of\":\"temperature\",\"threshold_milli\":90000}");
	expect_near(s.sum, 63.5);
	s = look_once(
		"{\"type\":\"thermal\",\"of\":\"temperature\",\"threshold_milli\":90000,\"zone\":\"soc\"}");
	expect_near(s.sum, 41);
	assert_true(look_once(
		"{\"type\":\"thermal\",\"of\":\"temperature\",\"threshold_milli\":90000,\"zone\":"
		"\"asleep\"}")
			    .blind);
	assert_true(look_once("{\"type\":\"thermal\",\"of\":\"margin\"}").blind);
	put("class/thermal/thermal_zone0/trip_point_0_type", "passive\n");
	put("class/thermal/thermal_zone0/trip_point_0_temp", "42000\n");
	put("class/thermal/thermal_zone0/trip_point_1_type", "critical\n");
	put("class/thermal/thermal_zone0/trip_point_1_temp", "105000\n");
	s = look_once("{\"type\":\"thermal\",\"of\":\"margin\"}");
	expect_near(s.sum, 64);
}

static void throttling_is_time(void **state)
{
	struct probe_in in = in_tree();
	struct probe *p = open_one(&in, "{\"type\":\"thermal\",\"of\":\"throttled\"}");
	struct sample s;

	(void)state;
	assert_true(look(p, 1000).blind);
	put("class/thermal/cooling_device0/type", "Fan\n");
	put("class/thermal/cooling_device0/cur_state", "7\n");
	assert_true(look(p, 2000).blind); /* a fan slows nothing down */
	put("class/thermal/cooling_device1/type", "cpufreq-cpu0\n");
	put("class/thermal/cooling_device1/cur_state", "0\n");
	assert_int_equal(look(p, 3000).n, 0); /* the reference */
	s = look(p, 4000);
	assert_int_equal(s.n, 1);
	expect_near(s.sum, 0);
	put("class/thermal/cooling_device1/cur_state", "2\n");
	expect_near(look(p, 6000).sum, 2);
	put("class/thermal/cooling_device1/cur_state", "0\n");
	put("devices/system/cpu/cpu0/thermal_throttle/core_throttle_total_time_ms", "5000\n");
	look(p, 7000); /* what it counted before is not of this second: never more than passed */
	put("devices/system/cpu/cpu1/thermal_throttle/core_throttle_total_time_ms", "5400\n");
	expect_near(look(p, 8000).sum, 0.4);
	probe_close(&p);
}

/* ---- the server ---- */

static int status;

static void answer(void *ctx, const struct webtest_request *rq, struct webtest_reply *out)
{
	(void)ctx;
	out->status = strcmp(rq->path, "/healthz") == 0 ? status : 404;
}

static void whoever_answers_was_reached(void **state)
{
	struct webtest *web = webtest_open(0, answer, NULL);
	struct probe_in in = in_tree();
	struct http_conf http = {.connect_timeout = SEC(30)};
	char url[64];
	struct probe *p;

	(void)state;
	webtest_url(web, "", url, sizeof url);
	p = open_one(&in, "{\"type\":\"connectivity\"}");
	assert_true(look(p, 1).blind); /* no server is configured */
	probe_close(&p);
	in.http = &http;
	in.server_url = url;
	p = open_one(&in, "{\"type\":\"connectivity\"}");
	status = 503;
	assert_int_equal(look(p, 1000).n, 1);
	assert_int_equal(look(p, 5000).n, 0); /* not so soon again */
	assert_int_equal(look(p, 11000).bad, 0);
	webtest_close(&web);
	assert_int_equal(look(p, 22000).bad, 1);
	probe_close(&p);
}

/* Nobody listens at the address. */
static struct sample look_at_links(const char *flags, const char *carrier)
{
	struct probe_in in = in_tree();
	struct http_conf http = {.connect_timeout = SEC(30)};
	struct sample s;
	struct probe *p;

	put("class/net/lo/flags", "0x9\n");
	put("class/net/br0/flags", "0x1003\n");
	put("class/net/br0/carrier", "1\n");
	put("class/net/eth0/device/uevent", "");
	put("class/net/eth0/flags", flags);
	put("class/net/eth0/carrier", carrier);
	in.http = &http;
	in.server_url = "http://127.0.0.1:9";
	p = open_one(&in, "{\"type\":\"connectivity\"}");
	s = look(p, 1000);
	probe_close(&p);
	return s;
}

static void a_cable_that_is_out_is_nobodys_fault(void **state)
{
	(void)state;
	assert_true(look_at_links("0x1003\n", "0\n").blind);
	assert_int_equal(look_at_links("0x1003\n", "1\n").bad, 1);
	assert_int_equal(look_at_links("0x1002\n", "0\n").bad, 1); /* it was switched off */
}

/* ---- the workload's page ---- */

static char page[1024];

static void say_page(void *ctx, const struct webtest_request *rq, struct webtest_reply *out)
{
	(void)ctx;
	(void)rq;
	out->status = 200;
	buf_add_str(&out->body, page);
}

static void set_page(int low, int high, int bad, int all, int others, double gauge)
{
	snprintf(page, sizeof page,
		"s_bucket{le=\"0.25\"} %d\ns_bucket{le=\"0.5\"} %d\ns_bucket{le=\"+Inf\"} %d\n"
		"bad_total %d\nall_total %d\nothers_total %d\nvram_bytes %.1f\n",
		low, low, low + high, bad, all, others, gauge);
}

static void pages_have_more_than_latencies(void **state)
{
	static const char *const texts[] = {
		"{\"type\":\"drift\",\"metric\":\"s\",\"edges_micro\":[500000]}",
		"{\"type\":\"drift\",\"metric\":\"s\",\"edges_micro\":[400000]}",
		"{\"type\":\"quality\",\"of\":\"rate\",\"metric\":\"bad_total\",\"total\":\"all_total\"}",
		"{\"type\":\"error_rate\",\"metric\":\"bad_total\",\"total\":\"all_total\",\"excused\":\"others_"
		"total\"}",
		"{\"type\":\"latency\",\"metric\":\"s\",\"threshold_milli\":9,\"excused\":\"others_total\"}",
		"{\"type\":\"resource\",\"of\":\"accelerator_memory\",\"metric\":\"vram_bytes\",\"comparator\":"
		"\"baseline\"}",
	};
	struct webtest *web = webtest_open(0, say_page, NULL);
	struct probe_in in = {.svc = svc, .timeout = SEC(30)};
	struct trig_rule rules[ARRAY_LEN(texts)];
	struct sample s[LIMIT_TRIGGERS];
	char url[64];
	struct probe *p;
	struct err e;

	(void)state;
	webtest_url(web, "/metrics", url, sizeof url);
	in.metrics_url = url;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		rule_parse(texts[i], &rules[i]);
	expect_ok(probe_open(&in, rules, ARRAY_LEN(texts), &p, &e), &e);
	set_page(10, 5, 3, 100, 1, 0);
	probe_look(p, 1000, s);
	set_page(30, 6, 23, 200, 13, 1024.0 * 1024 * 5);
	probe_look(p, 2000, s);
	assert_int_equal(s[0].hist.n, 2);
	assert_int_equal(s[0].hist.count[0], 20);
	assert_int_equal(s[0].hist.count[1], 1);
	assert_true(s[1].blind); /* an edge that the page does not have */
	assert_int_equal(s[2].n, 100);
	assert_int_equal(s[2].bad, 20);
	assert_int_equal(s[3].n, 88); /* twelve failed by others' fault */
	assert_int_equal(s[3].bad, 8);
	assert_int_equal(s[4].bad, 12);
	assert_int_equal(s[4].hist.n, 3);
	expect_near(s[5].sum, 5);
	probe_close(&p);
	webtest_close(&web);
}

#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(what_the_machine_has_left),
		TREE_TEST(pressure_is_a_share_of_time),
		TREE_TEST(a_control_group_is_what_it_needs),
		TREE_TEST(a_family_is_what_it_needs),
		TREE_TEST(this_process_and_its_child_are_seen),
		TREE_TEST(zones_are_read),
		TREE_TEST(throttling_is_time),
		TREE_TEST(whoever_answers_was_reached),
		TREE_TEST(a_cable_that_is_out_is_nobodys_fault),
		TREE_TEST(pages_have_more_than_latencies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
