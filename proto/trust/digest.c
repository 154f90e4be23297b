#include "proto/trust/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "lib/util.h"

/* libcrypto fails here only for want of memory or of SHA-2 itself: neither is a peer's doing. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

static void begin(struct digest *d, const EVP_MD *md)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(ctx != NULL);
	must(EVP_DigestInit_ex(ctx, md, NULL));
	*d = (struct digest){.ctx = ctx};
}

void digest_init(struct digest *d)
{
	begin(d, EVP_sha256());
}

void digest512_init(struct digest *d)
{
	begin(d, EVP_sha512());
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	if (n == 0)
		return;
	must(EVP_DigestUpdate(d->ctx, p, n));
	d->n += n;
}

static void end(struct digest *d, uint8_t *out)
{
	if (d->ctx && out)
		must(EVP_DigestFinal_ex(d->ctx, out, NULL));
	EVP_MD_CTX_free(d->ctx);
	d->ctx = NULL;
}

void digest_fini(struct digest *d, struct sha256 *out)
{
	end(d, out ? out->b : NULL);
}

void digest512_fini(struct digest *d, struct sha512 *out)
{
	end(d, out ? out->b : NULL);
}

void digest_look(const struct digest *d, struct sha256 *out)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();

	must(copy != NULL);
	must(EVP_MD_CTX_copy_ex(copy, d->ctx));
	must(EVP_DigestFinal_ex(copy, out->b, NULL));
	EVP_MD_CTX_free(copy);
}

void digest_of(const void *p, size_t n, struct sha256 *out)
{
	must(EVP_Digest(n ? p : "", n, out->b, NULL, EVP_sha256(), NULL));
}
