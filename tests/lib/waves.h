/* A campaign with its devices, as the server would keep it, over the wave engine alone: every step
 * is held against the laws, which are stated here once more, independently of the engine. */
#ifndef TESTS_LIB_WAVES_H
#define TESTS_LIB_WAVES_H

#include "server/core/wave.h"

#define WAVES_DEVICES 64

struct waves {
	const struct policy *p;
	struct wave_state s;
	enum recipient_state device[WAVES_DEVICES];
	struct wave_acts acts; /* of the last step */
	ms_t now;
};

/* One canary, then three of ten, two at once, then the rest. */
extern const struct policy_wave waves_three[3];

struct policy waves_policy(unsigned n, const struct policy_wave *waves, uint32_t max_failures);
struct policy waves_judged(unsigned n, const struct policy_wave *waves);
void waves_freeze(struct policy *p, ms_t from, ms_t until);

/* Steps and checks the laws; false when the event was refused. */
bool waves_step(struct waves *f, struct wave_event ev);
void waves_start(struct waves *f, const struct policy *p, uint32_t n);
/* An order of ann's, with a reason; of anybody. */
bool waves_order(struct waves *f, enum wave_ev_kind kind);
bool waves_say(struct waves *f, enum wave_ev_kind kind, const char *who, const char *text);
/* True when the device that asked was admitted. */
bool waves_ask(struct waves *f, uint32_t position);
void waves_move(struct waves *f, uint32_t position, enum recipient_state is);
void waves_pass(struct waves *f, ms_t span);

/* What the server would let a report or a deadline do. */
bool waves_may_go(const struct waves *f, uint32_t position, enum recipient_state is);
unsigned waves_acts(const struct waves *f, enum wave_act_kind kind);
uint32_t waves_admitted(const struct waves *f);

#endif
