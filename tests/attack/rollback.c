/* Rollback and fast-forward: of metadata, and of what runs. */
#include <string.h>

#include "tests/attack/attack.h"

#define OLDER (VERSION_FIRST - 1)

/* ---- metadata ---- */

void attack_rollback_director_timestamp(struct bed *b)
{
	trepo_set_version(&b->director, TREPO_TIMESTAMP, OLDER);
}

void attack_rollback_director_snapshot(struct bed *b)
{
	trepo_set_version(&b->director, TREPO_SNAPSHOT, OLDER);
}

void attack_rollback_director_targets(struct bed *b)
{
	trepo_set_version(&b->director, TREPO_TARGETS, OLDER);
}

void attack_rollback_image_timestamp(struct bed *b)
{
	trepo_set_version(&b->image, TREPO_TIMESTAMP, OLDER);
}

void attack_rollback_image_targets(struct bed *b)
{
	trepo_set_version(&b->image, TREPO_TARGETS, OLDER);
}

void attack_rollback_delegated_role_in_snapshot(struct bed *b)
{
	trepo_set_version(&b->image, TREPO_ENGINEERING, OLDER);
}

void attack_rollback_role_removed(struct bed *b)
{
	bed_publish(b);
	json_object_del(json_object_get(b->image.role[TREPO_SNAPSHOT].part, "meta"), "safety.json");
	bed_sign_again(b, &b->image, TREPO_SNAPSHOT);
}

void attack_rollback_root_same_version(struct bed *b)
{
	bed_publish(b);
	bed_write(b, "director/" DEVICE "/2.root.json", trepo_bytes(&b->director, TREPO_ROOT));
}

void attack_rollback_root_skip(struct bed *b)
{
	trepo_set_version(&b->director, TREPO_ROOT, 3);
	bed_publish(b);
	bed_write(b, "director/" DEVICE "/2.root.json", trepo_bytes(&b->director, TREPO_ROOT));
}

/* ---- what runs ---- */

void attack_rollback_release_counter_lower_both_signed(struct bed *b)
{
	struct toy old;

	toy_make(&old, 0);
	bed_offer(b, &old);
}

static json_t *match_of(struct trepo *r, enum trepo_file f, const struct toy *t)
{
	return json_object_get(json_object_get(bed_entry(r, f, t), "custom"), "match");
}

static void set_counter(struct bed *b, json_t *counter)
{
	json_object_set(match_of(&b->director, TREPO_TARGETS, &b->good), "releaseCounter", counter);
	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
		json_object_set(match_of(&b->image, f, &b->good), "releaseCounter", counter);
	json_decref(counter);
}

void attack_rollback_release_counter_differs_between_repos(struct bed *b)
{
	json_object_set_new(match_of(&b->director, TREPO_TARGETS, &b->good), "releaseCounter",
		json_integer(99));
}

void attack_rollback_counter_missing(struct bed *b)
{
	json_object_del(match_of(&b->director, TREPO_TARGETS, &b->good), "releaseCounter");
	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
		json_object_del(match_of(&b->image, f, &b->good), "releaseCounter");
}

static void negative_counter(struct bed *b)
{
	set_counter(b, json_integer(-1));
}

static void fractional_counter(struct bed *b)
{
	bed_publish_edited(b, &b->director, TREPO_TARGETS, STR("\"releaseCounter\":2"),
		STR("\"releaseCounter\":2.5"));
}

void attack_rollback_counter_negative_or_float(struct bed *b)
{
	attack_try(b, negative_counter, ATTACK_REFUSED, ERR_BAD_INPUT);
	attack_try(b, fractional_counter, ATTACK_REFUSED, ERR_BAD_INPUT);
	attack_heal(b);
}

/* ---- fast-forward ---- */

void attack_fast_forward_version_int64_max_refused(struct bed *b)
{
	bed_publish_edited(b, &b->director, TREPO_TIMESTAMP, STR("\"version\":20,\"expires\""),
		STR("\"version\":9223372036854775807,\"expires\""));
}

/* With the stolen timestamp and snapshot keys: the highest versions there can be, for what runs
 * already. It is signed, so it is believed; and nothing that the owner signs afterwards with these
 * keys is. */
static void poison(struct bed *b)
{
	struct toy first;

	toy_make(&first, 1);
	bed_offer(b, &first);
	trepo_set_version(&b->director, TREPO_TIMESTAMP, (1ULL << 53) - 1);
	trepo_set_version(&b->director, TREPO_SNAPSHOT, (1ULL << 53) - 1);
	bed_publish(b);
	bed_serve(b);
	device_ask(b);
	if (b->verdict.exit != 0)
		blame(b, "what is signed was refused: %s", b->verdict.text);
	httpd_free(&b->server);
	b->saved = false;
}

static void nothing_spoilt(struct bed *b)
{
	(void)b;
}

void attack_fast_forward_recovery_director(struct bed *b)
{
	poison(b);
	bed_offer(b, &b->good);
	bed_set_versions(b, VERSION_GOOD);
	attack_try(b, nothing_spoilt, ATTACK_REFUSED, ERR_ROLLED_BACK);
	trepo_new_keys(&b->director, TREPO_TIMESTAMP, 1);
	trepo_new_keys(&b->director, TREPO_SNAPSHOT, 1);
	trepo_set_version(&b->director, TREPO_ROOT, 2);
	trepo_rebuild_root(&b->director);
	attack_heal(b);
}
