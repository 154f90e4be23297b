/* Freeze: what was good once is served for ever, or what belongs to another device. */
#include <time.h>

#include "tests/attack/attack.h"

static void expire(struct trepo *r, enum trepo_file f)
{
	trepo_set_expiry(r, f, time(NULL) - 1);
}

void attack_freeze_director_timestamp_expired(struct bed *b)
{
	expire(&b->director, TREPO_TIMESTAMP);
}

void attack_freeze_director_snapshot_expired(struct bed *b)
{
	expire(&b->director, TREPO_SNAPSHOT);
}

void attack_freeze_director_targets_expired(struct bed *b)
{
	expire(&b->director, TREPO_TARGETS);
}

void attack_freeze_image_timestamp_expired(struct bed *b)
{
	expire(&b->image, TREPO_TIMESTAMP);
}

void attack_freeze_image_snapshot_expired(struct bed *b)
{
	expire(&b->image, TREPO_SNAPSHOT);
}

void attack_freeze_image_targets_expired(struct bed *b)
{
	expire(&b->image, TREPO_TARGETS);
}

/* The next root is rightly signed, so it is taken; that it has expired ends the way through it. */
void attack_freeze_director_root_expired(struct bed *b)
{
	trepo_set_version(&b->director, TREPO_ROOT, 2);
	expire(&b->director, TREPO_ROOT);
}

void attack_freeze_image_root_expired(struct bed *b)
{
	trepo_set_version(&b->image, TREPO_ROOT, 2);
	expire(&b->image, TREPO_ROOT);
}

/* The device reads its clock later than this: then, or after. */
void attack_freeze_expires_equal_now_refused(struct bed *b)
{
	trepo_set_expiry(&b->director, TREPO_TIMESTAMP, time(NULL));
}

void attack_freeze_root_5xx_is_not_newest(struct bed *b)
{
	bed_misbehave(b, "director/" DEVICE "/2.root.json", HTTPD_STATUS, 503, "");
}

void attack_freeze_root_timeout_is_not_newest(struct bed *b)
{
	snprintf(b->net_conf, sizeof b->net_conf, "total_timeout = 300ms\n");
	bed_misbehave(b, "director/" DEVICE "/2.root.json", HTTPD_SILENT, 0, NULL);
}

void attack_freeze_other_vehicle_empty_targets(struct bed *b)
{
	trepo_direct(&b->director, "dev-2", DESIRED_NOTHING, NULL, STR(""), NULL);
}

void attack_freeze_other_vehicle_full_targets(struct bed *b)
{
	trepo_direct(&b->director, "dev-2", DESIRED_INSTALL, b->good.path,
		buf_str(&b->good.document), &b->good.match);
}
