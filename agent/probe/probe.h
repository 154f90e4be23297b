/* Where samples come from: one source per kind, chosen by the trigger's type. A probe reads the
 * world once per look and turns what it saw since the look before into one sample per rule.
 * Blocking, short. */
#ifndef AGENT_PROBE_PROBE_H
#define AGENT_PROBE_PROBE_H

#include "agent/core/trigger.h"
#include "agent/svc/svc.h"

struct probe_in {
	struct svc *svc;         /* SVC, HEALTH */
	const char *metrics_url; /* METRICS; "" : blind */
	ms_t timeout;            /* of one look */
};

struct probe_source {
	const char *kind; /* "svc", "health", "metrics", "order" (none) */
	enum trig_source source;
	const char *help;
	/* Reads the source once for all rules that use it. */
	int (*look)(struct probe_in *, const struct trig_rule *rules, unsigned n, void *io_memory,
		struct sample *out, struct err *) MUST_CHECK;
};

/* Remembers the counters of the look before, for up to LIMIT_TRIGGERS rules. */
struct probe;
int probe_open(const struct probe_in *in, const struct trig_rule *rules, unsigned n,
	struct probe **out, struct err *e) MUST_CHECK;
void probe_close(struct probe **p);

/* One look at everything; out[i] belongs to rules[i]. The first look only sets the reference:
 * samples have n = 0. A source that cannot be read gives blind samples, never an error. `now` is
 * monotonic. */
void probe_look(struct probe *p, ms_t now, struct sample out[LIMIT_TRIGGERS]);

#endif
