/* Snapshot and timestamp of the image repository, over the files that the server shows. */
#include <stdio.h>
#include <string.h>

#include "server/signd/signd_priv.h"

struct showing {
	struct signing *s;
	const struct ask_image *a;
	struct shown *draft;
	struct sign_plan plan;
	struct sign_budgets left;
};

static struct repo_head head_of(const struct showing *sh, enum sign_file f)
{
	return (struct repo_head){sh->plan.version[f], sh->plan.expires_s[f]};
}

static json_t *snapshot_of(const struct showing *sh)
{
	CLEANUP(mem_free) struct repo_pin *pins = mem_new(LIMIT_ROLES * sizeof *pins);
	const struct shown *im = sh->draft;

	for (unsigned i = 0; i < im->n; i++) {
		char file[LIMIT_ROLE_NAME + 8];

		snprintf(file, sizeof file, "%s.json", im->roles[i].name);
		repo_pin_of(file, im->roles[i].version, buf_str(&im->roles[i].bytes), &pins[i]);
	}
	return repo_snapshot(head_of(sh, SIGN_SNAPSHOT), pins, im->n);
}

static json_t *timestamp_of(const struct showing *sh)
{
	const struct signed_file *snapshot = &sh->draft->files[SIGN_SNAPSHOT];
	struct repo_pin pin;

	repo_pin_of("snapshot.json", snapshot->version, buf_str(&snapshot->bytes), &pin);
	return repo_timestamp(head_of(sh, SIGN_TIMESTAMP), &pin);
}

static int make_file(
	struct showing *sh, enum sign_file f, const char *key_role, json_t *part, struct err *e)
{
	struct signed_file made;

	TRY(signing_sign(sh->s, key_role, sign_file_name(f), part, head_of(sh, f), &made, e));
	buf_fini(&sh->draft->files[f].bytes);
	sh->draft->files[f] = made;
	return 0;
}

/* Nothing leaves before the code of a device has believed all of it. */
static int make_files(struct showing *sh, struct err *e)
{
	if (sh->plan.fresh[SIGN_SNAPSHOT])
		TRY(make_file(sh, SIGN_SNAPSHOT, "image-snapshot", snapshot_of(sh), e));
	if (sh->plan.fresh[SIGN_TIMESTAMP])
		TRY(make_file(sh, SIGN_TIMESTAMP, "image-timestamp", timestamp_of(sh), e));
	return shown_settle(sh->draft, sh->a, e);
}

static int put(void *ctx, struct db *db, struct err *e)
{
	return store_put_image(db, ((const struct showing *)ctx)->draft, e);
}

static int show(struct showing *sh, struct err *e)
{
	struct signd *d = sh->s->d;
	uint64_t last[SIGN_FILE_MAX] = {0};

	TRY(shown_draft(d->image, sh->a, sh->s->now / 1000, sh->draft, e));
	for (enum sign_file f = SIGN_SNAPSHOT; f < SIGN_FILE_MAX; f++)
		last[f] = d->image->files[f].version;
	TRY(rule_image(sh->a, last, shown_is_pinned(sh->draft), &d->c.limits, sh->s->now, &sh->left,
		&sh->plan, e));
	TRY(make_files(sh, e));
	return sh->s->n ? signing_commit(sh->s, &sh->left, put, sh, e) : 0;
}

/* ---- the answer ---- */

/* A file of people that is newer here than what was shown: the server has lost it, and gets it
 * back. */
static bool was_shown(const struct ask_image *a, const struct shown_role *r)
{
	for (unsigned i = 0; i < a->n; i++)
		if (strcmp(a->files[i].role, r->name) == 0)
			return str_eq(a->files[i].bytes, buf_str(&r->bytes));
	return false;
}

static void reply_role(struct reply *reply, const struct shown_role *r)
{
	struct signed_file f = {.version = r->version, .bytes = r->bytes};

	snprintf(f.role, sizeof f.role, "%s", r->name);
	if (reply->n < LIMIT_ROLES)
		reply_add(reply, &f);
}

static void answer(const struct showing *sh)
{
	const struct shown *im = sh->draft;

	for (enum sign_file f = SIGN_SNAPSHOT; f < SIGN_FILE_MAX; f++)
		reply_add(sh->s->reply, &im->files[f]);
	for (unsigned i = 0; i < im->n; i++)
		if (!was_shown(sh->a, &im->roles[i]))
			reply_role(sh->s->reply, &im->roles[i]);
}

int signing_image(struct signing *s, const struct ask_image *a, struct err *e)
{
	CLEANUP(shown_free) struct shown *draft = mem_new(sizeof *draft);
	struct showing sh = {.s = s, .a = a, .draft = draft, .left = s->d->budgets};

	shown_init(draft);
	TRY(show(&sh, e));
	answer(&sh);
	sh.draft = s->d->image;
	s->d->image = draft;
	draft = sh.draft;
	return 0;
}
