#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/boot/boot.h"

struct home {
	struct fs fs;
	struct boot *boot;
	const struct boot_adapter *a;
};

static int open_kind(struct fs *fs, const char *kind, struct boot **out, struct err *e)
{
	struct boot_conf c = {.name = {"A", "B"}};

	strcpy(c.kind, kind);
	return boot_open(&(struct boot_place){.home = fs, .booted = SLOT_NONE}, &c, out, e);
}

static void home_open(struct home *h, const char *dir, const char *kind)
{
	struct err e;

	mkdir(dir, 0755);
	assert_int_equal(fs_posix_open(dir, &h->fs, &e), 0);
	assert_int_equal(open_kind(&h->fs, kind, &h->boot, &e), 0);
	h->a = boot_adapter_of(h->boot);
}

static void home_close(struct home *h)
{
	boot_close(&h->boot);
	assert_null(h->boot);
	fs_posix_close(&h->fs);
}

static void is(struct home *h, unsigned active, unsigned confirmed)
{
	struct boot_view v;
	struct err e;

	assert_int_equal(h->a->look(h->boot, &v, &e), 0);
	assert_int_equal(v.active, active);
	assert_int_equal(v.confirmed, confirmed);
	assert_int_equal(v.tries_left, 0);
	assert_false(v.fell_back);
}

enum verb { TRY_NEXT, CONFIRM, GO_BACK };

/* One life of a device: first release, second one taken back, third one kept and taken back by a
 * person, and the first one of a new device that fails. */
static const struct {
	enum verb verb;
	unsigned slot, active, confirmed;
} life[] = {
	{TRY_NEXT, 0, 0, SLOT_NONE},
	{GO_BACK, SLOT_NONE, SLOT_NONE, SLOT_NONE},
	{TRY_NEXT, 0, 0, SLOT_NONE},
	{CONFIRM, 0, 0, 0},
	{CONFIRM, 0, 0, 0},
	{TRY_NEXT, 1, 1, 0},
	{GO_BACK, 0, 0, 0},
	{GO_BACK, 0, 0, 0},
	{TRY_NEXT, 1, 1, 0},
	{TRY_NEXT, 1, 1, 0},
	{CONFIRM, 1, 1, 1},
	{GO_BACK, 0, 0, 0},
};

static void links_follow_a_life(void **state)
{
	struct home h;
	struct err e;

	(void)state;
	home_open(&h, "life", "symlink");
	is(&h, SLOT_NONE, SLOT_NONE);
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		unsigned slot = life[i].slot;
		int rc = life[i].verb == TRY_NEXT  ? h.a->try_next(h.boot, slot, 3, &e)
			 : life[i].verb == CONFIRM ? h.a->confirm(h.boot, slot, &e)
						   : h.a->go_back(h.boot, slot, &e);

		assert_int_equal(rc, 0);
		is(&h, life[i].active, life[i].confirmed);
	}
	home_close(&h);
}

static void links_are_what_a_service_manager_reads(void **state)
{
	char to[64] = "";
	struct home h;
	struct err e;

	(void)state;
	home_open(&h, "reads", "symlink");
	assert_int_equal(h.a->try_next(h.boot, 1, 1, &e), 0);
	assert_int_equal(readlink("reads/current", to, sizeof to - 1), 7);
	assert_string_equal(to, "slots/b");
	home_close(&h);
}

/* Taken for a device that has nothing, its good slot would be written. */
static void one_that_lost_its_pointer_is_for_a_person(void **state)
{
	struct boot_view v = {.active = 77};
	struct home h;
	struct err e;

	(void)state;
	home_open(&h, "lost", "symlink");
	assert_int_equal(symlink("slots/a", "lost/confirmed"), 0);
	assert_int_equal(h.a->look(h.boot, &v, &e), -ERR_NEED_HAND);
	assert_int_equal(v.active, 77);
	home_close(&h);
}

static void what_is_no_slot_is_for_a_person(void **state)
{
	struct boot_view v = {.active = 77};
	struct home h;
	struct err e;

	(void)state;
	home_open(&h, "bent", "symlink");
	assert_int_equal(symlink("/etc", "bent/current"), 0);
	assert_int_equal(h.a->look(h.boot, &v, &e), -ERR_NEED_HAND);
	assert_int_equal(v.active, 77);
	assert_int_equal(unlink("bent/current"), 0);
	assert_int_equal(mkdir("bent/current", 0755), 0);
	assert_int_equal(h.a->look(h.boot, &v, &e), -ERR_NEED_HAND);
	home_close(&h);
}

static void one_slot_is_never_switched(void **state)
{
	struct home h;
	struct err e;

	(void)state;
	home_open(&h, "one", "none");
	is(&h, 0, 0);
	assert_int_equal(h.a->try_next(h.boot, 1, 1, &e), -ERR_CONFLICT);
	assert_int_equal(h.a->try_next(h.boot, 0, 1, &e), 0);
	assert_int_equal(h.a->confirm(h.boot, 0, &e), 0);
	assert_int_equal(h.a->go_back(h.boot, 1, &e), -ERR_CONFLICT);
	is(&h, 0, 0);
	home_close(&h);
}

static void an_unknown_kind_is_a_matter_of_configuration(void **state)
{
	struct boot *b = NULL;
	struct err e;

	(void)state;
	assert_null(boot_adapter_find("floppy"));
	assert_int_equal(open_kind(NULL, "floppy", &b, &e), -ERR_CONFIG);
	assert_null(b);
}

static const struct boot_conf named = {.name = {"A", "rootfs1"}};

static void the_kernel_says_what_was_started(void **state)
{
	static const struct {
		const char *cmdline;
		unsigned slot;
	} t[] = {
		{"", SLOT_NONE},
		{"quiet\n", SLOT_NONE},
		{"backstay.slot=A", 0},
		{"quiet backstay.slot=rootfs1\n", 1},
		{"backstay.slot=A ro  backstay.slot=rootfs1 panic=10\n", 1},
		{"xbackstay.slot=A\n", SLOT_NONE},
	};
	static const char *const bad[] = {"backstay.slot=", "backstay.slot=B", "backstay.slot=a",
		"backstay.slot=A backstay.slot=\n", "backstay.slot=A\tro"};
	unsigned slot;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(boot_parse_cmdline(&named, str_of(t[i].cmdline), &slot, &e), 0);
		assert_int_equal(slot, t[i].slot);
	}
	slot = 77;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(
			boot_parse_cmdline(&named, str_of(bad[i]), &slot, &e), -ERR_NEED_HAND);
	assert_int_equal(slot, 77);
}

static void bootnames_can_be_part_of_a_variable(void **state)
{
	static const struct boot_conf bad[] = {
		{.name = {"A", "A"}},
		{.name = {"A", ""}},
		{.name = {"A", "B C"}},
		{.name = {"A-1", "B"}},
		{.name = {"A", "B=1"}},
	};
	struct err e;

	(void)state;
	assert_int_equal(boot_conf_check(&named, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(boot_conf_check(&bad[i], &e), -ERR_CONFIG);
}

static bool crashed(const char *new, const char *kept)
{
	struct boot_conf c = {0};

	strcpy(c.pstore, new);
	strcpy(c.pstore_kept, kept);
	return boot_look_crashed(&c);
}

static void a_crash_leaves_a_record(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

	(void)state;
	assert_false(crashed("nowhere", "nowhere"));
	assert_int_equal(mkdir("empty", 0755) + mkdir("records", 0755), 0);
	assert_false(crashed("empty", "empty"));
	assert_int_equal(symlink("x", "records/dmesg-efi-1"), 0);
	assert_true(crashed("records", "empty"));
	assert_true(crashed("empty", "records"));
	assert_int_equal(utimensat(AT_FDCWD, "records/dmesg-efi-1", old, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(crashed("records", "empty"));  /* nobody has taken it away */
	assert_false(crashed("empty", "records")); /* of an earlier start */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_follow_a_life),
		cmocka_unit_test(links_are_what_a_service_manager_reads),
		cmocka_unit_test(one_that_lost_its_pointer_is_for_a_person),
		cmocka_unit_test(what_is_no_slot_is_for_a_person),
		cmocka_unit_test(one_slot_is_never_switched),
		cmocka_unit_test(a_crash_leaves_a_record),
		cmocka_unit_test(the_kernel_says_what_was_started),
		cmocka_unit_test(bootnames_can_be_part_of_a_variable),
		cmocka_unit_test(an_unknown_kind_is_a_matter_of_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
