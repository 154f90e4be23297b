#include "agent/tele/tele_priv.h"

#include <stdio.h>

#include "proto/wire/routes.h"

#define ANSWER_MAX 4096

/* It is this report that the server does not want, and will not want next time. */
static const int refusals[] = {400, 409, 413, 422};

static bool is_refusal(int status)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		if (refusals[i] == status)
			return true;
	return false;
}

struct sending {
	struct fs *fs;
	const struct http_conf *http;
	const atomic_bool *cancel;
	char url[512];
	ms_t retry_after;
};

static int make_url(struct sending *s, const char *server, const char *device, struct err *e)
{
	const char *const args[] = {device};
	char path[256];
	int n;

	TRY(route_format(ROUTE_REPORT, args, path, sizeof path, e));
	n = snprintf(s->url, sizeof s->url, "%s%s", server, path);
	return n < (int)sizeof s->url ? 0 : err_set(e, ERR_CONFIG, "the server's URL is too long");
}

static int set_aside(struct fs *fs, const struct tele_entry *entry, const char *path, struct err *e)
{
	char aside[FS_PATH_MAX];

	TRY(tele_folder_make(fs, TELE_REFUSED, e));
	tele_folder_path(TELE_REFUSED, entry, aside);
	TRY(fs->ops->rename(fs, path, aside, e));
	return tele_folder_trim(fs, TELE_REFUSED, TELE_REFUSED_MAX, e);
}

static int send_one(struct sending *s, const struct tele_entry *entry, struct err *e)
{
	struct http_answer answer = {0};
	char path[FS_PATH_MAX];
	BUF_AUTO text = {0};
	int rc;

	tele_folder_path(TELE_REPORTS, entry, path);
	rc = fs_read_file(s->fs, path, LIMIT_REPORT_BYTES, &text, e);
	/* It gave way to another one meanwhile. */
	if (rc == -(int)ERR_NOT_FOUND)
		return 0;
	if (rc == -(int)ERR_TOO_LARGE)
		return set_aside(s->fs, entry, path, e);
	TRY(rc);
	rc = http_send(s->http, "POST", s->url, buf_str(&text), ANSWER_MAX, s->cancel, &answer, e);
	if (rc == 0) {
		s->retry_after = answer.retry_after;
		rc = http_check(&answer, "report", e);
		if (is_refusal(answer.status))
			rc = set_aside(s->fs, entry, path, e);
		else if (rc == 0)
			rc = s->fs->ops->unlink(s->fs, path, e);
	}
	http_answer_fini(&answer);
	return rc;
}

int tele_send(struct fs *fs, const struct http_conf *http, const char *server, const char *device,
	const atomic_bool *cancel, unsigned *out_left, ms_t *out_retry_after, struct err *e)
{
	struct sending s = {.fs = fs, .http = http, .cancel = cancel};
	FOLDER_AUTO f = {0};
	unsigned done = 0;
	int rc;

	*out_left = 0;
	*out_retry_after = 0;
	TRY(make_url(&s, server, device, e));
	TRY(tele_folder_list(fs, TELE_REPORTS, &f, e));
	for (rc = 0; done < f.n && rc == 0; done += rc == 0)
		rc = send_one(&s, &f.v[done], e);
	*out_left = f.n - done;
	*out_retry_after = s.retry_after;
	/* A removal that a power cut takes back only makes the report be sent twice. */
	if (done)
		(void)!fs->ops->sync_dir(fs, TELE_REPORTS, NULL);
	return rc;
}

int tele_oldest(struct fs *fs, size_t max, uint64_t *out_seq, struct buf *out, struct err *e)
{
	char path[FS_PATH_MAX];
	FOLDER_AUTO f = {0};

	TRY(tele_folder_list(fs, TELE_REPORTS, &f, e));
	if (f.n == 0)
		return err_set(e, ERR_NOT_FOUND, "no report waits");
	tele_folder_path(TELE_REPORTS, &f.v[0], path);
	TRY(fs_read_file(fs, path, max, out, e));
	*out_seq = f.v[0].seq;
	return 0;
}

int tele_done(struct fs *fs, uint64_t seq, struct err *e)
{
	const struct tele_entry entry = {.seq = seq};
	char path[FS_PATH_MAX];

	tele_folder_path(TELE_REPORTS, &entry, path);
	return fs->ops->unlink(fs, path, e);
}
