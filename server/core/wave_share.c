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

static uint32_t size_of(const struct policy *p, uint32_t recipients, unsigned wave)
{
	const struct policy_wave *w = &p->waves[wave];

	if (wave + 1 >= p->n_waves)
		return recipients;
	return w->count ? w->count : (uint32_t)(((uint64_t)recipients * w->permille + 999) / 1000);
}

uint32_t wave_end(const struct policy *p, uint32_t recipients, unsigned wave)
{
	uint64_t end = 0;

	if (wave + 1 >= p->n_waves)
		return recipients;
	for (unsigned i = 0; i <= wave; i++)
		end += size_of(p, recipients, i);
	return (uint32_t)MIN(end, recipients);
}

void wave_allot(const struct policy *p, const uint16_t *fits, uint32_t n, uint8_t *out_wave,
	uint32_t out_end[LIMIT_WAVES])
{
	uint32_t end = 0;

	memset(out_wave, LIMIT_WAVES, n);
	for (unsigned w = 0; w < p->n_waves; w++) {
		uint32_t left = size_of(p, n, w);

		for (uint32_t i = 0; i < n && left; i++)
			if (out_wave[i] == LIMIT_WAVES && fits[i] & 1U << w) {
				out_wave[i] = (uint8_t)w;
				end++;
				left--;
			}
		out_end[w] = end;
	}
}

unsigned wave_of(const struct policy *p, const struct wave_state *s, uint32_t position)
{
	unsigned w = 0;

	while (w + 1 < p->n_waves && position >= s->end[w])
		w++;
	return w;
}

ms_t wave_silence(const struct policy *p, unsigned wave)
{
	return p->waves[wave].silence ? p->waves[wave].silence : p->silence;
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
