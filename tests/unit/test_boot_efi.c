/* Entries of systemd-boot: what is written, what it makes of it, and what a cut leaves. */
#include <stdio.h>
#include <string.h>

#include "agent/boot/boot.h"
#include "agent/boot/efi_entry.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/loader.h"

static const struct boot_conf conf = {.kind = "efi", .name = {"A", "B"}};

struct machine {
	struct crashfs *disk;
	struct fs *esp;
	struct boot *boot;
	const struct boot_adapter *a;
	unsigned booted;
};

static void reopen(struct machine *m)
{
	struct err e;

	boot_close(&m->boot);
	expect_ok(boot_open(&(struct boot_place){.files = m->esp, .booted = m->booted}, &conf,
			  &m->boot, &e),
		&e);
}

static void write_model(struct machine *m, const char *name)
{
	char path[64], text[200];
	struct err e;

	snprintf(path, sizeof path, "loader/backstay/%s.conf", name);
	snprintf(text, sizeof text,
		"title Slot %s\nversion 7\nlinux /%s/vmlinuz\ninitrd /%s/initrd\noptions root=x "
		"backstay.slot=%s",
		name, name, name, name);
	expect_ok(fs_make_dirs(m->esp, "loader/backstay", &e), &e);
	expect_ok(fs_write_file(m->esp, path, text, strlen(text), 0644, &e), &e);
}

static void machine_open(struct machine *m)
{
	*m = (struct machine){.a = boot_adapter_find("efi"), .disk = crashfs_new()};
	m->esp = crashfs_fs(m->disk);
	write_model(m, "A");
	write_model(m, "B");
	reopen(m);
}

static void machine_close(struct machine *m)
{
	boot_close(&m->boot);
	crashfs_free(&m->disk);
}

static unsigned start(struct machine *m)
{
	m->booted = loader_efi(m->esp);
	reopen(m);
	return m->booted;
}

static struct boot_view look(struct machine *m)
{
	struct boot_view v;
	struct err e;

	expect_ok(m->a->look(m->boot, &v, &e), &e);
	return v;
}

enum verb { TRY, CONFIRM, BACK, START };

static int act(struct machine *m, enum verb verb, unsigned slot, struct err *e)
{
	if (verb == START)
		start(m);
	else
		return verb == TRY       ? m->a->try_next(m->boot, slot, 3, e)
		       : verb == CONFIRM ? m->a->confirm(m->boot, slot, e)
					 : m->a->go_back(m->boot, slot, e);
	return 0;
}

static void tell(struct machine *m, enum verb verb, unsigned slot)
{
	struct err e;

	expect_ok(act(m, verb, slot, &e), &e);
}

static const struct {
	enum verb verb;
	unsigned slot, booted, active, confirmed, left;
	bool fell;
} life[] = {
	{TRY, 1, 0, 1, 0, 3, false}, /* a good release */
	{START, 0, 1, 1, 0, 2, false},
	{CONFIRM, 1, 1, 1, 1, 0, false},
	{CONFIRM, 1, 1, 1, 1, 0, false},
	{START, 0, 1, 1, 1, 0, false},
	{TRY, 0, 1, 0, 1, 3, false}, /* one that never comes up */
	{START, 0, 0, 0, 1, 2, false},
	{START, 0, 0, 0, 1, 1, false},
	{START, 0, 0, 0, 1, 0, false}, /* the last try: it may still come up */
	{START, 0, 1, 1, 1, 0, true},
	{BACK, 1, 1, 1, 1, 0, false},
	{START, 0, 1, 1, 1, 0, false},
	{TRY, 0, 1, 0, 1, 3, false}, /* one whose tries are granted anew */
	{START, 0, 0, 0, 1, 2, false},
	{TRY, 0, 0, 0, 1, 3, false},
	{START, 0, 0, 0, 1, 2, false},
	{BACK, 1, 0, 1, 1, 0, false}, /* and that is taken back */
	{START, 0, 1, 1, 1, 0, false},
	{BACK, 0, 1, 0, 0, 0, false}, /* by a person */
	{START, 0, 0, 0, 0, 0, false},
};

static void the_entries_follow_a_life(void **state UNUSED)
{
	struct machine m;

	machine_open(&m);
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		tell(&m, life[i].verb, life[i].slot);
		struct boot_view v = look(&m);

		if (m.booted != life[i].booted || v.active != life[i].active ||
			v.confirmed != life[i].confirmed || v.tries_left != life[i].left ||
			v.fell_back != life[i].fell)
			fail_msg("row %zu: booted %u, active %u, confirmed %u, left %u, fell %d", i,
				m.booted, v.active, v.confirmed, v.tries_left, v.fell_back);
	}
	machine_close(&m);
}

/* ---- cuts ---- */

static bool is_same(struct boot_view a, struct boot_view b)
{
	return a.active == b.active && a.confirmed == b.confirmed && a.fell_back == b.fell_back;
}

/* Where a change begins: on trial in B, of which one start was used. */
static struct crashfs *on_trial(void)
{
	struct machine m;
	struct crashfs *disk;

	machine_open(&m);
	tell(&m, TRY, 1);
	tell(&m, BACK, 0);
	tell(&m, TRY, 1);
	start(&m);
	crashfs_settle(m.disk);
	disk = m.disk;
	boot_close(&m.boot);
	return disk;
}

static void cut(const struct crashfs *from, enum verb verb, unsigned slot, uint64_t at,
	uint64_t seed, unsigned seen[2])
{
	struct machine m = {.a = boot_adapter_find("efi"), .disk = crashfs_dup(from), .booted = 1};
	struct boot_view before, now, after;
	struct err e;

	m.esp = crashfs_fs(m.disk);
	reopen(&m);
	before = look(&m);
	crashfs_reset_ops(m.disk);
	crashfs_cut_at(m.disk, at);
	(void)!act(&m, verb, slot, &e);
	crashfs_reboot(m.disk, seed);
	now = look(&m);
	tell(&m, verb, slot); /* the agent does it again */
	after = look(&m);
	if (!is_same(now, before) && !is_same(now, after))
		fail_msg("cut at %llu: active %u, confirmed %u", (unsigned long long)at, now.active,
			now.confirmed);
	assert_int_equal(start(&m), after.active);
	seen[is_same(now, after)]++;
	machine_close(&m);
}

static void a_change_that_was_cut_is_there_or_not(void **state UNUSED)
{
	static const struct {
		enum verb verb;
		unsigned slot;
	} changes[] = {{CONFIRM, 1}, {BACK, 0}, {TRY, 1}};
	struct crashfs *from = on_trial();

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		unsigned seen[2] = {0};

		for (uint64_t at = 1; at < 20; at++)
			for (uint64_t seed = 0; seed < 20; seed++)
				cut(from, changes[i].verb, changes[i].slot, at, seed, seen);
		assert_true(seen[1] > 0 && (changes[i].verb == TRY || seen[0] > 0));
	}
	crashfs_free(&from);
}

/* FAT may show both names of a rename, or neither: what the boot loader's own leaves. */
static void a_rename_that_was_cut_loses_no_way_back(void **state UNUSED)
{
	static const char two[] = "loader/entries/backstay-B-100000002+2-1.conf";
	static const char three[] = "loader/entries/backstay-B-100000002+3.conf";
	BUF_AUTO text = {0};
	struct machine m;
	struct err e;

	machine_open(&m);
	tell(&m, TRY, 1);
	expect_ok(fs_read_file(m.esp, three, 4096, &text, &e), &e);
	assert_int_equal(start(&m), 1);
	expect_ok(fs_write_file(m.esp, three, text.p, text.n, 0644, &e), &e);
	assert_int_equal(look(&m).active, 1); /* both */
	assert_int_equal(look(&m).confirmed, 0);
	tell(&m, BACK, 0);
	assert_int_equal(start(&m), 0);
	tell(&m, TRY, 1);
	expect_ok(m.esp->ops->unlink(m.esp, two, &e), &e);
	tell(&m, BACK, 0);
	assert_int_equal(start(&m), 0);
	assert_int_equal(look(&m).active, 0);
	machine_close(&m);
}

/* An empty file, or one without its last lines. */
static void an_entry_that_is_not_whole_starts_nothing(void **state UNUSED)
{
	static const char name[] = "loader/entries/backstay-B-100000002+3.conf";
	BUF_AUTO text = {0};
	struct machine m;
	struct err e;

	machine_open(&m);
	tell(&m, TRY, 1);
	expect_ok(fs_read_file(m.esp, name, 4096, &text, &e), &e);
	assert_non_null(strstr(buf_cstr(&text), "version 100000002\nlinux /B/vmlinuz\n"));
	assert_null(strstr(buf_cstr(&text), "version 7"));
	for (size_t n = 0; n < text.n - strlen("linux /B/vmlinuz\n"); n++) {
		expect_ok(fs_write_file(m.esp, name, text.p, n, 0644, &e), &e);
		assert_int_equal(loader_efi(m.esp), 0);
	}
	machine_close(&m);
}

static void what_nobody_of_us_wrote(void **state UNUSED)
{
	struct boot_view v = {.active = 77};
	struct machine m;
	struct err e;

	machine_open(&m);
	m.booted = SLOT_NONE;
	reopen(&m);
	expect_err(m.a->look(m.boot, &v, &e), &e, ERR_NEED_HAND, "backstay.slot=", "nothing");
	m.booted = 0;
	reopen(&m);
	tell(&m, TRY, 1);
	expect_ok(fs_write_file(m.esp, "loader/entries/debian.conf", "x", 1, 0644, &e), &e);
	assert_int_equal(look(&m).active, 1);
	expect_ok(
		fs_write_file(m.esp, "loader/entries/backstay-C-100000009.conf", "x", 1, 0644, &e),
		&e);
	expect_err(m.a->look(m.boot, &v, &e), &e, ERR_NEED_HAND, "no slot", "another name");
	assert_int_equal(v.active, 77);
	expect_err(m.a->go_back(m.boot, SLOT_NONE, &e), &e, ERR_CONFLICT, NULL, "no slot at all");
	machine_close(&m);
}

/* ---- names ---- */

static void names_are_read_back(void **state UNUSED)
{
	static const struct {
		const char *file;
		struct efi_entry is;
	} good[] = {
		{"backstay-A-100000001.conf", {"A", 100000001, false, 0, 0}},
		{"backstay-rootfs1-999999999+3.conf", {"rootfs1", 999999999, true, 3, 0}},
		{"backstay-B-100000002+0-3.conf", {"B", 100000002, true, 0, 3}},
	};
	static const char *const bad[] = {"", ".conf", "backstay-.conf", "backstay-A.conf",
		"backstay-A-1.conf", "backstay-A-100000000.conf", "backstay-A-1000000000.conf",
		"backstay-A-100000001", "backstay-A-100000001+.conf", "backstay-A-100000001+x.conf",
		"backstay-A-100000001+3-.conf", "backstay-A-100000001+3-1-1.conf",
		"backstay-A-100000001+100.conf", "backstay--100000001.conf", "a-A-100000001.conf",
		"backstay-ABCDEFGHIJKLMNOP-100000001.conf", ".backstay-A-100000001.conf.new"};
	char name[LIMIT_EFI_NAME];
	struct efi_entry t;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		expect_ok(efi_entry_parse(str_of(good[i].file), &t, &e), &e);
		assert_memory_equal(&t, &good[i].is, sizeof t);
		expect_text(efi_entry_format(&t, name), good[i].file);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(efi_entry_parse(str_of(bad[i]), &t, &e) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_entries_follow_a_life),
		cmocka_unit_test(a_change_that_was_cut_is_there_or_not),
		cmocka_unit_test(a_rename_that_was_cut_loses_no_way_back),
		cmocka_unit_test(an_entry_that_is_not_whole_starts_nothing),
		cmocka_unit_test(what_nobody_of_us_wrote),
		cmocka_unit_test(names_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
