#include "server/run/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/trust/director.h"
#include "proto/wire/path.h"
#include "proto/wire/release.h"
#include "server/repo/metadata.h"
#include "server/repo/releases.h"
#include "server/run/approval.h"
#include "server/run/artifact.h"
#include "server/run/evidence.h"
#include "server/run/hook.h"
#include "server/run/imagerepo.h"
#include "server/run/rolefiles.h"
#include "server/run/run_priv.h"

struct publishing {
	struct run *r;
	const struct publish_in *in;
	struct trusted_set before; /* the base for rollback checks, then what is trusted after */
	struct release *release;   /* the document, parsed */
	struct sha256 digest;      /* of the document */
	unsigned stored;           /* files that were new */
	bool is_new;
};

static void publishing_fini(struct publishing *p)
{
	trusted_fini(&p->before);
	free(p->release);
}

/* ---- the document ---- */

static int check_artifacts(const struct publishing *p, struct err *e)
{
	for (unsigned i = 0; i < p->release->n_components; i++) {
		const struct component *c = &p->release->components[i];

		if (artifact_check(p->r->c.artifacts, &c->artifact.digest, c->artifact.length, e) <
			0)
			return err_wrap(e, "component %s", c->name);
	}
	return 0;
}

/* "ocr/ocr-2.json" is the release "ocr-2" of the product "ocr". */
static int check_names(const struct publishing *p, struct err *e)
{
	char want[2 * ID_TEXT_MAX + 8];

	TRY(path_check(str_of(p->in->path), sizeof p->in->path - 1, e));
	snprintf(want, sizeof want, "%s/%s.json", p->release->product, p->release->id.s);
	if (strcmp(want, p->in->path) != 0)
		return err_set(
			e, ERR_BAD_INPUT, "path %s: the document says %s", p->in->path, want);
	return 0;
}

static int check_document(struct publishing *p, struct err *e)
{
	RELEASE_ROW_AUTO there = {0};
	int rc;

	digest_of(p->in->document.p, p->in->document.n, &p->digest);
	TRY(release_parse(p->in->document, p->release, e));
	TRY(check_names(p, e));
	rc = releases_get(p->r->c.db, p->in->path, &there, e);
	if (rc == -ERR_NOT_FOUND)
		return check_artifacts(p, e);
	TRY(rc);
	p->is_new = false;
	if (!sha256_eq(&there.digest, &p->digest))
		return err_set(e, ERR_CONFLICT,
			"%s was published with another content; a release never changes",
			p->in->path);
	return 0;
}

/* ---- the role files ---- */

struct newest {
	const char *product;
	struct rel_id id;
	uint64_t counter;
};

static int note_newest(void *ctx, const struct release_row *r, struct err *e)
{
	struct newest *n = ctx;

	(void)e;
	if (strcmp(r->product, n->product) == 0 && r->counter > n->counter) {
		n->counter = r->counter;
		n->id = r->id;
	}
	return 0;
}

/* With a lower counter than a release that may run already, it would be refused by all devices that
 * run that one. Looked at before anything is signed: a snapshot cannot be called back. */
static int check_counter(struct publishing *p, const struct meta *m, struct err *e)
{
	struct newest n = {.product = p->release->product};
	uint64_t counter;
	struct target t;

	if (!p->is_new || meta_target(m, p->in->path, &t, NULL) < 0 || !t.match)
		return 0;
	TRY(json_u64(t.match, "custom.match", "releaseCounter", 0, INT64_MAX, &counter, e));
	TRY(releases_each(p->r->c.db, note_newest, &n, e));
	if (counter < n.counter)
		return err_set(e, ERR_ROLLED_BACK, "%s: release counter %llu, %s has %llu",
			p->in->path, (unsigned long long)counter, n.id.s,
			(unsigned long long)n.counter);
	return 0;
}

static int check_counters(struct publishing *p, struct err *e)
{
	for (unsigned i = 0; i < p->in->n_roles; i++) {
		struct meta m CLEANUP(meta_fini);

		meta_init(&m);
		TRY(meta_parse(p->in->roles[i].bytes, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e));
		if (check_counter(p, &m, e) < 0)
			return err_wrap(e, "%s.json", p->in->roles[i].role);
	}
	return 0;
}

static int add_files(struct publishing *p, struct err *e)
{
	if (p->in->root.n) {
		TRY(trusted_next_root(&p->before, p->in->root, e));
		TRY(rolefiles_put(
			p->r, REPO_IMAGE, "root", &p->before.root, p->in->root, &p->stored, e));
	}
	TRY(trusted_roots_done(&p->before, e));
	TRY(rolefiles_add(p->r, &p->before.root, p->in->roles, p->in->n_roles, &p->stored, e));
	return check_counters(p, e);
}

/* ---- the whole ---- */

/* Does the repository, as a device would see it now, allow this document? */
static int check_quorum(struct publishing *p, struct target *out, struct err *e)
{
	TRY(imagerepo_load(p->r, &p->before, e));
	TRY(director_image_agrees(&p->before, p->in->path, out, e));
	if (!sha256_eq(&out->hash, &p->digest) || out->length != p->in->document.n)
		return err_set(e, ERR_ALTERED, "%s: the document is not the one that was signed",
			p->in->path);
	if (!out->match)
		return err_set(e, ERR_BAD_INPUT, "%s: signed without custom.match", p->in->path);
	return 0;
}

static int tell(
	struct publishing *p, const struct release_row *row, const char *text, struct err *e)
{
	struct hook_fact f = {.event = HOOK_RELEASE_PUBLISHED, .text = text};
	JSON_AUTO *data = NULL;
	char hex[SHA256_TEXT];

	sha256_format(&row->digest, hex);
	data = json_pack("{s:s, s:s, s:s, s:s, s:s}", "release", row->id.s, "path", row->path,
		"version", row->version, "digest", hex, "by", p->in->who);
	f.data = data;
	return hook_raise(p->r, &f, e);
}

static int add_release(struct publishing *p, const struct target *t, struct err *e)
{
	RELEASE_ROW_AUTO row = {.id = p->release->id, .digest = p->digest};
	char text[2 * LIMIT_TEXT];

	snprintf(row.path, sizeof row.path, "%s", p->in->path);
	snprintf(row.product, sizeof row.product, "%s", p->release->product);
	snprintf(row.version, sizeof row.version, "%s", p->release->version);
	snprintf(row.notes, sizeof row.notes, "%s", p->release->notes);
	TRY(json_u64(t->match, "custom.match", "releaseCounter", 0, INT64_MAX, &row.counter, e));
	json_canonical(t->match, &row.match);
	row.published = run_now(p->r);
	TRY(releases_add(p->r->c.db, &row, p->in->document, e));
	snprintf(text, sizeof text, "%s published %s, version %s: %s", p->in->who, row.path,
		row.version, row.notes);
	p->r->stats.published++;
	TRY(run_audit(p->r, NULL, p->in->who, "publish", "", text, e));
	return tell(p, &row, text, e);
}

static int publish(struct publishing *p, struct err *e)
{
	struct target t;

	TRY(check_document(p, e));
	TRY(imagerepo_load_before(p->r, &p->before, e));
	TRY(add_files(p, e));
	if (!p->is_new && !p->stored)
		return 0;
	if (p->is_new)
		TRY(approval_check(p->r, &p->before, p->in->path, &p->digest, p->in->who, e));
	TRY(imagerepo_sign_for(p->r, p->in->path, &p->digest, e));
	TRY(check_quorum(p, &t, e));
	TRY(evidence_check(
		p->r, &p->before.root, &p->before.targets, p->in->path, &p->digest, t.match, e));
	return p->is_new ? add_release(p, &t, e) : 0;
}

int publish_release(struct run *r, const struct publish_in *in, struct sha256 *out_document,
	bool *out_new, struct err *e)
{
	struct publishing p CLEANUP(publishing_fini) = {.r = r, .in = in, .is_new = true};

	p.release = mem_new(sizeof *p.release);
	trusted_init(&p.before, run_now_s(r));
	TRY(run_begin(r, e));
	TRY(run_end(r, publish(&p, e), e));
	*out_document = p.digest;
	*out_new = p.is_new;
	return 0;
}
