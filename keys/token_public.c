#include "keys/token_public.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

static const struct curve {
	const char *group;
	struct str oid;
	size_t point; /* bytes */
} curves[] = {
	{"P-256", {"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10}, 65},
	{"P-384", {"\x06\x05\x2b\x81\x04\x00\x22", 7}, 97},
};

static EVP_PKEY *build(const char *kind, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* Without the OCTET STRING's head: of these lengths, DER has it in two bytes. */
static struct str bare_point(struct str point, size_t n)
{
	if (point.n == n + 2 && point.p[0] == 0x04 && (uint8_t)point.p[1] == n)
		return (struct str){point.p + 2, n};
	return point;
}

EVP_PKEY *token_public_ec(struct str params, struct str point)
{
	EVP_PKEY *key = NULL;

	for (size_t i = 0; i < ARRAY_LEN(curves) && !key; i++) {
		struct str bare = bare_point(point, curves[i].point);
		OSSL_PARAM_BLD *bld;

		if (!str_eq(params, curves[i].oid) || bare.n != curves[i].point)
			continue;
		bld = OSSL_PARAM_BLD_new();
		if (OSSL_PARAM_BLD_push_utf8_string(
			    bld, OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group, 0) == 1 &&
			OSSL_PARAM_BLD_push_octet_string(
				bld, OSSL_PKEY_PARAM_PUB_KEY, bare.p, bare.n) == 1)
			key = build("EC", bld);
		OSSL_PARAM_BLD_free(bld);
	}
	return key;
}

EVP_PKEY *token_public_rsa(struct str modulus, struct str exponent)
{
	BIGNUM *n = BN_bin2bn((const uint8_t *)modulus.p, (int)modulus.n, NULL);
	BIGNUM *x = BN_bin2bn((const uint8_t *)exponent.p, (int)exponent.n, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;

	if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, x) == 1)
		key = build("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(n);
	BN_free(x);
	return key;
}
