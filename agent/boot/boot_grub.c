/* GRUB on a BIOS or EFI machine; packaging/boot/grub.cfg is its other half, and docs/adr/ says why
 * it is like this.
 *
 * Three environment blocks, each a file of its own that is never renamed or resized:
 *   backstay-0.env, backstay-1.env  ORDER, A_OK, A_TRY, B_OK, B_TRY and BACKSTAY_GOOD, the
 *                                   confirmed slot; written here in turn, read by GRUB
 *   backstay-try.env                A_TRY, B_TRY: counted by GRUB, read here
 * A block begins and ends with its generation, BACKSTAY_BEGIN and BACKSTAY_END: one that was torn
 * has two, and does not count. Of two copies the newer one counts; tries count for the generation
 * that stands around them. So what is written here is there or not, and a write of GRUB's that was
 * torn loses counts, nothing else.
 *
 * GRUB does not replay the journal of the file system. What it may see late are new names and new
 * blocks; bytes that are rewritten in blocks of old, synced, are there (unless data is journaled:
 * do not mount /boot with data=journal). Only the files' making can be missed, and then GRUB starts
 * what it started before there were any: the switch is tried again. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "agent/boot/boot_priv.h"
#include "agent/boot/grub_env.h"

#define BEGIN    "BACKSTAY_BEGIN"
#define END      "BACKSTAY_END"
#define GOOD     "BACKSTAY_GOOD"
#define ORDER    "ORDER"
#define TRY_FILE "backstay-try.env"
#define COPIES   2U

/* Always nine digits, none of them a leading 0, which GRUB would take for octal. */
#define GENERATION_MIN 100000000U
#define GENERATION_MAX 999999999U

static const char *const copy_file[COPIES] = {"backstay-0.env", "backstay-1.env"};

/* What the newest copy says, and what GRUB has counted for it. */
struct state {
	unsigned copy;       /* where it stands; COPIES: nowhere */
	uint32_t generation; /* GENERATION_MIN: nowhere */
	unsigned first;      /* the first of ORDER that is OK, or SLOT_NONE */
	unsigned good;       /* the confirmed one, or SLOT_NONE */
	unsigned used;       /* tries of `first` */
};

static void name_var(const struct boot *b, unsigned slot, const char *what, char out[32])
{
	snprintf(out, 32, "%s_%s", b->name[slot], what);
}

/* ---- reading ---- */

static int read_bytes(struct boot *b, const char *file, bool from_device,
	char bytes[GRUB_ENV_BYTES + 1], size_t *out_n, struct err *e)
{
	struct fs *fs = b->files;
	int fd, rc = 0;

	TRY(fs->ops->open(fs, file, FS_READ, &fd, e));
	if (from_device)
		rc = fs->ops->drop_cache(fs, fd, e);
	if (rc == 0)
		rc = fs->ops->pread(fs, fd, bytes, GRUB_ENV_BYTES + 1, 0, out_n, e);
	if (rc < 0) {
		(void)!fs->ops->close(fs, fd, NULL);
		return err_wrap(e, "%s", file);
	}
	return fs->ops->close(fs, fd, e);
}

/* *out_is false: there is no whole block of that name. */
static int read_block(struct boot *b, const char *file, bool from_device, struct grub_env *out,
	bool *out_is, struct err *e)
{
	char bytes[GRUB_ENV_BYTES + 1];
	size_t n;
	int rc = read_bytes(b, file, from_device, bytes, &n, e);

	if (rc == 0)
		rc = grub_env_parse((struct str){bytes, n}, out, e);
	*out_is = rc == 0;
	if (rc == -(int)ERR_NOT_FOUND || rc == -(int)ERR_BAD_INPUT || rc == -(int)ERR_TOO_LARGE)
		return 0;
	return rc;
}

/* 0: it was torn, or never was one. */
static uint32_t generation_of(const struct grub_env *env)
{
	uint64_t n;

	if (strcmp(grub_env_value(env, BEGIN), grub_env_value(env, END)) != 0 ||
		str_to_u64(str_of(grub_env_value(env, BEGIN)), GENERATION_MIN + 1, GENERATION_MAX,
			&n, NULL) < 0)
		return 0;
	return (uint32_t)n;
}

/* As the script reads it. */
static unsigned tries_of(const struct boot *b, unsigned slot, const struct grub_env *env)
{
	char var[32];
	uint64_t n;

	name_var(b, slot, "TRY", var);
	if (str_to_u64(str_of(grub_env_value(env, var)), 0, BOOT_TRIES_MAX, &n, NULL) < 0)
		return BOOT_TRIES_MAX;
	return (unsigned)n;
}

static bool is_ok(const struct boot *b, unsigned slot, const struct grub_env *env)
{
	char var[32];

	name_var(b, slot, "OK", var);
	return strcmp(grub_env_value(env, var), "1") == 0;
}

static int read_order(
	const struct boot *b, const struct grub_env *env, struct state *s, struct err *e)
{
	struct str rest = str_of(grub_env_value(env, ORDER)), word;
	const char *good = grub_env_value(env, GOOD);

	s->first = SLOT_NONE;
	while (str_split(&rest, ' ', &word)) {
		unsigned slot = boot_slot_named(b->name, word);

		if (slot == SLOT_NONE)
			return err_set(e, ERR_NEED_HAND, "ORDER names what is no slot");
		if (s->first == SLOT_NONE && is_ok(b, slot, env))
			s->first = slot;
	}
	s->good = boot_slot_named(b->name, str_of(good));
	if (s->good == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND, "%s names no slot", GOOD);
	if (s->first == SLOT_NONE)
		s->first = s->good;
	return 0;
}

static int read_tries(struct boot *b, const struct grub_env *env, struct state *s, struct err *e)
{
	struct grub_env counted;
	bool is;

	TRY(read_block(b, TRY_FILE, false, &counted, &is, e));
	is = is && generation_of(&counted) == s->generation;
	s->used = tries_of(b, s->first, is ? &counted : env);
	return 0;
}

/* Before a change `from_device`: after a sync that failed, the cache holds what GRUB would not
 * find, and the copy that it would find must not be the one that is written. */
static int read_state(struct boot *b, bool from_device, struct state *out, struct err *e)
{
	struct state s = {.copy = COPIES, .generation = GENERATION_MIN};
	struct grub_env newest = {0}, env;
	bool is;

	for (unsigned i = 0; i < COPIES; i++) {
		TRY(read_block(b, copy_file[i], from_device, &env, &is, e));
		if (!is || generation_of(&env) <= s.generation)
			continue;
		s.generation = generation_of(&env);
		s.copy = i;
		newest = env;
	}
	if (s.copy == COPIES) {
		s.first = s.good = b->booted;
	} else {
		TRY(read_order(b, &newest, &s, e));
		TRY(read_tries(b, &newest, &s, e));
	}
	*out = s;
	return 0;
}

/* The last try of a slot is used up, and it may have come up of it. */
static int grub_look(struct boot *b, struct boot_view *out, struct err *e)
{
	struct boot_view v = {0};
	struct state s;

	TRY(read_state(b, false, &s, e));
	if (s.good == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND,
			"the kernel's command line does not say which slot was started "
			"(backstay.slot=)");
	v.active = s.first;
	v.confirmed = s.good;
	if (s.first != s.good) {
		v.tries_left = BOOT_TRIES_MAX - s.used;
		v.fell_back = v.tries_left == 0 && b->booted != s.first;
	}
	if (v.fell_back)
		v.active = s.good;
	v.counts = v.active != v.confirmed;
	v.crashed = b->crashed;
	*out = v;
	return 0;
}

static void put_line(struct buf *out, const struct grub_env *env, const char *name)
{
	if (*grub_env_value(env, name))
		buf_addf(out, "%s=%s\n", name, grub_env_value(env, name));
}

/* The copy that counts, and then what GRUB has counted. */
static int grub_list(struct boot *b, struct buf *out, struct err *e)
{
	struct grub_env env;
	struct state s;
	bool is = false;

	TRY(read_state(b, false, &s, e));
	if (s.copy == COPIES)
		return 0;
	TRY(read_block(b, copy_file[s.copy], false, &env, &is, e));
	for (unsigned i = 0; is && i < env.n; i++)
		put_line(out, &env, env.var[i].name);
	TRY(read_block(b, TRY_FILE, false, &env, &is, e));
	for (unsigned i = 0; is && generation_of(&env) == s.generation && i < SLOT_COUNT; i++) {
		char var[32];

		name_var(b, i, "TRY", var);
		buf_add_str(out, "counted: ");
		put_line(out, &env, var);
	}
	return 0;
}

/* ---- writing ---- */

static int write_into(struct boot *b, int fd, const struct grub_env *env, struct err *e)
{
	char bytes[GRUB_ENV_BYTES];

	grub_env_format(env, bytes);
	TRY(b->files->ops->truncate(b->files, fd, sizeof bytes, e));
	TRY(b->files->ops->pwrite(b->files, fd, bytes, sizeof bytes, 0, e));
	return b->files->ops->sync(b->files, fd, e);
}

static int write_block(struct boot *b, const char *file, const struct grub_env *env, struct err *e)
{
	struct fs *fs = b->files;
	int fd, rc;

	TRY(fs->ops->open(fs, file, FS_CREATE, &fd, e));
	rc = write_into(b, fd, env, e);
	if (rc < 0) {
		(void)!fs->ops->close(fs, fd, NULL);
		return err_wrap(e, "%s", file);
	}
	return fs->ops->close(fs, fd, e);
}

/* GRUB replaces values where they stand: the order of the lines is made here. */
static void blank(const struct boot *b, uint32_t generation, struct grub_env *env)
{
	char var[32], text[16];

	snprintf(text, sizeof text, "%lu", (unsigned long)generation);
	*env = (struct grub_env){0};
	grub_env_put(env, BEGIN, text);
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		name_var(b, i, "TRY", var);
		grub_env_put(env, var, "0");
	}
	grub_env_put(env, END, text);
}

/* Where GRUB is to count must be a whole block before anything is to be counted. */
static int prepare(struct boot *b, struct err *e)
{
	struct grub_env env;
	bool is;

	TRY(read_block(b, TRY_FILE, true, &env, &is, e));
	if (!is || grub_env_value(&env, BEGIN)[0] == 0) {
		blank(b, GENERATION_MIN, &env);
		TRY(write_block(b, TRY_FILE, &env, e));
	}
	for (unsigned i = 0; i < COPIES; i++) {
		struct fs_stat st;

		TRY(b->files->ops->stat(b->files, copy_file[i], &st, e));
		blank(b, GENERATION_MIN, &env);
		if (st.kind == FS_NONE)
			TRY(write_block(b, copy_file[i], &env, e));
	}
	return b->files->ops->sync_dir(b->files, "", e);
}

static void put_slot(
	const struct boot *b, unsigned slot, const char *what, unsigned value, struct grub_env *env)
{
	char var[32], text[16];

	name_var(b, slot, what, var);
	snprintf(text, sizeof text, "%u", value);
	grub_env_put(env, var, text);
}

/* The next generation, into the place of the older one. */
static int write_state(struct boot *b, const struct state *now, unsigned first, unsigned good,
	unsigned used, struct err *e)
{
	struct grub_env env = {0};
	char text[2 * LIMIT_BOOT_NAME + 1];
	uint32_t generation = now->generation + 1;

	if (generation > GENERATION_MAX)
		return err_set(e, ERR_NEED_HAND, "the boot environment was written too often");
	snprintf(text, sizeof text, "%lu", (unsigned long)generation);
	grub_env_put(&env, BEGIN, text);
	snprintf(text, sizeof text, "%s %s", b->name[first], b->name[slot_other(first)]);
	grub_env_put(&env, ORDER, text);
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		put_slot(b, i, "OK", i == first || i == good, &env);
		put_slot(b, i, "TRY", i == first ? used : 0, &env);
	}
	grub_env_put(&env, GOOD, b->name[good]);
	snprintf(text, sizeof text, "%lu", (unsigned long)generation);
	grub_env_put(&env, END, text);
	TRY(prepare(b, e));
	return write_block(b, copy_file[now->copy == 0 ? 1 : 0], &env, e);
}

static int is_slot(unsigned slot, struct err *e)
{
	return slot < SLOT_COUNT
		       ? 0
		       : err_set(e, ERR_CONFLICT, "a boot loader starts a slot or the other");
}

static int grub_try_next(struct boot *b, unsigned slot, unsigned tries, struct err *e)
{
	struct state s;

	TRY(is_slot(slot, e));
	TRY(read_state(b, true, &s, e));
	if (s.good == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND, "no slot is known to be good");
	return write_state(b, &s, slot, s.good, BOOT_TRIES_MAX - MIN(tries, BOOT_TRIES_MAX), e);
}

static int grub_settle(struct boot *b, unsigned slot, struct err *e)
{
	struct state s;

	TRY(is_slot(slot, e));
	TRY(read_state(b, true, &s, e));
	if (s.copy != COPIES && s.first == slot && s.good == slot)
		return 0;
	return write_state(b, &s, slot, slot, 0, e);
}

/* Whoever was here before may have been killed between writing a copy and syncing it: what is read
 * from now on must be what GRUB will find. */
static int settle_copies(struct boot *b, struct err *e)
{
	struct fs *fs = b->files;

	for (unsigned i = 0; i < COPIES; i++) {
		struct fs_stat st;
		int fd, rc;

		TRY(fs->ops->stat(fs, copy_file[i], &st, e));
		if (st.kind == FS_NONE)
			continue;
		TRY(fs->ops->open(fs, copy_file[i], FS_READ, &fd, e));
		rc = fs->ops->sync(fs, fd, e);
		(void)!fs->ops->close(fs, fd, NULL);
		TRY(rc);
	}
	return 0;
}

static int grub_open(struct boot *b, const struct boot_conf *c, struct err *e)
{
	int rc;

	TRY(boot_conf_check(c, e));
	TRY(boot_open_files(b, c->grub_env, e));
	rc = settle_copies(b, e);
	if (rc < 0)
		boot_close_files(b);
	return rc;
}

const struct boot_adapter boot_grub = {
	.kind = "grub",
	.help = "GRUB with packaging/boot/grub.cfg",
	.boots = true,
	.open = grub_open,
	.close = boot_close_files,
	.look = grub_look,
	.try_next = grub_try_next,
	.confirm = grub_settle,
	.go_back = grub_settle,
	.list = grub_list,
};
