#include "server/core/wave.h"

#include <string.h>

static const char *const names[RECIPIENT_STATE_MAX] = {
#define X(id, label, text) [RECIPIENT_##id] = label,
	RECIPIENT_STATE_TABLE(X)
#undef X
};

#define BIT(s) (1U << RECIPIENT_##s)

/* States it may go to by itself. Admission and the order to go back are the engine's moves and are
 * missing here; who failed of something transient, or was revoked before it switched, waits again;
 * a person at the device may take a release back after it was accepted. */
static const unsigned may[RECIPIENT_STATE_MAX] = {
	[RECIPIENT_ADMITTED] =
		BIT(COMMITTED) | BIT(REVERTED) | BIT(FAILED) | BIT(SILENT) | BIT(WAITING),
	[RECIPIENT_COMMITTED] = BIT(REVERTED),
	[RECIPIENT_SILENT] = BIT(ADMITTED) | BIT(COMMITTED) | BIT(REVERTED) | BIT(FAILED) |
			     BIT(ORDERED_BACK) | BIT(BACK),
	[RECIPIENT_ORDERED_BACK] = BIT(REVERTED) | BIT(FAILED) | BIT(SILENT) | BIT(BACK),
};

const char *recipient_state_name(enum recipient_state s)
{
	return s < RECIPIENT_STATE_MAX ? names[s] : "unknown";
}

enum recipient_state recipient_state_by_name(const char *name)
{
	enum recipient_state s = 0;

	while (s < RECIPIENT_STATE_MAX && strcmp(names[s], name) != 0)
		s++;
	return s;
}

bool recipient_may_move(enum recipient_state was, enum recipient_state is)
{
	return was < RECIPIENT_STATE_MAX && is < RECIPIENT_STATE_MAX &&
	       (may[was] & (1U << is)) != 0;
}

bool recipient_is_due(enum recipient_state s)
{
	return s == RECIPIENT_ADMITTED || s == RECIPIENT_ORDERED_BACK;
}
