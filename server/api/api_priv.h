/* What the answers share. */
#ifndef SERVER_API_API_PRIV_H
#define SERVER_API_API_PRIV_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "server/api/api.h"

/* 0 with a filled reply, or an error, which becomes the reply. */
typedef int answer_f(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e);

/* answer_HEALTH, answer_METRICS, ...: one per row of the routes. */
#define X(id, ...) answer_f answer_##id;
ROUTE_TABLE(X)
#undef X

/* May this request be made, and does it come too often? ERR_TOO_OFTEN tells in *out_wait_s when to
 * ask again. */
int caller_check(struct api *a, const struct web_request *rq, unsigned *out_wait_s,
	struct err *e) MUST_CHECK;
/* To be told of a wrong token. */
void caller_was_wrong(struct api *a, const struct web_request *rq);

/* Writes and frees `j`. */
void answer_json(struct web_reply *out, json_t *j);

/* An argument of the path as an id. */
int answer_id(const struct web_request *rq, unsigned at, const char *what, char out[ID_TEXT_MAX],
	struct err *e) MUST_CHECK;

/* A number of the query, at least 1; `otherwise` when it is not there. */
int answer_number(const struct web_request *rq, const char *name, uint64_t otherwise, uint64_t max,
	uint64_t *out, struct err *e) MUST_CHECK;

/* The body as an object with no members but `known`. */
int answer_body(const struct web_request *rq, size_t max, const char *const *known, json_t **out,
	struct err *e) MUST_CHECK;

/* A file that came as text within JSON; borrowed from there. */
int answer_file(const json_t *j, const char *what, struct str *out, struct err *e) MUST_CHECK;
/* {ROLE: a file as text, ...}, borrowed from there; `out` has room for LIMIT_ROLES. */
struct role_file;
int answer_role_files(
	const json_t *roles, struct role_file *out, unsigned *out_n, struct err *e) MUST_CHECK;

/* Sets a member when there is something to tell. */
void answer_set_text(json_t *o, const char *key, const char *text);
void answer_set_digest(json_t *o, const char *key, const struct sha256 *d);
void answer_set_number(json_t *o, const char *key, int64_t n);

#endif
