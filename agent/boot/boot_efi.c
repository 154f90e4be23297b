/* systemd-boot, and whatever else counts by the names of its entries. On the EFI system partition:
 *
 *   loader/backstay/A.conf, B.conf    an entry for each slot, made by whoever made the device
 *   loader/entries/backstay-A-N.conf  the same with a version, N: the confirmed slot
 *   loader/entries/backstay-B-N+3.conf  a slot on trial, with the starts that are left
 *
 * The newest entry with starts left is started (`version`, for entries of one `sort-key`); one
 * without comes last. So a trial is a newer entry that is counted, and falls back to the one
 * before.
 *
 * FAT has no journal, and a rename on it is not atomic: after a cut there may be both names, or
 * neither. So nothing that is needed is ever renamed: what is new is written whole, under a name
 * that is no entry's, synced, and named last; only then what it replaces is removed. What a cut
 * leaves beside it is older, and not chosen. */
#include <stdio.h>
#include <string.h>

#include "agent/boot/boot_priv.h"
#include "agent/boot/efi_entry.h"

#define ENTRIES "loader/entries"
#define MODELS  "loader/backstay"

struct entries {
	const struct boot *b;
	unsigned n;
	struct entry {
		struct efi_entry is;
		unsigned slot;
		char file[LIMIT_EFI_NAME];
	} v[LIMIT_EFI_ENTRIES];
};

struct state {
	unsigned good, trial; /* SLOT_NONE: no entry says so */
	unsigned left;
	uint32_t newest; /* generation of any of ours */
	bool is_clean;   /* one entry, which is good */
};

/* ---- reading ---- */

/* Other people's entries are left alone. */
static int add_entry(void *ctx, const char *name, enum fs_kind kind, struct err *e)
{
	struct entries *all = ctx;
	struct entry *t = &all->v[all->n];

	if (kind != FS_FILE || efi_entry_parse(str_of(name), &t->is, NULL) < 0)
		return 0;
	t->slot = boot_slot_named(all->b->name, str_of(t->is.name));
	if (t->slot == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND, "%s: names what is no slot", name);
	if (all->n + 1 == LIMIT_EFI_ENTRIES)
		return err_set(e, ERR_TOO_LARGE, "more than %d entries", LIMIT_EFI_ENTRIES - 1);
	TRY(str_copy(str_of(name), t->file, sizeof t->file, e));
	all->n++;
	return 0;
}

static int read_entries(const struct boot *b, struct entries *out, struct err *e)
{
	*out = (struct entries){.b = b};
	int rc = b->files->ops->list(b->files, ENTRIES, add_entry, out, e);

	return rc == -(int)ERR_NOT_FOUND ? 0 : rc;
}

/* The newest that is good, or that is on trial in another slot than `not`. */
static const struct entry *newest(const struct entries *all, bool counted, unsigned not )
{
	const struct entry *best = NULL;

	for (unsigned i = 0; i < all->n; i++) {
		const struct entry *t = &all->v[i];

		if (t->is.counted != counted || t->slot == not )
			continue;
		if (!best || t->is.generation > best->is.generation ||
			(t->is.generation == best->is.generation && t->is.left > best->is.left))
			best = t;
	}
	return best;
}

static int read_state(struct boot *b, struct entries *all, struct state *out, struct err *e)
{
	struct state s = {.good = b->booted, .trial = SLOT_NONE, .newest = EFI_GENERATION_MIN};
	const struct entry *good, *trial;

	TRY(read_entries(b, all, e));
	good = newest(all, false, SLOT_NONE);
	if (good)
		s.good = good->slot;
	trial = newest(all, true, s.good);
	if (trial && (!good || trial->is.generation > good->is.generation)) {
		s.trial = trial->slot;
		s.left = trial->is.left;
	}
	for (unsigned i = 0; i < all->n; i++)
		s.newest = MAX(s.newest, all->v[i].is.generation);
	s.is_clean = good && all->n == 1;
	if (s.good == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND,
			"no entry is confirmed, and the kernel's command line does not say which slot was "
			"started (backstay.slot=)");
	*out = s;
	return 0;
}

static int efi_look(struct boot *b, struct boot_view *out, struct err *e)
{
	struct entries all;
	struct boot_view v;
	struct state s;

	TRY(read_state(b, &all, &s, e));
	v = (struct boot_view){.active = s.good, .confirmed = s.good, .crashed = b->crashed};
	if (s.trial != SLOT_NONE) {
		v.tries_left = s.left;
		v.fell_back = s.left == 0 && b->booted != s.trial;
		v.counts = !v.fell_back;
	}
	if (v.counts)
		v.active = s.trial;
	*out = v;
	return 0;
}

static int efi_list(struct boot *b, struct buf *out, struct err *e)
{
	struct entries all;

	TRY(read_entries(b, &all, e));
	for (unsigned i = 0; i < all.n; i++)
		buf_addf(out, "entry=%s\n", all.v[i].file);
	return 0;
}

/* ---- writing ---- */

/* What starts a system comes last: of an entry that was cut short nothing is started. */
static void copy_lines(struct str text, bool starting, struct buf *out)
{
	struct str line;

	while (str_split(&text, '\n', &line)) {
		bool starts = str_has_prefix(line, "linux") || str_has_prefix(line, "efi");

		if (!line.n || line.p[0] == '#' || starts != starting ||
			str_has_prefix(line, "sort-key") || str_has_prefix(line, "version"))
			continue;
		buf_add(out, line.p, line.n);
		buf_add_char(out, '\n');
	}
}

static int write_entry(struct boot *b, const struct efi_entry *t, struct err *e)
{
	char model[64], name[LIMIT_EFI_NAME], path[LIMIT_EFI_NAME + sizeof ENTRIES];
	BUF_AUTO text = {0}, entry = {0};

	snprintf(model, sizeof model, MODELS "/%s.conf", t->name);
	TRY(fs_read_file(b->files, model, LIMIT_EFI_BYTES, &text, e));
	copy_lines(buf_str(&text), false, &entry);
	buf_addf(&entry, "sort-key backstay\nversion %lu\n", (unsigned long)t->generation);
	copy_lines(buf_str(&text), true, &entry);
	snprintf(path, sizeof path, ENTRIES "/%s", efi_entry_format(t, name));
	TRY(fs_make_dirs(b->files, ENTRIES, e));
	return fs_write_file(b->files, path, entry.p, entry.n, 0644, e);
}

static int add(struct boot *b, unsigned slot, unsigned tries, struct state *s, struct err *e)
{
	struct efi_entry t = {.generation = s->newest + 1, .counted = tries > 0, .left = tries};

	if (t.generation > EFI_GENERATION_MAX)
		return err_set(e, ERR_NEED_HAND, "the entries were written too often");
	memcpy(t.name, b->name[slot], sizeof t.name);
	TRY(write_entry(b, &t, e));
	s->newest = t.generation;
	return 0;
}

/* Every entry of these slots (SLOT_NONE: of both) that is older than the newest one. */
static int remove_older(
	struct boot *b, const struct entries *all, unsigned slot, uint32_t than, struct err *e)
{
	char path[LIMIT_EFI_NAME + sizeof ENTRIES];
	struct fs *fs = b->files;

	for (unsigned i = 0; i < all->n; i++) {
		const struct entry *t = &all->v[i];

		if (t->is.generation >= than || (slot != SLOT_NONE && t->slot != slot))
			continue;
		snprintf(path, sizeof path, ENTRIES "/%s", t->file);
		TRY(fs->ops->unlink(fs, path, e));
	}
	return fs->ops->sync_dir(fs, ENTRIES, e);
}

static int is_slot(unsigned slot, struct err *e)
{
	return slot < SLOT_COUNT
		       ? 0
		       : err_set(e, ERR_CONFLICT, "a boot loader starts a slot or the other");
}

static int efi_try_next(struct boot *b, unsigned slot, unsigned tries, struct err *e)
{
	struct entries all;
	struct state s;

	TRY(is_slot(slot, e));
	TRY(read_state(b, &all, &s, e));
	if (slot == s.good)
		return err_set(e, ERR_CONFLICT, "slot %s is confirmed", slot_name(slot));
	if (!newest(&all, false, slot))
		TRY(add(b, s.good, 0, &s, e));
	TRY(add(b, slot, MAX(1U, MIN(tries, BOOT_TRIES_MAX)), &s, e));
	return remove_older(b, &all, slot, s.newest, e);
}

/* A newer entry that is good, and then none besides. */
static int efi_settle(struct boot *b, unsigned slot, struct err *e)
{
	struct entries all;
	struct state s;

	TRY(is_slot(slot, e));
	TRY(read_state(b, &all, &s, e));
	if (s.is_clean && s.good == slot)
		return 0;
	TRY(add(b, slot, 0, &s, e));
	return remove_older(b, &all, SLOT_NONE, s.newest, e);
}

static int efi_open(struct boot *b, const struct boot_conf *c, struct err *e)
{
	TRY(boot_conf_check(c, e));
	return boot_open_files(b, c->esp, e);
}

const struct boot_adapter boot_efi = {
	.kind = "efi",
	.help = "systemd-boot, which counts by the names of its entries",
	.boots = true,
	.open = efi_open,
	.close = boot_close_files,
	.look = efi_look,
	.try_next = efi_try_next,
	.confirm = efi_settle,
	.go_back = efi_settle,
	.list = efi_list,
};
