/* The power is cut at every operation that the whole agent makes on its disk, in updates and on the
 * ways back; then the machine starts again with what the disk has, and must come to a good end.
 *
 * One line of numbers per scenario. BACKSTAY_LONG=1 tries more of what a disk may have kept, and
 * cuts a second time on the way out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/log.h"
#include "tests/lib/crashfs.h"
#include "tests/lib/expect.h"
#include "tests/lib/simdev.h"

#define SEED_KILL  UINT64_MAX /* the process is killed, the machine stays up */
#define STARTS_MAX 8          /* of an agent whose disk fails */
#define SHOWN      5          /* violations that are printed */

enum slot_kind { SLOTS_DIR, SLOTS_RAW };
enum order { ORDER_INSTALL, ORDER_ROLLBACK };

struct scenario {
	const char *name;
	const char *before[3]; /* releases installed one after the other, "" at the end */
	const char *wanted;
	enum order order;
	bool may_stay; /* does a good end run the wanted release? */
	enum slot_kind slots;
	bool long_only;
};

static const struct scenario scenarios[] = {
	{"first install", {""}, "sim-1", ORDER_INSTALL, true, SLOTS_DIR, false},
	{"update", {"sim-1", ""}, "sim-2", ORDER_INSTALL, true, SLOTS_DIR, false},
	{"update over an older one", {"sim-1", "sim-2", ""}, "sim-3", ORDER_INSTALL, true,
		SLOTS_DIR, false},
	{"trigger in the soak", {"sim-1", ""}, "sim-errs", ORDER_INSTALL, false, SLOTS_DIR, false},
	{"failing smoke test", {"sim-1", ""}, "sim-smoke", ORDER_INSTALL, false, SLOTS_DIR, false},
	{"does not start", {"sim-1", ""}, "sim-dead", ORDER_INSTALL, false, SLOTS_DIR, false},
	{"fleet rollback", {"sim-1", "sim-2", ""}, "sim-1", ORDER_ROLLBACK, true, SLOTS_DIR, false},
	{"image over an older one", {"img-1", "img-2", ""}, "img-3", ORDER_INSTALL, true, SLOTS_RAW,
		false},
	{"image fails in the soak", {"img-1", ""}, "img-errs", ORDER_INSTALL, false, SLOTS_RAW,
		false},
	{"first image", {""}, "img-1", ORDER_INSTALL, true, SLOTS_RAW, true},
	{"fleet rollback of an image", {"img-1", "img-2", ""}, "img-1", ORDER_ROLLBACK, true,
		SLOTS_RAW, true},
};

struct lab {
	struct sim_vendor vendor;
	bool is_long;
	unsigned turn; /* of the scenario */
	unsigned cuts, failures, ends_new, ends_old, violations;
};

static bool is_lost(void *ctx)
{
	return crashfs_is_cut(ctx);
}

static const struct sim_release *find(struct lab *l, const char *id)
{
	for (unsigned i = 0; i < l->vendor.n; i++)
		if (strcmp(l->vendor.rel[i].id.s, id) == 0)
			return &l->vendor.rel[i];
	fail_msg("no release %s", id);
	return NULL;
}

/* ---- one run ---- */

struct trial {
	const struct scenario *s;
	const struct simdev *image; /* as it was before, without an agent */
	const struct crashfs *disk;
};

struct fault {
	uint64_t cut, seed;   /* 0: none */
	uint64_t again;       /* second cut, so many operations after the first; 0: none */
	uint64_t fail, times; /* operation that fails, 0: none */
	int sys;
};

/* An agent that cannot start because its disk fails is started again by the service manager. */
static void run_agent(struct simdev *d, struct crashfs *c)
{
	struct err e;

	for (unsigned i = 0; i < STARTS_MAX; i++) {
		if (simdev_start_agent(d, &e) == 0) {
			simdev_run(d, NULL, is_lost, c);
			return;
		}
		if (crashfs_is_cut(c))
			return;
	}
	simdev_blame(d, "the agent does not start: %s", e.text);
}

static void run_machine(struct simdev *d, struct crashfs *c)
{
	simdev_power_up(d);
	run_agent(d, c);
}

static void go_on(struct simdev *d, struct crashfs *c, uint64_t seed, uint64_t again)
{
	simdev_stop_agent(d);
	if (seed == SEED_KILL)
		crashfs_revive(c);
	else
		crashfs_reboot(c, seed);
	simdev_check_marks(d);
	crashfs_reset_ops(c);
	crashfs_cut_at(c, again);
	(seed == SEED_KILL ? run_agent : run_machine)(d, c);
}

static void check_end(struct lab *l, const struct trial *t, const struct fault *f, struct simdev *d)
{
	const struct sim_release *is, *want = find(l, t->s->wanted);

	simdev_check_rest(d);
	is = simdev_content(d, simdev_active(d));
	if (is == want)
		l->ends_new++;
	else
		l->ends_old++;
	if (is == want && !t->s->may_stay)
		simdev_blame(d, "%s is bad and stayed", want->id.s);
	if (is != want && t->s->before[0][0] && !is)
		simdev_blame(d, "nothing runs any more");
	/* Power cuts are nobody's fault: one or two do not cost a good release. */
	if (is != want && t->s->may_stay && !f->fail)
		simdev_blame(d, "%s is good and was given up", want->id.s);
}

static void show(struct lab *l, const struct trial *t, const struct fault *f,
	const struct simdev *d, const char *last)
{
	if (l->violations++ >= SHOWN)
		return;
	printf("%s: cut %llu seed %llu again %llu fail %llu (%s): %s\n", t->s->name,
		(unsigned long long)f->cut, (unsigned long long)f->seed,
		(unsigned long long)f->again, (unsigned long long)f->fail, last, d->violation);
}

/* Returns the number of operations of the first life. */
static uint64_t try(struct lab *l, const struct trial *t, const struct fault *f)
{
	struct crashfs *c = crashfs_dup(t->disk);
	struct simdev d = *t->image;
	char last[160];

	simdev_adopt(&d, crashfs_fs(c));
	simdev_want(&d, find(l, t->s->wanted), t->s->order == ORDER_ROLLBACK);
	crashfs_cut_at(c, f->cut);
	if (f->fail)
		crashfs_fail_at(c, f->fail, f->times, f->sys);
	run_machine(&d, c);
	uint64_t ops = crashfs_ops(c);

	snprintf(last, sizeof(last), "%s", crashfs_last_op(c));
	for (uint64_t again = f->again; crashfs_is_cut(c); again = 0)
		go_on(&d, c, f->seed, again);
	if (d.agent)
		check_end(l, t, f, &d);
	else
		simdev_blame(&d, "there is no agent");
	if (d.violation[0])
		show(l, t, f, &d, last);
	simdev_fini(&d);
	crashfs_free(&c);
	return ops;
}

/* ---- campaigns ---- */

static void prepare(struct lab *l, const struct scenario *s, struct simdev *d, struct crashfs *c)
{
	simdev_init(d, crashfs_fs(c), &l->vendor, 7);
	if (s->slots == SLOTS_RAW)
		simdev_use_raw(d);
	for (unsigned i = 0; s->before[i][0]; i++) {
		simdev_want(d, find(l, s->before[i]), false);
		run_machine(d, c);
		simdev_check_rest(d);
		expect_text(d->violation, "");
		assert_ptr_equal(simdev_content(d, simdev_active(d)), find(l, s->before[i]));
		simdev_stop_agent(d);
	}
	crashfs_settle(c);
	crashfs_reset_ops(c);
}

/* Seeds 0 and 1 are the extremes of what a disk may have kept. The short form takes turns between
 * them, something in between, and the agent killed alone. */
static void cut_everywhere(struct lab *l, const struct trial *t, uint64_t ops)
{
	for (uint64_t cut = 1; cut <= ops; cut++) {
		const uint64_t seeds[] = {0, 1, SEED_KILL, 2 + cut, 2, 3, 4, 5};

		for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
			if (!l->is_long && i != (cut + l->turn) % 4)
				continue;
			(void)try(l, t, &(struct fault){.cut = cut, .seed = seeds[i]});
			l->cuts++;
		}
	}
}

static void cut_twice(struct lab *l, const struct trial *t, uint64_t ops)
{
	for (uint64_t cut = 1; cut <= ops; cut += 3)
		for (uint64_t again = 1; again <= ops; again += 5, l->cuts += 2)
			(void)try(l, t,
				&(struct fault){
					.cut = cut, .seed = cut * ops + again + 2, .again = again});
}

static void fail_everywhere(struct lab *l, const struct trial *t, uint64_t ops)
{
	for (uint64_t n = 1 + l->turn % 2; n <= ops; n += l->is_long ? 1 : 2)
		for (unsigned i = 0; i < (l->is_long ? 4U : 1U); i++, l->failures++)
			(void)try(l, t,
				&(struct fault){.fail = n,
					.times = 1 + (n + i) % 3,
					.sys = (n / 2 + i / 2) % 2 ? EIO : ENOSPC});
}

static void run_scenario(struct lab *l, const struct scenario *s)
{
	struct crashfs *disk = crashfs_new();
	struct simdev image;

	prepare(l, s, &image, disk);
	struct trial t = {.s = s, .image = &image, .disk = disk};
	unsigned cuts = l->cuts;

	l->ends_new = l->ends_old = 0;
	uint64_t ops = try(l, &t, &(struct fault){0});

	assert_int_equal(l->violations, 0);
	assert_int_equal(l->ends_new, s->may_stay);
	cut_everywhere(l, &t, ops);
	if (l->is_long)
		cut_twice(l, &t, ops);
	fail_everywhere(l, &t, ops);
	printf("%s: %llu operations, %u cuts; ended on the new release %u times, on the old one "
	       "%u\n",
		s->name, (unsigned long long)ops, l->cuts - cuts, l->ends_new, l->ends_old);
	crashfs_free(&disk);
}

static void the_power_goes_at_every_operation(void **state UNUSED)
{
	struct lab l = {.is_long = getenv("BACKSTAY_LONG") != NULL};

	log_init("test_power", LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	sim_vendor_init(&l.vendor);
	sim_vendor_make(&l.vendor, "sim-1", 1, SIM_GOOD);
	sim_vendor_make(&l.vendor, "sim-2", 2, SIM_GOOD);
	sim_vendor_make(&l.vendor, "sim-3", 3, SIM_GOOD);
	sim_vendor_make(&l.vendor, "sim-errs", 3, SIM_ERRS);
	sim_vendor_make(&l.vendor, "sim-smoke", 3, SIM_FAILS_SMOKE);
	sim_vendor_make(&l.vendor, "sim-dead", 3, SIM_NO_START);
	sim_vendor_make_image(&l.vendor, "img-1", 1, SIM_GOOD);
	sim_vendor_make_image(&l.vendor, "img-2", 2, SIM_GOOD);
	sim_vendor_make_image(&l.vendor, "img-3", 3, SIM_GOOD);
	sim_vendor_make_image(&l.vendor, "img-errs", 3, SIM_ERRS);
	for (; l.turn < ARRAY_LEN(scenarios); l.turn++)
		if (l.is_long || !scenarios[l.turn].long_only)
			run_scenario(&l, &scenarios[l.turn]);
	printf("== power cuts: %u cuts and %u failed operations in %zu scenarios, %u violations\n",
		l.cuts, l.failures, ARRAY_LEN(scenarios), l.violations);
	assert_int_equal(l.violations, 0);
	sim_vendor_fini(&l.vendor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_power_goes_at_every_operation)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
