#include "agent/core/facts.h"

const char *slot_name(unsigned slot)
{
	static const char *const names[SLOT_COUNT] = {"a", "b"};

	return slot < SLOT_COUNT ? names[slot] : "-";
}
