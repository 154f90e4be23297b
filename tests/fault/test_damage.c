/* The whole agent over state files that were damaged: every file of its home, with bytes flipped,
 * cut short, zeroed, prolonged, replaced by an older copy, or gone; at rest, in the soak, on the
 * way back, and when a release that has failed here is ordered again. The device comes to a good
 * end with what the other files know, or says what is wrong and leaves what runs as it is.
 *
 * What lies in the slots is not damaged here: a slot that is read back says so (agent/slot), and
 * the one that runs is the workload's.
 *
 * BACKSTAY_LONG=1 flips every byte; the short form some of each file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/journal/journal.h"
#include "tests/lib/expect.h"
#include "tests/lib/lab.h"

#define FILES_MAX  96
#define FILE_BYTES 65536
#define FLIPS      9    /* of each file, in the short form */
#define FLIPS_LONG 1500 /* of files that are longer: so many of their bytes */

static struct lab lab;

struct file {
	char path[160];
	bool is_link;
};

/* ---- where it begins ---- */

static const struct point {
	const char *name;
	struct lab_scenario s;
	enum upd_state stop_in; /* IDLE: before the order comes */
} points[] = {
	{"at rest",
		{"damage", {"sim-1", "sim-errs", ""}, "sim-3", LAB_INSTALL, true, LAB_DIR, false,
			false},
		UPD_IDLE},
	{"in the soak",
		{"damage", {"sim-1", "sim-errs", ""}, "sim-3", LAB_INSTALL, true, LAB_DIR, false,
			false},
		UPD_SOAKING},
	{"on the way back",
		{"damage", {"sim-1", ""}, "sim-errs", LAB_INSTALL, false, LAB_DIR, false, false},
		UPD_RESTORING},
	{"a failed one is ordered again",
		{"damage", {"sim-1", "sim-errs", ""}, "sim-errs", LAB_INSTALL, false, LAB_DIR,
			false, false},
		UPD_IDLE},
};

static enum upd_state state_on(struct crashfs *c)
{
	struct upd_record r;
	struct err e;

	expect_ok(journal_peek(crashfs_fs(c), "journal", &r, &e), &e);
	return r.state;
}

/* The device at that point: the power went right after its record said so. */
static void freeze(const struct point *p, struct lab_start *out)
{
	bool is_there = p->stop_in == UPD_IDLE;

	lab_start_init(&lab, &p->s, out);
	for (uint64_t cut = 1; !is_there; cut++) {
		struct lab_life x;

		lab_enter(&lab, out, &x);
		crashfs_cut_at(x.disk, cut);
		lab_run_machine(&x);
		assert_true(crashfs_is_cut(x.disk));
		simdev_stop_agent(&x.dev);
		crashfs_reboot(x.disk, 1);
		crashfs_settle(x.disk);
		is_there = state_on(x.disk) == p->stop_in;
		if (!is_there) {
			lab_leave(&x, "the beginning");
			continue;
		}
		crashfs_free(&out->disk);
		out->disk = x.disk;
		out->image = x.dev;
	}
}

/* ---- the files ---- */

struct listing {
	struct fs *fs;
	const char *under;
	unsigned n;
	struct file v[FILES_MAX];
};

static void list_all(struct listing *l, const char *dir);

static int add(void *ctx, const char *name, enum fs_kind kind, struct err *e UNUSED)
{
	struct listing *l = ctx;
	char path[sizeof(l->v[0].path)];

	snprintf(path, sizeof(path), "%s%s%s", l->under, *l->under ? "/" : "", name);
	if (kind == FS_DIR && strncmp(path, "slots/", 6) != 0)
		list_all(l, path);
	if (kind != FS_FILE && kind != FS_SYMLINK)
		return 0;
	assert_true(l->n < FILES_MAX);
	memcpy(l->v[l->n].path, path, sizeof(path));
	l->v[l->n++].is_link = kind == FS_SYMLINK;
	return 0;
}

static void list_all(struct listing *l, const char *dir)
{
	const char *above = l->under;
	struct err e;

	l->under = dir;
	expect_ok(l->fs->ops->list(l->fs, dir, add, l, &e), &e);
	l->under = above;
}

static void write_raw(struct fs *fs, const char *path, const struct buf *bytes)
{
	struct err e;

	expect_ok(fs_write_file(fs, path, bytes->p, bytes->n, 0644, &e), &e);
}

/* ---- the damage ---- */

enum damage { FLIPPED, CUT, ZEROED, PROLONGED, OLDER, MISSING, DAMAGES };

static const char *const damage_names[] = {
	"a bit flipped", "cut short", "zeroed", "prolonged", "an older copy", "missing"};

/* False: there is no such damage of this file. `k` counts the places in it. */
static bool damage_file(
	struct fs *fs, struct fs *older, const struct file *f, enum damage how, size_t k)
{
	BUF_AUTO bytes = {0};
	struct err e;

	expect_ok(fs_read_file(fs, f->path, FILE_BYTES, &bytes, &e), &e);
	size_t flips = lab.is_long ? FLIPS_LONG : FLIPS;
	size_t places = how == FLIPPED ? MIN(bytes.n, flips) : how == CUT ? 3 : 1;

	if (k >= places)
		return false;
	switch (how) {
	case FLIPPED: {
		size_t at = bytes.n <= places ? k : k * bytes.n / places;

		bytes.p[at] = (char)(bytes.p[at] ^ 1 << (k % 8));
		break;
	}
	case CUT:
		bytes.n = k == 0 ? 0 : k == 1 ? bytes.n / 2 : bytes.n - (bytes.n > 0);
		break;
	case ZEROED:
		memset(bytes.p, 0, bytes.n);
		break;
	case PROLONGED:
		buf_add_str(&bytes, "more\n");
		break;
	case OLDER:
		buf_clear(&bytes);
		if (fs_read_file(older, f->path, FILE_BYTES, &bytes, NULL) < 0)
			return false;
		break;
	case MISSING:
		expect_ok(fs->ops->unlink(fs, f->path, &e), &e);
		return true;
	case DAMAGES:
		break;
	}
	write_raw(fs, f->path, &bytes);
	return true;
}

static bool damage_link(struct fs *fs, const struct file *f, enum damage how, size_t k)
{
	struct err e;

	if (k > 0 || (how != FLIPPED && how != MISSING))
		return false;
	if (how == MISSING)
		expect_ok(fs->ops->unlink(fs, f->path, &e), &e);
	else
		expect_ok(fs_replace_symlink(fs, "slots/q", f->path, &e), &e);
	return true;
}

/* ---- one run ---- */

static unsigned outcomes_of(const struct simdev *d, const char *release)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->server.n_reports; i++)
		n += d->server.report[i].kind == REPORT_OUTCOME &&
		     strcmp(d->server.report[i].target, release) == 0;
	return n;
}

/* A pointer that is no pointer is a person's business; the release that ran is left as it is. */
static void check_left_alone(struct lab_life *x, const struct lab_start *t)
{
	struct simdev before = t->image;

	before.disk = crashfs_fs(t->disk);
	unsigned ran = simdev_active(&before);

	if (simdev_content(&before, ran) != simdev_content(&x->dev, ran))
		simdev_blame(&x->dev, "slot %s was changed", slot_name(ran));
}

static unsigned left;

static bool is_enough(const struct simdev *d UNUSED)
{
	return left-- == 0;
}

static bool try(const struct point *p, const struct lab_start *t, struct crashfs *older,
	const struct file *f, enum damage how, size_t k)
{
	struct lab_life x;
	struct err e = {0};
	char what[300];

	lab_enter(&lab, t, &x);
	struct fs *fs = crashfs_fs(x.disk);

	if (f->is_link ? !damage_link(fs, f, how, k)
		       : !damage_file(fs, crashfs_fs(older), f, how, k)) {
		lab_leave(&x, "nothing");
		return false;
	}
	crashfs_settle(x.disk);
	simdev_power_up(&x.dev);
	if (simdev_start_agent(&x.dev, &e) < 0) {
		simdev_blame(&x.dev, "the agent does not start: %s", e.text);
	} else if (f->is_link) {
		left = 200;
		simdev_run(&x.dev, is_enough, NULL, NULL);
		check_left_alone(&x, t);
	} else {
		simdev_run(&x.dev, NULL, NULL, NULL);
		lab_check_end(&x, false);
		if (outcomes_of(&x.dev, "sim-errs") > 1)
			simdev_blame(&x.dev, "a release in quarantine was tried again");
	}
	snprintf(what, sizeof(what), "%s, %s: %s, %zu", p->name, f->path, damage_names[how], k);
	lab_leave(&x, what);
	return true;
}

static unsigned damage_all(const struct point *p)
{
	struct crashfs *older;
	struct lab_start t, first;
	struct listing files = {.under = ""};
	unsigned tried = 0;

	lab_start_init(
		&lab, &(struct lab_scenario){.before = {"sim-1", ""}, .wanted = "sim-2"}, &first);
	older = first.disk;
	freeze(p, &t);
	files.fs = crashfs_fs(t.disk);
	list_all(&files, "");
	for (unsigned i = 0; i < files.n; i++)
		for (enum damage how = 0; how < DAMAGES; how++)
			for (size_t k = 0; try(p, &t, older, &files.v[i], how, k); k++)
				tried++;
	printf("%s: %u files, damaged in %u ways\n", p->name, files.n, tried);
	lab_start_fini(&t);
	lab_start_fini(&first);
	return tried;
}

static void damaged_files_are_survived(void **state UNUSED)
{
	unsigned tried = 0;

	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		tried += damage_all(&points[i]);
	printf("== %u damaged state files, %u violations\n", tried, lab.violations);
	assert_int_equal(lab.violations, 0);
}

/* Both copies of the record are more than any power cut takes. */
static void without_a_record_it_waits_for_a_person(void **state UNUSED)
{
	struct lab_start t;
	struct lab_life x;
	struct err e = {0};

	freeze(&points[0], &t);
	lab_enter(&lab, &t, &x);
	for (unsigned i = 0; i < 2; i++) {
		struct file f = {.path = "journal/state.0"};

		f.path[strlen(f.path) - 1] = (char)('0' + i);
		assert_true(damage_file(crashfs_fs(x.disk), NULL, &f, ZEROED, 0));
	}
	simdev_power_up(&x.dev);
	assert_int_equal(simdev_start_agent(&x.dev, &e), -ERR_NEED_HAND);
	assert_true(x.dev.work.alive);
	check_left_alone(&x, &t);
	expect_text(x.dev.violation, "");
	lab_leave(&x, "no record");
	lab_start_fini(&t);
}

static int make(void **state UNUSED)
{
	lab_init(&lab, "test_damage");
	return 0;
}

static int clean(void **state UNUSED)
{
	lab_fini(&lab);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged_files_are_survived),
		cmocka_unit_test(without_a_record_it_waits_for_a_person),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
