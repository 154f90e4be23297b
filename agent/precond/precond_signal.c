/* What the machine is: parked, off, on a metered link. Somebody else knows it, and is asked. */
#include "agent/precond/precond_priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct precond_teller *find_teller(const char *from, struct str *out_where)
{
	struct str rest = str_of(from), kind;
	const struct precond_teller *t;

	if (!str_split(&rest, ':', &kind) || kind.n == strlen(from))
		return NULL;
	*out_where = str_trim(rest);
	for (unsigned i = 0; (t = precond_teller_at(i)); i++)
		if (str_is(kind, t->kind))
			return t;
	return NULL;
}

int precond_from_check(const char *from, struct err *e)
{
	const struct precond_teller *t;
	struct str where;

	if (!from[0])
		return 0;
	t = find_teller(from, &where);
	if (!t)
		return err_set(e, ERR_CONFIG, "'%.80s' is neither file:, dbus: nor route:", from);
	return t->check(where, e);
}

/* "1,yes,P": is the answer one of them? */
static bool is_one_of(struct str answer, const char *list)
{
	struct str rest = str_of(list), one;

	while (str_split(&rest, ',', &one)) {
		one = str_trim(one);
		if (one.n == answer.n && strncasecmp(one.p, answer.p, one.n) == 0)
			return true;
	}
	return false;
}

static int ask(const struct precond_in *in, const char *from, struct buf *out, struct err *e)
{
	const struct precond_teller *t;
	struct str where;

	if (!from[0])
		return err_set(e, ERR_CONFIG, "nobody is configured to be asked");
	t = find_teller(from, &where);
	if (!t)
		return err_set(e, ERR_CONFIG, "'%.60s' cannot be asked", from);
	return t->ask(in, where, out, e);
}

static void see(const struct precond_in *in, const struct precond_asked *a, enum precond_type type,
	struct precond_seen_signal *s, struct precond_facts *out)
{
	BUF_AUTO text = {0};
	struct str answer;
	struct err e;

	if (ask(in, a->from, &text, &e) < 0) {
		precond_why(out, type, "%.90s", e.text);
		return;
	}
	answer = str_trim(buf_str(&text));
	str_printable(answer, s->text, sizeof s->text);
	s->is = is_one_of(answer, a->when) ? PRECOND_SIGNAL_YES : PRECOND_SIGNAL_NO;
}

static void look(const struct precond_in *in, unsigned want, struct precond_facts *out)
{
	if (want & PRECOND_BIT(PRECOND_PARKED))
		see(in, &in->parked, PRECOND_PARKED, &out->parked, out);
	if (want & PRECOND_BIT(PRECOND_IGNITION))
		see(in, &in->ignition, PRECOND_IGNITION, &out->ignition, out);
	if (want & PRECOND_BIT(PRECOND_METERED))
		see(in, &in->metered, PRECOND_METERED, &out->metered, out);
}

const struct precond_source precond_signal = {
	.kind = "signal",
	.serves = PRECOND_BIT(PRECOND_PARKED) | PRECOND_BIT(PRECOND_IGNITION) |
		  PRECOND_BIT(PRECOND_METERED),
	.help = "Whoever is configured to know: a file, a property on D-Bus, the routes.",
	.look = look,
};
