/* One approver's key is stolen, or two are. */
#include <time.h>

#include "tests/attack/attack.h"

static void unlist(struct bed *b, enum trepo_file f)
{
	bed_entry(&b->image, f, &b->good);
	json_object_del(json_object_get(b->image.role[f].part, "targets"), b->good.path);
}

void attack_quorum_engineering_only(struct bed *b)
{
	unlist(b, TREPO_SAFETY);
	unlist(b, TREPO_COMPLIANCE);
}

void attack_quorum_two_of_three_without_engineering(struct bed *b)
{
	unlist(b, TREPO_ENGINEERING);
}

void attack_quorum_two_of_three_without_safety(struct bed *b)
{
	unlist(b, TREPO_SAFETY);
}

void attack_quorum_two_of_three_without_compliance(struct bed *b)
{
	unlist(b, TREPO_COMPLIANCE);
}

void attack_quorum_hash_differs_in_one(struct bed *b)
{
	json_object_set_new(json_object_get(bed_entry(&b->image, TREPO_SAFETY, &b->good), "hashes"),
		"sha256",
		json_string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

void attack_quorum_match_custom_differs_in_one(struct bed *b)
{
	json_t *entry = bed_entry(&b->image, TREPO_COMPLIANCE, &b->good);

	json_object_set_new(json_object_get(json_object_get(entry, "custom"), "match"),
		"releaseCounter", json_integer(99));
}

void attack_quorum_role_expired(struct bed *b)
{
	trepo_set_expiry(&b->image, TREPO_SAFETY, time(NULL) - 1);
}

/* Safety's delegation names engineering's key. */
void attack_quorum_same_key_in_two_roles(struct bed *b)
{
	struct trepo_role *safety = &b->image.role[TREPO_SAFETY];

	sign_key_fini(&safety->keys[0]);
	safety->keys[0] = b->image.role[TREPO_ENGINEERING].keys[0];
	trepo_rebuild_delegations(&b->image);
}

/* The delegations are the targets key's to make; the rule is not. */
void attack_quorum_rule_removed_by_targets_key(struct bed *b)
{
	json_t *delegations = json_object_get(b->image.role[TREPO_TARGETS].part, "delegations");

	json_array_remove(json_object_get(delegations, "roles"), 2);
	json_array_remove(json_object_get(delegations, "roles"), 1);
	unlist(b, TREPO_SAFETY);
	unlist(b, TREPO_COMPLIANCE);
}

/* Not even all root keys together go below what is compiled in. */
void attack_quorum_rule_weakened_by_root_below_builtin_minimum(struct bed *b)
{
	trepo_set_version(&b->image, TREPO_ROOT, 2);
	bed_set(&b->image, TREPO_ROOT, "x-backstay-quorum.0.all_of", "[\"engineering\"]");
	unlist(b, TREPO_SAFETY);
	unlist(b, TREPO_COMPLIANCE);
}
