#include "server/core/wave.h"

#include <string.h>

static const char *const phases[WAVE_PHASE_MAX] = {
#define X(id, label, text) [WAVE_##id] = label,
	WAVE_PHASE_TABLE(X)
#undef X
};

static const char *const events[WEV_MAX] = {
#define X(id, label, text) [WEV_##id] = label,
	WAVE_EVENT_TABLE(X)
#undef X
};

static unsigned find(const char *const *names, unsigned n, const char *name)
{
	unsigned i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return i;
}

const char *wave_phase_name(enum wave_phase p)
{
	return p < WAVE_PHASE_MAX ? phases[p] : "unknown";
}

enum wave_phase wave_phase_by_name(const char *name)
{
	return find(phases, WAVE_PHASE_MAX, name);
}

const char *wave_hold_name(enum wave_hold h)
{
	static const char *const names[WAVE_HOLD_MAX] = {[WAVE_NO_HOLD] = "",
#define X(id, label) [WAVE_HOLD_##id] = label,
		WAVE_HOLD_TABLE(X)
#undef X
	};

	return h < WAVE_HOLD_MAX ? names[h] : "unknown";
}

const char *wave_event_name(enum wave_ev_kind k)
{
	return k < WEV_MAX ? events[k] : "unknown";
}

enum wave_ev_kind wave_event_by_name(const char *name)
{
	return find(events, WEV_MAX, name);
}
