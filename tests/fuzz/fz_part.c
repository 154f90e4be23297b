/* Parts as a disk may hold them: what is accepted lies within what was signed, and can be gone on
 * with. The sums of notes are put in here, or nothing that is made up would ever be looked at. */
#include <stdlib.h>
#include <string.h>

#include "agent/slot/slot_priv.h"
#include "tests/lib/crashfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void add_sum(struct buf *text)
{
	struct sha256 sum;
	char hex[SHA256_TEXT];

	digest_of(text->p, text->n, &sum);
	sha256_format(&sum, hex);
	buf_add_str(text, hex);
}

static void make_file(const struct component *c, struct str body, struct buf *out)
{
	char artifact[SHA256_TEXT], tree[SHA256_TEXT];
	struct str line;

	sha256_format(&c->artifact.digest, artifact);
	sha256_format(&c->artifact.tree, tree);
	buf_addf(out, "backstay part 1 %s %s\n", artifact, tree);
	while (str_split(&body, '\n', &line)) {
		buf_add(out, line.p, line.n);
		if (str_has_prefix(line, "n "))
			add_sum(out);
		buf_add_char(out, '\n');
	}
}

static void look_at(struct fs *fs, const struct component *c)
{
	struct slot_part at;
	struct ledger l;
	struct part part;
	struct err e;

	ledger_init(&l);
	part_init(&part);
	if (part_load(fs, 0, c, &l, &part, &at, &e) == 0 && at.at.artifact > 0) {
		must(at.at.artifact <= c->artifact.length && at.left <= at.size);
		must(at.at.content + at.at.skip + at.left <= c->artifact.content_length);
		must(at.left == 0 || (at.size - at.left) % WRITER_ALIGN == 0);
		must(at.entries == l.tree.n && part.entries <= l.tree.n);
		must(l.tree.v[l.tree.n - 1].kind == TREE_FILE);
	}
	part_fini(&part);
	ledger_fini(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct component c = {.name = "model",
		.path = "models",
		.artifact = {.length = 100000, .content_length = 200000}};
	struct crashfs *disk = crashfs_new();
	struct fs *fs = crashfs_fs(disk);
	BUF_AUTO text = {0};
	struct err e;

	make_file(&c, (struct str){(const char *)p, n}, &text);
	must(fs_make_dirs(fs, "slots", &e) == 0);
	must(fs_write_file(fs, "slots/a.model.part", text.p, text.n, 0644, &e) == 0);
	look_at(fs, &c);
	look_at(fs, &c); /* what was cut off the first time changes nothing */
	crashfs_free(&disk);
	return 0;
}
