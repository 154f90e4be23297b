/* Endless data: bodies, headers, redirects, lists, and what grows when it is unpacked. */
#include <string.h>

#include "tests/attack/attack.h"

#define TIMESTAMP "director/" DEVICE "/timestamp.json"

void attack_endless_root(struct bed *b)
{
	bed_misbehave(b, "director/" DEVICE "/2.root.json", HTTPD_ENDLESS, 0, NULL);
}

void attack_endless_timestamp(struct bed *b)
{
	bed_misbehave(b, TIMESTAMP, HTTPD_ENDLESS, 0, NULL);
}

static void forget_length(struct bed *b, enum trepo_file lister, const char *file)
{
	json_t *pins;

	bed_publish(b);
	pins = json_object_get(b->image.role[lister].part, "meta");
	assert_int_equal(json_object_del(json_object_get(pins, file), "length"), 0);
	trepo_sign(&b->image, lister);
	if (lister == TREPO_SNAPSHOT) {
		trepo_pin(&b->image, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
		trepo_sign(&b->image, TREPO_TIMESTAMP);
	}
	bed_save(b);
}

void attack_endless_snapshot_no_length(struct bed *b)
{
	forget_length(b, TREPO_TIMESTAMP, "snapshot.json");
	bed_misbehave(b, "image/20.snapshot.json", HTTPD_ENDLESS, 0, NULL);
}

void attack_endless_delegated(struct bed *b)
{
	forget_length(b, TREPO_SNAPSHOT, "engineering.json");
	bed_misbehave(b, "image/20.engineering.json", HTTPD_ENDLESS, 0, NULL);
}

void attack_endless_chunked_no_length(struct bed *b)
{
	static char body[LIMIT_TIMESTAMP_BYTES];

	bed_publish(b);
	snprintf(body, sizeof body, "%.*s", (int)trepo_bytes(&b->director, TREPO_TIMESTAMP).n,
		trepo_bytes(&b->director, TREPO_TIMESTAMP).p);
	bed_misbehave(b, TIMESTAMP, HTTPD_CHUNKED, LIMIT_TIMESTAMP_BYTES, body);
}

void attack_endless_lying_content_length(struct bed *b)
{
	bed_misbehave(b, TIMESTAMP, HTTPD_LENGTH, 1ULL << 40, "{}");
}

void attack_endless_redirects(struct bed *b)
{
	bed_misbehave(b, TIMESTAMP, HTTPD_REDIRECT, 302, "/" TIMESTAMP);
}

void attack_endless_headers(struct bed *b)
{
	bed_misbehave(b, TIMESTAMP, HTTPD_HEADERS, 0, NULL);
}

/* ---- lists ---- */

/* One key for ten thousand roles: the list is long, the file is not. */
void attack_delegation_chain_10000(struct bed *b)
{
	json_t *delegations = json_object_get(b->image.role[TREPO_TARGETS].part, "delegations");
	json_t *roles = json_object_get(delegations, "roles");
	json_t *keyids = json_object_get(json_array_get(roles, 0), "keyids");
	char name[32];

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof name, "link-%u", i);
		json_array_append_new(
			roles, json_pack("{s:s, s:O, s:i, s:[s], s:b}", "name", name, "keyids",
				       keyids, "threshold", 1, "paths", "*/*", "terminating", 0));
	}
}

void attack_json_million_signatures(struct bed *b)
{
	BUF_AUTO many = {0};

	buf_add_str(&many, "\"signatures\":[");
	for (unsigned i = 0; i < 1000000; i++)
		buf_addf(&many, "{\"keyid\":\"%u\",\"sig\":\"00\"},", i);
	bed_publish_edited(
		b, &b->director, TREPO_TIMESTAMP, STR("\"signatures\":["), buf_str(&many));
}

void attack_json_depth_bomb(struct bed *b)
{
	BUF_AUTO deep = {0};

	buf_add_str(&deep, "{\"x\":");
	for (unsigned i = 0; i < 5000; i++)
		buf_add_char(&deep, '[');
	for (unsigned i = 0; i < 5000; i++)
		buf_add_char(&deep, ']');
	buf_add_str(&deep, ",\"signatures\":[");
	bed_publish_edited(
		b, &b->director, TREPO_TIMESTAMP, STR("{\"signatures\":["), buf_str(&deep));
}

/* ---- what is unpacked ---- */

void attack_endless_target_one_byte_more(struct bed *b)
{
	buf_add_char(&b->good.artifact[0], '+');
	bed_write(b, bed_artifact(&b->good, 0), buf_str(&b->good.artifact[0]));
}

void attack_target_one_byte_short(struct bed *b)
{
	struct str most = buf_str(&b->good.artifact[0]);

	most.n--;
	bed_write(b, bed_artifact(&b->good, 0), most);
}

/* A quarter of a gigabyte of nothing in a few kilobytes, which all have signed for a thousand
 * bytes. */
void attack_zstd_bomb(struct bed *b)
{
	struct artifact *a = &b->good.part[0].artifact;
	BUF_AUTO zeros = {0};

	memset(buf_reserve(&zeros, 256U << 20), 0, 256U << 20);
	zeros.n = 256U << 20;
	buf_clear(&b->good.artifact[0]);
	parcel_wrap(&b->good.part[0], buf_str(&zeros), COMPRESSION_ZSTD, &b->good.artifact[0]);
	a->content_length = 1000;
	toy_write(&b->good, NULL, NULL);
	bed_offer(b, &b->good);
}

/* The same folder again and again: it costs the disk nothing, and still it ends. */
void attack_archive_many_entries(struct bed *b)
{
	const struct parcel_entry one = {'5', "d/", NULL, 0};
	BUF_AUTO entry = {0};
	BUF_AUTO tar = {0};

	parcel_tar_entry(&entry, &one);
	for (unsigned i = 0; i <= LIMIT_TAR_ENTRIES; i++)
		buf_add(&tar, entry.p, entry.n);
	memset(buf_reserve(&tar, 1024), 0, 1024);
	tar.n += 1024;
	buf_clear(&b->good.artifact[0]);
	parcel_wrap(&b->good.part[0], buf_str(&tar), COMPRESSION_ZSTD, &b->good.artifact[0]);
	toy_write(&b->good, NULL, NULL);
	bed_offer(b, &b->good);
}
