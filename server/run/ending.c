#include "server/run/ending.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/time.h"
#include "server/issue/until.h"
#include "server/repo/certificates.h"
#include "server/repo/hooks.h"
#include "server/repo/metadata.h"
#include "server/run/hook.h"

#define PERIOD MINUTE(60)
#define DAY_S  (24 * 3600)
#define MEMORY (400 * SEC(DAY_S))

/* Days ahead; the smallest that fits is told. */
static const int64_t ahead[] = {7, 30};

/* One thing that ends. */
struct end {
	enum hook_event event;
	const char *what;            /* for people: "the role file image/engineering" */
	const char *role;            /* or NULL */
	char key[ID_TEXT_MAX + 128]; /* what it is told of once by */
	int64_t until_s;
};

static int raise_end(struct run *r, const struct end *end, struct err *e)
{
	JSON_AUTO *data = json_pack("{s:I}", "until_ms", (json_int_t)end->until_s * 1000);
	struct hook_fact f = {.event = end->event, .data = data};
	char time[21], text[2 * LIMIT_TEXT];

	time_format(end->until_s, time);
	snprintf(text, sizeof text, "%s %s at %s", end->what,
		end->until_s <= run_now_s(r) ? "has ended" : "ends", time);
	if (end->role)
		json_object_set_new(data, "role", json_string(end->role));
	f.text = text;
	TRY(run_audit(r, NULL, "server", "ending", "", text, e));
	return hook_raise(r, &f, e);
}

/* Says it once for each number of days ahead. */
static int say_once(struct run *r, struct end *end, struct err *e)
{
	char key[sizeof end->key + 24];
	bool before;

	for (size_t i = 0; i < ARRAY_LEN(ahead); i++) {
		if (end->until_s - run_now_s(r) > ahead[i] * DAY_S)
			continue;
		snprintf(key, sizeof key, "%s %lld %d", end->key, (long long)end->until_s,
			(int)ahead[i]);
		TRY(hooks_told(r->c.db, key, run_now(r), &before, e));
		return before ? 0 : raise_end(r, end, e);
	}
	return 0;
}

/* ---- what people have signed ---- */

struct repo {
	struct run *r;
	const char *name;
};

/* The others are signed here again long before. */
static bool is_signed_by_people(const char *role)
{
	return strcmp(role, "snapshot") != 0 && strcmp(role, "timestamp") != 0;
}

static int look_at_role(void *ctx, const char *role, const struct meta_row *m, struct err *e)
{
	struct repo *repo = ctx;
	struct end end = {.event = HOOK_METADATA_ENDING, .role = role, .until_s = m->expires_s};
	char what[LIMIT_ROLE_NAME + 96];

	if (!is_signed_by_people(role))
		return 0;
	snprintf(what, sizeof what, "version %llu of %s/%s", (unsigned long long)m->version,
		repo->name, role);
	snprintf(end.key, sizeof end.key, "metadata %s %s", repo->name, role);
	end.what = what;
	return say_once(repo->r, &end, e);
}

/* ---- certificates ---- */

static int look_at_file(struct run *r, const char *path, struct err *e)
{
	struct end end = {.event = HOOK_SERVER_CERTIFICATE, .what = path};

	if (!path || !*path || certificate_until(path, &end.until_s, NULL) < 0)
		return 0;
	snprintf(end.key, sizeof end.key, "file %.150s", path);
	return say_once(r, &end, e);
}

static int look_at_device(void *ctx, const struct certificate_row *c, struct err *e)
{
	struct run *r = ctx;
	struct hook_fact f = {.event = HOOK_DEVICE_CERTIFICATE, .device = c->device.s};
	char key[ID_TEXT_MAX + 40], text[2 * LIMIT_TEXT], time[21];
	bool before;

	snprintf(key, sizeof key, "device %s %lld", c->device.s, (long long)c->until_s);
	TRY(hooks_told(r->c.db, key, run_now(r), &before, e));
	if (before)
		return 0;
	time_format(c->until_s, time);
	snprintf(text, sizeof text, "%s: its certificate ends at %s and it has not renewed it",
		c->device.s, time);
	f.text = text;
	TRY(run_audit(r, NULL, "server", "ending", c->device.s, text, e));
	return hook_raise(r, &f, e);
}

/* ---- the whole ---- */

static int look(struct run *r, struct err *e)
{
	struct repo image = {r, REPO_IMAGE}, director = {r, REPO_DIRECTOR};

	TRY(metadata_each(r->c.db, REPO_IMAGE, look_at_role, &image, e));
	TRY(metadata_each(r->c.db, REPO_DIRECTOR, look_at_role, &director, e));
	for (size_t i = 0; i < ARRAY_LEN(r->c.certificates); i++)
		TRY(look_at_file(r, r->c.certificates[i], e));
	TRY(certificates_each_ending(r->c.db, run_now_s(r), look_at_device, r, e));
	TRY(hooks_forget_secrets(r->c.db, run_now(r), e));
	return hooks_forget_told(r->c.db, run_now(r) - MEMORY, e);
}

int ending_tick(struct run *r, struct err *e)
{
	ms_t now = run_now(r);

	if (now >= r->ending && now < r->ending + PERIOD)
		return 0;
	r->ending = now;
	TRY(run_begin(r, e));
	return run_end(r, look(r, e), e);
}
