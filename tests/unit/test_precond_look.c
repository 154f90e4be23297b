/* What the machine is seen to be, from folders that stand for /sys and /proc, real files, a real
 * bus, and the C library's time zones. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/precond/precond.h"
#include "tests/lib/manager.h"

/* ---- a folder that a test fills ---- */

static char root[200];

static void put(const char *path, const char *text)
{
	char full[400];
	FILE *f;

	snprintf(full, sizeof full, "%s/%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void drop(const char *path)
{
	char command[400];

	snprintf(command, sizeof command, "rm -rf '%s/%s'", root, path);
	assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "%s/precond.XXXXXX",
		getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	drop("");
	return 0;
}

static struct precond_in in_root(void)
{
	static char sys[220], proc[220];

	snprintf(sys, sizeof sys, "%s/sys", root);
	snprintf(proc, sizeof proc, "%s/proc", root);
	return (struct precond_in){.sys = sys,
		.proc = proc,
		.home = root,
		.now = 1700000000000LL,
		.timeout = SEC(5),
		.parked = {"", ""},
		.ignition = {"", ""},
		.metered = {"", ""}};
}

static void look(enum precond_type type, struct precond_facts *out)
{
	struct precond_in in = in_root();

	precond_look(&in, PRECOND_BIT(type), out);
}

/* ---- power ---- */

static void supply(const char *name, const char *type, const char *file, const char *value)
{
	char path[200];

	snprintf(path, sizeof path, "sys/class/power_supply/%s/type", name);
	put(path, type);
	snprintf(path, sizeof path, "sys/class/power_supply/%s/%s", name, file);
	put(path, value);
}

static void power_is_seen(void **state)
{
	struct precond_facts f;

	(void)state;
	look(PRECOND_POWER, &f);
	assert_false(f.power.known);
	assert_non_null(strstr(f.why[PRECOND_POWER], "power_supply"));
	put("sys/class/power_supply/.keep", "");
	look(PRECOND_POWER, &f);
	assert_true(f.power.known && f.power.mains && !f.power.has_battery);
	supply("BAT0", "Battery\n", "capacity", "34\n");
	supply("BAT0", "Battery\n", "status", "Discharging\n");
	look(PRECOND_POWER, &f);
	assert_true(f.power.known && !f.power.mains && f.power.has_battery);
	assert_int_equal(f.power.percent, 34);
	/* No mains is listed, but it is charged from somewhere. */
	supply("BAT0", "Battery\n", "status", "Charging\n");
	look(PRECOND_POWER, &f);
	assert_true(f.power.mains);
	/* One is listed, and it is not plugged in. */
	supply("AC", "Mains\n", "online", "0\n");
	look(PRECOND_POWER, &f);
	assert_false(f.power.mains);
	supply("AC", "Mains\n", "online", "1\n");
	look(PRECOND_POWER, &f);
	assert_true(f.power.mains);
	/* The weakest counts; a mouse does not. */
	supply("BAT1", "Battery\n", "energy_now", "10\n");
	supply("BAT1", "Battery\n", "energy_full", "40\n");
	supply("mouse", "Battery\n", "capacity", "1\n");
	supply("mouse", "Battery\n", "scope", "Device\n");
	supply("gone", "Battery\n", "capacity", "0\n");
	supply("gone", "Battery\n", "present", "0\n");
	look(PRECOND_POWER, &f);
	assert_int_equal(f.power.percent, 25);
	drop("sys/class/power_supply");
	supply("BAT0", "Battery\n", "status", "Unknown\n");
	look(PRECOND_POWER, &f);
	assert_false(f.power.known);
	expect_text(f.why[PRECOND_POWER], "a battery does not say what is in it");
}

/* ---- temperature, load, space ---- */

static void zones_are_seen(void **state)
{
	struct precond_facts f;

	(void)state;
	look(PRECOND_TEMPERATURE, &f);
	assert_int_equal(f.n_zones, 0);
	assert_true(f.why[PRECOND_TEMPERATURE][0]);
	put("sys/class/thermal/thermal_zone0/type", "cpu\n");
	put("sys/class/thermal/thermal_zone0/temp", "71500\n");
	put("sys/class/thermal/thermal_zone1/temp", "-3000\n");
	put("sys/class/thermal/thermal_zone2/temp", "asleep\n");
	put("sys/class/thermal/cooling_device0/temp", "99000\n");
	look(PRECOND_TEMPERATURE, &f);
	assert_int_equal(f.n_zones, 2);
	for (unsigned i = 0; i < f.n_zones; i++)
		assert_true((strcmp(f.zones[i].name, "cpu") == 0 && f.zones[i].milli_c == 71500) ||
			    (strcmp(f.zones[i].name, "thermal_zone1") == 0 &&
				    f.zones[i].milli_c == -3000));
}

static void load_is_seen(void **state)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct precond_facts f;
	char text[64];

	(void)state;
	look(PRECOND_LOAD, &f);
	assert_false(f.loadavg.known || f.psi.known);
	snprintf(text, sizeof text, "%ld.50 1.00 2.00 1/234 567\n", processors);
	put("proc/loadavg", text);
	put("proc/pressure/cpu", "some avg10=12.01 avg60=0.00 avg300=0.00 total=1\n");
	look(PRECOND_LOAD, &f);
	assert_true(f.loadavg.known && f.psi.known);
	assert_int_equal(f.loadavg.percent, 100 + 50 / processors);
	assert_int_equal(f.psi.percent, 13);
	put("proc/loadavg", "much\n");
	put("proc/pressure/cpu", "nothing of that kind\n");
	look(PRECOND_LOAD, &f);
	assert_false(f.loadavg.known || f.psi.known);
}

static void space_is_seen(void **state)
{
	struct precond_in in = in_root();
	struct precond_facts f;

	(void)state;
	look(PRECOND_FREE_SPACE, &f);
	assert_true(f.space.known && f.space.bytes > 0);
	in.home = "/nonexistent";
	precond_look(&in, PRECOND_BIT(PRECOND_FREE_SPACE), &f);
	assert_false(f.space.known);
	assert_non_null(strstr(f.why[PRECOND_FREE_SPACE], "/nonexistent"));
}

/* The machine's own: whatever it has, it is read without harm. */
static void the_real_machine_is_seen(void **state)
{
	struct precond_in in = in_root();
	struct precond_facts f;

	(void)state;
	in.sys = "/sys";
	in.proc = "/proc";
	precond_look(&in, UINT32_MAX, &f);
	assert_true(f.loadavg.known);
	assert_true(f.local.known);
}

/* ---- local time ---- */

static void at(const char *zone, ms_t utc_s, struct precond_facts *out)
{
	struct precond_in in = in_root();

	precond_zone_use(zone);
	in.now = utc_s * 1000;
	precond_look(&in, PRECOND_BIT(PRECOND_WINDOW), out);
	assert_true(out->local.known);
}

#define AT(day, hour, minute) ((day)*1440 + (hour)*60 + (minute))

static void local_time_follows_the_zone(void **state)
{
	struct precond_facts f;

	(void)state;
	/* Wed 2025-10-22 12:00 UTC; the clocks go back on Sun 26 at 01:00 UTC. */
	at("Europe/Berlin", 1761134400, &f);
	assert_int_equal(f.local.minute, AT(2, 14, 0));
	expect_text(f.local.zone, "CEST");
	assert_int_equal(f.local.shift_in, 3 * 1440 + 13 * 60);
	/* The minute before and the minute after. */
	at("Europe/Berlin", 1761440400 - 60, &f);
	assert_int_equal(f.local.minute, AT(6, 2, 59));
	assert_int_equal(f.local.shift_in, 1);
	at("Europe/Berlin", 1761440400, &f);
	assert_int_equal(f.local.minute, AT(6, 2, 0));
	expect_text(f.local.zone, "CET");
	assert_int_equal(f.local.shift_in, 0);
	at("UTC", 1761134400, &f);
	assert_int_equal(f.local.minute, AT(2, 12, 0));
	at("America/St_Johns", 1761134400, &f);
	assert_int_equal(f.local.minute, AT(2, 9, 30));
	/* A rule of its own: the clocks change at once. */
	at("AAA0BBB-2,J10/0,J300/0", 1761134400, &f);
	assert_int_equal(f.local.minute, AT(2, 14, 0));
	precond_zone_use("UTC");
}

/* A window that opens at 03:00 opens then, by the wall, also in the night in which it is 02:30
 * twice. */
static void a_window_opens_by_the_wall_clock(void **state)
{
	static const ms_t first_0230 = 1761440400 - 1800, second_0230 = 1761440400 + 1800;
	struct precond_rule r[LIMIT_PRECONDITIONS];
	struct precond_verdict v;
	struct precond_facts f;
	struct err e;
	unsigned n;

	(void)state;
	expect_ok(
		precond_text_parse(PRECOND_WINDOW, STR("windows=sun 03:00-05:00"), "w", r, &n, &e),
		&e);
	at("Europe/Berlin", first_0230, &f);
	precond_eval(r, &f, &v);
	assert_int_equal(v.is, PRECOND_UNMET);
	assert_true(v.look_in == MINUTE(30)); /* it is 02:00 then, and is looked at again */
	at("Europe/Berlin", second_0230, &f);
	precond_eval(r, &f, &v);
	assert_int_equal(v.is, PRECOND_UNMET);
	assert_true(v.look_in == MINUTE(30));
	at("Europe/Berlin", second_0230 + 1800, &f);
	precond_eval(r, &f, &v);
	assert_int_equal(v.is, PRECOND_MET);
	precond_zone_use("UTC");
}

static void a_clock_that_was_never_set_tells_nothing(void **state)
{
	struct precond_in in = in_root();
	struct precond_facts f;

	(void)state;
	in.now = SEC(100);
	in.built = 1700000000000LL;
	precond_look(&in, PRECOND_BIT(PRECOND_WINDOW), &f);
	assert_false(f.local.known);
	expect_text(f.why[PRECOND_WINDOW], "the clock was never set");
}

static void zones_are_checked(void **state)
{
	static const char *const good[] = {
		"", "UTC", "Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"};
	static const char *const bad[] = {"Europe/Atlantis", "/etc/localtime", "../../etc/passwd"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		expect_ok(precond_zone_check(good[i], &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(precond_zone_check(bad[i], &e), &e, ERR_CONFIG, "no time zone", bad[i]);
}

/* ---- those that are asked ---- */

static void ask(const char *from, const char *when, struct precond_facts *out)
{
	struct precond_in in = in_root();

	in.parked = (struct precond_asked){from, when};
	precond_look(&in, PRECOND_BIT(PRECOND_PARKED), out);
}

static void files_are_asked(void **state)
{
	struct precond_facts f;
	char from[256];

	(void)state;
	ask("", "1", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
	expect_text(f.why[PRECOND_PARKED], "nobody is configured to be asked");
	snprintf(from, sizeof from, "file:%s/parked", root);
	ask(from, "1", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
	put("parked", " p \nmore\n");
	ask(from, "1, P", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_YES);
	expect_text(f.parked.text, "p");
	ask(from, "1,N", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_NO);
	put("parked", "");
	ask(from, "1", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_NO);
	put("parked", "\xff\x01strange");
	ask(from, "1", &f);
	expect_text(f.parked.text, "??strange");
	/* Neither a pipe nor a folder nor something endless is waited for. */
	drop("parked");
	assert_int_equal(mkfifo(from + 5, 0600), 0);
	ask(from, "1", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
	ask("file:/dev/zero", "1", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
}

static void routes_are_asked(void **state)
{
	static const char head[] =
		"Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n";
	struct precond_facts f;
	char table[600];

	(void)state;
	ask("route:wwan0 ppp0", "free", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
	snprintf(table, sizeof table,
		"%swwan0\t00000000\t0101A8C0\t0003\t0\t0\t700\t00000000\t0\n"
		"eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\n"
		"eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n",
		head);
	put("proc/net/route", table);
	ask("route:wwan0 ppp0", "free", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_YES);
	snprintf(table, sizeof table, "%swwan0\t00000000\t0101A8C0\t0003\t0\t0\t700\t00000000\t0\n",
		head);
	put("proc/net/route", table);
	ask("route:ppp0 wwan0", "free", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_NO);
	expect_text(f.parked.text, "metered");
	put("proc/net/route", head);
	put("proc/net/ipv6_route",
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"fe800000000000000000000000000001 00000400 00000001 00000000 00000003 wwan0\n"
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 ffffffff 00000001 00000000 00200200 lo\n");
	ask("route:wwan0", "free", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_NO);
}

static void properties_are_asked(void **state)
{
	struct manager_says says = {.state = "parked", .pid = 4};
	struct manager *m = manager_open(&says);
	struct precond_facts f;

	(void)state;
	ask("dbus:org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/x_2eservice "
	    "org.freedesktop.systemd1.Unit ActiveState",
		"parked", &f);
	expect_text(f.why[PRECOND_PARKED], "");
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_YES);
	ask("dbus:org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/x_2eservice "
	    "org.freedesktop.systemd1.Service MainPID",
		"2,4", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_YES);
	expect_text(f.parked.text, "4");
	ask("dbus:org.freedesktop.systemd1 /org/freedesktop/systemd1/unit/x_2eservice "
	    "org.freedesktop.systemd1.Service Nothing",
		"4", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
	ask("dbus:org.example.Nobody /x org.example.X Y", "4", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
	assert_true(f.why[PRECOND_PARKED][0]);
	manager_close(&m);
	ask("dbus:org.freedesktop.systemd1 /x org.example.X Y", "4", &f);
	assert_int_equal(f.parked.is, PRECOND_SIGNAL_UNKNOWN);
}

static void what_can_be_asked_is_checked(void **state)
{
	static const char *const good[] = {"", "file:/run/x", "route:wwan0",
		"dbus:org.example.Car /org/example/Car org.example.Car Parked"};
	static const char *const bad[] = {"/run/x", "file:", "file:run/x",
		"route:", "dbus:", "dbus:a b c", "dbus:a b c d", "dbus:a /b c d e",
		"mqtt:car/parked", "file"};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		expect_ok(precond_from_check(good[i], &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(precond_from_check(bad[i], &e), &e, ERR_CONFIG, NULL, bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(power_is_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(zones_are_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(load_is_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(space_is_seen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_real_machine_is_seen, set_up, tear_down),
		cmocka_unit_test(local_time_follows_the_zone),
		cmocka_unit_test(a_window_opens_by_the_wall_clock),
		cmocka_unit_test(a_clock_that_was_never_set_tells_nothing),
		cmocka_unit_test(zones_are_checked),
		cmocka_unit_test_setup_teardown(files_are_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(routes_are_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(properties_are_asked, set_up, tear_down),
		cmocka_unit_test(what_can_be_asked_is_checked),
	};

	return cmocka_run_group_tests_name("precond_look", tests, NULL, NULL);
}
