/* U-Boot, by libubootenv; packaging/boot/boot.cmd is its other half. The environment must be kept
 * twice (CONFIG_SYS_REDUNDAND_ENVIRONMENT): then whoever writes, U-Boot or we, writes the older
 * copy with a checksum and a number, and one that was torn does not count.
 *
 *   BOOT_ORDER                  bootnames, the one that starts next first
 *   BOOT_A_LEFT, BOOT_B_LEFT    starts that are left, counted down by U-Boot before it starts one
 *   BACKSTAY_GOOD               the confirmed slot, which the script does not count
 */
#include <errno.h>
#include <fcntl.h>
#include <libuboot.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/boot/boot_priv.h"

#define COPIES 2U
#define ORDER  "BOOT_ORDER"
#define GOOD   "BACKSTAY_GOOD"

struct uboot {
	char conf[256];
	char device[COPIES][256];
};

/* ---- where the copies are ---- */

static int add_device(struct uboot *u, unsigned *n, struct str line, struct err *e)
{
	size_t end = 0;

	line = str_trim(line);
	while (end < line.n && line.p[end] != ' ' && line.p[end] != '\t')
		end++;
	if (!line.n || line.p[0] == '#')
		return 0;
	if (*n == COPIES)
		return err_set(e, ERR_CONFIG, "more than two environments");
	TRY(str_copy((struct str){line.p, end}, u->device[*n], sizeof u->device[0], e));
	++*n;
	return 0;
}

/* libubootenv reads the same file; here only how many there are, and what is to be synced. */
static int read_devices(struct uboot *u, struct err *e)
{
	char text[LIMIT_CMDLINE_BYTES];
	FILE *f = fopen(u->conf, "re");
	size_t n = f ? fread(text, 1, sizeof text, f) : 0;
	struct str rest = {text, n}, line;
	unsigned devices = 0;
	int sys = errno;

	if (!f)
		return err_sys(e, sys, "%s", u->conf);
	fclose(f);
	while (str_split(&rest, '\n', &line))
		if (add_device(u, &devices, line, e) < 0)
			return err_wrap(e, "%s", u->conf);
	if (devices != COPIES)
		return err_set(e, ERR_CONFIG,
			"%s: U-Boot keeps one copy of its environment, and a write that is torn would "
			"lose it; it must keep two",
			u->conf);
	return 0;
}

/* ---- the library ---- */

struct session {
	struct uboot_ctx *ctx;
};

static void session_end(struct session *s)
{
	if (!s->ctx)
		return;
	libuboot_close(s->ctx);
	libuboot_exit(s->ctx);
}

/* An environment that U-Boot has never saved is none to write into: what it has compiled in would
 * be lost. */
static int session_begin(const struct uboot *u, struct session *s, struct err *e)
{
	if (libuboot_initialize(&s->ctx, NULL) < 0)
		return err_set(e, ERR_NO_SPACE, "libubootenv cannot be used");
	if (libuboot_read_config(s->ctx, u->conf) < 0)
		return err_set(e, ERR_CONFIG, "%s is no configuration of an environment", u->conf);
	if (libuboot_open(s->ctx) < 0)
		return err_set(e, ERR_NEED_HAND,
			"neither copy of U-Boot's environment is whole; saveenv at its prompt makes one");
	return 0;
}

static void get(struct session *s, const char *name, char *out, size_t cap)
{
	char *value = libuboot_get_env(s->ctx, name);

	snprintf(out, cap, "%s", value ? value : "");
	mem_free(&value);
}

static int put(struct session *s, const char *name, const char *value, struct err *e)
{
	if (libuboot_set_env(s->ctx, name, value) < 0)
		return err_set(e, ERR_IO, "U-Boot's environment takes no %s", name);
	return 0;
}

/* A character device (raw flash) has nothing to sync, and says so. */
static int sync_device(const char *path, struct err *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), rc = fd < 0 ? -1 : fsync(fd), sys = errno;

	if (fd >= 0)
		close(fd);
	return rc < 0 && sys != EINVAL ? err_sys(e, sys, "sync %s", path) : 0;
}

static int store(const struct uboot *u, struct session *s, struct err *e)
{
	if (libuboot_env_store(s->ctx) < 0)
		return err_set(e, ERR_IO, "U-Boot's environment could not be written");
	for (unsigned i = 0; i < COPIES; i++)
		TRY(sync_device(u->device[i], e));
	return 0;
}

/* ---- what it says ---- */

struct state {
	unsigned first; /* of BOOT_ORDER; SLOT_NONE: nobody of us has written it */
	unsigned good;
	unsigned left[SLOT_COUNT];
};

static void left_var(const struct boot *b, unsigned slot, char out[40])
{
	snprintf(out, 40, "BOOT_%s_LEFT", b->name[slot]);
}

static int read_state(const struct boot *b, struct session *s, struct state *out, struct err *e)
{
	char order[2 * LIMIT_BOOT_NAME], text[LIMIT_BOOT_NAME], var[40];
	struct state st = {.first = b->booted, .good = b->booted};
	struct str rest, name;
	uint64_t n;

	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		left_var(b, i, var);
		get(s, var, text, sizeof text);
		st.left[i] = str_to_u64(str_of(text), 0, 99, &n, NULL) < 0 ? 0 : (unsigned)n;
	}
	get(s, GOOD, text, sizeof text);
	get(s, ORDER, order, sizeof order);
	if (text[0]) {
		rest = str_of(order);
		(void)!str_split(&rest, ' ', &name);
		st.first = boot_slot_named(b->name, name);
		st.good = boot_slot_named(b->name, str_of(text));
		if (st.first == SLOT_NONE || st.good == SLOT_NONE)
			return err_set(
				e, ERR_NEED_HAND, "%s or %s names what is no slot", ORDER, GOOD);
	}
	*out = st;
	return 0;
}

static void view(const struct boot *b, const struct state *s, struct boot_view *out)
{
	struct boot_view v = {.active = s->first, .confirmed = s->good, .crashed = b->crashed};

	if (s->first != s->good) {
		v.tries_left = s->left[s->first];
		v.fell_back = v.tries_left == 0 && b->booted != s->first;
	}
	if (v.fell_back)
		v.active = s->good;
	v.counts = v.active != v.confirmed;
	*out = v;
}

static int uboot_look(struct boot *b, struct boot_view *out, struct err *e)
{
	struct session s CLEANUP(session_end) = {0};
	struct state st;

	TRY(session_begin(b->self, &s, e));
	TRY(read_state(b, &s, &st, e));
	if (st.good == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND,
			"the kernel's command line does not say which slot was started "
			"(backstay.slot=)");
	view(b, &st, out);
	return 0;
}

/* ---- what is changed: all variables at once, in the older copy ---- */

static int write_state(
	const struct boot *b, struct session *s, const struct state *st, struct err *e)
{
	char text[2 * LIMIT_BOOT_NAME + 1], var[40];

	snprintf(text, sizeof text, "%s %s", b->name[st->first], b->name[slot_other(st->first)]);
	TRY(put(s, ORDER, text, e));
	TRY(put(s, GOOD, b->name[st->good], e));
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		left_var(b, i, var);
		snprintf(text, sizeof text, "%u", st->left[i]);
		TRY(put(s, var, text, e));
	}
	return store(b->self, s, e);
}

static int is_slot(unsigned slot, struct err *e)
{
	return slot < SLOT_COUNT
		       ? 0
		       : err_set(e, ERR_CONFLICT, "a boot loader starts a slot or the other");
}

static int uboot_try_next(struct boot *b, unsigned slot, unsigned tries, struct err *e)
{
	struct session s CLEANUP(session_end) = {0};
	struct state st;

	TRY(is_slot(slot, e));
	TRY(session_begin(b->self, &s, e));
	TRY(read_state(b, &s, &st, e));
	if (st.good == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND, "no slot is known to be good");
	st.first = slot;
	st.left[slot] = MIN(tries, BOOT_TRIES_MAX);
	st.left[st.good] = BOOT_TRIES_MAX;
	return write_state(b, &s, &st, e);
}

static int uboot_settle(struct boot *b, unsigned slot, struct err *e)
{
	struct session s CLEANUP(session_end) = {0};
	struct state st, want;

	TRY(is_slot(slot, e));
	TRY(session_begin(b->self, &s, e));
	TRY(read_state(b, &s, &st, e));
	want = (struct state){.first = slot, .good = slot};
	want.left[slot] = BOOT_TRIES_MAX;
	if (memcmp(&st, &want, sizeof st) == 0)
		return 0;
	return write_state(b, &s, &want, e);
}

static int uboot_open(struct boot *b, const struct boot_conf *c, struct err *e)
{
	struct uboot *u;

	TRY(boot_conf_check(c, e));
	u = mem_new(sizeof *u);
	memcpy(u->conf, c->fw_env_config, sizeof u->conf);
	b->self = u;
	if (read_devices(u, e) == 0)
		return 0;
	mem_free(&b->self);
	return -(int)e->code;
}

static void uboot_close(struct boot *b)
{
	mem_free(&b->self);
}

const struct boot_adapter boot_uboot = {
	.kind = "uboot",
	.help = "U-Boot with packaging/boot/boot.cmd and a redundant environment",
	.boots = true,
	.open = uboot_open,
	.close = uboot_close,
	.look = uboot_look,
	.try_next = uboot_try_next,
	.confirm = uboot_settle,
	.go_back = uboot_settle,
};
