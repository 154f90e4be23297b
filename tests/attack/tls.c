/* Who listens in, with certificates of his own. The server speaks TLS here, with a certificate that
 * an authority made in the test has signed. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/attack/attack.h"

/* ---- certificates ---- */

struct authority {
	EVP_PKEY *key;
	X509 *cert;
};

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(x);
	X509_add_ext(cert, x, -1);
	X509_EXTENSION_free(x);
}

/* Signed by `by`, or by itself. */
static X509 *certify(EVP_PKEY *key, const char *name, const char *alt, const struct authority *by)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), by ? 2 : 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, by ? X509_get_subject_name(by->cert) : subject);
	add_extension(cert, NID_basic_constraints, by ? "CA:FALSE" : "critical,CA:TRUE");
	if (alt)
		add_extension(cert, NID_subject_alt_name, alt);
	assert_true(X509_sign(cert, by ? by->key : key, EVP_sha256()) > 0);
	return cert;
}

static void authority_make(struct authority *a, const char *name)
{
	a->key = EVP_EC_gen("P-256");
	a->cert = certify(a->key, name, NULL, NULL);
}

static void cert_text(X509 *cert, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_X509(bio, cert);
	n = BIO_get_mem_data(bio, &p);
	buf_add(out, p, (size_t)n);
	BIO_free(bio);
}

static void key_text(EVP_PKEY *key, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &p);
	buf_add(out, p, (size_t)n);
	BIO_free(bio);
}

/* ---- the server ---- */

static struct {
	struct MHD_Daemon *daemon;
	struct buf cert, key;
	char url[64];
	const char *www, *sends_to; /* sends_to: every answer is a redirect to there */
} tls;

static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
	enum MHD_Result rc = MHD_queue_response(c, status, r);

	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result reply_empty(struct MHD_Connection *c, unsigned status, const char *to)
{
	static char empty[] = "";
	struct MHD_Response *r = MHD_create_response_from_buffer(0, empty, MHD_RESPMEM_PERSISTENT);

	if (to)
		MHD_add_response_header(r, "Location", to);
	return reply(c, status, r);
}

static enum MHD_Result reply_file(struct MHD_Connection *c, const char *path)
{
	char full[600];
	struct MHD_Response *r;
	BUF_AUTO body = {0};
	size_t n;
	FILE *f;

	snprintf(full, sizeof full, "%s%s", tls.www, path);
	f = fopen(full, "re");
	if (!f)
		return reply_empty(c, 404, NULL);
	while ((n = fread(buf_reserve(&body, 65536), 1, 65536, f)) > 0)
		body.n += n;
	fclose(f);
	r = MHD_create_response_from_buffer(body.n, body.p, MHD_RESPMEM_MUST_COPY);
	return reply(c, 200, r);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
	const char *method, const char *version, const char *body, size_t *body_n, void **seen)
{
	static int once;

	(void)ctx, (void)version, (void)body;
	if (!*seen || *body_n) { /* the head, then pieces of the body */
		*seen = &once;
		*body_n = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0)
		return reply_empty(c, 200, NULL);
	return tls.sends_to ? reply_empty(c, 302, tls.sends_to) : reply_file(c, path);
}

static void tls_start(struct bed *b, const struct authority *by, const char *alt)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	EVP_PKEY *key = EVP_EC_gen("P-256");

	cert_text(certify(key, "server", alt, by), &tls.cert);
	key_text(key, &tls.key);
	tls.www = b->www;
	tls.daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL,
		on_request, NULL, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_HTTPS_MEM_KEY,
		buf_cstr(&tls.key), MHD_OPTION_HTTPS_MEM_CERT, buf_cstr(&tls.cert), MHD_OPTION_END);
	assert_non_null(tls.daemon);
	snprintf(tls.url, sizeof tls.url, "https://127.0.0.1:%u",
		MHD_get_daemon_info(tls.daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
	b->url = tls.url;
}

static void trust_authority(struct bed *b, const struct authority *a)
{
	BUF_AUTO text = {0};

	cert_text(a->cert, &text);
	bed_write(b, "../ca.pem", buf_str(&text));
	snprintf(b->server_conf, sizeof b->server_conf, "ca = %s/ca.pem\n", b->dir);
}

#define HERE "IP:127.0.0.1"

/* ---- attacks ---- */

static struct authority ours, theirs;

static void make_authorities(void)
{
	authority_make(&ours, "ours");
	authority_make(&theirs, "theirs");
}

/* The same server with the right certificate is believed: it was the certificate that was refused.
 */
static void right_certificate(struct bed *b)
{
	trust_authority(b, &ours);
	bed_publish(b);
	tls_start(b, &ours, HERE);
	device_ask(b);
	if (b->verdict.exit != 0)
		blame(b, "the right certificate: %s", b->verdict.text);
	device_must_run(b, 2);
	MHD_stop_daemon(tls.daemon);
}

static void wrong_ca(struct bed *b)
{
	trust_authority(b, &ours);
	tls_start(b, &theirs, HERE);
}

void attack_eavesdrop_tls_wrong_ca(struct bed *b)
{
	make_authorities();
	attack_apart(b, right_certificate);
	attack_try(b, wrong_ca, ATTACK_MUTED, ERR_IMPOSTOR);
	attack_heal(b);
}

static void wrong_name(struct bed *b)
{
	trust_authority(b, &ours);
	tls_start(b, &ours, "DNS:elsewhere.example");
}

void attack_eavesdrop_tls_wrong_name(struct bed *b)
{
	make_authorities();
	attack_try(b, wrong_name, ATTACK_MUTED, ERR_IMPOSTOR);
	attack_heal(b);
}

static void plain_http(struct bed *b)
{
	static char to[128];

	trust_authority(b, &ours);
	tls_start(b, &ours, HERE);
	snprintf(to, sizeof to, "%s/director/" DEVICE "/timestamp.json", httpd_url(b->server));
	tls.sends_to = to;
}

/* Everything is right but that anybody could read along. */
void attack_eavesdrop_http_url_refused(struct bed *b)
{
	make_authorities();
	attack_try(b, plain_http, ATTACK_MUTED, ERR_DENIED);
	attack_heal(b);
}
