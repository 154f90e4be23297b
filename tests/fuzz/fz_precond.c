/* A configured precondition: the first byte picks the type, the rest is its text. What is read is
 * judged on a few minutes of the week, and every window that is read is written as it reads. */
#include <assert.h>

#include "agent/core/precond.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check_window(const struct precond_window *w)
{
	char text[PRECOND_WINDOW_TEXT];
	struct precond_window again;
	struct err e;

	precond_window_format(w, text);
	if (precond_window_parse(str_of(text), &again, &e) == 0)
		assert(again.days == w->days && again.from == w->from && again.to == w->to);
	assert(precond_window_opens_in(w, w->from) < PRECOND_WEEK);
}

static void judge(const struct precond_rule *r)
{
	struct precond_facts f = {.local = {.known = true, .zone = "UTC"}};
	struct precond_verdict v;

	for (f.local.minute = 0; f.local.minute < PRECOND_WEEK; f.local.minute += 997) {
		precond_eval(r, &f, &v);
		assert(!v.holds || v.is != PRECOND_UNMET);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct precond_rule r[LIMIT_PRECONDITIONS];
	unsigned rules;
	struct err e;

	if (n == 0 || n > LIMIT_PRECOND_TEXT)
		return 0;
	if (precond_text_parse(p[0] % PRECOND_TYPE_MAX, (struct str){(const char *)p + 1, n - 1},
		    "r", r, &rules, &e) < 0)
		return 0;
	assert(rules <= LIMIT_PRECONDITIONS);
	for (unsigned i = 0; i < rules; i++) {
		assert(r[i].before && !(r[i].before & ~(unsigned)PRECOND_ALL));
		for (unsigned k = 0; k < r[i].n_windows; k++)
			check_window(&r[i].windows[k]);
		judge(&r[i]);
	}
	return 0;
}
