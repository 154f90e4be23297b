/* U-Boot's environment, by the real library on real files. */
#include <fcntl.h>
#include <libuboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/boot/boot.h"
#include "tests/lib/expect.h"

#define SIZE 0x2000

static struct boot_conf conf = {
	.kind = "uboot", .name = {"A", "B"}, .fw_env_config = "fw_env.config"};
static const char *const copies[] = {"env-0", "env-1"};

static void write_text(const char *file, const char *text)
{
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static struct uboot_ctx *open_env(void)
{
	struct uboot_ctx *ctx = NULL;

	assert_int_equal(libuboot_initialize(&ctx, NULL), 0);
	assert_int_equal(libuboot_read_config(ctx, conf.fw_env_config), 0);
	return ctx;
}

/* What U-Boot itself has saved: both copies, with a variable of somebody else's. */
static void make_env(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct uboot_ctx *ctx = open_env();

		(void)!libuboot_open(ctx);
		assert_int_equal(libuboot_set_env(ctx, "bootcmd", "run distro"), 0);
		assert_int_equal(libuboot_env_store(ctx), 0);
		libuboot_close(ctx);
		libuboot_exit(ctx);
	}
}

static int begin(void **state UNUSED)
{
	char text[128] = "# device offset size\n";

	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		int fd = open(copies[i], O_RDWR | O_CREAT | O_TRUNC, 0644);

		if (fd < 0 || ftruncate(fd, SIZE) < 0)
			return 1;
		close(fd);
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s 0x0 0x%x\n",
			copies[i], SIZE);
	}
	write_text(conf.fw_env_config, text);
	make_env();
	return 0;
}

struct machine {
	struct boot *boot;
	const struct boot_adapter *a;
	unsigned booted;
};

static void reopen(struct machine *m)
{
	struct err e;

	m->a = boot_adapter_find("uboot");
	boot_close(&m->boot);
	expect_ok(boot_open(&(struct boot_place){.booted = m->booted}, &conf, &m->boot, &e), &e);
}

/* packaging/boot/boot.cmd, in C; tests/boot runs the script itself. */
static unsigned choose(struct uboot_ctx *ctx)
{
	char *order = libuboot_get_env(ctx, "BOOT_ORDER");
	char *good = libuboot_get_env(ctx, "BACKSTAY_GOOD");
	unsigned slot = 99;

	for (const char *p = order ? order : "A B"; *p && slot == 99; p++) {
		char var[] = "BOOT_x_LEFT";
		char *left;

		if (*p == ' ')
			continue;
		if (*p == (good ? *good : 'A')) {
			slot = *p == 'B';
			continue;
		}
		var[5] = *p;
		left = libuboot_get_env(ctx, var);
		if (left && *left > '0') {
			--*left;
			assert_int_equal(libuboot_set_env(ctx, var, left), 0);
			assert_int_equal(libuboot_env_store(ctx), 0);
			slot = *p == 'B';
		}
		free(left);
	}
	free(order);
	free(good);
	return slot;
}

static unsigned start(struct machine *m)
{
	struct uboot_ctx *ctx = open_env();

	assert_int_equal(libuboot_open(ctx), 0);
	m->booted = choose(ctx);
	libuboot_close(ctx);
	libuboot_exit(ctx);
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

static void tell(struct machine *m, enum verb verb, unsigned slot)
{
	struct err e;

	if (verb == START)
		start(m);
	else
		expect_ok(verb == TRY       ? m->a->try_next(m->boot, slot, 3, &e)
			  : verb == CONFIRM ? m->a->confirm(m->boot, slot, &e)
					    : m->a->go_back(m->boot, slot, &e),
			&e);
}

static const struct {
	enum verb verb;
	unsigned slot, booted, active, confirmed, left;
	bool fell;
} life[] = {
	{START, 0, 0, 0, 0, 0, false},
	{TRY, 1, 0, 1, 0, 3, false},
	{START, 0, 1, 1, 0, 2, false},
	{CONFIRM, 1, 1, 1, 1, 0, false},
	{CONFIRM, 1, 1, 1, 1, 0, false},
	{START, 0, 1, 1, 1, 0, false},
	{TRY, 0, 1, 0, 1, 3, false},
	{START, 0, 0, 0, 1, 2, false},
	{START, 0, 0, 0, 1, 1, false},
	{START, 0, 0, 0, 1, 0, false},
	{START, 0, 1, 1, 1, 0, true},
	{BACK, 1, 1, 1, 1, 0, false},
	{START, 0, 1, 1, 1, 0, false},
	{TRY, 0, 1, 0, 1, 3, false},
	{START, 0, 0, 0, 1, 2, false},
	{TRY, 0, 0, 0, 1, 3, false},
	{BACK, 1, 0, 1, 1, 0, false},
	{START, 0, 1, 1, 1, 0, false},
};

static void uboot_follows_a_life(void **state UNUSED)
{
	struct uboot_ctx *ctx;
	struct machine m = {0};
	char *other;

	reopen(&m);
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		tell(&m, life[i].verb, life[i].slot);
		struct boot_view v = look(&m);

		if (m.booted != life[i].booted || v.active != life[i].active ||
			v.confirmed != life[i].confirmed || v.tries_left != life[i].left ||
			v.fell_back != life[i].fell)
			fail_msg("row %zu: booted %u, active %u, confirmed %u, left %u, fell %d", i,
				m.booted, v.active, v.confirmed, v.tries_left, v.fell_back);
	}
	boot_close(&m.boot);
	ctx = open_env();
	assert_int_equal(libuboot_open(ctx), 0);
	other = libuboot_get_env(ctx, "bootcmd");
	expect_text(other, "run distro"); /* what is not ours stays */
	free(other);
	libuboot_close(ctx);
	libuboot_exit(ctx);
}

/* ---- torn writes ---- */

struct files {
	char bytes[2][SIZE];
};

static void transfer(struct files *f, bool write)
{
	for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
		int fd = open(copies[i], O_RDWR);

		assert_true(fd >= 0);
		assert_int_equal(
			write ? pwrite(fd, f->bytes[i], SIZE, 0) : pread(fd, f->bytes[i], SIZE, 0),
			SIZE);
		close(fd);
	}
}

static bool is_same(struct boot_view a, struct boot_view b)
{
	return a.active == b.active && a.confirmed == b.confirmed && a.tries_left == b.tries_left;
}

/* Whatever byte a write was torn at, in either copy and in either direction: before or after. */
static void tear(struct machine *m, enum verb verb, unsigned slot)
{
	struct files before = {0}, after = {0}, torn = {0};
	struct boot_view v[2];
	unsigned seen[2] = {0};

	transfer(&before, false);
	v[0] = look(m);
	tell(m, verb, slot);
	transfer(&after, false);
	v[1] = look(m);
	for (size_t at = 0; at < SIZE; at += at < 256 ? 1 : 511)
		for (unsigned turn = 0; turn < 2; turn++) {
			for (unsigned c = 0; c < 2; c++) {
				memcpy(torn.bytes[c], turn ? after.bytes[c] : before.bytes[c], at);
				memcpy(torn.bytes[c] + at,
					(turn ? before.bytes[c] : after.bytes[c]) + at, SIZE - at);
			}
			transfer(&torn, true);
			struct boot_view now = look(m);

			if (!is_same(now, v[0]) && !is_same(now, v[1]))
				fail_msg("torn at %zu: active %u, confirmed %u", at, now.active,
					now.confirmed);
			seen[is_same(now, v[1])]++;
		}
	transfer(&after, true);
	assert_true(seen[0] > 0 && seen[1] > 0);
}

static void a_torn_write_is_there_or_not(void **state UNUSED)
{
	struct machine m = {0};

	reopen(&m);
	tell(&m, TRY, 1);
	tell(&m, BACK, 0);
	tear(&m, TRY, 1);
	start(&m);
	tear(&m, CONFIRM, 1);
	tear(&m, TRY, 0);
	tear(&m, BACK, 1);
	boot_close(&m.boot);
}

static void what_cannot_be_trusted_is_refused(void **state UNUSED)
{
	struct boot_view v = {.active = 77};
	struct machine m = {0};
	struct boot *b = NULL;
	struct err e;
	FILE *f;

	reopen(&m);
	f = fopen(copies[0], "w");
	assert_non_null(f);
	assert_int_equal(fclose(f) + truncate(copies[0], SIZE) + truncate(copies[1], 0) +
				 truncate(copies[1], SIZE),
		0);
	expect_err(m.a->look(m.boot, &v, &e), &e, ERR_NEED_HAND, "neither copy", "zeros");
	expect_err(m.a->try_next(m.boot, 1, 3, &e), &e, ERR_NEED_HAND, "neither copy", "zeros");
	assert_int_equal(v.active, 77);
	boot_close(&m.boot);
	write_text(conf.fw_env_config, "env-0 0 0x2000\n");
	expect_err(boot_open(&(struct boot_place){0}, &conf, &b, &e), &e, ERR_CONFIG,
		"must keep two", "one copy");
	write_text(conf.fw_env_config, "a 0 1\nb 0 1\nc 0 1\n");
	expect_err(boot_open(&(struct boot_place){0}, &conf, &b, &e), &e, ERR_CONFIG, "more than",
		"three copies");
	unlink(conf.fw_env_config);
	expect_err(boot_open(&(struct boot_place){0}, &conf, &b, &e), &e, ERR_NOT_FOUND, NULL,
		"no file");
	assert_null(b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin)
	const struct CMUnitTest tests[] = {
		TEST(uboot_follows_a_life),
		TEST(a_torn_write_is_there_or_not),
		TEST(what_cannot_be_trusted_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
