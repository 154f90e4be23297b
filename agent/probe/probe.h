/* Where samples come from: one source per kind, chosen by the trigger's type. A probe reads the
 * world once per look and turns what it saw since the look before into one sample per rule.
 * Blocking, short. */
#ifndef AGENT_PROBE_PROBE_H
#define AGENT_PROBE_PROBE_H

#include "agent/core/trigger.h"
#include "agent/svc/svc.h"

struct probe_in {
	struct svc *svc;         /* SVC, HEALTH, USAGE; must outlive the probe, as all below */
	const char *metrics_url; /* METRICS; "": blind; copied */
	ms_t timeout;            /* of one look at one source */
	const char *proc, *sys;  /* USAGE, THERMAL: where the kernel shows itself; NULL: /proc, /sys
				  */
	const char *home;        /* USAGE: a folder on the file system that must have room */
	const struct http_conf *http; /* SERVER: how it is asked; NULL: blind */
	const char *server_url;       /* SERVER */
};

/* What a source works on: one rule, what it remembers of it, and the sample to be filled (zero but
 * for the time). */
struct probe_rule {
	const struct trig_rule *rule;
	void *memory;
	struct sample *out;
};

struct probe_source {
	const char *kind; /* "svc", "health", "metrics", "usage", ... */
	enum trig_source source;
	const char *help;
	size_t memory; /* bytes that it remembers per rule, zeroed at first; 0: none */
	/* Reads the source once for the rules that use it (v[0..n), each with its place in the
	 * answer and its memory). On failure all of them are blind; `first`: this is the
	 * probe's first look. */
	int (*look)(const struct probe_in *, struct probe_rule *v, unsigned n, bool first,
		struct err *) MUST_CHECK;
};

const struct probe_source *probe_source_of(enum trig_source source);

/* Remembers the counters of the look before, for up to LIMIT_TRIGGERS rules. Opening reads nothing.
 */
struct probe;
int probe_open(const struct probe_in *in, const struct trig_rule *rules, unsigned n,
	struct probe **out, struct err *e) MUST_CHECK;
void probe_close(struct probe **p);

/* One look at everything; out[i] belongs to rules[i]. The first look only sets the reference:
 * samples have n = 0. A source that cannot be read gives blind samples, never an error, and the
 * next look that can read it counts from the last that could. Counters that went down (the workload
 * was restarted) count from zero. `now` is monotonic. */
void probe_look(struct probe *p, ms_t now, struct sample out[LIMIT_TRIGGERS]);

#endif
