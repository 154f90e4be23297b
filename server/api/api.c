#include "server/api/api_priv.h"

#include <string.h>

#include "lib/sys/log.h"

static answer_f *const answers[ROUTE_MAX] = {
#define X(id, ...) [ROUTE_##id] = answer_##id,
	ROUTE_TABLE(X)
#undef X
};

/* When to ask again, in seconds. */
static unsigned retry_after(enum err_code code)
{
	switch (err_retry(code)) {
	case ERR_RETRY_SOON:
		return 5;
	case ERR_RETRY_LATER:
		return 60;
	default:
		return 0;
	}
}

static bool is_ours(enum err_code code)
{
	return err_http(code) >= 500;
}

void api_answer(void *ctx, const struct web_request *rq, struct web_reply *out)
{
	struct api *a = ctx;
	struct err e = {0};
	unsigned wait_s = 0;
	int rc = caller_check(a, rq, &wait_s, &e);

	if (rc == 0)
		rc = answers[rq->route](a, rq, out, &e);
	if (rc < 0) {
		buf_clear(&out->body);
		out->file[0] = out->etag[0] = 0;
		out->type = NULL;
		web_reply_err(out, &e);
		out->retry_after_s = wait_s ? wait_s : retry_after(e.code);
	}
	if (rc < 0 && is_ours(e.code))
		log_err(LOG_ID_STORE, &e, "route=\"%s %s\" peer=%s", route_method(rq->route),
			route_path(rq->route), rq->peer);
}

/* ---- a turn ---- */

static void begin_turn(void *ctx)
{
	const struct api *a = ctx;

	run_group_begin(a->run);
}

static bool is_turn_open(void *ctx)
{
	const struct api *a = ctx;

	return run_group_is_open(a->run);
}

static int end_turn(void *ctx, struct err *e)
{
	const struct api *a = ctx;

	return run_group_end(a->run, e);
}

const struct web_turn api_turn = {begin_turn, is_turn_open, end_turn};

/* ---- what the answers share ---- */

void answer_json(struct web_reply *out, json_t *j)
{
	json_write(j, &out->body);
	buf_add_char(&out->body, '\n');
	json_decref(j);
}

int answer_id(const struct web_request *rq, unsigned at, const char *what, char out[ID_TEXT_MAX],
	struct err *e)
{
	return id_parse(rq->args[at], what, out, e);
}

int answer_number(const struct web_request *rq, const char *name, uint64_t otherwise, uint64_t max,
	uint64_t *out, struct err *e)
{
	const char *text = rq->query(rq, name);

	*out = otherwise;
	if (!text)
		return 0;
	if (str_to_u64(str_of(text), 1, max, out, e) < 0)
		return err_wrap(e, "?%s", name);
	return 0;
}

int answer_body(const struct web_request *rq, size_t max, const char *const *known, json_t **out,
	struct err *e)
{
	json_t *j;
	int rc;

	TRY(json_read(rq->body, max, &j, e));
	rc = json_is_object(j) ? json_only(j, "body", known, e)
			       : err_set(e, ERR_BAD_INPUT, "body: an object is wanted");
	if (rc < 0)
		json_decref(j);
	else
		*out = j;
	return rc;
}

void answer_set_text(json_t *o, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(o, key, json_string(text));
}

void answer_set_digest(json_t *o, const char *key, const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	if (sha256_is_zero(d))
		return;
	sha256_format(d, hex);
	json_object_set_new(o, key, json_string(hex));
}

void answer_set_number(json_t *o, const char *key, int64_t n)
{
	json_object_set_new(o, key, json_integer(n));
}
