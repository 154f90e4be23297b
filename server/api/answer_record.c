/* Records for auditors. */
#include "server/api/api_priv.h"

#include "server/run/record.h"

typedef int record_f(struct run *r, const char *name, const char *by, json_t **out, struct err *e);

static int answer_record(struct api *a, const struct web_request *rq, const char *what,
	record_f *make, struct web_reply *out, struct err *e)
{
	static const char *const known[] = {NULL};
	JSON_AUTO *body = NULL;
	char name[ID_TEXT_MAX];
	json_t *record;

	TRY(answer_id(rq, 0, what, name, e));
	TRY(answer_body(rq, LIMIT_BODY_BYTES, known, &body, e));
	TRY(make(a->run, name, a->user.name, &record, e));
	answer_json(out, record);
	return 0;
}

int answer_VEHICLE_RECORD(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	return answer_record(a, rq, "device", record_vehicle, out, e);
}

int answer_RELEASE_RECORD(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	return answer_record(a, rq, "release", record_release, out, e);
}
