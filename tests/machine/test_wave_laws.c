/* The laws of the wave engine: every phase and event, every reachable state of a small campaign,
 * with and without a judge. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "tests/lib/waves.h"

/* ---- every phase × event ---- */

enum answer { C, S, Y }; /* conflict, same, yes */

static const enum answer answers[WAVE_PHASE_MAX][WEV_MAX] = {
	/* START, ASK, MOVED, TICK, PAUSE, RESUME, HALT, ROLL_BACK, APPROVE, BREAK_GLASS, CONTROL,
	 * JOIN, PROMOTE, REVOKE, ROLL_BACK_ALL */
	[WAVE_DRAFT] = {Y, S, C, S, C, C, Y, C, C, C, S, C, C, C, C},
	[WAVE_FIRST] = {S, Y, Y, S, Y, S, Y, Y, C, Y, S, Y, C, Y, Y},
	[WAVE_OPEN] = {S, Y, Y, S, Y, S, Y, Y, C, Y, S, Y, C, Y, Y},
	[WAVE_SOAK] = {S, S, Y, Y, Y, S, Y, Y, C, Y, S, Y, C, Y, Y},
	[WAVE_HOLD] = {S, S, Y, S, Y, S, Y, Y, Y, Y, S, Y, C, Y, Y},
	[WAVE_ROLLING_BACK] = {C, S, Y, S, C, C, Y, S, C, C, S, C, C, C, Y},
	[WAVE_HALTED] = {C, S, Y, S, C, C, S, Y, C, C, S, C, C, C, Y},
	[WAVE_DONE] = {C, S, Y, S, C, C, C, Y, C, C, S, C, C, C, Y},
};

/* A campaign of six in the given phase: device 0 has committed, 1 is silent, 2 waits if anybody
 * does. Made by hand, so that the table does not depend on how one gets there. */
static struct wave_state in_phase(enum wave_phase phase)
{
	struct wave_state s = {.phase = phase, .since = 900000, .quiet_since = 900000};

	if (phase == WAVE_DRAFT)
		return s;
	s.recipients = 6;
	s.end[0] = 1;
	s.end[1] = 3;
	s.end[2] = 6;
	s.wave = 2;
	s.open_to = 6;
	if (phase == WAVE_HOLD) {
		s.wave = 1;
		s.open_to = 3;
		s.hold = WAVE_HOLD_APPROVAL;
	}
	s.all.n[RECIPIENT_SILENT] = 1;
	s.all.n[phase == WAVE_FIRST ? RECIPIENT_WAITING : RECIPIENT_COMMITTED] = 1;
	if (phase == WAVE_ROLLING_BACK)
		s.all.n[RECIPIENT_ORDERED_BACK] = 4;
	else
		s.all.n[phase == WAVE_DONE ? RECIPIENT_BACK : RECIPIENT_WAITING] += 4;
	return s;
}

static void every_phase_answers_every_event(void **state)
{
	struct policy p = waves_policy(3, waves_three, 1);

	(void)state;
	p.waves[2].soak = MINUTE(9);
	for (enum wave_phase ph = 0; ph < WAVE_PHASE_MAX; ph++)
		for (enum wave_ev_kind k = 0; k < WEV_MAX; k++) {
			struct wave_state was = in_phase(ph), is = was;
			struct wave_event ev = {.kind = k,
				.now = 1000000,
				.recipients = 6,
				.position = 2,
				.was = RECIPIENT_SILENT,
				.is = RECIPIENT_COMMITTED,
				.who = "x",
				.text = "y"};
			struct wave_acts acts = {0};
			struct err e;
			int rc;
			enum answer got;

			if (k == WEV_JOIN)
				ev.position = 6;
			if (k == WEV_BREAK_GLASS)
				waves_freeze(&p, 0, 2000000);
			else
				p.n_freezes = 0;
			rc = wave_step(&p, &was, &ev, &is, &acts, &e);
			got = rc < 0 ? C : is.rev == was.rev ? S : Y;

			if (got != answers[ph][k])
				fail_msg("%s in %s: %d", wave_event_name(k), wave_phase_name(ph),
					got);
			assert_int_equal(got == Y, acts.n > 0);
		}
}

static void impossible_events_are_bugs(void **state)
{
	static const struct {
		enum recipient_state was, is;
	} cases[] = {
		{RECIPIENT_WAITING, RECIPIENT_COMMITTED},
		{RECIPIENT_ADMITTED, RECIPIENT_WAITING},
		{RECIPIENT_ADMITTED, RECIPIENT_COMMITTED}, /* nobody is admitted */
		{RECIPIENT_COMMITTED, RECIPIENT_ADMITTED},
		{RECIPIENT_SILENT, RECIPIENT_BACK}, /* nobody was ordered back */
		{RECIPIENT_BACK, RECIPIENT_COMMITTED},
	};
	struct policy p = waves_policy(3, waves_three, 1);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wave_state was = in_phase(WAVE_OPEN), is = was;
		struct wave_event ev = {.kind = WEV_MOVED,
			.now = 1000000,
			.was = cases[i].was,
			.is = cases[i].is,
			.who = "x"};
		struct wave_acts acts;
		struct err e;

		assert_int_equal(wave_step(&p, &was, &ev, &is, &acts, &e), -ERR_BUG);
		assert_memory_equal(&was, &is, sizeof is);
	}
}

/* ---- every reachable state of a small campaign ---- */

#define SMALL 4
#define SLOTS (1U << 18)

static uint32_t small = SMALL;             /* devices */
static enum wave_ev_kind orders = WEV_MAX; /* those below it are given */

struct walk {
	struct waves *queue;
	size_t n, cap;
	uint32_t *slots; /* index into queue + 1, by hash */
	uint64_t steps;
	unsigned ends[WAVE_PHASE_MAX];
};

/* The peaks are left out: one that decides has decided. */
static bool judges_alike(const struct judge_state *a, const struct judge_state *b)
{
	return a->verdict == b->verdict && a->devices == b->devices && a->failures == b->failures &&
	       !memcmp(a->wave[0], b->wave[0], sizeof a->wave[0][0]) &&
	       a->pooled[0].carried == b->pooled[0].carried;
}

/* Equal for what goes on in the same way: times, texts and revision are left out, because a tick of
 * the walk always lets every span pass. */
static bool is_same(const struct waves *a, const struct waves *b)
{
	return a->s.phase == b->s.phase && a->s.paused == b->s.paused && a->s.wave == b->s.wave &&
	       a->s.open_to == b->s.open_to && a->s.committed_before == b->s.committed_before &&
	       a->s.hold == b->s.hold && a->s.resume == b->s.resume &&
	       a->s.extended == b->s.extended && !strcmp(a->s.agreed, b->s.agreed) &&
	       a->s.thawed == b->s.thawed && judges_alike(&a->s.judge, &b->s.judge) &&
	       !memcmp(a->device, b->device, SMALL * sizeof a->device[0]);
}

static uint64_t hash_of(const struct waves *f)
{
	uint64_t h = hash64(f->s.phase * 2 + f->s.paused, f->device, SMALL * sizeof f->device[0]);

	h = hash64(h, &f->s.open_to, sizeof f->s.open_to);
	h = hash64(h + f->s.extended, &f->s.judge.wave[0][0], sizeof f->s.judge.wave[0][0]);
	h = hash64(h + f->s.judge.verdict, &f->s.judge.devices, 2 * sizeof f->s.judge.devices);
	return hash64(h + f->s.wave, &f->s.committed_before, sizeof f->s.committed_before);
}

static void visit(struct walk *w, const struct waves *f)
{
	uint64_t at = hash_of(f) % SLOTS;

	for (; w->slots[at]; at = (at + 1) % SLOTS)
		if (is_same(&w->queue[w->slots[at] - 1], f))
			return;
	assert_true(w->n < SLOTS / 2);
	if (w->n == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 1024;
		w->queue = mem_resize(w->queue, w->cap * sizeof *w->queue);
	}
	w->queue[w->n++] = *f;
	w->slots[at] = (uint32_t)w->n;
	w->ends[f->s.phase]++;
}

static void try_event(struct walk *w, const struct waves *from, struct wave_event ev)
{
	struct waves f = *from;

	w->steps++;
	if (ev.kind == WEV_TICK)
		f.now += MINUTE(1000);
	if (waves_step(&f, ev))
		visit(w, &f);
}

static void try_device(struct walk *w, const struct waves *from, uint32_t i)
{
	if (from->device[i] == RECIPIENT_WAITING)
		try_event(w, from, (struct wave_event){.kind = WEV_ASK, .position = i});
	for (enum recipient_state to = 0; to < RECIPIENT_STATE_MAX; to++)
		if (waves_may_go(from, i, to))
			try_event(w, from,
				(struct wave_event){.kind = WEV_MOVED,
					.position = i,
					.was = from->device[i],
					.is = to});
}

static void walk_all(const struct policy *p, struct walk *w)
{
	struct waves f;

	memset(w, 0, sizeof *w);
	w->slots = calloc(SLOTS, sizeof *w->slots);
	assert_non_null(w->slots);
	waves_start(&f, p, small);
	visit(w, &f);
	for (size_t i = 0; i < w->n; i++) {
		f = w->queue[i];
		/* joining and promoting are left to the random walks: they make too many states */
		for (enum wave_ev_kind k = WEV_TICK; k < orders; k++)
			if (k != WEV_JOIN && k != WEV_PROMOTE)
				try_event(w, &f,
					(struct wave_event){.kind = k, .who = "ann", .text = "so"});
		try_event(w, &f,
			(struct wave_event){.kind = WEV_APPROVE, .who = "bob", .text = "so"});
		for (uint32_t d = 0; d < small; d++)
			try_device(w, &f, d);
	}
}

static void every_state_of_a_small_campaign_keeps_the_laws(void **state)
{
	const struct policy_wave waves[] = {
		{.name = "a", .count = 1, .soak = MINUTE(1)},
		{.name = "b", .count = 2, .parallel = 1, .soak = MINUTE(1)},
		{.name = "c"},
	};
	uint64_t states = 0, steps = 0;

	(void)state;
	for (unsigned variant = 0; variant < 4; variant++) {
		struct policy p = waves_policy(3, waves, variant & 1);
		struct walk w;

		p.first_alone = !(variant & 2);
		small = SMALL;
		orders = WEV_MAX;
		walk_all(&p, &w);
		for (enum wave_phase ph = WAVE_OPEN; ph < WAVE_PHASE_MAX; ph++)
			assert_true(w.ends[ph] > 0 || ph == WAVE_HOLD);
		states += w.n;
		steps += w.steps;
		free(w.queue);
		free(w.slots);
	}
	printf("== wave engine: %llu states, %llu steps, no law broken\n",
		(unsigned long long)states, (unsigned long long)steps);
}

/* Three devices, because what the judge remembers makes many states of one. */
static void every_state_with_a_judge_keeps_the_laws(void **state)
{
	const struct policy_wave waves[] = {
		{.name = "a", .count = 1, .soak = MINUTE(1)},
		{.name = "b", .count = 1, .soak = MINUTE(1)},
		{.name = "c", .approval = true},
	};
	uint64_t states = 0, steps = 0;

	(void)state;
	for (enum policy_unsure u = 0; u < POLICY_UNSURE_MAX;
		u += getenv("BACKSTAY_LONG") ? 1 : 3) {
		struct policy p = waves_policy(3, waves, LIMIT_DEVICES);
		struct walk w;

		p.judge = (struct policy_judge){.on = true,
			.abort_alpha = 50000,
			.promote_alpha = 900000,
			.bad = 900000,
			.base = 5000,
			.guard_failures = 2,
			.guard_first = 2,
			.unsure = u,
			.extend_max = 1};
		small = 3;
		orders = WEV_CONTROL;
		walk_all(&p, &w);
		for (enum wave_phase ph = WAVE_OPEN; ph < WAVE_PHASE_MAX; ph++)
			assert_true(w.ends[ph] > 0);
		states += w.n;
		steps += w.steps;
		free(w.queue);
		free(w.slots);
	}
	printf("== wave engine with a judge: %llu states, %llu steps, no law broken\n",
		(unsigned long long)states, (unsigned long long)steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_phase_answers_every_event),
		cmocka_unit_test(impossible_events_are_bugs),
		cmocka_unit_test(every_state_of_a_small_campaign_keeps_the_laws),
		cmocka_unit_test(every_state_with_a_judge_keeps_the_laws),
	};

	return cmocka_run_group_tests_name("wave_laws", tests, NULL, NULL);
}
