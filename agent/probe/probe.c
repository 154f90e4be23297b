#include "agent/probe/probe_priv.h"

#include <assert.h>
#include <string.h>

struct probe {
	struct probe_in in;
	char *metrics_url;
	bool looked;
	unsigned n;
	struct trig_rule rules[LIMIT_TRIGGERS];
	void *memory[LIMIT_TRIGGERS];
};

int probe_open(const struct probe_in *in, const struct trig_rule *rules, unsigned n,
	struct probe **out, struct err *e)
{
	struct probe *p;

	if (n > LIMIT_TRIGGERS)
		return err_set(e, ERR_TOO_LARGE, "%u triggers, at most %d", n, LIMIT_TRIGGERS);
	p = mem_new(sizeof *p);
	p->in = *in;
	p->in.metrics_url = p->metrics_url = mem_strdup(in->metrics_url ? in->metrics_url : "");
	p->in.proc = in->proc ? in->proc : "/proc";
	p->in.sys = in->sys ? in->sys : "/sys";
	p->n = n;
	for (unsigned i = 0; i < n; i++) {
		const struct probe_source *s = probe_source_of(trig_source(&rules[i]));

		assert(s);
		p->rules[i] = rules[i];
		p->memory[i] = s->memory ? mem_new(s->memory) : NULL;
	}
	*out = p;
	return 0;
}

void probe_close(struct probe **pp)
{
	struct probe *p = *pp;

	if (!p)
		return;
	for (unsigned i = 0; i < p->n; i++)
		mem_free(&p->memory[i]);
	mem_free(&p->metrics_url);
	mem_free(pp);
}

static void look_at(struct probe *p, enum trig_source source, struct sample *out)
{
	struct probe_rule v[LIMIT_TRIGGERS];
	struct err why;
	unsigned n = 0;

	for (unsigned i = 0; i < p->n; i++)
		if (trig_source(&p->rules[i]) == source)
			v[n++] = (struct probe_rule){&p->rules[i], p->memory[i], &out[i]};
	if (n == 0 || probe_source_of(source)->look(&p->in, v, n, !p->looked, &why) == 0)
		return;
	for (unsigned i = 0; i < n; i++)
		v[i].out->blind = true;
}

void probe_look(struct probe *p, ms_t now, struct sample out[LIMIT_TRIGGERS])
{
	for (unsigned i = 0; i < LIMIT_TRIGGERS; i++)
		out[i] = (struct sample){.at = now};
	for (enum trig_source s = TRIG_SRC_SVC; s < TRIG_SRC_MAX; s++)
		look_at(p, s, out);
	p->looked = true;
}
