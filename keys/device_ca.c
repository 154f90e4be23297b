#include "keys/device_ca.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "keys/x509_priv.h"
#include "lib/sys/fs.h"
#include "proto/trust/digest.h"

#define CA_NAME      "device-ca"
#define CA_FILE      CA_NAME ".crt"
#define CA_SUBJECT   "Backstay devices"
#define CA_LIFE_S    ((int64_t)20 * 365 * 86400)
#define CLOCK_SKEW_S ((int64_t)300) /* of a device that is a little behind */
#define CERT_MAX     (8 * 1024)
#define SERIAL_BYTES 16

struct device_ca {
	struct keystore *keys;
	const struct sign_key *key;
	X509 *cert;
	struct buf der, pem;
};

/* ---- writing a certificate ---- */

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = extension && X509_add_ext(x, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	return ok;
}

/* At most 20 bytes, positive, not to be guessed (RFC 5280, 4.1.2.2). */
static bool set_serial(X509 *x)
{
	uint8_t bytes[SERIAL_BYTES];
	BIGNUM *number = NULL;
	bool ok = RAND_bytes(bytes, sizeof bytes) == 1;

	bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40);
	number = ok ? BN_bin2bn(bytes, sizeof bytes, NULL) : NULL;
	ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
	BN_free(number);
	return ok;
}

static bool set_name(X509_NAME *name, const char *text)
{
	return X509_NAME_add_entry_by_NID(
		       name, NID_commonName, MBSTRING_UTF8, (const uint8_t *)text, -1, -1, 0) == 1;
}

static bool set_times(X509 *x, int64_t from_s, int64_t until_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from_s) &&
	       ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until_s);
}

static bool set_algorithm(const X509_ALGOR *algorithm)
{
	return X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)algorithm,
		       OBJ_nid2obj(NID_ecdsa_with_SHA256), V_ASN1_UNDEF, NULL) == 1;
}

/* libcrypto would want its own kind of key; ours may be in a token, so that only the bytes to be
 * signed and the signature pass between the two. */
static int sign(X509 *x, const struct sign_key *key, struct err *e)
{
	const ASN1_BIT_STRING *place;
	const X509_ALGOR *outer;
	uint8_t *tbs = NULL, sig[SIG_MAX];
	ASN1_BIT_STRING *signature;
	size_t sig_n;
	int n, rc;

	X509_get0_signature(&place, &outer, x);
	if (!set_algorithm(X509_get0_tbs_sigalg(x)) || !set_algorithm(outer) ||
		(n = i2d_re_X509_tbs(x, &tbs)) <= 0)
		return err_set(e, ERR_BUG, "libcrypto cannot encode a certificate");
	rc = sign_bytes(key, (struct str){(const char *)tbs, (size_t)n}, sig, &sig_n, e);
	OPENSSL_free(tbs);
	TRY(rc);
	signature = (ASN1_BIT_STRING *)(uintptr_t)place;
	if (ASN1_BIT_STRING_set(signature, sig, (int)sig_n) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot take a signature");
	/* all bits count */
	signature->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	signature->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return 0;
}

static int encode(X509 *x, struct buf *out, struct err *e)
{
	uint8_t *der = NULL;
	int n = i2d_X509(x, &der);

	if (n <= 0)
		return err_set(e, ERR_BUG, "libcrypto cannot encode a certificate");
	buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	return 0;
}

static void bio_release(BIO **b)
{
	BIO_free(*b);
}

static int encode_pem(X509 *x, struct buf *out, struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	if (!bio || PEM_write_bio_X509(bio, x) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot encode a certificate");
	n = BIO_get_mem_data(bio, &text);
	buf_add(out, text, (size_t)n);
	return 0;
}

/* ---- the authority itself ---- */

static EVP_PKEY *public_of(const struct sign_key *key)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(key->pub.pem, -1);

	return bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
}

static int certify_itself(
	const struct sign_key *key, int64_t now_s, struct buf *out_pem, struct err *e)
{
	CLEANUP(x509_release) X509 *x = X509_new();
	CLEANUP(x509_key_release) EVP_PKEY *pkey = public_of(key);

	if (!x || !pkey || X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x) ||
		!set_name(X509_get_subject_name(x), CA_SUBJECT) ||
		X509_set_issuer_name(x, X509_get_subject_name(x)) != 1 ||
		!set_times(x, now_s - CLOCK_SKEW_S, now_s + CA_LIFE_S) ||
		X509_set_pubkey(x, pkey) != 1 ||
		!add_extension(x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
		!add_extension(x, NID_key_usage, "critical,keyCertSign"))
		return err_set(e, ERR_BUG, "libcrypto cannot make a certificate");
	TRY(sign(x, key, e));
	return encode_pem(x, out_pem, e);
}

int device_ca_create(const char *dir, int64_t now_s, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *keys = keystore_new();
	const struct sign_key *found[LIMIT_KEYS];
	BUF_AUTO pem = {0};
	struct fs fs;
	int rc;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "mkdir %s", dir);
	TRY(keystore_create(keys, dir, CA_NAME, SIG_ECDSA_P256, e));
	(void)keystore_find(keys, CA_NAME, found);
	TRY(certify_itself(found[0], now_s, &pem, e));
	TRY(fs_posix_open(dir, &fs, e));
	rc = fs_write_file(&fs, CA_FILE, pem.p, pem.n, 0644, e);
	fs_posix_close(&fs);
	return rc;
}

static int load_cert(struct device_ca *ca, const char *dir, struct err *e)
{
	CLEANUP(bio_release) BIO *bio = NULL;
	struct sha256 key;
	struct fs fs;
	int rc;

	TRY(fs_posix_open(dir, &fs, e));
	rc = fs_read_file(&fs, CA_FILE, CERT_MAX, &ca->pem, e);
	fs_posix_close(&fs);
	TRY(rc);
	bio = BIO_new_mem_buf(buf_cstr(&ca->pem), (int)ca->pem.n);
	ca->cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!ca->cert)
		return err_set(e, ERR_CONFIG, CA_FILE ": no certificate in PEM");
	if (x509_key(X509_get0_pubkey(ca->cert), &key, NULL) < 0 ||
		!sha256_eq(&key, &ca->key->pub.spki))
		return err_set(e, ERR_CONFIG, CA_FILE " is not of the key beside it");
	return encode(ca->cert, &ca->der, e);
}

static int load(struct device_ca *ca, const char *dir, struct err *e)
{
	const struct sign_key *found[LIMIT_KEYS];

	TRY(keystore_load(ca->keys, dir, e));
	if (keystore_find(ca->keys, CA_NAME, found) != 1)
		return err_set(e, ERR_CONFIG, "one key of the role " CA_NAME " is wanted");
	ca->key = found[0];
	return load_cert(ca, dir, e);
}

int device_ca_open(const char *dir, struct device_ca **out, struct err *e)
{
	struct device_ca *ca = mem_new(sizeof *ca);

	ca->keys = keystore_new();
	if (load(ca, dir, e) < 0) {
		device_ca_close(&ca);
		return err_wrap(e, "%s", dir);
	}
	*out = ca;
	return 0;
}

void device_ca_close(struct device_ca **ca)
{
	if (*ca) {
		X509_free((*ca)->cert);
		buf_fini(&(*ca)->der);
		buf_fini(&(*ca)->pem);
		keystore_free(&(*ca)->keys);
	}
	mem_free(ca);
}

struct str device_ca_der(const struct device_ca *ca)
{
	return buf_str(&ca->der);
}

struct str device_ca_pem(const struct device_ca *ca)
{
	return buf_str(&ca->pem);
}

int device_ca_issue(const struct device_ca *ca, const struct csr *csr, int64_t now_s,
	int64_t until_s, struct buf *out, struct err *e)
{
	CLEANUP(x509_release) X509 *x = X509_new();

	if (!x || X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x) ||
		!set_name(X509_get_subject_name(x), csr->device) ||
		X509_set_issuer_name(x, X509_get_subject_name(ca->cert)) != 1 ||
		!set_times(x, now_s - MIN(CLOCK_SKEW_S, (until_s - now_s) / 20), until_s) ||
		X509_set_pubkey(x, csr->pkey) != 1 ||
		!add_extension(x, NID_basic_constraints, "critical,CA:FALSE") ||
		!add_extension(x, NID_key_usage, "critical,digitalSignature") ||
		!add_extension(x, NID_ext_key_usage, "clientAuth"))
		return err_set(e, ERR_BUG, "libcrypto cannot make a certificate");
	TRY(sign(x, ca->key, e));
	return encode(x, out, e);
}

/* ---- reading ---- */

static int read_time(const ASN1_TIME *t, int64_t *out, struct err *e)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return err_set(e, ERR_BAD_INPUT, "a date that is none");
	*out = timegm(&tm);
	return 0;
}

static int decode(struct str der, X509 **out, struct err *e)
{
	const uint8_t *p = (const uint8_t *)der.p;

	if (der.n > CERT_MAX)
		return err_set(e, ERR_TOO_LARGE, "more than %d bytes", CERT_MAX);
	*out = d2i_X509(NULL, &p, (long)der.n);
	if (!*out || p != (const uint8_t *)der.p + der.n)
		return err_set(e, ERR_BAD_INPUT, "not X.509 in DER");
	return 0;
}

static int check(const struct device_ca *ca, struct str der, struct device_cert *out, struct err *e)
{
	CLEANUP(x509_release) X509 *x = NULL;
	const X509_ALGOR *algorithm;

	TRY(decode(der, &x, e));
	X509_get0_signature(NULL, &algorithm, x);
	if (X509_NAME_cmp(X509_get_issuer_name(x), X509_get_subject_name(ca->cert)) != 0 ||
		!x509_is_ecdsa(algorithm) || X509_verify(x, X509_get0_pubkey(ca->cert)) != 1)
		return err_set(e, ERR_DENIED, "not issued here");
	if (X509_check_ca(x) || !(X509_get_extended_key_usage(x) & XKU_SSL_CLIENT))
		return err_set(e, ERR_DENIED, "not one of a device");
	TRY(x509_device(X509_get_subject_name(x), out->device, e));
	TRY(x509_key(X509_get0_pubkey(x), &out->key, e));
	TRY(read_time(X509_get0_notBefore(x), &out->from_s, e));
	TRY(read_time(X509_get0_notAfter(x), &out->until_s, e));
	digest_of(der.p, der.n, &out->digest);
	return 0;
}

int device_ca_check(
	const struct device_ca *ca, struct str der, struct device_cert *out, struct err *e)
{
	struct device_cert c;

	if (check(ca, der, &c, e) < 0)
		return err_wrap(e, "certificate");
	*out = c;
	return 0;
}

/* ---- bundles ---- */

static void bundle_release(PKCS7 **p)
{
	PKCS7_free(*p);
}

int device_ca_bundle(const struct str *certs, unsigned n, struct buf *out, struct err *e)
{
	CLEANUP(bundle_release) PKCS7 *bundle = PKCS7_new();
	uint8_t *der = NULL;
	int k;

	if (!bundle || PKCS7_set_type(bundle, NID_pkcs7_signed) != 1 ||
		PKCS7_content_new(bundle, NID_pkcs7_data) != 1 ||
		PKCS7_set_detached(bundle, 1) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot make a bundle");
	for (unsigned i = 0; i < n; i++) {
		CLEANUP(x509_release) X509 *x = NULL;

		TRY(decode(certs[i], &x, e));
		if (PKCS7_add_certificate(bundle, x) != 1)
			return err_set(e, ERR_BUG, "libcrypto cannot bundle");
	}
	k = i2d_PKCS7(bundle, &der);
	if (k <= 0)
		return err_set(e, ERR_BUG, "libcrypto cannot encode a bundle");
	buf_add(out, der, (size_t)k);
	OPENSSL_free(der);
	return 0;
}
