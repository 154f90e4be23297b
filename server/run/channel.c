#include "server/run/channel.h"

#include <stdio.h>
#include <string.h>

#include "server/repo/channels.h"
#include "server/run/hook.h"

/* "ocr/plates-1.2.json" is of the product ocr. */
static void product_of(const struct campaign_row *c, char out[LIMIT_TARGET_NAME])
{
	snprintf(out, LIMIT_TARGET_NAME, "%.*s", (int)strcspn(c->release_path, "/"),
		c->release_path);
}

static int freeze(
	struct run *r, const struct campaign_row *campaign, struct channel_row *c, struct err *e)
{
	struct channel_row there;
	char text[LIMIT_TEXT];
	const struct hook_fact told = {.event = HOOK_CHANNEL_FROZEN,
		.campaign = campaign ? campaign->id.s : NULL,
		.text = text};
	int rc = channels_get(r->c.db, c->product, &there, e);

	if (rc != -ERR_NOT_FOUND)
		return rc;
	c->frozen = run_now(r);
	TRY(channels_add(r->c.db, c, e));
	snprintf(
		text, sizeof text, "%s froze the channel %.60s: %.120s", c->by, c->product, c->why);
	TRY(run_audit(r, campaign, c->by, "channel_freeze", "", text, e));
	return hook_raise(r, &told, e);
}

int channel_freeze_for(struct run *r, const struct campaign_row *campaign, struct err *e)
{
	struct channel_row c = {.by = "server", .campaign = campaign->id};

	product_of(campaign, c.product);
	snprintf(c.why, sizeof c.why, "campaign %s: %.180s", campaign->id.s, campaign->wave.why);
	return freeze(r, campaign, &c, e);
}

int channel_check(struct run *r, const struct campaign_row *campaign, struct err *e)
{
	char product[LIMIT_TARGET_NAME];
	struct channel_row c;
	int rc;

	product_of(campaign, product);
	rc = channels_get(r->c.db, product, &c, e);
	if (rc < 0)
		return rc == -ERR_NOT_FOUND ? 0 : rc;
	return err_set(e, ERR_CONFLICT, "the channel %s is frozen by %s: %s", product, c.by, c.why);
}

static int wants_reason(const char *reason, struct err *e)
{
	return *reason ? 0 : err_set(e, ERR_BAD_INPUT, "a reason is wanted");
}

int channel_freeze(
	struct run *r, const char *product, const char *who, const char *reason, struct err *e)
{
	struct channel_row c = {.frozen = 0};

	TRY(wants_reason(reason, e));
	snprintf(c.product, sizeof c.product, "%s", product);
	snprintf(c.by, sizeof c.by, "%s", who);
	snprintf(c.why, sizeof c.why, "%s", reason);
	TRY(run_begin(r, e));
	return run_end(r, freeze(r, NULL, &c, e), e);
}

static int thaw(
	struct run *r, const char *product, const char *who, const char *reason, struct err *e)
{
	char text[LIMIT_TEXT];
	struct channel_row c;
	int rc = channels_get(r->c.db, product, &c, e);

	if (rc == -ERR_NOT_FOUND)
		return err_set(e, ERR_CONFLICT, "the channel %s is not frozen", product);
	TRY(rc);
	TRY(channels_remove(r->c.db, product, e));
	snprintf(text, sizeof text, "%s thawed the channel %.60s: %.120s", who, product, reason);
	return run_audit(r, NULL, who, "channel_thaw", "", text, e);
}

int channel_thaw(
	struct run *r, const char *product, const char *who, const char *reason, struct err *e)
{
	TRY(wants_reason(reason, e));
	TRY(run_begin(r, e));
	return run_end(r, thaw(r, product, who, reason, e), e);
}
