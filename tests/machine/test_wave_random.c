/* Long random walks through campaigns of every policy: no step breaks a law, and replaying the
 * events gives the same state, byte for byte. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "lib/prng.h"
#include "tests/lib/waves.h"

struct log {
	struct wave_event v[600];
	unsigned n;
};

static struct wave_event random_event(struct prng *r, const struct waves *f)
{
	struct wave_event ev = {.position = (uint32_t)prng_below(r, f->s.recipients)};
	enum recipient_state to = (enum recipient_state)prng_below(r, RECIPIENT_STATE_MAX);
	uint64_t dice = prng_below(r, 100);

	if (dice == 99 && !prng_below(r, 3))
		ev.kind = WEV_PAUSE + (unsigned)prng_below(r, WEV_MAX - WEV_PAUSE);
	else if (dice >= 96 && f->s.control_to)
		ev.kind = WEV_CONTROL;
	else if (dice >= 80)
		ev.kind = WEV_TICK;
	else if (f->device[ev.position] == RECIPIENT_WAITING)
		ev.kind = WEV_ASK;
	else if (waves_may_go(f, ev.position, to) &&
		 (to == RECIPIENT_COMMITTED || to == RECIPIENT_BACK || !prng_below(r, 12)))
		ev.kind = WEV_MOVED;
	else
		ev.kind = WEV_TICK;
	if (ev.kind == WEV_JOIN) {
		ev.position = f->s.recipients;
		if (f->s.recipients == WAVES_DEVICES)
			ev.kind = WEV_TICK;
	}
	ev.was = f->device[MIN(ev.position, WAVES_DEVICES - 1)];
	ev.is = to;
	snprintf(ev.who, sizeof ev.who, "dev-%u", ev.position);
	snprintf(ev.text, sizeof ev.text, "so");
	return ev;
}

static void replay(const struct waves *f, const struct log *log, uint32_t recipients)
{
	struct waves g;

	waves_start(&g, f->p, recipients);
	for (unsigned i = 0; i < log->n; i++) {
		g.now = log->v[i].now;
		(void)waves_step(&g, log->v[i]);
	}
	assert_memory_equal(&g.s, &f->s, sizeof g.s);
	assert_memory_equal(&g.acts, &f->acts, sizeof g.acts);
}

/* Any of what a policy may have. */
static void spice(struct policy *p, struct prng *r)
{
	if (prng_below(r, 2)) {
		p->judge = (struct policy_judge){true, 10000, 50000, 50000, 5000, 2, 5,
			(enum policy_unsure)prng_below(r, POLICY_UNSURE_MAX), 2, ""};
		p->max_failures = LIMIT_DEVICES;
	}
	if (prng_below(r, 2))
		waves_freeze(p, 1000000 + (ms_t)prng_below(r, 2000000), 4000000);
	if (p->judge.on && prng_below(r, 2))
		p->control = (struct policy_control){.share = 200000, .min = 1};
	p->ratio_alpha = p->control.share ? 10000 : 0;
	if (!prng_below(r, 3)) {
		p->ladder.at[POLICY_RUNG_HOLD] = 1;
		p->ladder.at[POLICY_RUNG_STOP] = 2;
		p->ladder.at[POLICY_RUNG_REVOKE + prng_below(r, 4)] = 4;
		p->ladder.abort = POLICY_RUNG_REVOKE + (unsigned)prng_below(r, 4);
	}
	for (unsigned i = 0; i < p->n_waves; i++) {
		p->waves[i].floor.devices = (uint32_t)prng_below(r, 2);
		p->waves[i].floor.span = (ms_t)prng_below(r, 2) * 120000;
		p->waves[i].approval = !prng_below(r, 3);
		p->waves[i].rate_count = (uint32_t)prng_below(r, 3);
		p->waves[i].rate_per = 90000;
	}
}

static void random_walk(uint64_t seed, unsigned ends[WAVE_PHASE_MAX])
{
	struct prng r = {seed};
	struct policy p = waves_policy(3, waves_three, (uint32_t)prng_below(&r, 6));
	uint32_t n = 5 + (uint32_t)prng_below(&r, WAVES_DEVICES - 5);
	struct log log = {.n = 0};
	struct waves f;

	p.first_alone = prng_below(&r, 2);
	p.roll_back_on_abort = prng_below(&r, 2);
	spice(&p, &r);
	waves_start(&f, &p, n);
	for (unsigned i = 0; i < ARRAY_LEN(log.v); i++) {
		f.now += (ms_t)prng_below(&r, 40000);
		log.v[log.n] = random_event(&r, &f);
		log.v[log.n++].now = f.now;
		(void)waves_step(&f, log.v[i]);
	}
	ends[f.s.phase]++;
	replay(&f, &log, n);
}

static void random_walks_keep_the_laws_and_replay(void **state)
{
	unsigned ends[WAVE_PHASE_MAX] = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= 300; seed++)
		random_walk(seed, ends);
	assert_true(ends[WAVE_DONE] > 0 && ends[WAVE_HALTED] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_walks_keep_the_laws_and_replay),
	};

	return cmocka_run_group_tests_name("wave_random", tests, NULL, NULL);
}
