/* What time it is, for one device that asks. */
#include <stdio.h>

#include "server/signd/signd_priv.h"

/* A clock that was set back must not make devices refuse what they are told. */
static int64_t time_to_say(const struct signing *s)
{
	return MAX(s->d->time_said, s->now / 1000);
}

static struct timetoken token_of(
	const struct signing *s, const struct ask_time *a, const struct sign_device *device)
{
	struct timetoken t = {
		.device = a->device,
		.time_s = time_to_say(s),
		.timestamp = device->version[SIGN_TIMESTAMP],
	};

	snprintf(t.nonce, sizeof t.nonce, "%s", a->nonce);
	return t;
}

static int tell(struct signing *s, const struct ask_time *a, struct signed_file *out, struct err *e)
{
	struct sign_budgets left = s->d->budgets;
	struct sign_device device;
	struct timetoken t;

	TRY(store_device(&s->d->db, a->device.s, &device, e));
	TRY(rule_time(a, &device, &s->d->c.limits, s->now, &left, e));
	t = token_of(s, a, &device);
	TRY(signing_sign(s, "director-time", "time", repo_timetoken(&t),
		(struct repo_head){t.timestamp, t.time_s}, out, e));
	snprintf(s->notes[0].device, sizeof s->notes[0].device, "%s", a->device.s);
	TRY(signing_commit(s, &left, NULL, NULL, e));
	s->d->time_said = t.time_s;
	return 0;
}

int signing_time(struct signing *s, const struct ask_time *a, struct err *e)
{
	const struct sign_key *keys[LIMIT_KEYS];
	struct signed_file f = {.role = ""};
	int rc;

	if (!keystore_find(s->d->keys, "director-time", keys))
		return err_set(e, ERR_NOT_FOUND, "this fleet has no key director-time");
	rc = tell(s, a, &f, e);
	if (rc == 0)
		reply_add(s->reply, &f);
	buf_fini(&f.bytes);
	return rc;
}
