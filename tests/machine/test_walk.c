/* Visits every world that the update machine can get into, with power cuts, restarts of the agent
 * and failing calls before any micro-step, and an order from outside at any time. Looks for broken
 * laws, for dead ends and for cycles without a fault. Then makes mistakes on purpose and looks
 * whether they are found. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/prng.h"
#include "tests/lib/world.h"

#define FAULTS      4
#define FAULTS_SEED 2 /* enough to find a mistake */
#define ORDERS      1

/* Worlds, numbered as they are found, and the numbers of those that follow without fate. */
struct walk {
	struct world *v;
	uint32_t n, cap;
	uint32_t *table; /* open addressing; number + 1 */
	uint32_t table_size;
	uint32_t *first, *next; /* next[first[i] .. first[i + 1]) */
	uint32_t n_next, cap_next;
	unsigned faults;
	bool broken; /* the way back */
	uint32_t violations, dead_ends, cycles;
	uint32_t ends[WORLD_MODE_MAX][WORLD_RELEASE_MAX][3];
	const char *law;
};

static uint32_t *place(struct walk *k, const struct world *w)
{
	uint32_t i = (uint32_t)hash64(1, w, sizeof *w) & (k->table_size - 1);

	while (k->table[i] && memcmp(&k->v[k->table[i] - 1], w, sizeof *w) != 0)
		i = (i + 1) & (k->table_size - 1);
	return &k->table[i];
}

static void grow(struct walk *k)
{
	k->cap = k->cap ? 2 * k->cap : 1 << 12;
	k->v = mem_resize(k->v, k->cap * sizeof *k->v);
	k->first = mem_resize(k->first, (k->cap + 1) * sizeof *k->first);
	k->table_size = 2 * k->cap;
	free(k->table);
	k->table = mem_new(k->table_size * sizeof *k->table);
	for (uint32_t i = 0; i < k->n; i++)
		*place(k, &k->v[i]) = i + 1;
}

static uint32_t number_of(struct walk *k, const struct world *w)
{
	uint32_t *at;

	if (k->n == k->cap)
		grow(k);
	at = place(k, w);
	if (!*at) {
		k->v[k->n++] = *w;
		*at = k->n;
	}
	return *at - 1;
}

static void connect(struct walk *k, uint32_t to)
{
	if (k->n_next == k->cap_next) {
		k->cap_next = k->cap_next ? 2 * k->cap_next : 1 << 13;
		k->next = mem_resize(k->next, k->cap_next * sizeof *k->next);
	}
	k->next[k->n_next++] = to;
}

static void violated(struct walk *k, const char *law)
{
	k->violations++;
	if (!k->law)
		k->law = law;
}

static bool is_given_up_by_loader(const struct world *w)
{
	return w->mode == WORLD_BOOT &&
	       (w->release == WORLD_NO_BOOT || w->release == WORLD_PANICS ||
		       w->release == WORLD_HANGS);
}

static void note_end(struct walk *k, const struct world *w)
{
	bool undisturbed = w->faults == k->faults && w->orders == ORDERS;
	unsigned end = w->state == UPD_STUCK ? 2 : w->why == ERR_OK ? 0 : 1;

	k->ends[w->mode][w->release][end]++;
	if (undisturbed && w->release == WORLD_GOOD && w->active == 0 && w->why != ERR_ALTERED)
		violated(k, "a good release was not accepted, without any fault");
	if (undisturbed && is_given_up_by_loader(w) && w->why != ERR_ALTERED &&
		w->cause != TRIG_BOOT_FAILED)
		violated(k, "the boot loader gave it up, and the cause is another");
}

static void visit(struct walk *k, uint32_t i, enum world_mistake mistake)
{
	struct world w = k->v[i];
	struct world_next next;
	const char *law = world_check(&w);
	bool goes_on = false;

	k->first[i] = k->n_next;
	if (law)
		violated(k, law);
	if (world_is_over(&w)) {
		note_end(k, &w);
		return;
	}
	law = world_step(&w, mistake, &next);
	if (law)
		violated(k, law);
	for (unsigned j = 0; j < next.n; j++) {
		uint32_t to = number_of(k, &next.v[j].w);

		if (next.v[j].by_fate)
			continue;
		goes_on = true;
		connect(k, to);
	}
	k->dead_ends += !goes_on;
}

/* Depth first, without recursion: an edge to a world that is still open closes a cycle. */
static void find_cycles(struct walk *k)
{
	enum { NEW, OPEN, DONE };
	uint8_t *color = mem_new(k->n);
	uint32_t *stack = mem_new(k->n * sizeof *stack), *at = mem_new(k->n * sizeof *at);

	for (uint32_t root = 0; root < k->n; root++) {
		uint32_t depth = 0;

		if (color[root] != NEW)
			continue;
		stack[depth++] = root;
		color[root] = OPEN;
		at[root] = k->first[root];
		while (depth > 0) {
			uint32_t here = stack[depth - 1], to;

			if (at[here] == k->first[here + 1]) {
				color[here] = DONE;
				depth--;
				continue;
			}
			to = k->next[at[here]++];
			if (color[to] == OPEN)
				k->cycles++;
			if (color[to] != NEW)
				continue;
			color[to] = OPEN;
			at[to] = k->first[to];
			stack[depth++] = to;
		}
	}
	free(color);
	free(stack);
	free(at);
}

/* What a boot loader has started is known from where it started, and it never starts nothing. */
static void begin(
	struct walk *k, enum world_mode mode, enum world_release r, bool tells_slot, bool first)
{
	struct world w;

	world_init(&w, mode, r, tells_slot, k->faults, ORDERS);
	w.first = first;
	w.broken = k->broken;
	number_of(k, &w);
}

static void walk_all(struct walk *k, enum world_mistake mistake)
{
	for (unsigned r = 0; r < WORLD_RELEASE_MAX; r++) {
		begin(k, WORLD_BOOT, r, true, false);
		for (unsigned i = 0; i < 4 && world_is_modelled(WORLD_DIR, r); i++)
			begin(k, WORLD_DIR, r, i & 1, i & 2);
	}
	for (uint32_t i = 0; i < k->n; i++)
		visit(k, i, mistake);
	k->first[k->n] = k->n_next;
	find_cycles(k);
}

static void walk(struct walk *k, enum world_mistake mistake, unsigned faults)
{
	*k = (struct walk){.faults = faults};
	walk_all(k, mistake);
}

static void walk_fini(struct walk *k)
{
	free(k->v);
	free(k->table);
	free(k->first);
	free(k->next);
}

static void print_ends(const struct walk *k)
{
	static const char *const modes[] = {"directory slots", "boot loader"};

	for (unsigned mode = 0; mode < WORLD_MODE_MAX; mode++)
		for (unsigned r = 0; r < WORLD_RELEASE_MAX; r++)
			printf("   %-15s %-38s committed %5u  not %6u  stuck %u\n", modes[mode],
				world_release_text(r), k->ends[mode][r][0], k->ends[mode][r][1],
				k->ends[mode][r][2]);
}

static void every_world_is_lawful(void **state)
{
	struct walk k;

	(void)state;
	walk(&k, WORLD_MISTAKE_NONE, FAULTS);
	print_ends(&k);
	printf("== walk: %u states, %u violations, %u dead ends, %u cycles without a cut\n", k.n,
		k.violations, k.dead_ends, k.cycles);
	if (k.law)
		print_error("%s\n", k.law);
	assert_int_equal(k.violations, 0);
	assert_int_equal(k.dead_ends, 0);
	assert_int_equal(k.cycles, 0);
	for (unsigned mode = 0; mode < WORLD_MODE_MAX; mode++) {
		assert_true(k.ends[mode][WORLD_GOOD][0] > 0);
		for (unsigned r = WORLD_BAD; r < WORLD_RELEASE_MAX; r++) {
			assert_int_equal(k.ends[mode][r][0], 0);
			assert_int_equal(k.ends[mode][r][1] > 0, world_is_modelled(mode, r));
		}
	}
	assert_true(k.n > 10000);
	walk_fini(&k);
}

/* The journal promises that it never happens; the machine bears it all the same. */
static void a_record_that_is_one_step_behind_breaks_no_law(void **state)
{
	struct walk k;

	(void)state;
	walk(&k, WORLD_RECORD_LOST, FAULTS);
	printf("== walk, newest record lost: %u states, %u violations, %u dead ends, %u cycles "
	       "without a cut\n",
		k.n, k.violations, k.dead_ends, k.cycles);
	assert_int_equal(k.violations + k.dead_ends + k.cycles, 0);
	walk_fini(&k);
}

/* A boot loader brings the old release back even then; where folders are switched, a person does.
 */
static void a_way_back_that_fails_waits_for_a_person(void **state)
{
	struct walk k = {.faults = FAULTS_SEED, .broken = true};

	(void)state;
	walk_all(&k, WORLD_MISTAKE_NONE);
	print_ends(&k);
	printf("== walk, the way back fails: %u states, %u violations, %u dead ends, %u cycles "
	       "without a cut\n",
		k.n, k.violations, k.dead_ends, k.cycles);
	if (k.law)
		print_error("%s\n", k.law);
	assert_int_equal(k.violations + k.dead_ends + k.cycles, 0);
	assert_true(k.ends[WORLD_DIR][WORLD_BAD][2] > 0);
	assert_true(k.ends[WORLD_DIR][WORLD_DIES][2] > 0);
	assert_true(k.ends[WORLD_DIR][WORLD_NO_BOOT][2] > 0);
	assert_true(k.ends[WORLD_BOOT][WORLD_BAD][2] > 0);
	assert_int_equal(k.ends[WORLD_DIR][WORLD_NO_SMOKE][2], 0);
	walk_fini(&k);
}

static void every_mistake_is_found(void **state)
{
	(void)state;
	for (unsigned m = WORLD_MISTAKE_NONE + 1; m < WORLD_MISTAKE_MAX; m++) {
		struct walk k;

		walk(&k, m, FAULTS_SEED);
		printf("== mistake: %s: %u violations (%s)\n", world_mistake_text(m), k.violations,
			k.law ? k.law : "none");
		assert_true(k.violations > 0);
		walk_fini(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_world_is_lawful),
		cmocka_unit_test(a_record_that_is_one_step_behind_breaks_no_law),
		cmocka_unit_test(a_way_back_that_fails_waits_for_a_person),
		cmocka_unit_test(every_mistake_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
