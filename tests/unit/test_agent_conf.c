/* The agent's configuration: what its rows take, and what they cannot say one by one. */
#include <stdio.h>
#include <string.h>

#include "agent/agent_conf.h"
#include "tests/lib/expect.h"

#define DEVICE "[device]\nid = dev-1\nhardware = board-9\n"

static void write_conf(const char *text)
{
	FILE *f = fopen("agent.conf", "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void what_is_missing_has_defaults(void **state UNUSED)
{
	struct agent_conf c;
	struct err e;
	BUF_AUTO problems = {0};

	write_conf(DEVICE);
	expect_ok(agent_conf_load("agent.conf", NULL, &c, &problems, &e), &e);
	expect_text(c.agent.home, "/var/lib/backstay");
	expect_text(c.agent.socket, "/run/backstay/agent.sock");
	expect_text(c.service.kind, "none");
	expect_text(c.server.url, "");
	assert_int_equal(c.server.poll_interval, MINUTE(5));
	assert_int_equal(c.agent.watch_interval, SEC(1));
	assert_int_equal(c.agent.quarantine, MINUTE(60) * 24 * 30);
}

static void what_is_given_is_taken(void **state UNUSED)
{
	struct agent_conf c;
	struct err e;
	BUF_AUTO problems = {0};

	write_conf(
		DEVICE "labels = line=north,site=berlin\n"
		       "[server]\nurl = http://127.0.0.1:8080/\npoll_interval = 500ms\n"
		       "[agent]\nhome = /srv/a\nrun_dir = /srv/run\nquarantine = 0s\n"
		       "[service]\nkind = http_reload\nbase = exec\ncommand = bin/serve --port 9\n"
		       "reload_url = http://127.0.0.1:9/reload\n");
	expect_ok(agent_conf_load("agent.conf", "/srv/b", &c, &problems, &e), &e);
	expect_text(c.server.url, "http://127.0.0.1:8080");
	expect_text(c.agent.home, "/srv/b");
	expect_text(c.agent.socket, "/srv/run/agent.sock");
	expect_text(c.device.labels, "line=north,site=berlin");
	assert_int_equal(c.server.poll_interval, 500);
	assert_int_equal(c.agent.quarantine, 0);
}

static void mistakes_are_named(void **state UNUSED)
{
	static const struct {
		const char *text, *problem;
	} t[] = {
		{DEVICE "[net]\nmax_rate = 1999\n", "net.max_rate: less than twice net.low_speed"},
		{DEVICE "[precond]\npower = lots\n", "precond.power: unknown member \"lots\""},
		{DEVICE "[precond]\nwindow = windows=someday\n", "'someday' is no day"},
		{DEVICE "[precond]\nlease = before=download\n", "lease cannot be asked then"},
		{DEVICE "[precond]\nparked_from = /run/parked\n", "precond.parked_from: "},
		{DEVICE "[precond]\nmetered_from = mqtt:x\n", "precond.metered_from: "},
		{DEVICE "[precond]\nzone = Europe/Atlantis\n", "precond.zone: "},
		{DEVICE "[precond]\nparked = yes|yes|yes|yes|yes|yes|yes|yes|yes\n"
			"ignition = yes|yes|yes|yes|yes|yes|yes|yes\n",
			"precond: 17 rules, at most 16"},
		{"", "device.id"},
		{"[device]\nid = a b\nhardware = x\n", "device.id"},
		{DEVICE "labels = line\n", "device.labels"},
		{DEVICE "[server]\nurl = ftp://x\n", "server.url"},
		{DEVICE "[server]\ncert = /x.pem\n", "server.cert, server.key"},
		{DEVICE "[agent]\nhome = here\n", "agent.home"},
		{DEVICE "[agent]\nboot = floppy\n", "agent.boot"},
		{DEVICE "[agent]\nslots = tape\n", "agent.slots"},
		{DEVICE "[agent]\nslots = raw\n[slot]\na = /dev/vda3\n", "slot.b"},
		{DEVICE "[agent]\nslots = raw\n[slot]\na = vda3\nb = /dev/vda4\n", "slot.a"},
		{DEVICE "[agent]\nslots = raw\n[slot]\na = /dev/x\nb = /dev/x\n", "slot.a, slot.b"},
		{DEVICE "[service]\nkind = cron\n", "service.kind"},
		{DEVICE "[service]\nkind = systemd\n", "service.unit"},
		{DEVICE "[service]\nkind = exec\n", "service.command"},
		{DEVICE "[service]\nkind = http_reload\n", "service.reload_url"},
		{DEVICE "[service]\nkind = http_reload\nbase = http_reload\n", "service.base"},
		{DEVICE "[agent]\nboot = grub\n[service]\nkind = reboot\nbase = exec\n",
			"service.base"},
		{DEVICE "[agent]\nboot = grub\n[service]\nkind = reboot\nbase = systemd\n",
			"service.unit"},
		{DEVICE "[agent]\nboot = grub\n", "do not go together"},
		{DEVICE "[service]\nkind = reboot\n", "do not go together"},
		{DEVICE "[boot]\nname_a = B\n", "boot.name_a"},
		{DEVICE "[boot]\nname_b = rootfs.1\n", "boot.name_b"},
		{DEVICE "[agent]\nwatch_interval = 1ms\n", "watch_interval"},
		{DEVICE "[agent]\nwatch_intervall = 1s\n", "watch_interval"},
	};

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct agent_conf c;
		struct err e;
		BUF_AUTO problems = {0};

		write_conf(t[i].text);
		expect_err(agent_conf_load("agent.conf", NULL, &c, &problems, &e), &e, ERR_CONFIG,
			NULL, t[i].text);
		if (!strstr(buf_cstr(&problems), t[i].problem))
			fail_msg("%s: nothing says %s: %s", t[i].text, t[i].problem,
				buf_cstr(&problems));
	}
}

static void preconditions_are_read(void **state UNUSED)
{
	struct agent_conf c;
	struct err e;
	BUF_AUTO problems = {0};

	write_conf(DEVICE "[precond]\npower = mains, battery_percent=50, before=swap\n"
			  "window = windows=mon-fri 22:00-05:00 + sun\n"
			  "parked = yes\nparked_from = file:/run/parked\nzone = Europe/Berlin\n");
	expect_ok(agent_conf_load("agent.conf", NULL, &c, &problems, &e), &e);
	expect_text(c.precond.rule[PRECOND_POWER], "mains, battery_percent=50, before=swap");
	expect_text(c.precond.rule[PRECOND_WINDOW], "windows=mon-fri 22:00-05:00 + sun");
	expect_text(c.precond.rule[PRECOND_CONSENT], "");
	expect_text(c.precond.parked_from, "file:/run/parked");
	assert_int_equal(c.precond.look_interval, SEC(30));
}

static void a_dump_reads_back(void **state UNUSED)
{
	struct agent_conf c, again;
	struct err e;
	size_t n;
	const struct conf_row *rows = agent_conf_rows(&n);
	BUF_AUTO problems = {0}, text = {0};

	write_conf(DEVICE "[agent]\nwatch_interval = 250ms\n[smoke]\nmax_memory = 64M\n");
	expect_ok(agent_conf_load("agent.conf", NULL, &c, &problems, &e), &e);
	conf_dump(rows, n, &c, NULL, &text);
	write_conf(buf_cstr(&text));
	expect_ok(agent_conf_load("agent.conf", NULL, &again, &problems, &e), &e);
	assert_int_equal(again.agent.watch_interval, 250);
	assert_int_equal(again.smoke.max_memory, 64 << 20);
	expect_text(again.device.id, "dev-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing_has_defaults),
		cmocka_unit_test(what_is_given_is_taken),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(preconditions_are_read),
		cmocka_unit_test(a_dump_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
