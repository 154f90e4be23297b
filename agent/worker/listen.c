/* The installer's side of listening to a broker. */
#include "agent/worker/worker_priv.h"

int worker_listen(struct worker *w, const struct listen_ask *ask, listen_f *on, void *ctx,
	const atomic_bool *cancel, struct err *e)
{
	struct priv_msg m = {.verb = PRIV_LISTEN,
		.text = {str_of(ask->url), str_of(ask->client), str_of(ask->topic),
			str_of(ask->presence)}};
	struct call call;
	int rc;

	TRY(call_begin(w, &m, 0, 0, cancel, &call, e));
	while ((rc = call_hear(&call, &m, e)) == 0)
		on(ctx, m.num[0] ? LISTEN_WAKE : LISTEN_CONNECTED);
	call_end(&call);
	return rc;
}
