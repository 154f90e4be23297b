/* An update that is carried to the device: a folder is asked once, in the server's place. */
#include "agent/agent_priv.h"

#include <string.h>

#include "lib/sys/log.h"

int agent_carry(struct agent *a, const char *dir, struct err *e)
{
	struct carry *c = &a->carry;

	if (dir[0] != '/')
		return err_set(e, ERR_BAD_INPUT, "%.200s is not an absolute path", dir);
	if (!a->w.carry)
		return err_set(e, ERR_CONFLICT, "this device takes nothing from folders");
	if (c->state == CARRY_WAITS || c->state == CARRY_READ)
		return err_set(e, ERR_BUSY, "%s is being read", c->dir);
	TRY(str_copy(str_of(dir), c->dir, sizeof c->dir, e));
	TRY(a->w.carry(a->w.self, dir, e));
	c->state = CARRY_WAITS;
	c->wants = (struct sha256){0};
	c->release[0] = 0;
	c->err = (struct err){0};
	return 0;
}

void carry_begin(struct agent *a, struct desired_in *in)
{
	if (a->carry.state != CARRY_WAITS)
		return;
	a->carry.state = CARRY_READ;
	in->carried = true;
	in->again = true;
}

void carry_done(struct agent *a, const struct desired_out *out, const struct err *why)
{
	struct carry *c = &a->carry;

	c->state = CARRY_DONE;
	if (why) {
		c->err = *why;
		log_err(LOG_ID_REFUSED, why, "from=%s", c->dir);
		return;
	}
	c->wants = out->desired.hash;
	if (out->release)
		memcpy(c->release, out->release->id.s, sizeof c->release);
}

bool carry_is_over(const struct agent *a)
{
	return a->carry.state == CARRY_DONE && !a->first && !a->orders &&
	       !upd_is_busy(a->rec.state);
}

/* An update that has come to another end says why; one that was not begun, that it was dealt with
 * before. */
int carry_outcome(const struct agent *a, struct err *e)
{
	const struct carry *c = &a->carry;
	const struct outcome *o = &a->outcomes.last;

	if (c->err.code != ERR_OK)
		return err_copy(e, &c->err);
	if (sha256_eq(&c->wants, &agent_running(a)->document))
		return 0;
	if (strcmp(o->release.s, c->release) == 0 && o->why != ERR_OK)
		return err_set(e, o->why, "%s: %s", c->release, o->text);
	return err_set(e, ERR_CONFLICT, "%s was dealt with before: see backstay history",
		c->release[0] ? c->release : "the folder's release");
}

json_t *carry_answer(const struct agent *a)
{
	const struct carry *c = &a->carry;
	struct err e = {0};

	if (c->state == CARRY_NONE)
		return json_null();
	if (carry_is_over(a))
		(void)!carry_outcome(a, &e);
	return json_pack("{ss ss sb ss ss}", "dir", c->dir, "release", c->release, "over",
		carry_is_over(a), "code", err_name(e.code), "reason", e.text);
}
