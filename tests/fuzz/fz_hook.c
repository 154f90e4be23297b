/* What an administrator says of a hook: its events, or its address. The first byte picks which. */
#include <assert.h>
#include <string.h>

#include "server/core/hook.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check_events(struct str text)
{
	uint64_t mask = 0;
	struct err e;

	if (hook_events_parse(text, &mask, &e) < 0) {
		assert(mask == 0 && e.text[0]);
		return;
	}
	assert(hook_is_for(mask, HOOK_TEST) && !hook_is_for(mask, HOOK_EVENT_MAX));
	assert(mask >> HOOK_EVENT_MAX == 0);
}

/* One that is taken can stand in a header line, and in a log. */
static void check_url(struct str text)
{
	struct err e;

	if (hook_url_check(text, &e) < 0) {
		assert(e.text[0]);
		return;
	}
	assert(text.n > 7 && memcmp(text.p, "http", 4) == 0);
	for (size_t i = 0; i < text.n; i++)
		assert(text.p[i] > ' ' && text.p[i] <= '~' && text.p[i] != '"');
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str text = {(const char *)p + 1, n - 1};

	if (n == 0)
		return 0;
	(p[0] & 1 ? check_events : check_url)(text);
	return 0;
}
