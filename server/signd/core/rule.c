#include "server/signd/core/rule.h"

#include <string.h>

#define HOURS(s) ((long long)(s) / 3600)

/* `setting` is where the signer's owner may allow more. */
static int check_life(const char *what, uint64_t life_s, int64_t max_s, bool offline,
	const char *setting, struct err *e)
{
	if (life_s <= (uint64_t)max_s)
		return 0;
	return err_set(e, ERR_DENIED,
		"%s: a life of %lld h, at most %lld h are signed for ([trust] %s of the signer)",
		what, HOURS(life_s), HOURS(max_s), offline ? "offline_expiry" : setting);
}

static int check_past(
	enum sign_file f, const struct sign_want *want, bool is_known, uint64_t last, struct err *e)
{
	uint64_t most = is_known ? last : LIMIT_SIGN_FIRST;

	if (want->has <= most)
		return 0;
	return err_set(e, ERR_MIXED, "%s: version %llu was never signed here, the last is %llu",
		sign_file_name(f), (unsigned long long)want->has,
		(unsigned long long)(is_known ? last : 0));
}

/* Does the last one answer the question? Files that pin a fresh one are fresh, too. */
static bool is_answered(const struct sign_want *want, uint64_t last)
{
	return last && (last > want->has || (last == want->has && !want->due));
}

static bool plan_files(const struct sign_want want[], const uint64_t last[], enum sign_file first,
	bool same, struct sign_plan *out)
{
	bool fresh = !same;

	for (enum sign_file f = first; f < SIGN_FILE_MAX; f++) {
		fresh = fresh || !is_answered(&want[f], last[f]);
		out->fresh[f] = fresh;
		out->version[f] = fresh ? MAX(last[f], want[f].has) + 1 : last[f];
	}
	return fresh;
}

static void plan_lives(uint64_t life_s, uint64_t timestamp_life_s, ms_t now, struct sign_plan *out)
{
	out->expires_s[SIGN_TARGETS] = out->expires_s[SIGN_SNAPSHOT] = now / 1000 + (int64_t)life_s;
	out->expires_s[SIGN_TIMESTAMP] = now / 1000 + (int64_t)timestamp_life_s;
}

/* ---- releases ---- */

static int check_roles(const struct trusted_set *image, const char *path, struct err *e)
{
	char roles[LIMIT_DELEGATIONS][LIMIT_ROLE_NAME];
	unsigned n;

	TRY(director_quorum(image, path, roles, &n, e));
	for (unsigned i = 0; i < n; i++) {
		const struct meta *m = trusted_find_delegated(image, roles[i]);

		if (m)
			TRY(meta_check_expiry(m, roles[i], image->now_s, e));
	}
	return 0;
}

int rule_release(const struct trusted_set *image, const char *path, const struct sha256 *digest,
	struct target *out, struct err *e)
{
	struct target t;

	TRY(check_roles(image, path, e));
	TRY(director_image_agrees(image, path, &t, e));
	if (!sha256_eq(&t.hash, digest))
		return err_set(
			e, ERR_ALTERED, "%s: another document is signed under this name", path);
	*out = t;
	return 0;
}

/* The very rule of a device, with what it was ordered last in place of what it has committed. */
static int check_counter(const struct ask_director *a, const struct sign_device *dev,
	const struct target *t, struct sign_device *next, struct err *e)
{
	struct device_facts facts = {
		.device = a->device,
		.counter_floor = dev->counter,
		.running = dev->release,
		.n_rollback_to = dev->n_rollback_to,
	};
	struct desired d = {.order = a->order, .hash = t->hash};

	memcpy(facts.rollback_to, dev->rollback_to, sizeof facts.rollback_to);
	memcpy(d.path, t->path, sizeof d.path);
	TRY(json_u64(
		t->match, "custom.match", "releaseCounter", 0, (1ULL << 53) - 1, &d.counter, e));
	if (director_counter_check(&facts, &d, e) < 0)
		return err_wrap(e, "device %s", a->device.s);
	next->counter = d.counter;
	next->release = t->hash;
	return director_rollback_to(t->match, next->rollback_to, &next->n_rollback_to, e);
}

/* ---- a device ---- */

static bool is_same_order(const struct ask_director *a, const struct sign_device *dev)
{
	return dev->is_known && a->order == dev->order && a->offline == dev->offline &&
	       strcmp(a->path, dev->path) == 0 && sha256_eq(&a->digest, &dev->digest) &&
	       strcmp(a->campaign.s, dev->campaign.s) == 0;
}

static int spend(const struct sign_limits *limits, ms_t now, struct sign_budgets *io,
	struct sign_device *dev, struct err *e)
{
	struct sign_budgets left = *io;

	if (!dev->is_known && !bucket_take(&left.newcomers, &limits->newcomers, now))
		return err_set(e, ERR_BUSY, "budget for devices that are new here is used up");
	if (!bucket_take(&dev->bucket, &limits->device, now))
		return err_set(e, ERR_BUSY, "this device's budget is used up");
	if (!bucket_take(&left.total, &limits->total, now))
		return err_set(e, ERR_BUSY, "budget for all devices together is used up");
	*io = left;
	return 0;
}

static int check_director(const struct ask_director *a, const struct sign_device *dev,
	const struct sign_limits *limits, struct err *e)
{
	int64_t most = a->offline ? limits->offline_life_s : limits->director_life_s;
	int64_t most_timestamp = a->offline ? limits->offline_life_s : limits->timestamp_life_s;

	TRY(check_life("director", a->life_s, most, a->offline, "director_expiry", e));
	TRY(check_life("timestamp", a->timestamp_life_s, most_timestamp, a->offline,
		"timestamp_expiry", e));
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		if (check_past(f, &a->want[f], dev->is_known, dev->version[f], e) < 0)
			return err_wrap(e, "device %s", a->device.s);
	return 0;
}

static void remember(const struct ask_director *a, const struct sign_plan *p, struct sign_device *d)
{
	d->is_known = true;
	d->campaign = a->campaign;
	d->order = a->order;
	d->offline = a->offline;
	memcpy(d->path, a->path, sizeof d->path);
	d->digest = a->digest;
	memcpy(d->version, p->version, sizeof d->version);
}

int rule_director(const struct ask_director *a, const struct sign_device *dev,
	const struct trusted_set *image, const struct sign_limits *limits, ms_t now,
	struct sign_budgets *io_budgets, struct sign_plan *out, struct target *out_entry,
	struct sign_device *out_device, struct err *e)
{
	struct sign_plan plan = {.fresh = {false}};
	struct sign_device next = *dev;
	struct target entry = {.path = ""};

	TRY(check_director(a, dev, limits, e));
	if (plan_files(a->want, dev->version, SIGN_TARGETS, is_same_order(a, dev), &plan)) {
		if (*a->path) {
			TRY(rule_release(image, a->path, &a->digest, &entry, e));
			TRY(check_counter(a, dev, &entry, &next, e));
		}
		TRY(spend(limits, now, io_budgets, &next, e));
		plan_lives(a->life_s, a->timestamp_life_s, now, &plan);
		remember(a, &plan, &next);
	}
	*out = plan;
	*out_entry = entry;
	*out_device = next;
	return 0;
}

/* ---- the image repository ---- */

int rule_image(const struct ask_image *a, const uint64_t last[SIGN_FILE_MAX], bool same,
	const struct sign_limits *limits, ms_t now, struct sign_budgets *io_budgets,
	struct sign_plan *out, struct err *e)
{
	int64_t most = a->offline ? limits->offline_life_s : limits->snapshot_life_s;
	int64_t most_timestamp = a->offline ? limits->offline_life_s : limits->timestamp_life_s;
	struct sign_plan plan = {.fresh = {false}};

	TRY(check_life("snapshot", a->life_s, most, a->offline, "snapshot_expiry", e));
	TRY(check_life("timestamp", a->timestamp_life_s, most_timestamp, a->offline,
		"timestamp_expiry", e));
	for (enum sign_file f = SIGN_SNAPSHOT; f < SIGN_FILE_MAX; f++)
		TRY(check_past(f, &a->want[f], last[f] > 0, last[f], e));
	if (plan_files(a->want, last, SIGN_SNAPSHOT, same, &plan)) {
		if (!bucket_take(&io_budgets->image, &limits->image, now))
			return err_set(e, ERR_BUSY, "budget for the image repository is used up");
		plan_lives(a->life_s, a->timestamp_life_s, now, &plan);
	}
	*out = plan;
	return 0;
}

/* ---- the time ---- */

int rule_time(const struct ask_time *a, const struct sign_device *dev,
	const struct sign_limits *limits, ms_t now, struct sign_budgets *io_budgets, struct err *e)
{
	if (!dev->is_known)
		return err_set(
			e, ERR_NOT_FOUND, "device %s: nothing was ever signed for it", a->device.s);
	if (!bucket_take(&io_budgets->time, &limits->time, now))
		return err_set(e, ERR_BUSY, "budget for time tokens is used up");
	return 0;
}

int rule_checkpoint(const struct ask_checkpoint *a, const struct auditlog_checkpoint *last,
	const struct sign_limits *limits, ms_t now, struct sign_budgets *io_budgets,
	bool *out_again, struct err *e)
{
	bool again = a->n == last->n;

	if (a->n < last->n)
		return err_set(e, ERR_ROLLED_BACK,
			"audit log: row %llu is called the newest, row %llu was signed",
			(unsigned long long)a->n, (unsigned long long)last->n);
	if (again && !sha256_eq(&a->chain, &last->chain))
		return err_set(e, ERR_ALTERED, "audit log: another chain was signed at row %llu",
			(unsigned long long)a->n);
	if (!again && !bucket_take(&io_budgets->audit, &limits->audit, now))
		return err_set(e, ERR_BUSY, "budget for checkpoints is used up");
	*out_again = again;
	return 0;
}
