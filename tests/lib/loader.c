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

static bool count(struct fs *fs, long newest, unsigned slot, char try[2][VALUE])
{
	struct block tries;
	char gen[16];

	if (strlen(try[slot]) != 1 || !strchr("012", try[slot][0]))
		return false;
	try[slot][0]++;
	load(fs, TRY_FILE, &tries);
	snprintf(gen, sizeof gen, "%ld", newest);
	return save(fs, &tries, gen, try);
}

unsigned loader_grub(struct fs *fs)
{
	static const char *const files[] = {"backstay-0.env", "backstay-1.env"};
	char order[VALUE] = "A B", ok[2][VALUE] = {"1", "0"}, try[2][VALUE] = {"0", "0"};
	char good[VALUE] = "A";
	struct block newest = {0}, b;
	long gen = NEVER;

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		load(fs, files[i], &b);
		if (generation(&b) <= gen)
			continue;
		gen = generation(&b);
		newest = b;
	}
	load_var(&newest, "ORDER", order);
	load_var(&newest, "A_OK", ok[0]);
	load_var(&newest, "B_OK", ok[1]);
	load_var(&newest, "A_TRY", try[0]);
	load_var(&newest, "B_TRY", try[1]);
	load_var(&newest, "BACKSTAY_GOOD", good);
	load(fs, TRY_FILE, &b);
	if (gen != NEVER && generation(&b) == gen) {
		load_var(&b, "A_TRY", try[0]);
		load_var(&b, "B_TRY", try[1]);
	}
	for (const char *p = order; *p; p++) {
		unsigned slot = *p == 'B';

		if (*p == ' ')
			continue;
		if (*p == good[0] || (ok[slot][0] == '1' && count(fs, gen, slot, try)))
			return slot;
	}
	return good[0] == 'B';
}
