/* The summaries of gates that a release must show before it is believed: stored beside its
 * document, fetched like an artifact. */
#include <stdio.h>
#include <string.h>

#include "agent/net/desired_priv.h"

void desired_evidence_fini(struct desired_evidence *ev)
{
	for (unsigned i = 0; i < ARRAY_LEN(ev->bytes); i++)
		buf_fini(&ev->bytes[i]);
}

/* Beginning with the digest of the release document, so that it goes when that goes. */
static void file_of(const struct desired *d, unsigned i, char path[FS_PATH_MAX])
{
	char hex[SHA256_TEXT];

	sha256_format(&d->hash, hex);
	snprintf(path, FS_PATH_MAX, "documents/%s.summary-%u.json", hex, i);
}

static bool is_named(const struct evidence_ref *ref, const struct buf *bytes)
{
	struct sha256 is;

	digest_of(bytes->p, bytes->n, &is);
	return bytes->n == ref->length && sha256_eq(&is, &ref->hash);
}

static int download(struct desired_evidence *ev, const struct desired_in *in,
	const struct evidence_ref *ref, struct buf *out, struct err *e)
{
	char url[sizeof((struct desired_repo *)0)->url + SHA256_TEXT + 16], hex[SHA256_TEXT];
	struct http_answer a = {0};
	int rc;

	sha256_format(&ref->hash, hex);
	snprintf(url, sizeof url, "%s/artifacts/%s", in->server, hex);
	TRY(http_get(in->http, url, NULL, (size_t)ref->length, in->cancel, &a, e));
	rc = http_check(&a, "a summary of evidence", e);
	ev->turned_away = rc < 0;
	if (rc == 0)
		buf_add(out, a.body.p, a.body.n);
	http_answer_fini(&a);
	return rc;
}

/* The stored copy if it is the named one, else the server's. What came is judged afterwards. */
static int bring_one(struct desired_evidence *ev, const struct desired_in *in,
	const struct desired *d, unsigned i, struct err *e)
{
	const struct evidence_ref *ref = &ev->wanted.v[i];
	char path[FS_PATH_MAX];
	struct err why;

	file_of(d, i, path);
	if (fs_read_file(in->fs, path, (size_t)ref->length, &ev->bytes[i], &why) == 0 &&
		is_named(ref, &ev->bytes[i]))
		return 0;
	buf_clear(&ev->bytes[i]);
	if (!in->http)
		return err_set(e, ERR_NOT_FOUND, "%s: its evidence is not stored", d->path);
	if (download(ev, in, ref, &ev->bytes[i], e) < 0)
		return err_wrap(e, "%s: evidence", d->path);
	return 0;
}

int desired_evidence_bring(struct desired_evidence *ev, const struct desired_in *in,
	const struct trusted_set *director, const struct trusted_set *image,
	const struct desired *d, struct err *e)
{
	struct str bytes[LIMIT_EVIDENCE];

	TRY(evidence_wanted(director, image, &in->facts, d, &ev->wanted, e));
	for (unsigned i = 0; i < ev->wanted.n; i++) {
		TRY(bring_one(ev, in, d, i, e));
		bytes[i] = buf_str(&ev->bytes[i]);
	}
	return evidence_agree(director, image, d, &ev->wanted, bytes, e);
}

int desired_evidence_store(const struct desired_evidence *ev, const struct desired_in *in,
	const struct desired *d, struct err *e)
{
	char path[FS_PATH_MAX];

	for (unsigned i = 0; i < ev->wanted.n; i++) {
		file_of(d, i, path);
		TRY(desired_store_file(in->fs, path, buf_str(&ev->bytes[i]), e));
	}
	return 0;
}
