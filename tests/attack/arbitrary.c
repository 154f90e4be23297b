/* Arbitrary software: without a key, with the director's alone, with the image repository's alone.
 */
#include <string.h>

#include "tests/attack/attack.h"

/* ---- bytes ---- */

void attack_arb_target_substituted(struct bed *b)
{
	struct toy other;

	toy_make(&other, 3);
	bed_write(b, bed_artifact(&b->good, 0), buf_str(&other.artifact[0]));
}

/* Bytes that a decompressor chokes on long before their digest is known: who is to blame is known
 * all the same. */
void attack_arb_target_substituted_by_rubbish(struct bed *b)
{
	struct buf *a = &b->good.artifact[0];

	for (size_t i = 0; i < a->n; i++)
		a->p[i] = (uint8_t)(i * 7);
	bed_write(b, bed_artifact(&b->good, 0), buf_str(a));
}

/* An archive that no device takes, of the right length, so large that it is refused before its
 * digest is known: the release must not be blamed for it. */
void attack_arb_target_substituted_by_evil_archive(struct bed *b)
{
	static char large[2U << 20];
	struct toy other;

	memset(large, 'x', sizeof large - 1);
	toy_make(&other, 3);
	toy_set_code(&other,
		(const struct parcel_entry[]){
			{'0', "../../../evil", "evil!", 0}, {'0', "large", large, 0}, PARCEL_END},
		COMPRESSION_NONE);
	toy_set_code(&b->good,
		(const struct parcel_entry[]){
			{'0', "version", "toy-2", 0}, {'0', "large", large, 0}, PARCEL_END},
		COMPRESSION_NONE);
	assert_int_equal(other.artifact[0].n, b->good.artifact[0].n);
	bed_offer(b, &b->good);
	bed_write(b, bed_artifact(&b->good, 0), buf_str(&other.artifact[0]));
}

void attack_arb_director_partial_ecu_list(struct bed *b)
{
	char path[256], hex[SHA256_TEXT];
	struct sha256 digest;

	digest_of(b->good.document.p, b->good.document.n, &digest);
	sha256_format(&digest, hex);
	toy_write(&b->good, "components.1", NULL);
	snprintf(path, sizeof path, "image/targets/toy/%s.%s.json", hex, b->good.id);
	bed_write(b, path, buf_str(&b->good.document));
}

/* ---- one file for another ---- */

/* In the place of a file, and pinned there, stand other bytes. */
static void substitute(struct bed *b, struct trepo *r, enum trepo_file f, struct str bytes)
{
	BUF_AUTO copy = {0};

	buf_add(&copy, bytes.p, bytes.n);
	buf_clear(&r->role[f].file);
	buf_add(&r->role[f].file, copy.p, copy.n);
	if (f >= TREPO_TARGETS) {
		trepo_pin(r, TREPO_SNAPSHOT, f);
		trepo_sign(r, TREPO_SNAPSHOT);
	}
	trepo_pin(r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
	trepo_sign(r, TREPO_TIMESTAMP);
	bed_save(b);
}

void attack_arb_timestamp_as_snapshot(struct bed *b)
{
	bed_publish(b);
	substitute(b, &b->director, TREPO_SNAPSHOT, trepo_bytes(&b->director, TREPO_TIMESTAMP));
}

void attack_arb_director_targets_served_as_image_targets(struct bed *b)
{
	bed_publish(b);
	substitute(b, &b->image, TREPO_TARGETS, trepo_bytes(&b->director, TREPO_TARGETS));
}

void attack_arb_image_targets_served_as_director_targets(struct bed *b)
{
	bed_publish(b);
	substitute(b, &b->director, TREPO_TARGETS, trepo_bytes(&b->image, TREPO_TARGETS));
}

/* ---- the director alone ---- */

/* A release that nobody has approved. */
void attack_arb_director_only_unknown_target(struct bed *b)
{
	struct toy evil;

	toy_make(&evil, 3);
	trepo_direct(&b->director, DEVICE, DESIRED_INSTALL, evil.path, buf_str(&evil.document),
		&evil.match);
}

/* Another one under the name of one that all have approved. */
void attack_arb_director_only_other_hash(struct bed *b)
{
	struct toy evil;

	toy_make(&evil, 3);
	trepo_direct(&b->director, DEVICE, DESIRED_INSTALL, b->good.path, buf_str(&evil.document),
		&b->good.match);
}

void attack_arb_director_delegations_refused(struct bed *b)
{
	json_object_set(b->director.role[TREPO_TARGETS].part, "delegations",
		json_object_get(b->image.role[TREPO_TARGETS].part, "delegations"));
}

static void direct_two(struct bed *b)
{
	json_t *targets = json_object_get(b->director.role[TREPO_TARGETS].part, "targets");

	json_object_set(targets, "toy/toy-1.json", json_object_get(targets, b->good.path));
}

void attack_arb_director_ecu_twice(struct bed *b)
{
	direct_two(b);
}

void attack_mixed_bundle_two_ids_in_one_vehicle(struct bed *b)
{
	direct_two(b);
	bed_entry(&b->director, TREPO_TARGETS, &b->good);
}

void attack_arb_director_foreign_vehicle(struct bed *b)
{
	trepo_direct(&b->director, "dev-10", DESIRED_INSTALL, b->good.path,
		buf_str(&b->good.document), &b->good.match);
}

/* ---- the image repository alone ---- */

static void director_is_content(struct bed *b)
{
	struct toy first;

	toy_make(&first, 1);
	trepo_direct(&b->director, DEVICE, DESIRED_INSTALL, first.path, buf_str(&first.document),
		&first.match);
}

/* It may list what it likes: nobody is asked to run it, so there is nothing to refuse. */
void attack_arb_image_only_new_target_not_installed(struct bed *b)
{
	director_is_content(b);
	bed_publish(b);
	bed_serve(b);
	device_ask(b);
	if (b->verdict.exit != 0)
		blame(b, "asking failed: %s", b->verdict.text);
	device_must_run(b, 1);
	httpd_free(&b->server);
	bed_offer(b, &b->good);
	attack_heal(b);
	snprintf(b->verdict.text, sizeof b->verdict.text, "nobody asks for it: toy-1 stays");
}

void attack_arb_image_delegation_outside_paths(struct bed *b)
{
	bed_set(&b->image, TREPO_TARGETS, "delegations.roles.0.paths", "[\"other/*\"]");
}
