#include "agent/precond/precond_priv.h"

static const struct precond_source *const sources[] = {
	&precond_power,
	&precond_thermal,
	&precond_load,
	&precond_space,
	&precond_clock,
	&precond_signal,
	&precond_none,
};

/* A further kind of place that can be asked is a file and a row here. */
static const struct precond_teller *const tellers[] = {
	&precond_file,
	&precond_dbus,
	&precond_route,
};

void precond_look(const struct precond_in *in, unsigned want, struct precond_facts *out)
{
	*out = (struct precond_facts){0};
	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		if (sources[i]->serves & want)
			sources[i]->look(in, want, out);
}

const struct precond_teller *precond_teller_at(unsigned i)
{
	return i < ARRAY_LEN(tellers) ? tellers[i] : NULL;
}
