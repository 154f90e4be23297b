#include "proto/trust/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "lib/util.h"

/* libcrypto fails here only for want of memory or of SHA-256 itself: neither is a peer's doing. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

void digest_init(struct digest *d)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL);
	must(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL));
	*d = (struct digest){.ctx = ctx};
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	if (n == 0)
		return;
	must(EVP_DigestUpdate(d->ctx, p, n));
	d->n += n;
}

void digest_fini(struct digest *d, struct sha256 *out)
{
	if (d->ctx && out)
		must(EVP_DigestFinal_ex(d->ctx, out->b, NULL));
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

void digest_of(const void *p, size_t n, struct sha256 *out)
{
	must(EVP_Digest(n ? p : "", n, out->b, NULL, EVP_sha256(), NULL));
}
