#include "keys/csr.h"

#include "keys/x509_priv.h"

static void request_release(X509_REQ **r)
{
	X509_REQ_free(*r);
}

static int decode(struct str der, X509_REQ **out, struct err *e)
{
	const uint8_t *p = (const uint8_t *)der.p;
	X509_REQ *request;

	if (der.n > CSR_MAX)
		return err_set(e, ERR_TOO_LARGE, "more than %d bytes", CSR_MAX);
	request = d2i_X509_REQ(NULL, &p, (long)der.n);
	if (!request)
		return err_set(e, ERR_BAD_INPUT, "not PKCS#10 in DER");
	*out = request;
	if (p != (const uint8_t *)der.p + der.n)
		return err_set(e, ERR_BAD_INPUT, "bytes after its end");
	return 0;
}

/* The signature shows that whoever asks has the private key. */
static int check(X509_REQ *request, struct csr *out, struct err *e)
{
	EVP_PKEY *pkey = X509_REQ_get0_pubkey(request);
	const X509_ALGOR *algorithm;

	if (X509_REQ_get_version(request) != X509_REQ_VERSION_1)
		return err_set(e, ERR_BAD_INPUT, "of an unknown version");
	TRY(x509_device(X509_REQ_get_subject_name(request), out->device, e));
	TRY(x509_key(pkey, &out->key, e));
	X509_REQ_get0_signature(request, NULL, &algorithm);
	if (!x509_is_ecdsa(algorithm))
		return err_set(e, ERR_BAD_INPUT, "not signed by ECDSA with SHA-256");
	if (X509_REQ_verify(request, pkey) != 1)
		return err_set(e, ERR_BAD_INPUT, "not signed with its own key");
	EVP_PKEY_up_ref(pkey);
	out->pkey = pkey;
	return 0;
}

int csr_decode(struct str der, struct csr *out, struct err *e)
{
	CLEANUP(request_release) X509_REQ *request = NULL;
	struct csr c = {.pkey = NULL};

	if (decode(der, &request, e) < 0 || check(request, &c, e) < 0)
		return err_wrap(e, "certificate request");
	*out = c;
	return 0;
}

void csr_fini(struct csr *c)
{
	EVP_PKEY_free(c->pkey);
	c->pkey = NULL;
}
