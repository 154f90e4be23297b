#include "agent/net/desired.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/net/desired_priv.h"

/* One fetch, or one look at what is stored. */
struct fetch {
	const struct desired_in *in;
	struct desired_time time;
	struct desired_repo director, image;
	struct desired desired;
	struct buf document;
	struct desired_evidence evidence;
};

/* What is carried lives long, so that it must not be replayed to a device that can ask; and what is
 * served lives short, and is no word for a device that cannot. */
static int check_way(const struct fetch *f, struct err *e)
{
	if (!f->in->http || f->desired.offline == f->in->carried)
		return 0;
	return err_set(e, ERR_DENIED, "director: the files were made to be %s, not %s",
		f->desired.offline ? "carried" : "served", f->in->carried ? "carried" : "served");
}

static int bring_director(struct fetch *f, bool *out_unchanged, struct err *e)
{
	bool unchanged;

	TRY(desired_repo_refresh(&f->director, !f->in->again, &unchanged, e));
	*out_unchanged = unchanged;
	if (unchanged)
		return 0;
	TRY(director_read(&f->director.set, &f->in->facts, &f->desired, e));
	return check_way(f, e);
}

static int bring_image(struct fetch *f, struct err *e)
{
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME];
	bool unchanged;
	unsigned n;

	f->image.set.now_s = f->director.set.now_s;
	TRY(desired_repo_refresh(&f->image, false, &unchanged, e));
	TRY(director_quorum(&f->image.set, f->desired.path, roles, &n, e));
	for (unsigned i = 0; i < n; i++)
		TRY(desired_repo_role(&f->image, roles[i], e));
	TRY(director_agree(&f->director.set, &f->image.set, &f->in->facts, &f->desired, e));
	return desired_evidence_bring(
		&f->evidence, f->in, &f->director.set, &f->image.set, &f->desired, e);
}

/* ---- the release document ---- */

/* "ocr/ocr-4.json" becomes "ocr/DIGEST.ocr-4.json". Of what an address gives a meaning to, nothing
 * may be in a name. */
static int document_url(const struct fetch *f, struct buf *out, struct err *e)
{
	const char *slash = strrchr(f->desired.path, '/');
	char hex[SHA256_TEXT];

	for (const char *p = f->desired.path; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-._/", *p))
			return err_set(e, ERR_BAD_INPUT, "director: a release of an odd name");
	if (!slash)
		return err_set(e, ERR_BAD_INPUT, "director: a release without a product");
	sha256_format(&f->desired.hash, hex);
	buf_addf(out, "%s/image/targets/%.*s/%s.%s", f->in->server, (int)(slash - f->desired.path),
		f->desired.path, hex, slash + 1);
	return 0;
}

static int download_document(struct fetch *f, struct err *e)
{
	struct http_answer a = {0};
	BUF_AUTO url = {0};
	int rc;

	if (f->desired.length > LIMIT_RELEASE_BYTES)
		return err_set(e, ERR_TOO_LARGE, "a release document of %llu bytes",
			(unsigned long long)f->desired.length);
	TRY(document_url(f, &url, e));
	TRY(http_get(f->in->http, buf_cstr(&url), NULL, (size_t)f->desired.length, f->in->cancel,
		&a, e));
	rc = http_check(&a, f->desired.path, e);
	f->image.turned_away = rc < 0;
	if (rc == 0)
		buf_add(&f->document, a.body.p, a.body.n);
	http_answer_fini(&a);
	return rc;
}

static int check_document(const struct fetch *f, struct err *e)
{
	const struct desired *d = &f->desired;
	const struct hashes listed = {true, d->has_hash512, d->hash, d->hash512};
	struct hashes taken;

	hashes_all_of(f->document.p, f->document.n, &taken);
	if (f->document.n != d->length || !hashes_fit(&listed, &taken))
		return err_set(e, ERR_ALTERED, "%s: not the document that was signed", d->path);
	return 0;
}

static int bring_document(struct fetch *f, struct release *out, struct err *e)
{
	struct err why;
	int rc = desired_store_load_document(f->in->fs, &f->desired.hash, &f->document, &why);

	if (rc < 0 && !f->in->http)
		return err_copy(e, &why);
	if (rc < 0 && download_document(f, e) < 0)
		return err_wrap(e, "release document");
	TRY(check_document(f, e));
	if (release_parse(buf_str(&f->document), out, e) < 0)
		return err_wrap(e, "%s", f->desired.path);
	return 0;
}

/* ---- all of it ---- */

/* What leads to the others comes last, so that a power cut finds the old state or the new one. */
static int store(struct fetch *f, struct err *e)
{
	if (f->desired.order != DESIRED_NOTHING) {
		TRY(desired_store_document(f->in->fs, &f->desired, buf_str(&f->document), e));
		TRY(desired_evidence_store(&f->evidence, f->in, &f->desired, e));
		TRY(desired_repo_store(&f->image, e));
	}
	return desired_repo_store(&f->director, e);
}

static int run(struct fetch *f, struct release *release, bool *out_unchanged, struct err *e)
{
	bool unchanged;

	TRY(bring_director(f, &unchanged, e));
	if (!unchanged && f->desired.order != DESIRED_NOTHING) {
		TRY(bring_image(f, e));
		TRY(bring_document(f, release, e));
	}
	if (!unchanged && f->in->http)
		TRY(store(f, e));
	*out_unchanged = unchanged;
	return 0;
}

static void answer(
	struct fetch *f, bool unchanged, struct release **release, struct desired_out *out)
{
	*out = (struct desired_out){.unchanged = unchanged,
		.heard = f->time.asked ? f->time.base.heard : (struct signed_time){0},
		.now_s = f->director.set.now_s};
	if (unchanged)
		return;
	out->desired = f->desired;
	if (f->desired.order == DESIRED_NOTHING)
		return;
	out->release = *release;
	*release = NULL;
}

int desired_fetch(const struct desired_in *in, struct desired_out *out, struct err *e)
{
	CLEANUP(mem_free) struct fetch *f = mem_new(sizeof *f);
	CLEANUP(mem_free) struct release *release = mem_new(sizeof *release);
	bool unchanged;
	int rc;

	memset(f, 0, sizeof *f);
	f->in = in;
	desired_time_init(&f->time, in);
	desired_repo_init(&f->director, in, &f->time, true);
	desired_repo_init(&f->image, in, &f->time, false);
	rc = run(f, release, &unchanged, e);
	if (rc == 0)
		answer(f, unchanged, &release, out);
	out->retry_after = MAX(f->director.retry_after, f->image.retry_after);
	out->turned_away = rc < 0 && (f->director.turned_away || f->image.turned_away ||
					     f->evidence.turned_away);
	desired_repo_fini(&f->director);
	desired_repo_fini(&f->image);
	buf_fini(&f->document);
	desired_evidence_fini(&f->evidence);
	return rc;
}

int desired_load(struct fs *fs, const struct device_facts *facts, int64_t now_s,
	struct desired_out *out, struct err *e)
{
	struct desired_in in = {.fs = fs, .facts = *facts, .now_s = now_s, .again = true};

	return desired_fetch(&in, out, e);
}
