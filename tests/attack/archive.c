/* Archives that all have signed for and that no device may unpack. */
#include <string.h>

#include "tests/attack/attack.h"

static void offer(struct bed *b, const struct parcel_entry *v)
{
	toy_set_code(&b->good, v, COMPRESSION_ZSTD);
	bed_offer(b, &b->good);
}

#define OFFER(...) offer(b, (const struct parcel_entry[]){__VA_ARGS__, PARCEL_END})

/* A link to outside, and then a file through it. */
void attack_path_symlink_in_target_dir(struct bed *b)
{
	OFFER({'2', "out", "../../../..", 0}, {'0', "out/evil", "evil", 0});
}

void attack_archive_symlink_through(struct bed *b)
{
	OFFER({'5', "real/", NULL, 0}, {'2', "in", "real", 0}, {'0', "in/evil", "evil", 0});
}

void attack_archive_dotdot(struct bed *b)
{
	OFFER({'0', "../../../evil", "evil", 0});
}

void attack_archive_absolute(struct bed *b)
{
	OFFER({'0', "/tmp/backstay-evil", "evil", 0});
}

void attack_archive_hard_link(struct bed *b)
{
	OFFER({'0', "a", "a", 0}, {'1', "b", "../../../journal/state.0", 0});
}

void attack_archive_device_node(struct bed *b)
{
	OFFER({'3', "null", NULL, 0});
}

void attack_archive_fifo(struct bed *b)
{
	OFFER({'6', "pipe", NULL, 0});
}

void attack_archive_setuid(struct bed *b)
{
	OFFER({'0', "su", "su", 04755});
}

void attack_archive_same_name_twice(struct bed *b)
{
	OFFER({'0', "a", "one", 0}, {'0', "a", "two", 0});
}

/* The bytes are the signed ones; what they become is not. */
void attack_archive_other_tree(struct bed *b)
{
	b->good.part[0].artifact.tree.b[0] ^= 1;
	toy_write(&b->good, NULL, NULL);
	bed_offer(b, &b->good);
}

/* Outside right, inside wrong: there is no encryption here, but compression has the same two
 * layers. */
void attack_eavesdrop_ciphertext_ok_plaintext_hash_bad(struct bed *b)
{
	b->good.part[0].artifact.content_digest.b[0] ^= 1;
	toy_write(&b->good, NULL, NULL);
	bed_offer(b, &b->good);
}

/* More memory than the agent grants a decompressor. */
void attack_zstd_window(struct bed *b)
{
	struct component *c = &b->good.part[0];
	static uint8_t noise[1U << 20];
	BUF_AUTO plain = {0};

	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (uint8_t)(i * i >> 7);
	buf_add(&plain, noise, sizeof noise);
	buf_clear(&b->good.artifact[0]);
	parcel_wrap(c, buf_str(&plain), COMPRESSION_NONE, &b->good.artifact[0]);
	buf_clear(&b->good.artifact[0]);
	parcel_zstd(buf_str(&plain), 3, 27, &b->good.artifact[0]);
	c->artifact.compression = COMPRESSION_ZSTD;
	c->artifact.length = b->good.artifact[0].n;
	digest_of(b->good.artifact[0].p, b->good.artifact[0].n, &c->artifact.digest);
	toy_write(&b->good, NULL, NULL);
	bed_offer(b, &b->good);
}
