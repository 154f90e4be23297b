/* Two links in home: `current` names the slot that starts next, `confirmed` the one that is good.
 * What starts the workload follows `current`. */
#include <string.h>

#include "agent/boot/boot_priv.h"

static const char current[] = "current", confirmed[] = "confirmed";
static const char *const target[SLOT_COUNT] = {"slots/a", "slots/b"};

/* A link that somebody bent is for a person: to guess could activate what must not run. */
static int read_link(struct fs *fs, const char *link, unsigned *out_slot, struct err *e)
{
	char to[FS_PATH_MAX];
	struct fs_stat st;

	TRY(fs->ops->stat(fs, link, &st, e));
	if (st.kind == FS_NONE) {
		*out_slot = SLOT_NONE;
		return 0;
	}
	if (st.kind != FS_SYMLINK)
		return err_set(e, ERR_NEED_HAND, "%s is no symbolic link", link);
	TRY(fs->ops->readlink(fs, link, to, sizeof to, e));
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		if (strcmp(to, target[i]) != 0)
			continue;
		*out_slot = i;
		return 0;
	}
	return err_set(e, ERR_NEED_HAND, "%s points at %.200s, which is no slot", link, to);
}

static int write_link(struct fs *fs, const char *link, unsigned slot, struct err *e)
{
	if (slot != SLOT_NONE)
		return fs_replace_symlink(fs, target[slot], link, e);
	TRY(fs->ops->unlink(fs, link, e));
	return fs->ops->sync_dir(fs, "", e);
}

static int symlink_look(struct boot *b, struct boot_view *out, struct err *e)
{
	struct boot_view v = {0};

	TRY(read_link(b->home, current, &v.active, e));
	TRY(read_link(b->home, confirmed, &v.confirmed, e));
	/* No order of ours leaves that behind. Taken for a device that has nothing yet, it would
	 * have the good slot written. */
	if (v.active == SLOT_NONE && v.confirmed != SLOT_NONE)
		return err_set(e, ERR_NEED_HAND, "%s is gone, and %s says slot %s", current,
			confirmed, slot_name(v.confirmed));
	*out = v;
	return 0;
}

static int symlink_try_next(struct boot *b, unsigned slot, unsigned tries, struct err *e)
{
	(void)tries; /* nothing counts here: who starts the workload follows the link */
	return write_link(b->home, current, slot, e);
}

static int symlink_confirm(struct boot *b, unsigned slot, struct err *e)
{
	return write_link(b->home, confirmed, slot, e);
}

/* The way back first: from then on a power cut finds the old release, and going back is repeated.
 * Where there is none, the other way round: nothing can be good that does not start. */
static int symlink_go_back(struct boot *b, unsigned slot, struct err *e)
{
	if (slot == SLOT_NONE)
		TRY(write_link(b->home, confirmed, slot, e));
	TRY(write_link(b->home, current, slot, e));
	return write_link(b->home, confirmed, slot, e);
}

static int symlink_list(struct boot *b, struct buf *out, struct err *e)
{
	struct boot_view v;

	TRY(symlink_look(b, &v, e));
	if (v.active < SLOT_COUNT)
		buf_addf(out, "%s=%s\n", current, target[v.active]);
	if (v.confirmed < SLOT_COUNT)
		buf_addf(out, "%s=%s\n", confirmed, target[v.confirmed]);
	return 0;
}

const struct boot_adapter boot_symlink = {
	.kind = "symlink",
	.help = "the service manager starts what the link `current` names",
	.open = boot_open_nothing,
	.close = boot_close_nothing,
	.look = symlink_look,
	.try_next = symlink_try_next,
	.confirm = symlink_confirm,
	.go_back = symlink_go_back,
	.list = symlink_list,
};
