/* Mix and match: every part is signed, and they do not belong together. */
#include "tests/attack/attack.h"

static json_t *asked(struct bed *b)
{
	return bed_entry(&b->director, TREPO_TARGETS, &b->good);
}

static json_t *match_in(json_t *entry)
{
	return json_object_get(json_object_get(entry, "custom"), "match");
}

/* The same change in every approver's file. */
static void for_all_approvers(struct bed *b, void (*change)(json_t *entry))
{
	for (enum trepo_file f = TREPO_ENGINEERING; f < TREPO_FILES; f++)
		change(bed_entry(&b->image, f, &b->good));
}

static void change_hash(json_t *entry)
{
	json_object_set_new(json_object_get(entry, "hashes"), "sha256",
		json_string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

static void change_length(json_t *entry)
{
	json_object_set_new(entry, "length",
		json_integer(json_integer_value(json_object_get(entry, "length")) + 1));
}

static void set_sha512(json_t *entry, char digit)
{
	char hex[129];

	for (size_t i = 0; i < sizeof hex - 1; i++)
		hex[i] = digit;
	hex[sizeof hex - 1] = 0;
	json_object_set_new(json_object_get(entry, "hashes"), "sha512", json_string(hex));
}

static void add_sha512(json_t *entry)
{
	set_sha512(entry, '5');
}

static void only_sha512(json_t *entry)
{
	set_sha512(entry, '5');
	json_object_del(json_object_get(entry, "hashes"), "sha256");
}

static void other_hardware(json_t *entry)
{
	json_object_set_new(match_in(entry), "hardwareIds", json_pack("[s]", "edge-arm"));
}

void attack_mix_director_and_image_hash_differ(struct bed *b)
{
	change_hash(asked(b));
}

void attack_mix_length_differ(struct bed *b)
{
	change_length(asked(b));
}

void attack_mix_one_of_two_hashes_differs(struct bed *b)
{
	for_all_approvers(b, add_sha512);
	set_sha512(asked(b), '6');
}

void attack_mix_no_common_hash(struct bed *b)
{
	only_sha512(asked(b));
}

void attack_mix_match_custom_differs(struct bed *b)
{
	json_object_set_new(match_in(asked(b)), "evidence", json_array());
}

void attack_mix_hwid_wrong_in_director(struct bed *b)
{
	other_hardware(asked(b));
}

void attack_mix_hwid_wrong_in_image(struct bed *b)
{
	for_all_approvers(b, other_hardware);
}

void attack_mix_hwid_wrong_in_both(struct bed *b)
{
	other_hardware(asked(b));
	for_all_approvers(b, other_hardware);
}

/* The name and the length are right. */
void attack_mix_same_name_other_content(struct bed *b)
{
	char path[256], hex[SHA256_TEXT];
	struct sha256 digest;
	struct toy other;

	digest_of(b->good.document.p, b->good.document.n, &digest);
	sha256_format(&digest, hex);
	toy_make(&other, 3);
	snprintf(path, sizeof path, "image/targets/toy/%s.%s.json", hex, b->good.id);
	bed_write(b, path, buf_str(&other.document));
}
