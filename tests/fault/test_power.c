/* The power is cut at every operation that the whole agent makes on its disk, in updates and on the
 * ways back; then the machine starts again with what the disk has, and must come to a good end.
 *
 * One line of numbers per scenario. BACKSTAY_LONG=1 tries more of what a disk may have kept, and
 * cuts a second time on the way out, in two processes that share the work; what they are at is
 * written to the descriptor BACKSTAY_PROGRESS. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/expect.h"
#include "tests/lib/lab.h"

#define WORKERS   2 /* of the long form */
#define SCENARIOS 64

struct tally {
	unsigned cuts, failures, ends_new, ends_old, violations;
	uint64_t ops;
};

struct campaign {
	struct lab lab;
	unsigned turn; /* of the scenario */
	unsigned worker, shares;
	uint64_t serial; /* of the trial; each share of them has its turn */
	struct tally *tally;
};

struct fault {
	uint64_t cut, seed;         /* 0: none */
	uint64_t again, seed_again; /* second cut, so many operations after the first; 0: none */
	uint64_t fail, times;       /* operation that fails, 0: none */
	int sys;
};

static bool is_mine(struct campaign *k)
{
	return k->serial++ % k->shares == k->worker;
}

/* Returns the number of operations of the first life. */
static uint64_t try(struct campaign *k, const struct lab_start *t, const struct fault *f)
{
	uint64_t seed = f->seed, again = f->again;
	struct lab_life x;
	char what[400], last[160];

	lab_enter(&k->lab, t, &x);
	crashfs_cut_at(x.disk, f->cut);
	if (f->fail)
		crashfs_fail_at(x.disk, f->fail, f->times, f->sys);
	lab_run_machine(&x);
	uint64_t ops = crashfs_ops(x.disk);

	snprintf(last, sizeof(last), "%s", crashfs_last_op(x.disk));
	for (; crashfs_is_cut(x.disk); again = 0, seed = f->seed_again)
		lab_go_on(&x, seed, again);
	bool is_new = lab_check_end(&x, !f->fail);

	k->tally->ends_new += is_new;
	k->tally->ends_old += !is_new;
	snprintf(what, sizeof(what), "cut %llu seed %llu again %llu seed %llu fail %llu (%s)",
		(unsigned long long)f->cut, (unsigned long long)f->seed,
		(unsigned long long)f->again, (unsigned long long)f->seed_again,
		(unsigned long long)f->fail, last);
	lab_leave(&x, what);
	return ops;
}

/* Seeds 0 and 1 are the extremes of what a disk may have kept. The short form takes turns between
 * them, something in between, and the agent killed alone. */
static void cut_everywhere(struct campaign *k, const struct lab_start *t, uint64_t ops)
{
	for (uint64_t cut = 1; cut <= ops; cut++) {
		const uint64_t seeds[] = {0, 1, LAB_KILL, 2 + cut, 2, 3, 4, 5};

		for (size_t i = 0; i < ARRAY_LEN(seeds); i++) {
			if ((!k->lab.is_long && i != (cut + k->turn) % 4) || !is_mine(k))
				continue;
			(void)try(k, t, &(struct fault){.cut = cut, .seed = seeds[i]});
			k->tally->cuts++;
		}
	}
}

static void cut_twice(struct campaign *k, const struct lab_start *t, uint64_t ops)
{
	for (uint64_t cut = 1; cut <= ops; cut += 4)
		for (uint64_t again = 1 + cut % 7; again <= ops; again += 7) {
			uint64_t seed = cut * ops + again + 2;

			if (!is_mine(k))
				continue;
			(void)try(k, t,
				&(struct fault){.cut = cut,
					.seed = seed % 7 == 0 ? LAB_KILL : seed,
					.again = again,
					.seed_again = seed % 5 == 0 ? LAB_KILL : seed / 2});
			k->tally->cuts += 2;
		}
}

static void fail_everywhere(struct campaign *k, const struct lab_start *t, uint64_t ops)
{
	bool is_long = k->lab.is_long;

	for (uint64_t n = 1 + k->turn % 2; n <= ops; n += is_long ? 1 : 2)
		for (unsigned i = 0; i < (is_long ? 4U : 1U); i++) {
			if (!is_mine(k))
				continue;
			(void)try(k, t,
				&(struct fault){.fail = n,
					.times = 1 + (n + i) % 3,
					.sys = (n / 2 + i / 2) % 2 ? EIO : ENOSPC});
			k->tally->failures++;
		}
}

static void report_progress(const struct campaign *k, const char *name)
{
	const char *fd = getenv("BACKSTAY_PROGRESS");

	if (fd)
		dprintf(atoi(fd),
			"power cuts: %s: %u cuts, %u failed operations by process %u, %u "
			"violations\n",
			name, k->tally->cuts, k->tally->failures, k->worker, k->lab.violations);
}

static void run_scenario(struct campaign *k, const struct lab_scenario *s)
{
	struct lab_start t;

	lab_start_init(&k->lab, s, &t);
	uint64_t ops = try(k, &t, &(struct fault){0});

	assert_int_equal(k->lab.violations, 0);
	assert_int_equal(k->tally->ends_new, s->may_stay);
	k->tally->ops = ops;
	cut_everywhere(k, &t, ops);
	if (k->lab.is_long)
		cut_twice(k, &t, ops);
	fail_everywhere(k, &t, ops);
	report_progress(k, s->name);
	lab_start_fini(&t);
}

static bool is_run(const struct lab *l, const struct lab_scenario *s)
{
	return l->is_long || !s->long_only;
}

static void work(const struct lab *l, unsigned worker, unsigned shares, struct tally *tally)
{
	struct campaign k = {.lab = *l, .worker = worker, .shares = shares};

	for (; k.turn < lab_n_scenarios; k.turn++) {
		k.tally = &tally[k.turn];
		k.lab.violations = 0;
		if (is_run(l, &lab_scenarios[k.turn]))
			run_scenario(&k, &lab_scenarios[k.turn]);
		k.tally->violations = k.lab.violations;
	}
}

/* The rest of the test runs in the first of them, so a child that dies is a test that fails. */
static void share_work(const struct lab *l, unsigned workers, struct tally (*tally)[SCENARIOS])
{
	unsigned shares = workers * campaign_every();

	pid_t child[WORKERS];

	fflush(stdout);
	for (unsigned i = 1; i < workers; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0) {
			work(l, i, shares, tally[i]);
			fflush(stdout);
			_exit(0);
		}
	}
	work(l, 0, shares, tally[0]);
	for (unsigned i = 1; i < workers; i++) {
		int status;

		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
	}
}

static struct tally sum_up(struct tally (*tally)[SCENARIOS], unsigned workers, unsigned s)
{
	struct tally sum = {.ops = tally[0][s].ops};

	for (unsigned i = 0; i < workers; i++) {
		sum.cuts += tally[i][s].cuts;
		sum.failures += tally[i][s].failures;
		sum.ends_new += tally[i][s].ends_new;
		sum.ends_old += tally[i][s].ends_old;
		sum.violations += tally[i][s].violations;
	}
	return sum;
}

static void the_power_goes_at_every_operation(void **state UNUSED)
{
	struct tally all = {0};
	struct lab l;
	unsigned n = 0;

	lab_init(&l, "test_power");
	unsigned workers = l.is_long ? WORKERS : 1;
	struct tally(*tally)[SCENARIOS] = mmap(NULL, WORKERS * sizeof(*tally),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(tally, MAP_FAILED);
	assert_true(lab_n_scenarios <= SCENARIOS);
	share_work(&l, workers, tally);
	for (unsigned s = 0; s < lab_n_scenarios; s++) {
		struct tally sum = sum_up(tally, workers, s);

		if (!is_run(&l, &lab_scenarios[s]))
			continue;
		n++;
		printf("%s: %llu operations, %u cuts; ended on the new release %u times, on the "
		       "old one %u\n",
			lab_scenarios[s].name, (unsigned long long)sum.ops, sum.cuts, sum.ends_new,
			sum.ends_old);
		all.cuts += sum.cuts;
		all.failures += sum.failures;
		all.violations += sum.violations;
	}
	printf("== power cuts: %u cuts and %u failed operations in %u scenarios, %u violations\n",
		all.cuts, all.failures, n, all.violations);
	assert_int_equal(all.violations, 0);
	munmap(tally, WORKERS * sizeof(*tally));
	lab_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_power_goes_at_every_operation)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
