/* What devices fetch: metadata of both repositories, release documents, artifacts. */
#include "server/api/api_priv.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/metadata.h"
#include "server/repo/releases.h"
#include "server/run/admit.h"
#include "server/run/artifact.h"
#include "server/run/desired.h"
#include "server/run/imagerepo.h"

static void reply_file(struct web_reply *out, struct meta_row *m)
{
	snprintf(out->etag, sizeof out->etag, "%s", m->etag);
	out->body = m->bytes;
	m->bytes = (struct buf){0};
}

/* Without the quotes of the header. */
static void known_etag(const struct web_request *rq, char out[80])
{
	struct str tag = str_of(rq->etag ? rq->etag : "");

	if (tag.n >= 2 && tag.p[0] == '"')
		tag = (struct str){tag.p + 1, tag.n - 2};
	if (str_copy(tag, out, 80, NULL) < 0)
		out[0] = 0;
}

/* Whoever has the newest one already costs no further read. */
static int poll(struct api *a, const struct web_request *rq, const char *device,
	struct web_reply *out, struct err *e)
{
	META_ROW_AUTO m = {0};
	char has[80];

	known_etag(rq, has);
	TRY(admit_poll(a->run, device, has, out->etag, e));
	out->retry_after_s = a->poll_after_s;
	if (strcmp(has, out->etag) == 0)
		return 0;
	TRY(desired_file(a->run, device, rq->args[1], &m, e));
	reply_file(out, &m);
	return 0;
}

int answer_DIRECTOR_META(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	META_ROW_AUTO m = {0};
	char device[ID_TEXT_MAX];

	TRY(answer_id(rq, 0, "device", device, e));
	if (str_is(rq->args[1], "timestamp.json"))
		return poll(a, rq, device, out, e);
	TRY(desired_file(a->run, device, rq->args[1], &m, e));
	reply_file(out, &m);
	return 0;
}

/* Asking for the time is asking for the desired state, so that no newer one is held back by whoever
 * lets only this question through. */
int answer_DIRECTOR_TIME(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	char device[ID_TEXT_MAX], nonce[NONCE_TEXT], etag[80];

	TRY(answer_id(rq, 0, "device", device, e));
	TRY(timetoken_nonce_parse(rq->args[1], nonce, e));
	TRY(admit_poll(a->run, device, "", etag, e));
	return desired_time(a->run, device, nonce, &out->body, e);
}

int answer_IMAGE_META(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	META_ROW_AUTO m = {0};

	TRY(imagerepo_file(a->run, REPO_IMAGE, rq->args[0], &m, e));
	reply_file(out, &m);
	return 0;
}

/* "DIGEST.NAME" beneath "PRODUCT": a consistent snapshot's name of the target "PRODUCT/NAME". */
int answer_IMAGE_TARGET(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	RELEASE_ROW_AUTO r = {0};
	struct str file = rq->args[1], hex;
	char path[LIMIT_TARGET_NAME];
	struct sha256 digest;

	if (!str_split(&file, '.', &hex) || !file.p || sha256_parse(hex, &digest, NULL) < 0 ||
		releases_by_digest(a->db, &digest, &r, NULL) < 0)
		return err_set(e, ERR_NOT_FOUND, "no release document of that name");
	snprintf(path, sizeof path, "%.*s/%.*s", (int)rq->args[0].n, rq->args[0].p, (int)file.n,
		file.p);
	if (strcmp(path, r.path) != 0)
		return err_set(e, ERR_NOT_FOUND, "no release document of that name");
	snprintf(out->etag, sizeof out->etag, "%.*s", (int)hex.n, hex.p);
	return releases_document(a->db, &digest, &out->body, e);
}

int answer_ARTIFACT(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	struct sha256 digest;

	TRY(sha256_parse(rq->args[0], &digest, e));
	TRY(artifact_path(a->artifacts, &digest, out->file, sizeof out->file, e));
	sha256_format(&digest, out->etag);
	out->type = "application/octet-stream";
	return 0;
}

int answer_ARTIFACT_PUT(
	struct api *a, const struct web_request *rq, struct web_reply *out, struct err *e)
{
	struct sha256 digest;

	TRY(sha256_parse(rq->args[0], &digest, e));
	if (!rq->body_file)
		return err_set(e, ERR_BAD_INPUT, "no bytes came");
	TRY(artifact_put(a->artifacts, &digest, rq->body_file, e));
	answer_json(out, json_pack("{s:s#}", "digest", rq->args[0].p, rq->args[0].n));
	return 0;
}
