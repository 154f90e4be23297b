#include "agent/precond/precond_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

static void look(const struct precond_in *in, unsigned want UNUSED, struct precond_facts *out)
{
	struct statvfs v;

	if (statvfs(in->home, &v) < 0) {
		precond_why(out, PRECOND_FREE_SPACE, "%.60s: %s", in->home, strerrordesc_np(errno));
		return;
	}
	out->space.known = true;
	out->space.bytes = (uint64_t)v.f_bavail * v.f_frsize;
}

const struct precond_source precond_space = {
	.kind = "space",
	.serves = PRECOND_BIT(PRECOND_FREE_SPACE),
	.help = "The file system of the agent's home.",
	.look = look,
};
