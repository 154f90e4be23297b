/* One device's files of the director repository. */
#include <stdio.h>
#include <string.h>

#include "server/signd/signd_priv.h"

struct directing {
	struct signing *s;
	const struct ask_director *a;
	struct sign_device before, after;
	struct sign_plan plan;
	struct target entry;
	struct sign_budgets left;
	struct signed_file files[SIGN_FILE_MAX];
};

static void directing_fini(struct directing *d)
{
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		buf_fini(&d->files[f].bytes);
}

static struct repo_head head_of(const struct directing *d, enum sign_file f)
{
	return (struct repo_head){d->plan.version[f], d->plan.expires_s[f]};
}

static struct repo_pin pin_of(const struct directing *d, enum sign_file f)
{
	char file[32];
	struct repo_pin pin;

	snprintf(file, sizeof file, "%s.json", sign_file_name(f));
	repo_pin_of(file, d->files[f].version, buf_str(&d->files[f].bytes), &pin);
	return pin;
}

/* Says, too, which state of the image repository this was checked against: a device that is shown
 * an older one refuses it. */
static json_t *targets_of(const struct directing *d)
{
	const struct shown *im = d->s->d->image;
	struct repo_plan plan = {
		.image_root = im->trusted.root.version,
		.image_snapshot = im->files[SIGN_SNAPSHOT].version,
		.offline = d->a->offline,
	};
	json_t *targets = repo_director_targets(head_of(d, SIGN_TARGETS), &d->a->device,
		&d->a->campaign, d->a->order, *d->entry.path ? &d->entry : NULL);

	repo_director_plan(targets, &plan);
	return targets;
}

static json_t *part_of(const struct directing *d, enum sign_file f)
{
	struct repo_pin pin;

	switch (f) {
	case SIGN_SNAPSHOT:
		pin = pin_of(d, SIGN_TARGETS);
		return repo_snapshot(head_of(d, f), &pin, 1);
	case SIGN_TIMESTAMP:
		pin = pin_of(d, SIGN_SNAPSHOT);
		return repo_timestamp(head_of(d, f), &pin);
	case SIGN_TARGETS:
	case SIGN_FILE_MAX:
		break;
	}
	return targets_of(d);
}

/* Says in the log for whom it was, and what the device is to run. */
static void complete_note(const struct directing *d)
{
	struct chain_note *note = &d->s->notes[d->s->n - 1];

	snprintf(note->device, sizeof note->device, "%s", d->a->device.s);
	snprintf(note->order, sizeof note->order, "%s", desired_order_name(d->a->order));
	snprintf(note->release, sizeof note->release, "%s", d->a->path);
}

static int make_file(struct directing *d, enum sign_file f, struct err *e)
{
	static const char *const key_roles[SIGN_FILE_MAX] = {
		"director-targets", "director-snapshot", "director-timestamp"};

	if (!d->plan.fresh[f])
		return store_file(&d->s->d->db, d->a->device.s, sign_file_name(f), &d->files[f], e);
	TRY(signing_sign(d->s, key_roles[f], sign_file_name(f), part_of(d, f), head_of(d, f),
		&d->files[f], e));
	complete_note(d);
	return 0;
}

static int put(void *ctx, struct db *db, struct err *e)
{
	const struct directing *d = ctx;

	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		if (d->plan.fresh[f])
			TRY(store_put_file(db, d->a->device.s, &d->files[f], e));
	return store_put_device(db, d->a->device.s, &d->after, e);
}

static int direct(struct directing *d, struct err *e)
{
	struct signd *signd = d->s->d;

	TRY(store_device(&signd->db, d->a->device.s, &d->before, e));
	signd->image->trusted.now_s = d->s->now / 1000;
	TRY(rule_director(d->a, &d->before, &signd->image->trusted, &signd->c.limits, d->s->now,
		&d->left, &d->plan, &d->entry, &d->after, e));
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		TRY(make_file(d, f, e));
	return d->s->n ? signing_commit(d->s, &d->left, put, d, e) : 0;
}

int signing_director(struct signing *s, const struct ask_director *a, struct err *e)
{
	struct directing d CLEANUP(directing_fini) = {.s = s, .a = a, .left = s->d->budgets};

	TRY(direct(&d, e));
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		reply_add(s->reply, &d.files[f]);
	return 0;
}
