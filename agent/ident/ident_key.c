#include "agent/ident/ident_key.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

static void key_release(EVP_PKEY **p)
{
	EVP_PKEY_free(*p);
}

static void bio_release(BIO **p)
{
	BIO_free(*p);
}

static void cert_release(X509 **p)
{
	X509_free(*p);
}

static void request_release(X509_REQ **p)
{
	X509_REQ_free(*p);
}

static void bundle_release(PKCS7 **p)
{
	PKCS7_free(*p);
}

void ident_wipe(struct buf *secret)
{
	if (secret->p)
		OPENSSL_cleanse(secret->p, secret->cap);
	buf_fini(secret);
}

static void add_bio(BIO *bio, struct buf *out)
{
	char *text;
	long n = BIO_get_mem_data(bio, &text);

	buf_add(out, text, (size_t)n);
}

int ident_key_new(struct buf *out, struct err *e)
{
	CLEANUP(key_release) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(bio_release) BIO *bio = BIO_new(BIO_s_secmem());

	if (!key || !bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot make a key");
	add_bio(bio, out);
	return 0;
}

/* A key with a passphrase would otherwise make libcrypto ask on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf, (void)size, (void)rwflag, (void)u;
	return 0;
}

static int read_key(struct str pem, EVP_PKEY **out, struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem.p, (int)MIN(pem.n, IDENT_PEM_MAX));

	*out = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	return *out ? 0 : err_set(e, ERR_ALTERED, "there is no private key");
}

/* ---- asking ---- */

static bool fill_request(X509_REQ *request, EVP_PKEY *key, const char *device)
{
	return X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	       X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName,
		       MBSTRING_UTF8, (const uint8_t *)device, -1, -1, 0) == 1 &&
	       X509_REQ_set_pubkey(request, key) == 1 &&
	       X509_REQ_sign(request, key, EVP_sha256()) > 0;
}

int ident_request(struct str pem, const char *device, struct buf *out, struct err *e)
{
	CLEANUP(key_release) EVP_PKEY *key = NULL;
	CLEANUP(request_release) X509_REQ *request = X509_REQ_new();
	uint8_t *der = NULL;
	int n;

	TRY(read_key(pem, &key, e));
	if (!request || !fill_request(request, key, device) ||
		(n = i2d_X509_REQ(request, &der)) <= 0)
		return err_set(e, ERR_BUG, "libcrypto cannot make a request");
	buf_add(out, der, (size_t)n);
	OPENSSL_free(der);
	return 0;
}

/* ---- what is answered ---- */

static bool is_named(X509 *cert, const char *device)
{
	char name[128];
	int n = X509_NAME_get_text_by_NID(
		X509_get_subject_name(cert), NID_commonName, name, sizeof name);

	return n > 0 && (size_t)n == strlen(device) && memcmp(name, device, (size_t)n) == 0;
}

static int check(X509 *cert, EVP_PKEY *key, const char *device, struct err *e)
{
	if (X509_check_private_key(cert, key) != 1)
		return err_set(e, ERR_ALTERED, "the certificate is of another key");
	if (!is_named(cert, device) || X509_check_ca(cert))
		return err_set(e, ERR_ALTERED, "the certificate is not that of %s", device);
	return 0;
}

static int read_bundle(struct str der, PKCS7 **out, struct err *e)
{
	const uint8_t *p = (const uint8_t *)der.p;

	*out = d2i_PKCS7(NULL, &p, (long)der.n);
	if (!*out || p != (const uint8_t *)der.p + der.n || !PKCS7_type_is_signed(*out) ||
		!(*out)->d.sign)
		return err_set(e, ERR_ALTERED, "the answer is no PKCS#7 with certificates");
	return 0;
}

int ident_answer(
	struct str bundle, struct str key_pem, const char *device, struct buf *out, struct err *e)
{
	CLEANUP(bundle_release) PKCS7 *all = NULL;
	CLEANUP(key_release) EVP_PKEY *key = NULL;
	CLEANUP(bio_release) BIO *bio = BIO_new(BIO_s_mem());
	X509 *cert;

	TRY(read_key(key_pem, &key, e));
	TRY(read_bundle(bundle, &all, e));
	if (sk_X509_num(all->d.sign->cert) != 1)
		return err_set(e, ERR_ALTERED, "the answer is not one certificate");
	cert = sk_X509_value(all->d.sign->cert, 0);
	TRY(check(cert, key, device, e));
	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		return err_set(e, ERR_BUG, "libcrypto cannot write a certificate");
	add_bio(bio, out);
	return 0;
}

static int read_time(const ASN1_TIME *t, int64_t *out, struct err *e)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return err_set(e, ERR_ALTERED, "the certificate has a date that is none");
	*out = timegm(&tm);
	return 0;
}

int ident_life(struct str pem, const char *device, int64_t *out_from_s, int64_t *out_until_s,
	struct err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem.p, (int)MIN(pem.n, IDENT_PEM_MAX));
	CLEANUP(cert_release) X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	CLEANUP(key_release) EVP_PKEY *key = NULL;
	int64_t from, until;

	if (!cert)
		return err_set(e, ERR_ALTERED, "there is no certificate");
	TRY(read_key(pem, &key, e));
	TRY(check(cert, key, device, e));
	TRY(read_time(X509_get0_notBefore(cert), &from, e));
	TRY(read_time(X509_get0_notAfter(cert), &until, e));
	*out_from_s = from;
	*out_until_s = until;
	return 0;
}
