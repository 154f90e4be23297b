#include "tests/bench/fleet/reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/prng.h"
#include "proto/trust/timetoken.h"

enum part {
	DIRECTOR_TIMESTAMP, /* the poll's own answer */
	DIRECTOR_ROOT,
	DIRECTOR_TIME,
	DIRECTOR_AGAIN, /* the timestamp, when a newer one has been signed since the poll */
	DIRECTOR_SNAPSHOT,
	DIRECTOR_TARGETS,
	IMAGE_ROOT,
	IMAGE_TIMESTAMP,
	IMAGE_SNAPSHOT,
	IMAGE_TARGETS,
	ROLE_ENGINEERING,
	ROLE_SAFETY,
	ROLE_COMPLIANCE,
	PARTS
};

struct reading {
	struct device_facts facts;
	bool verifies, behind;
	enum part at;
	struct trusted_set director, image;
	struct meta role[DIRECTOR_MINIMUM]; /* without verification; with it, image has them */
	struct desired desired;
	char nonce[NONCE_TEXT];
};

/* ---- one file ---- */

typedef int take_f(struct reading *r, struct str bytes, struct err *e);

static int keep(
	struct meta *m, bool *has, enum role_kind kind, size_t max, struct str bytes, struct err *e)
{
	if (*has)
		meta_fini(m);
	*has = false;
	meta_init(m);
	TRY(meta_parse(bytes, kind, max, m, e));
	*has = true;
	return 0;
}

static int fits(const struct meta *lister, const char *file, const struct meta *m, struct err *e)
{
	struct meta_pin pin;

	TRY(meta_pin_of(lister, file, &pin, e));
	if (!meta_pin_fits(&pin, m))
		return err_set(e, ERR_MIXED, "%s is not the one that is listed", file);
	return 0;
}

static int take_timestamp(struct trusted_set *t, bool verifies, struct str bytes, struct err *e)
{
	bool changed;

	return verifies ? trusted_timestamp(t, bytes, &changed, e)
			: keep(&t->timestamp, &t->has_timestamp, ROLE_TIMESTAMP,
				  LIMIT_TIMESTAMP_BYTES, bytes, e);
}

static int take_snapshot(struct trusted_set *t, bool verifies, struct str bytes, struct err *e)
{
	if (verifies)
		return trusted_snapshot(t, bytes, e);
	TRY(keep(&t->snapshot, &t->has_snapshot, ROLE_SNAPSHOT, LIMIT_SNAPSHOT_BYTES, bytes, e));
	return fits(&t->timestamp, "snapshot.json", &t->snapshot, e);
}

static int take_targets(struct trusted_set *t, bool verifies, struct str bytes, struct err *e)
{
	if (verifies)
		return trusted_targets(t, bytes, e);
	TRY(keep(&t->targets, &t->has_targets, ROLE_TARGETS, LIMIT_TARGETS_BYTES, bytes, e));
	return fits(&t->snapshot, "targets.json", &t->targets, e);
}

static int no_newer_root(struct reading *r, struct str bytes, struct err *e)
{
	if (bytes.n)
		return err_set(e, ERR_MIXED, "a newer root, which nobody made");
	if (r->at == DIRECTOR_ROOT)
		return r->verifies ? trusted_roots_done(&r->director, e) : 0;
	return r->verifies ? trusted_roots_done(&r->image, e) : 0;
}

static int director_timestamp(struct reading *r, struct str bytes, struct err *e)
{
	return take_timestamp(&r->director, r->verifies, bytes, e);
}

static int director_time(struct reading *r, struct str bytes, struct err *e)
{
	const json_t *signed_part;
	JSON_AUTO *token = NULL;
	char nonce[NONCE_TEXT];
	uint64_t newest;

	TRY(json_read(bytes, LIMIT_TIMETOKEN_BYTES, &token, e));
	TRY(json_obj(token, "token", "signed", &signed_part, e));
	TRY(json_text(signed_part, "token", "nonce", nonce, sizeof nonce, e));
	TRY(json_u64(signed_part, "token", "timestamp", 1, INT64_MAX, &newest, e));
	if (strcmp(nonce, r->nonce) != 0)
		return err_set(e, ERR_MIXED, "the answer to another question");
	r->behind = newest > r->director.timestamp.version;
	return 0;
}

static int director_snapshot(struct reading *r, struct str bytes, struct err *e)
{
	return take_snapshot(&r->director, r->verifies, bytes, e);
}

static int director_targets(struct reading *r, struct str bytes, struct err *e)
{
	TRY(take_targets(&r->director, r->verifies, bytes, e));
	return director_read(&r->director, &r->facts, &r->desired, e);
}

static int image_timestamp(struct reading *r, struct str bytes, struct err *e)
{
	return take_timestamp(&r->image, r->verifies, bytes, e);
}

static int image_snapshot(struct reading *r, struct str bytes, struct err *e)
{
	return take_snapshot(&r->image, r->verifies, bytes, e);
}

static int image_targets(struct reading *r, struct str bytes, struct err *e)
{
	return take_targets(&r->image, r->verifies, bytes, e);
}

static int role(struct reading *r, struct str bytes, struct err *e)
{
	unsigned which = r->at - ROLE_ENGINEERING;
	const char *name = director_minimum[which];
	struct meta *m = &r->role[which];
	char file[LIMIT_ROLE_NAME + 8];
	struct target target;
	bool has = true;

	if (r->verifies)
		return trusted_delegated(&r->image, name, bytes, e);
	snprintf(file, sizeof file, "%s.json", name);
	TRY(keep(m, &has, ROLE_TARGETS, LIMIT_TARGETS_BYTES, bytes, e));
	TRY(fits(&r->image.snapshot, file, m, e));
	if (r->desired.order == DESIRED_NOTHING)
		return 0;
	TRY(meta_target(m, r->desired.path, &target, e));
	if (!sha256_eq(&target.hash, &r->desired.hash))
		return err_set(e, ERR_MIXED, "%s lists another %s", name, r->desired.path);
	return 0;
}

static take_f *const takes[PARTS] = {
	[DIRECTOR_TIMESTAMP] = director_timestamp,
	[DIRECTOR_ROOT] = no_newer_root,
	[DIRECTOR_TIME] = director_time,
	[DIRECTOR_AGAIN] = director_timestamp,
	[DIRECTOR_SNAPSHOT] = director_snapshot,
	[DIRECTOR_TARGETS] = director_targets,
	[IMAGE_ROOT] = no_newer_root,
	[IMAGE_TIMESTAMP] = image_timestamp,
	[IMAGE_SNAPSHOT] = image_snapshot,
	[IMAGE_TARGETS] = image_targets,
	[ROLE_ENGINEERING] = role,
	[ROLE_SAFETY] = role,
	[ROLE_COMPLIANCE] = role,
};

/* ---- all of them ---- */

int reading_take(struct reading *r, struct str bytes, struct err *e)
{
	TRY(takes[r->at](r, bytes, e));
	r->at++;
	if (r->at == DIRECTOR_AGAIN && !r->behind)
		r->at++;
	return 0;
}

static unsigned long long pinned(const struct meta *lister, const char *file)
{
	struct meta_pin pin = {0};
	struct err e;

	return meta_pin_of(lister, file, &pin, &e) < 0 ? 0 : (unsigned long long)pin.version;
}

bool reading_next(const struct reading *r, char *out, size_t cap, bool *out_may_miss)
{
	const char *device = r->facts.device.s;
	char file[LIMIT_ROLE_NAME + 8];

	*out_may_miss = r->at == DIRECTOR_ROOT || r->at == IMAGE_ROOT;
	switch (r->at) {
	case DIRECTOR_TIMESTAMP:
	case DIRECTOR_AGAIN:
		snprintf(out, cap, "/director/%s/timestamp.json", device);
		return true;
	case DIRECTOR_ROOT:
		snprintf(out, cap, "/director/%s/2.root.json", device);
		return true;
	case DIRECTOR_TIME:
		snprintf(out, cap, "/director/%s/time/%s", device, r->nonce);
		return true;
	case DIRECTOR_SNAPSHOT:
		snprintf(out, cap, "/director/%s/%llu.snapshot.json", device,
			pinned(&r->director.timestamp, "snapshot.json"));
		return true;
	case DIRECTOR_TARGETS:
		snprintf(out, cap, "/director/%s/%llu.targets.json", device,
			pinned(&r->director.snapshot, "targets.json"));
		return true;
	case IMAGE_ROOT:
		snprintf(out, cap, "/image/2.root.json");
		return true;
	case IMAGE_TIMESTAMP:
		snprintf(out, cap, "/image/timestamp.json");
		return true;
	case IMAGE_SNAPSHOT:
		snprintf(out, cap, "/image/%llu.snapshot.json",
			pinned(&r->image.timestamp, "snapshot.json"));
		return true;
	case IMAGE_TARGETS:
		snprintf(out, cap, "/image/%llu.targets.json",
			pinned(&r->image.snapshot, "targets.json"));
		return true;
	case ROLE_ENGINEERING:
	case ROLE_SAFETY:
	case ROLE_COMPLIANCE:
		snprintf(file, sizeof file, "%s.json", director_minimum[r->at - ROLE_ENGINEERING]);
		snprintf(out, cap, "/image/%llu.%s", pinned(&r->image.snapshot, file), file);
		return true;
	default:
		return false;
	}
}

int reading_end(struct reading *r, struct desired *out, struct err *e)
{
	if (r->verifies && r->desired.order != DESIRED_NOTHING)
		TRY(director_agree(&r->director, &r->image, &r->facts, &r->desired, e));
	*out = r->desired;
	return 0;
}

int reading_new(const struct roots *roots, const struct device_facts *facts, bool verifies,
	struct reading **out, struct err *e)
{
	struct reading *r = mem_new(sizeof *r);
	int64_t now = time(NULL);
	uint64_t bits;
	int rc = 0;

	memset(r, 0, sizeof *r);
	r->facts = *facts;
	r->verifies = verifies;
	bits = hash64((uint64_t)now, facts->device.s, strlen(facts->device.s));
	snprintf(r->nonce, sizeof r->nonce, "%016llx%016llx", (unsigned long long)bits,
		(unsigned long long)~bits);
	trusted_init(&r->director, now);
	trusted_init(&r->image, now);
	for (unsigned i = 0; i < DIRECTOR_MINIMUM; i++)
		meta_init(&r->role[i]);
	if (verifies)
		rc = trusted_load_root(&r->director, buf_str(&roots->director), e);
	if (verifies && rc == 0)
		rc = trusted_load_root(&r->image, buf_str(&roots->image), e);
	if (rc < 0)
		reading_free(&r);
	else
		*out = r;
	return rc;
}

void reading_free(struct reading **r)
{
	if (!*r)
		return;
	trusted_fini(&(*r)->director);
	trusted_fini(&(*r)->image);
	for (unsigned i = 0; i < DIRECTOR_MINIMUM; i++)
		meta_fini(&(*r)->role[i]);
	free(*r);
	*r = NULL;
}
