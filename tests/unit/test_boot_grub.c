/* GRUB's environment: what is written, what is torn, and what GRUB makes of both. */
#include <stdio.h>
#include <string.h>

#include "agent/boot/boot.h"
#include "agent/boot/grub_env.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/loader.h"

static const struct boot_conf conf = {.kind = "grub", .name = {"A", "B"}};

struct machine {
	struct crashfs *disk; /* in memory: thousands of looks, each of which asks the device */
	struct fs *fs;
	struct boot *boot;
	const struct boot_adapter *a;
	unsigned booted;
};

static void reopen(struct machine *m)
{
	struct err e;

	boot_close(&m->boot);
	expect_ok(boot_open(&(struct boot_place){.files = m->fs, .booted = m->booted}, &conf,
			  &m->boot, &e),
		&e);
}

static void machine_open(struct machine *m)
{
	*m = (struct machine){.a = boot_adapter_find("grub"), .disk = crashfs_new()};
	m->fs = crashfs_fs(m->disk);
	reopen(m);
}

static void machine_close(struct machine *m)
{
	boot_close(&m->boot);
	crashfs_free(&m->disk);
}

static unsigned start(struct machine *m)
{
	m->booted = loader_grub(m->fs);
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

/* Every row: what is done, and what is seen afterwards. */
static const struct {
	enum verb verb;
	unsigned slot, booted, active, confirmed, left;
	bool fell;
} life[] = {
	{START, 0, 0, 0, 0, 0, false},
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
	{START, 0, 1, 1, 1, 0, true},
	{BACK, 1, 1, 1, 1, 0, false},
	{START, 0, 1, 1, 1, 0, false},
	{TRY, 0, 1, 0, 1, 3, false}, /* one whose tries are granted anew */
	{START, 0, 0, 0, 1, 2, false},
	{TRY, 0, 0, 0, 1, 3, false},
	{START, 0, 0, 0, 1, 2, false},
	{BACK, 1, 0, 1, 1, 0, false}, /* and that is taken back */
	{START, 0, 1, 1, 1, 0, false},
};

static void grub_follows_a_life(void **state UNUSED)
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

/* For people: the copy that counts, and what was counted for it. */
static void what_grub_decides_by_is_listed(void **state UNUSED)
{
	struct machine m;
	struct err e;
	BUF_AUTO none = {0}, trial = {0}, good = {0};

	machine_open(&m);
	tell(&m, START, 0);
	expect_ok(m.a->list(m.boot, &none, &e), &e);
	expect_text(buf_cstr(&none), "");
	tell(&m, TRY, 1);
	tell(&m, START, 0);
	expect_ok(m.a->list(m.boot, &trial, &e), &e);
	expect_text(buf_cstr(&trial),
		"BACKSTAY_BEGIN=100000001\nORDER=B A\nA_OK=1\nA_TRY=0\nB_OK=1\nB_TRY=0\n"
		"BACKSTAY_GOOD=A\nBACKSTAY_END=100000001\ncounted: A_TRY=0\ncounted: B_TRY=1\n");
	tell(&m, CONFIRM, 1);
	expect_ok(m.a->list(m.boot, &good, &e), &e);
	assert_non_null(strstr(buf_cstr(&good), "BACKSTAY_GOOD=B\n"));
	assert_null(strstr(buf_cstr(&good), "counted"));
	machine_close(&m);
}

/* ---- torn writes ---- */

static void read_bytes(struct machine *m, const char *file, char out[GRUB_ENV_BYTES])
{
	BUF_AUTO bytes = {0};
	struct err e;

	expect_ok(fs_read_file(m->fs, file, GRUB_ENV_BYTES, &bytes, &e), &e);
	assert_int_equal(bytes.n, GRUB_ENV_BYTES);
	memcpy(out, bytes.p, GRUB_ENV_BYTES);
}

static void write_bytes(struct machine *m, const char *file, const char bytes[GRUB_ENV_BYTES])
{
	struct err e;
	int fd;

	expect_ok(m->fs->ops->open(m->fs, file, FS_WRITE, &fd, &e), &e);
	expect_ok(m->fs->ops->pwrite(m->fs, fd, bytes, GRUB_ENV_BYTES, 0, &e), &e);
	expect_ok(m->fs->ops->close(m->fs, fd, &e), &e);
}

static void mix(const char *head, const char *tail, size_t at, char out[GRUB_ENV_BYTES])
{
	memcpy(out, head, at);
	memcpy(out + at, tail + at, GRUB_ENV_BYTES - at);
}

static bool is_same(struct boot_view a, struct boot_view b)
{
	return a.active == b.active && a.confirmed == b.confirmed && a.tries_left == b.tries_left &&
	       a.fell_back == b.fell_back;
}

/* The next place at which a torn block differs from one that was torn before it. */
static size_t next_tear(const char *before, const char *after, size_t at)
{
	while (at < GRUB_ENV_BYTES && before[at] == after[at])
		at++;
	return at + 1;
}

struct files {
	char bytes[3][GRUB_ENV_BYTES];
};

static const char *const names[] = {"backstay-0.env", "backstay-1.env", "backstay-try.env"};

static void keep(struct machine *m, struct files *f)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		read_bytes(m, names[i], f->bytes[i]);
}

static void put_back(struct machine *m, const struct files *f)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		write_bytes(m, names[i], f->bytes[i]);
}

/* Which slot would be started now, without having it counted. */
static unsigned would_start(struct machine *m)
{
	struct files f = {0};
	unsigned slot;

	keep(m, &f);
	slot = loader_grub(m->fs);
	put_back(m, &f);
	return slot;
}

/* Of one change: whatever byte it was torn at, agent and GRUB see what was before or what is
 * after, and the same of the two. */
static void tear(struct machine *m, enum verb verb, unsigned slot)
{
	struct files before = {0}, after = {0};
	struct boot_view v[2];
	unsigned starts[2], olds = 0, news = 0;

	keep(m, &before);
	v[0] = look(m);
	starts[0] = would_start(m);
	tell(m, verb, slot);
	keep(m, &after);
	v[1] = look(m);
	starts[1] = would_start(m);
	for (size_t f = 0; f < 2; f++)
		for (size_t at = 0; at <= GRUB_ENV_BYTES;
			at = next_tear(before.bytes[f], after.bytes[f], at))
			for (unsigned turn = 0; turn < 2; turn++) {
				char torn[GRUB_ENV_BYTES];

				mix(turn ? after.bytes[f] : before.bytes[f],
					turn ? before.bytes[f] : after.bytes[f], at, torn);
				write_bytes(m, names[f], torn);
				struct boot_view now = look(m);
				unsigned is = would_start(m);
				bool old = is_same(now, v[0]) && is == starts[0];
				bool new = is_same(now, v[1]) && is == starts[1];

				if (!old && !new)
					fail_msg("torn at %zu: active %u, starts %u", at,
						now.active, is);
				olds += old;
				news += new;
			}
	put_back(m, &after);
	assert_true(olds > 0 && news > 0);
}

static void a_torn_change_is_there_or_not(void **state UNUSED)
{
	struct machine m;

	machine_open(&m);
	tell(&m, TRY, 1);
	tell(&m, BACK, 0);
	tear(&m, TRY, 1);
	start(&m);
	tear(&m, CONFIRM, 1);
	tear(&m, TRY, 0);
	start(&m);
	tear(&m, TRY, 0);
	tear(&m, BACK, 1);
	machine_close(&m);
}

/* A write of GRUB's. */
static void a_torn_count_loses_counts_and_nothing_else(void **state UNUSED)
{
	struct machine m;
	struct files before = {0}, after = {0};

	machine_open(&m);
	tell(&m, TRY, 1);
	for (unsigned n = 0; n < 3; n++) {
		keep(&m, &before);
		assert_int_equal(start(&m), 1);
		keep(&m, &after);
		assert_memory_equal(before.bytes[0], after.bytes[0], GRUB_ENV_BYTES);
		assert_memory_equal(before.bytes[1], after.bytes[1], GRUB_ENV_BYTES);
		for (size_t at = 0; at <= GRUB_ENV_BYTES;
			at = next_tear(before.bytes[2], after.bytes[2], at))
			for (unsigned turn = 0; turn < 2; turn++) {
				char torn[GRUB_ENV_BYTES];

				mix(turn ? after.bytes[2] : before.bytes[2],
					turn ? before.bytes[2] : after.bytes[2], at, torn);
				write_bytes(&m, names[2], torn);
				struct boot_view v = look(&m);

				assert_int_equal(v.active, 1);
				assert_int_equal(v.confirmed, 0);
				assert_true(v.tries_left >= 2 - n);
			}
		put_back(&m, &after);
	}
	assert_int_equal(start(&m), 0);
	assert_true(look(&m).fell_back);
	machine_close(&m);
}

static void a_try_that_cannot_be_counted_is_none(void **state UNUSED)
{
	char junk[GRUB_ENV_BYTES];
	struct machine m;
	struct err e;

	machine_open(&m);
	tell(&m, TRY, 1);
	memset(junk, 0, sizeof junk);
	write_bytes(&m, names[2], junk);
	assert_int_equal(start(&m), 0);
	assert_int_equal(look(&m).active, 1);
	tell(&m, TRY, 1); /* made whole again */
	assert_int_equal(start(&m), 1);
	expect_ok(m.fs->ops->unlink(m.fs, names[2], &e), &e);
	assert_int_equal(start(&m), 0);
	machine_close(&m);
}

static void what_nobody_of_us_wrote_is_for_a_person(void **state UNUSED)
{
	struct grub_env env = {0};
	char bytes[GRUB_ENV_BYTES];
	struct boot_view v = {.active = 77};
	struct machine m;
	struct err e;

	machine_open(&m);
	m.booted = SLOT_NONE;
	reopen(&m);
	expect_err(m.a->look(m.boot, &v, &e), &e, ERR_NEED_HAND, "backstay.slot=", "nothing");
	expect_err(m.a->try_next(m.boot, 1, 3, &e), &e, ERR_NEED_HAND, NULL, "nothing");
	m.booted = 0;
	reopen(&m);
	tell(&m, TRY, 1);
	grub_env_put(&env, "BACKSTAY_BEGIN", "200000000");
	grub_env_put(&env, "ORDER", "system0");
	grub_env_put(&env, "BACKSTAY_END", "200000000");
	grub_env_format(&env, bytes);
	write_bytes(&m, names[0], bytes);
	expect_err(m.a->look(m.boot, &v, &e), &e, ERR_NEED_HAND, "ORDER", "another name");
	grub_env_put(&env, "ORDER", "B A");
	grub_env_format(&env, bytes);
	write_bytes(&m, names[0], bytes);
	expect_err(m.a->look(m.boot, &v, &e), &e, ERR_NEED_HAND, "GOOD", "no good slot");
	assert_int_equal(v.active, 77);
	expect_err(m.a->go_back(m.boot, SLOT_NONE, &e), &e, ERR_CONFLICT, NULL, "no slot at all");
	machine_close(&m);
}

/* ---- the block ---- */

#define HEAD "# GRUB Environment Block\n"

static const struct {
	const char *text; /* filled up with '#' */
	enum err_code code;
	const char *name, *value;
} blocks[] = {
	{HEAD, ERR_OK, "A", ""},
	{HEAD "A=1\n", ERR_OK, "A", "1"},
	{HEAD "A=\n", ERR_OK, "A", ""},
	{HEAD "# a comment\nA=1\n\nB=x y\n", ERR_OK, "B", "x y"},
	{HEAD "A=a\\\\b\\\nc\n", ERR_OK, "A", "a\\b\nc"},
	{HEAD "A=1\nA=2\n", ERR_OK, "A", "2"},
	{"# GRUB Environment block\n", ERR_BAD_INPUT, NULL, NULL},
	{"", ERR_BAD_INPUT, NULL, NULL},
	{HEAD "A\n", ERR_BAD_INPUT, NULL, NULL},
	{HEAD "A\nB=1\n", ERR_BAD_INPUT, NULL, NULL},
	{HEAD "=1\n", ERR_BAD_INPUT, NULL, NULL},
	{HEAD "A=12345678901234567890123456789012345678901234567890123456789012345\n",
		ERR_TOO_LARGE, NULL, NULL},
	{HEAD "NAME567890123456789012345678901234=1\n", ERR_TOO_LARGE, NULL, NULL},
	{HEAD "a=\nb=\nc=\nd=\ne=\nf=\ng=\nh=\ni=\nj=\nk=\nl=\nm=\nn=\no=\np=\nq=\n", ERR_TOO_LARGE,
		NULL, NULL},
};

static void blocks_are_read_as_grub_reads_them(void **state UNUSED)
{
	char bytes[GRUB_ENV_BYTES];
	struct grub_env env;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		struct str block = {bytes, sizeof bytes};

		memset(bytes, '#', sizeof bytes);
		memcpy(bytes, blocks[i].text, strlen(blocks[i].text));
		if (blocks[i].code != ERR_OK) {
			expect_err(grub_env_parse(block, &env, &e), &e, blocks[i].code, NULL,
				blocks[i].text);
			continue;
		}
		expect_ok(grub_env_parse(block, &env, &e), &e);
		expect_text(grub_env_value(&env, blocks[i].name), blocks[i].value);
		block.n--;
		expect_err(grub_env_parse(block, &env, &e), &e, ERR_BAD_INPUT, NULL, "short");
	}
	memset(bytes, 'A', sizeof bytes);
	memcpy(bytes, HEAD, strlen(HEAD));
	bytes[100] = '=';
	expect_err(grub_env_parse((struct str){bytes, sizeof bytes}, &env, &e), &e, ERR_TOO_LARGE,
		NULL, "one long name");
	memset(bytes, 0, sizeof bytes);
	memcpy(bytes, HEAD "A=", strlen(HEAD) + 2);
	expect_err(grub_env_parse((struct str){bytes, sizeof bytes}, &env, &e), &e, ERR_BAD_INPUT,
		"NUL", "zeros");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grub_follows_a_life),
		cmocka_unit_test(what_grub_decides_by_is_listed),
		cmocka_unit_test(a_torn_change_is_there_or_not),
		cmocka_unit_test(a_torn_count_loses_counts_and_nothing_else),
		cmocka_unit_test(a_try_that_cannot_be_counted_is_none),
		cmocka_unit_test(what_nobody_of_us_wrote_is_for_a_person),
		cmocka_unit_test(blocks_are_read_as_grub_reads_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
