#include <stdio.h>
#include <string.h>

#include "proto/trust/verify_priv.h"

int trusted_place(const struct trusted_set *t, const char *role)
{
	for (unsigned i = 0; i < t->n_delegated; i++)
		if (strcmp(t->delegated[i].name, role) == 0)
			return (int)i;
	return -1;
}

static const struct trusted_role *find(const struct trusted_set *t, const char *role)
{
	int place = trusted_place(t, role);

	return place < 0 ? NULL : &t->delegated[place];
}

/* What is held of a role, or the place where it would be held. Snapshots list no more files than
 * there are places, and only what a snapshot lists gets one. */
static struct trusted_role *slot_of(struct trusted_set *t, const char *role)
{
	int place = trusted_place(t, role);
	unsigned i = place < 0 ? t->n_delegated : (unsigned)place;

	return i < ARRAY_LEN(t->delegated) ? &t->delegated[i] : NULL;
}

static const struct meta *meta_of(const struct trusted_set *t, const char *role)
{
	const struct trusted_role *held = find(t, role);

	if (strcmp(role, TRUSTED_TARGETS) == 0)
		return t->has_targets ? &t->targets : NULL;
	return held ? &held->meta : NULL;
}

static int delegator_of(const struct trusted_set *t, const char *name, const char *role,
	const struct meta **out, struct err *e)
{
	const struct meta *m = meta_of(t, name);

	if (!m || !role_find(m, role))
		return err_set(e, ERR_UNSIGNED, "%s: %s does not delegate to it", role, name);
	*out = m;
	return 0;
}

static int role_read(const struct trusted_set *t, const struct meta *delegator, const char *role,
	struct str bytes, struct meta *out, struct err *e)
{
	char file[LIMIT_ROLE_NAME + 8];
	CLEANUP(meta_fini) struct meta m = {0};
	struct meta_pin pin;

	snprintf(file, sizeof file, "%s.json", role);
	TRY(trusted_pin(t, file, &pin, e));
	TRY(meta_pin_check(&pin, file, bytes, e));
	TRY(meta_parse(bytes, ROLE_TARGETS, LIMIT_TARGETS_BYTES, &m, e));
	TRY(meta_check_signatures(&m, delegator, role, e));
	TRY(trusted_version_check(&m, &pin, file, e));
	TRY(meta_check_expiry(&m, role, t->now_s, e));
	*out = m;
	meta_init(&m);
	return 0;
}

int trusted_delegated_by(struct trusted_set *t, const char *delegator, const char *role,
	struct str bytes, struct err *e)
{
	struct trusted_role *slot = slot_of(t, role);
	const struct meta *by = NULL;
	struct meta m;

	TRY(delegator_of(t, delegator, role, &by, e));
	TRY(meta_check_expiry(by, delegator, t->now_s, e));
	if (!slot)
		return err_set(e, ERR_TOO_LARGE, "more than %d delegated roles", LIMIT_ROLES);
	if (role_read(t, by, role, bytes, &m, e) < 0)
		return err_wrap(e, "role %s", role);
	if (!slot->present)
		t->n_delegated++;
	snprintf(slot->name, sizeof slot->name, "%s", role);
	snprintf(slot->by, sizeof slot->by, "%s", delegator);
	trusted_adopt(&m, &slot->meta, &slot->present);
	return 0;
}

int trusted_delegated(struct trusted_set *t, const char *role, struct str bytes, struct err *e)
{
	return trusted_delegated_by(t, TRUSTED_TARGETS, role, bytes, e);
}

int trusted_held_by(const struct trusted_set *t, const char *delegator, const char *role,
	unsigned *out_index, struct err *e)
{
	const struct trusted_role *held = find(t, role);
	const struct meta *by = NULL;

	TRY(delegator_of(t, delegator, role, &by, e));
	if (!held)
		return err_set(e, ERR_NOT_FOUND, "role %s is not held", role);
	if (meta_check_signatures(&held->meta, by, role, e) < 0)
		return err_wrap(e, "delegated to by %s", delegator);
	*out_index = (unsigned)(held - t->delegated);
	return 0;
}

const struct meta *trusted_find_delegated(const struct trusted_set *t, const char *role)
{
	const struct trusted_role *held = find(t, role);

	return held && strcmp(held->by, TRUSTED_TARGETS) == 0 ? &held->meta : NULL;
}
