#include "tests/lib/loader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/facts.h"

#define BLOCK    1024
#define VALUE    64
#define TRY_FILE "backstay-try.env"
#define NEVER    100000000L /* no generation */

struct block {
	char text[BLOCK + 1]; /* "" when there is none */
};

static void load(struct fs *fs, const char *file, struct block *out)
{
	BUF_AUTO bytes = {0};

	*out = (struct block){0};
	if (fs_read_file(fs, file, BLOCK, &bytes, NULL) == 0 && bytes.n == BLOCK)
		memcpy(out->text, bytes.p, BLOCK);
	if (strncmp(out->text, "# GRUB Environment Block\n", 25) != 0)
		*out = (struct block){0};
}

/* Where the value stands; NULL: there is none. */
static char *at(struct block *b, const char *name)
{
	char key[48];
	char *p;

	snprintf(key, sizeof key, "\n%s=", name);
	p = strstr(b->text, key);
	return p ? p + strlen(key) : NULL;
}

/* load_env: a variable that is not there keeps its value. */
static void load_var(struct block *b, const char *name, char value[VALUE])
{
	const char *p = at(b, name);

	if (p)
		snprintf(value, VALUE, "%.*s", (int)strcspn(p, "\n"), p);
}

static long generation(struct block *b)
{
	char begin[VALUE] = "", end[VALUE] = "";

	load_var(b, "BACKSTAY_BEGIN", begin);
	load_var(b, "BACKSTAY_END", end);
	return begin[0] && strcmp(begin, end) == 0 ? strtol(begin, NULL, 10) : 0;
}

/* save_env: every value has its place already, and keeps its length. */
static bool save(struct fs *fs, struct block *b, const char *gen, char try[2][VALUE])
{
	static const char *const names[] = {"BACKSTAY_BEGIN", "A_TRY", "B_TRY", "BACKSTAY_END"};
	const char *const values[] = {gen, try[0], try[1], gen};
	int fd, rc;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char *p = at(b, names[i]);

		if (!p)
			return false;
		memcpy(p, values[i], strlen(values[i]));
	}
	if (fs->ops->open(fs, TRY_FILE, FS_WRITE, &fd, NULL) < 0)
		return false;
	rc = fs->ops->pwrite(fs, fd, b->text, BLOCK, 0, NULL);
	if (rc == 0)
		rc = fs->ops->sync(fs, fd, NULL);
	(void)!fs->ops->close(fs, fd, NULL);
	return rc == 0;
}

/* Everything that the script knows when it chooses. */
struct choice {
	char order[VALUE], ok[2][VALUE], try[2][VALUE], good[VALUE];
	long gen;
};

static void read_choice(struct fs *fs, struct choice *c)
{
	static const char *const files[] = {"backstay-0.env", "backstay-1.env"};
	struct block newest = {0}, b;

	*c = (struct choice){"A B", {"1", "0"}, {"0", "0"}, "A", NEVER};
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		load(fs, files[i], &b);
		if (generation(&b) <= c->gen)
			continue;
		c->gen = generation(&b);
		newest = b;
	}
	load_var(&newest, "ORDER", c->order);
	load_var(&newest, "A_OK", c->ok[0]);
	load_var(&newest, "B_OK", c->ok[1]);
	load_var(&newest, "A_TRY", c->try[0]);
	load_var(&newest, "B_TRY", c->try[1]);
	load_var(&newest, "BACKSTAY_GOOD", c->good);
	load(fs, TRY_FILE, &b);
	if (c->gen != NEVER && generation(&b) == c->gen) {
		load_var(&b, "A_TRY", c->try[0]);
		load_var(&b, "B_TRY", c->try[1]);
	}
}

static bool has_tries(const struct choice *c, unsigned slot)
{
	return strlen(c->try[slot]) == 1 && strchr("012", c->try[slot][0]);
}

static bool count(struct fs *fs, struct choice *c, unsigned slot)
{
	struct block tries;
	char gen[16];

	c->try[slot][0]++;
	load(fs, TRY_FILE, &tries);
	snprintf(gen, sizeof gen, "%ld", c->gen);
	return save(fs, &tries, gen, c->try);
}

static unsigned choose(struct fs *fs, struct choice *c, bool counting)
{
	for (const char *p = c->order; *p; p++) {
		unsigned slot = *p == 'B';

		if (*p == ' ')
			continue;
		if (*p == c->good[0])
			return slot;
		if (c->ok[slot][0] == '1' && has_tries(c, slot) &&
			(!counting || count(fs, c, slot)))
			return slot;
	}
	return c->good[0] == 'B';
}

unsigned loader_grub(struct fs *fs)
{
	struct choice c;

	read_choice(fs, &c);
	return choose(fs, &c, true);
}

void loader_grub_look(struct fs *fs, unsigned *out_next, unsigned *out_good)
{
	struct choice c;

	read_choice(fs, &c);
	*out_next = choose(fs, &c, false);
	*out_good = c.good[0] == 'B';
}

/* ---- systemd-boot ---- */

struct item {
	char file[64], slot;
	unsigned long version;
	int left, done; /* -1: not counted */
};

/* Entries without a start are none. */
static int compare(const struct item *a, const struct item *b)
{
	if ((a->left == 0) != (b->left == 0))
		return a->left == 0 ? 1 : -1;
	if (a->version != b->version)
		return a->version > b->version ? -1 : 1;
	return b->left - a->left;
}

struct pick {
	struct fs *esp;
	struct item best;
};

static int consider(void *ctx, const char *name, enum fs_kind kind UNUSED, struct err *e UNUSED)
{
	struct pick *p = ctx;
	struct item t = {.left = -1, .done = 0};
	BUF_AUTO text = {0};
	char path[96], *at;
	size_t n = strlen(name);

	if (name[0] == '.' || n < 6 || strcmp(name + n - 5, ".conf") != 0)
		return 0;
	snprintf(path, sizeof path, "loader/entries/%s", name);
	if (fs_read_file(p->esp, path, 4096, &text, NULL) < 0)
		return 0;
	snprintf(t.file, sizeof t.file, "%s", name);
	at = strstr(buf_cstr(&text), "version ");
	if (!strstr(buf_cstr(&text), "linux ") || !at)
		return 0;
	t.version = strtoul(at + 8, NULL, 10);
	t.slot = *(strstr(buf_cstr(&text), "backstay.slot=") + 14);
	at = strchr(t.file, '+');
	if (at)
		(void)!sscanf(at, "+%d-%d", &t.left, &t.done);
	if (!p->best.file[0] || compare(&t, &p->best) < 0)
		p->best = t;
	return 0;
}

unsigned loader_efi(struct fs *esp)
{
	struct pick p = {.esp = esp};
	char from[96], to[128];

	(void)!esp->ops->list(esp, "loader/entries", consider, &p, NULL);
	if (p.best.left > 0) {
		snprintf(from, sizeof from, "loader/entries/%s", p.best.file);
		snprintf(to, sizeof to, "loader/entries/%.*s+%d-%d.conf",
			(int)strcspn(p.best.file, "+"), p.best.file, p.best.left - 1,
			p.best.done + 1);
		(void)!esp->ops->rename(esp, from, to, NULL);
		(void)!esp->ops->sync_dir(esp, "loader/entries", NULL);
	}
	return p.best.slot == 'B';
}
