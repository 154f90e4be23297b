/* The power is cut at every operation while the way back is read: a rotten one ends invalid and is
 * told, a whole one stays, whatever the disk has kept; what runs is never touched. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/simdev.h"

struct lab {
	struct sim_vendor vendor;
	const struct sim_release *rel[2][2]; /* dir, raw */
};

struct trial {
	struct simdev image; /* without an agent */
	struct crashfs *disk;
	bool rotten;
};

static void start(struct simdev *d)
{
	struct err e;

	simdev_power_up(d);
	(void)!simdev_start_agent(d, &e); /* fails when the power goes meanwhile */
}

static void run_for(struct simdev *d, struct crashfs *c, ms_t span)
{
	ms_t end = d->now + span;

	while (d->agent && d->now < end && !crashfs_is_cut(c)) {
		agent_run(d->agent);
		d->now = MAX(d->now + 1, d->booted + d->wake);
	}
}

static void rot(struct crashfs *c, const char *path)
{
	struct fs *fs = crashfs_fs(c);
	struct err e;
	int fd;

	expect_ok(fs->ops->open(fs, path, FS_WRITE, &fd, &e), &e);
	expect_ok(fs->ops->pwrite(fs, fd, "R", 1, 0, &e), &e);
	expect_ok(fs->ops->close(fs, fd, &e), &e);
}

static void prepare(struct lab *l, struct trial *t, bool raw)
{
	struct simdev *d = &t->image;

	t->disk = crashfs_new();
	simdev_init(d, crashfs_fs(t->disk), &l->vendor, 3);
	if (raw)
		simdev_use_raw(d);
	for (unsigned i = 0; i < 2; i++) {
		simdev_want(d, l->rel[raw][i], false);
		start(d);
		simdev_run(d, NULL, NULL, NULL);
		simdev_check_rest(d);
		expect_text(d->violation, "");
		simdev_stop_agent(d);
	}
	if (t->rotten)
		rot(t->disk, raw ? "dev-a" : "slots/a/models/eng/id");
	d->conf.agent.scrub_interval = MINUTE(1);
	crashfs_settle(t->disk);
}

static unsigned alerts(const struct simdev *d)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->server.n_reports; i++)
		n += d->server.report[i].kind == REPORT_CONDITION &&
		     d->server.report[i].code == ERR_ALTERED;
	return n;
}

static bool is_valid(const struct simdev *d, unsigned slot)
{
	struct fs_stat st;
	char path[32];
	struct err e;

	snprintf(path, sizeof path, "%s.status", slot_path(slot));
	expect_ok(d->disk->ops->stat(d->disk, path, &st, &e), &e);
	return st.kind == FS_FILE;
}

/* Returns the number of operations of the first life. */
static uint64_t try(const struct trial *t, uint64_t cut, uint64_t seed)
{
	struct crashfs *c = crashfs_dup(t->disk);
	struct simdev d = t->image;

	simdev_adopt(&d, crashfs_fs(c));
	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	start(&d);
	run_for(&d, c, MINUTE(3));
	uint64_t ops = crashfs_ops(c);

	if (crashfs_is_cut(c)) {
		simdev_stop_agent(&d);
		crashfs_reboot(c, seed);
		start(&d);
		run_for(&d, c, MINUTE(4));
	}
	simdev_check_rest(&d);
	expect_text(d.violation, "");
	if (is_valid(&d, 0) == t->rotten || !is_valid(&d, 1))
		fail_msg("cut %llu seed %llu: marks %d %d", (unsigned long long)cut,
			(unsigned long long)seed, is_valid(&d, 0), is_valid(&d, 1));
	/* Once, or once more when the power went before it was noted that it was told. */
	if (t->rotten ? alerts(&d) < 1 || alerts(&d) > 2 : alerts(&d) > 0)
		fail_msg("cut %llu seed %llu: %u alerts", (unsigned long long)cut,
			(unsigned long long)seed, alerts(&d));
	simdev_fini(&d);
	crashfs_free(&c);
	return ops;
}

static void the_power_goes_while_the_way_back_is_read(void **state)
{
	struct lab *l = *state;

	for (unsigned i = 0; i < 4; i++) {
		struct trial t = {.rotten = i % 2};
		unsigned tried = 0;

		prepare(l, &t, i / 2);
		uint64_t ops = try(&t, 0, 0);

		for (uint64_t cut = 1; cut <= ops; cut++)
			for (uint64_t seed = 0; seed < 3; seed++, tried++)
				(void)try(&t, cut, seed == 2 ? cut + 2 : seed);
		printf("== scrub of a %s %s: %u cuts, %llu operations\n",
			t.rotten ? "rotten" : "whole", i / 2 ? "device" : "folder", tried,
			(unsigned long long)ops);
		crashfs_free(&t.disk);
	}
}

static int lab_open(void **state)
{
	struct lab *l = mem_new(sizeof *l);

	log_init("test_scrub_power", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	sim_vendor_init(&l->vendor);
	l->rel[0][0] = sim_vendor_make(&l->vendor, "sim-1", 1, SIM_GOOD);
	l->rel[0][1] = sim_vendor_make(&l->vendor, "sim-2", 2, SIM_GOOD);
	l->rel[1][0] = sim_vendor_make_image(&l->vendor, "img-1", 1, SIM_GOOD);
	l->rel[1][1] = sim_vendor_make_image(&l->vendor, "img-2", 2, SIM_GOOD);
	*state = l;
	return 0;
}

static int lab_close(void **state)
{
	struct lab *l = *state;

	sim_vendor_fini(&l->vendor);
	mem_free(state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
		the_power_goes_while_the_way_back_is_read, lab_open, lab_close)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
