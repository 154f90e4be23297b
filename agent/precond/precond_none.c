/* Preconditions that nobody can see: a person's consent and the server's lease are told. */
#include "agent/precond/precond_priv.h"

static void look(
	const struct precond_in *in UNUSED, unsigned want UNUSED, struct precond_facts *out UNUSED)
{
}

const struct precond_source precond_none = {
	.kind = "none",
	.serves = PRECOND_BIT(PRECOND_CONSENT) | PRECOND_BIT(PRECOND_LEASE),
	.help = "Nothing is looked at: it is told.",
	.look = look,
};
