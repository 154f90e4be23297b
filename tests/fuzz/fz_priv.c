/* Any packet, as either side may hear it: what is taken is within its row, and says the same when
 * it is said again. The first byte chooses who has said it. */
#include <stdlib.h>
#include <string.h>

#include "agent/priv/priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void say_again(const struct priv_msg *m, enum priv_side from, struct str packet)
{
	BUF_AUTO again = {0};
	struct err e;

	if (priv_encode(m, from, &again, &e) < 0)
		abort();
	buf_add(&again, m->bytes.p, m->bytes.n);
	if (!str_eq(buf_str(&again), packet))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct priv_msg m;
	struct err e = {0};

	if (n == 0)
		return 0;
	enum priv_side from = p[0] & 1 ? PRIV_WORKER : PRIV_INSTALLER;
	struct str packet = {(const char *)p + 1, n - 1};

	if (priv_decode(packet, from, &m, &e) == 0)
		say_again(&m, from, packet);
	else if (e.code == ERR_OK || e.code >= ERR_CODE_MAX)
		abort();
	return 0;
}
