#include "server/core/wave.h"

#include <string.h>

#include "server/core/freeze.h"

void wave_init(struct wave_state *s)
{
	memset(s, 0, sizeof *s);
}

bool wave_is_over(enum wave_phase p)
{
	return p == WAVE_HALTED || p == WAVE_DONE;
}

uint32_t wave_end(const struct policy *p, uint32_t recipients, unsigned wave)
{
	uint64_t end = 0;

	if (wave + 1 >= p->n_waves)
		return recipients;
	for (unsigned i = 0; i <= wave; i++) {
		const struct policy_wave *w = &p->waves[i];

		end += w->count ? w->count : ((uint64_t)recipients * w->permille + 999) / 1000;
	}
	return (uint32_t)MIN(end, recipients);
}

unsigned wave_of(const struct policy *p, uint32_t recipients, uint32_t position)
{
	unsigned w = 0;

	while (w + 1 < p->n_waves && position >= wave_end(p, recipients, w))
		w++;
	return w;
}

bool wave_is_frozen(const struct policy *p, const struct wave_state *s, ms_t now,
	unsigned *out_which, ms_t *out_until)
{
	struct freeze_view v;

	if (!p->n_freezes)
		return false;
	freeze_look(p, now, &v);
	*out_which = v.which;
	*out_until = v.until;
	return v.frozen && now >= s->thawed;
}

static bool is_let_in(const struct policy *p, const struct wave_state *s)
{
	uint32_t parallel = p->waves[s->wave].parallel;

	if (s->phase == WAVE_FIRST)
		return !s->all.n[RECIPIENT_ADMITTED] && !s->all.n[RECIPIENT_COMMITTED];
	return s->phase == WAVE_OPEN && (!parallel || s->all.n[RECIPIENT_ADMITTED] < parallel);
}

bool wave_admits(const struct policy *p, const struct wave_state *s, uint32_t position, ms_t now)
{
	unsigned which;
	ms_t until;

	return !s->paused && position < s->open_to && now >= s->next_at && is_let_in(p, s) &&
	       !wave_is_frozen(p, s, now, &which, &until);
}
