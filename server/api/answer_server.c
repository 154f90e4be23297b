/* The server itself: health, the audit log. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/audit.h"
#include "server/repo/checkpoints.h"
#include "server/repo/devices.h"
#include "server/run/checkpoint.h"

#define AUDIT_MAX 10000

int answer_HEALTH(
	struct api *a, const struct web_request *rq UNUSED, struct web_reply *out, struct err *e)
{
	uint64_t devices;

	TRY(devices_count(a->db, &devices, e));
	answer_json(out, json_pack("{s:s, s:I}", "status", "ok", "devices", (json_int_t)devices));
	return 0;
}

/* ---- audit ---- */

/* "chain" stands beside the row's own members, which are what it is made of. */
static int add_row(
	void *ctx, const struct audit_row *r, const struct sha256 *chain, struct err *e UNUSED)
{
	json_t *o = audit_row_encode(r);

	answer_set_digest(o, "chain", chain);
	json_array_append_new(ctx, o);
	return 0;
}

/* ?after=N: the rows behind N; ?last=N: the newest N; ?limit=N: not more than N. */
int answer_AUDIT(struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *rows = json_array();
	uint64_t after, last, newest, limit;
	struct sha256 chain;

	TRY(answer_number(rq, "after", 0, INT64_MAX, &after, e));
	TRY(answer_number(rq, "last", 0, AUDIT_MAX, &last, e));
	TRY(answer_number(rq, "limit", AUDIT_MAX, AUDIT_MAX, &limit, e));
	TRY(audit_newest(a->db, &newest, &chain, e));
	if (last && newest > last)
		after = MAX(after, newest - last);
	TRY(audit_each(a->db, after, (unsigned)limit, add_row, rows, e));
	answer_json(out, json_pack("{s:O}", "rows", rows));
	return 0;
}

static int add_checkpoint(void *ctx, struct str bytes, struct err *e)
{
	json_t *file;

	TRY(json_read(bytes, LIMIT_AUDIT_LINE, &file, e));
	json_array_append_new(ctx, file);
	return 0;
}

int answer_AUDIT_CHECKPOINTS(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	JSON_AUTO *list = json_array();
	uint64_t after;

	TRY(answer_number(rq, "after", 0, INT64_MAX, &after, e));
	TRY(checkpoint_now(a->run, e));
	TRY(checkpoints_each(a->db, after, AUDIT_MAX, add_checkpoint, list, e));
	answer_json(out, json_pack("{s:O}", "checkpoints", list));
	return 0;
}
