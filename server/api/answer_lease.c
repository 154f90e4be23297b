#include "proto/wire/lease.h"
#include "server/api/api_priv.h"
#include "server/run/lease.h"

int answer_LEASE(struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char device[ID_TEXT_MAX];
	struct lease_answer answer;
	struct lease_ask ask;

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(lease_ask_decode(rq->body, &ask, e));
	TRY(lease_ask(a->run, device, &ask, &answer, e));
	lease_answer_encode(&answer, &out->body);
	buf_add_char(&out->body, '\n');
	return 0;
}
