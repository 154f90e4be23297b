#include "server/sign/signer.h"

#include <stdlib.h>

#include "keys/keystore.h"

enum online_role {
	IMAGE_SNAPSHOT,
	IMAGE_TIMESTAMP,
	DIRECTOR_TARGETS,
	DIRECTOR_SNAPSHOT,
	DIRECTOR_TIMESTAMP,
	ONLINE_ROLE_MUST, /* what follows may be missing */
	DIRECTOR_TIME = ONLINE_ROLE_MUST,
	ONLINE_ROLE_MAX
};

static const char *const role_names[ONLINE_ROLE_MAX] = {"image-snapshot", "image-timestamp",
	"director-targets", "director-snapshot", "director-timestamp", "director-time"};

struct signer {
	struct keystore *keys;
	uint64_t count;
};

static int check_roles(const struct keystore *keys, const char *dir, struct err *e)
{
	const struct sign_key *found[LIMIT_KEYS];

	for (size_t i = 0; i < ONLINE_ROLE_MUST; i++)
		if (!keystore_find(keys, role_names[i], found))
			return err_set(
				e, ERR_NOT_FOUND, "%s: there is no key %s.pem", dir, role_names[i]);
	return 0;
}

int signer_open(const char *dir, struct signer **out, struct err *e)
{
	struct signer *s = mem_new(sizeof *s);
	int rc;

	*s = (struct signer){.keys = keystore_new()};
	rc = keystore_load(s->keys, dir, e);
	if (rc == 0)
		rc = check_roles(s->keys, dir, e);
	if (rc < 0)
		signer_close(&s);
	else
		*out = s;
	return rc;
}

void signer_close(struct signer **s)
{
	if (*s)
		keystore_free(&(*s)->keys);
	free(*s);
	*s = NULL;
}

uint64_t signer_count(const struct signer *s)
{
	return s->count;
}

/* Takes over `part`. */
static int sign(
	struct signer *s, enum online_role role, json_t *part, struct buf *out, struct err *e)
{
	JSON_AUTO *owned = part;
	const struct sign_key *keys[LIMIT_KEYS];
	unsigned n = keystore_find(s->keys, role_names[role], keys);

	if (sign_meta(owned, keys, n, out, e) < 0)
		return err_wrap(e, "%s", role_names[role]);
	s->count++;
	return 0;
}

int signer_image_snapshot(struct signer *s, struct repo_head head, const struct repo_pin *pins,
	unsigned n, struct buf *out, struct err *e)
{
	return sign(s, IMAGE_SNAPSHOT, repo_snapshot(head, pins, n), out, e);
}

int signer_image_timestamp(struct signer *s, struct repo_head head, const struct repo_pin *snapshot,
	struct buf *out, struct err *e)
{
	return sign(s, IMAGE_TIMESTAMP, repo_timestamp(head, snapshot), out, e);
}

int signer_director_targets(struct signer *s, struct repo_head head, const struct dev_id *device,
	const struct camp_id *campaign, enum desired_order order, const struct target *t,
	const struct repo_plan *plan, struct buf *out, struct err *e)
{
	json_t *targets = repo_director_targets(head, device, campaign, order, t);

	repo_director_plan(targets, plan);
	return sign(s, DIRECTOR_TARGETS, targets, out, e);
}

int signer_director_snapshot(struct signer *s, struct repo_head head,
	const struct repo_pin *targets, struct buf *out, struct err *e)
{
	return sign(s, DIRECTOR_SNAPSHOT, repo_snapshot(head, targets, 1), out, e);
}

int signer_director_timestamp(struct signer *s, struct repo_head head,
	const struct repo_pin *snapshot, struct buf *out, struct err *e)
{
	return sign(s, DIRECTOR_TIMESTAMP, repo_timestamp(head, snapshot), out, e);
}

int signer_time(struct signer *s, const struct timetoken *t, struct buf *out, struct err *e)
{
	const struct sign_key *keys[LIMIT_KEYS];

	if (!keystore_find(s->keys, role_names[DIRECTOR_TIME], keys))
		return err_set(
			e, ERR_NOT_FOUND, "this fleet has no key %s", role_names[DIRECTOR_TIME]);
	return sign(s, DIRECTOR_TIME, repo_timetoken(t), out, e);
}
