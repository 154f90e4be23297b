#include "agent/core/health.h"

void health_init(struct health_state *s, ms_t now)
{
	*s = (struct health_state){.next = now};
}

void health_step(const struct health_rule *r, struct health_state *s, unsigned failed, ms_t now)
{
	s->rounds++;
	s->bad_in_row = failed ? s->bad_in_row + 1 : 0;
	s->next = now + (failed ? r->retry : r->interval);
}

/* Before the first round nothing is known, and nothing is green. */
enum health_verdict health_eval(const struct health_rule *r, const struct health_state *s)
{
	if (s->bad_in_row >= r->tries)
		return HEALTH_RED;
	return s->rounds && s->bad_in_row == 0 ? HEALTH_GREEN : HEALTH_WAITS;
}
