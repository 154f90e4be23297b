/* Signatures, and what a root says of who may sign. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "tests/attack/attack.h"

/* ---- signatures ---- */

/* Of the director's timestamp, and of it alone: nothing pins it. The file is signed; then its
 * signature becomes this. */
static void set_signature(struct bed *b, const uint8_t *sig, size_t n)
{
	struct buf *file = &b->director.role[TREPO_TIMESTAMP].file;
	JSON_AUTO *doc = NULL;
	char hex[2 * SIG_MAX + 1];

	doc = json_loadb((const char *)file->p, file->n, 0, NULL);
	hex_encode(sig, n, hex);
	json_object_set_new(
		json_array_get(json_object_get(doc, "signatures"), 0), "sig", json_string(hex));
	buf_clear(file);
	json_write(doc, file);
	bed_save(b);
}

static size_t signature_of(struct bed *b, uint8_t out[SIG_MAX])
{
	struct str file;
	JSON_AUTO *doc = NULL;
	const char *hex;

	bed_publish(b);
	file = trepo_bytes(&b->director, TREPO_TIMESTAMP);
	doc = json_loadb(file.p, file.n, 0, NULL);
	hex = json_string_value(
		json_object_get(json_array_get(json_object_get(doc, "signatures"), 0), "sig"));
	assert_int_equal(hex_decode(str_of(hex), out, strlen(hex) / 2, NULL), 0);
	return strlen(hex) / 2;
}

void attack_arb_signature_empty(struct bed *b)
{
	bed_publish(b);
	set_signature(b, NULL, 0);
}

void attack_arb_signature_none(struct bed *b)
{
	JSON_AUTO *doc = NULL;
	struct buf *file = &b->director.role[TREPO_TIMESTAMP].file;

	bed_publish(b);
	doc = json_loadb((const char *)file->p, file->n, 0, NULL);
	json_array_clear(json_object_get(doc, "signatures"));
	buf_clear(file);
	json_write(doc, file);
	bed_save(b);
}

/* 30 LL becomes 30 81 LL: the same numbers to a lenient reader. */
void attack_arb_signature_ber_not_der(struct bed *b)
{
	uint8_t sig[SIG_MAX];
	size_t n = signature_of(b, sig);

	memmove(sig + 2, sig + 1, n - 1);
	sig[1] = 0x81;
	set_signature(b, sig, n + 1);
}

void attack_arb_signature_r_zero(struct bed *b)
{
	static const uint8_t sig[] = {0x30, 6, 2, 1, 0, 2, 1, 1};

	bed_publish(b);
	set_signature(b, sig, sizeof sig);
}

void attack_arb_signature_wrong_length(struct bed *b)
{
	uint8_t sig[SIG_MAX];
	size_t n = signature_of(b, sig);

	set_signature(b, sig, n - 1);
}

static void sign_with_key_of(struct trepo *r, enum trepo_file f, const struct trepo_role *other)
{
	r->role[f].keys[0] = other->keys[0];
}

void attack_arb_signature_of_other_role(struct bed *b)
{
	sign_with_key_of(&b->director, TREPO_TIMESTAMP, &b->director.role[TREPO_SNAPSHOT]);
}

void attack_arb_role_by_wrong_delegator(struct bed *b)
{
	sign_with_key_of(&b->image, TREPO_ENGINEERING, &b->image.role[TREPO_SAFETY]);
}

/* Engineering says that safety signs with engineering's key, and signs for it. */
void attack_arb_approver_delegates_for_another(struct bed *b)
{
	const struct trepo_role *thief = &b->image.role[TREPO_ENGINEERING];
	const struct sign_key *keys[] = {&thief->keys[0]};
	struct repo_role safety = {.role = "safety", .threshold = 1, .n_keys = 1, .keys = keys};
	JSON_AUTO *delegating = repo_delegating((struct repo_head){1, 0}, &safety, 1);

	json_object_set(thief->part, "delegations", json_object_get(delegating, "delegations"));
	sign_with_key_of(&b->image, TREPO_SAFETY, thief);
}

/* ---- what a root says of who may sign: signed by the right root keys, and still refused ---- */

static json_t *root_of(struct bed *b)
{
	trepo_set_version(&b->director, TREPO_ROOT, 2);
	return b->director.role[TREPO_ROOT].part;
}

void attack_arb_threshold_zero(struct bed *b)
{
	root_of(b);
	bed_set(&b->director, TREPO_ROOT, "roles.timestamp.threshold", "0");
}

void attack_arb_threshold_negative(struct bed *b)
{
	root_of(b);
	bed_set(&b->director, TREPO_ROOT, "roles.timestamp.threshold", "-1");
}

void attack_arb_threshold_above_keys(struct bed *b)
{
	root_of(b);
	bed_set(&b->director, TREPO_ROOT, "roles.timestamp.threshold", "2");
}

static json_t *timestamp_role(struct bed *b)
{
	return json_object_get(json_object_get(root_of(b), "roles"), "timestamp");
}

static const char *timestamp_keyid(struct bed *b)
{
	return b->director.role[TREPO_TIMESTAMP].keys[0].keyid;
}

void attack_arb_duplicate_keyid_in_role(struct bed *b)
{
	json_array_append_new(
		json_object_get(timestamp_role(b), "keyids"), json_string(timestamp_keyid(b)));
}

/* The timestamp's key a second time, under another id, and two of them are needed: with its
 * signature twice. */
static void two_ids(struct bed *b, const char *scheme)
{
	json_t *role = timestamp_role(b), *keys = json_object_get(root_of(b), "keys");
	json_t *again = json_deep_copy(json_object_get(keys, timestamp_keyid(b)));
	struct buf *file = &b->director.role[TREPO_TIMESTAMP].file;
	JSON_AUTO *doc = NULL;
	json_t *list, *copy;

	if (scheme)
		json_object_set_new(again, "scheme", json_string(scheme));
	json_object_set_new(keys, "other-id", again);
	json_array_append_new(json_object_get(role, "keyids"), json_string("other-id"));
	json_object_set_new(role, "threshold", json_integer(2));
	bed_publish(b);
	doc = json_loadb((const char *)file->p, file->n, 0, NULL);
	list = json_object_get(doc, "signatures");
	copy = json_deep_copy(json_array_get(list, 0));
	json_object_set_new(copy, "keyid", json_string("other-id"));
	json_array_append_new(list, copy);
	buf_clear(file);
	json_write(doc, file);
	bed_save(b);
}

void attack_arb_same_public_key_under_two_keyids(struct bed *b)
{
	two_ids(b, NULL);
}

void attack_arb_same_key_with_two_schemes(struct bed *b)
{
	two_ids(b, "ecdsa-sha2-nistp384");
}

static void set_scheme(struct bed *b, const char *scheme)
{
	json_t *keys = json_object_get(root_of(b), "keys");

	json_object_set_new(
		json_object_get(keys, timestamp_keyid(b)), "scheme", json_string(scheme));
}

void attack_arb_unknown_scheme_counts_nothing(struct bed *b)
{
	set_scheme(b, "believe-me");
}

/* ---- keys that are none ---- */

/* The timestamp's key becomes this one, as root lists it. */
static void set_key(struct bed *b, EVP_PKEY *pkey, const char *keytype, const char *scheme)
{
	json_t *keys = json_object_get(root_of(b), "keys");
	BIO *bio = BIO_new(BIO_s_mem());
	char pem[SIG_PEM_MAX];
	int n;

	assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
	n = BIO_read(bio, pem, sizeof pem - 1);
	assert_true(n > 0);
	pem[n] = 0;
	BIO_free(bio);
	json_object_set_new(keys, timestamp_keyid(b),
		json_pack("{s:s, s:s, s:{s:s}}", "keytype", keytype, "scheme", scheme, "keyval",
			"public", pem));
}

static void sign_with(struct bed *b, EVP_PKEY *pkey, bool pss)
{
	const json_t *part = b->director.role[TREPO_TIMESTAMP].part;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	uint8_t sig[SIG_MAX];
	size_t n = sizeof sig;
	BUF_AUTO message = {0};

	bed_publish(b);
	json_canonical(part, &message);
	assert_int_equal(EVP_DigestSignInit(c, &how, EVP_sha256(), NULL, pkey), 1);
	if (pss)
		assert_true(EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING) == 1 &&
			    EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST) == 1);
	assert_int_equal(EVP_DigestSign(c, sig, &n, message.p, message.n), 1);
	EVP_MD_CTX_free(c);
	set_signature(b, sig, n);
}

void attack_arb_p256_scheme_with_p384_key(struct bed *b)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-384");

	set_key(b, pkey, "ecdsa", "ecdsa-sha2-nistp256");
	sign_with(b, pkey, false);
	EVP_PKEY_free(pkey);
}

void attack_arb_rsa_1024(struct bed *b)
{
	EVP_PKEY *pkey = EVP_RSA_gen(1024);

	set_key(b, pkey, "rsa", "rsassa-pss-sha256");
	sign_with(b, pkey, true);
	EVP_PKEY_free(pkey);
}

/* Under the neutral point, the neutral point and zero are a signature of anything. */
void attack_arb_ed25519_point_of_small_order(struct bed *b)
{
	static const uint8_t sig[64] = {1};
	json_t *keys = json_object_get(root_of(b), "keys");

	json_object_set_new(keys, timestamp_keyid(b),
		json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519",
			"keyval", "public",
			"0100000000000000000000000000000000000000000000000000000000000000"));
	bed_publish(b);
	set_signature(b, sig, sizeof sig);
}
