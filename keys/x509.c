#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

#include "keys/x509_priv.h"
#include "proto/trust/digest.h"

void x509_release(X509 **x)
{
	X509_free(*x);
}

void x509_key_release(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

int x509_device(const X509_NAME *name, char out[ID_TEXT_MAX], struct err *e)
{
	const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, 0);
	const ASN1_STRING *text;

	if (X509_NAME_entry_count(name) != 1 ||
		OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != NID_commonName)
		return err_set(e, ERR_BAD_INPUT, "the subject is not one common name");
	text = X509_NAME_ENTRY_get_data(entry);
	if (ASN1_STRING_type(text) != V_ASN1_UTF8STRING &&
		ASN1_STRING_type(text) != V_ASN1_PRINTABLESTRING)
		return err_set(e, ERR_BAD_INPUT, "the subject is of an unusual type");
	return id_parse((struct str){(const char *)ASN1_STRING_get0_data(text),
				(size_t)ASN1_STRING_length(text)},
		"subject", out, e);
}

int x509_key(const EVP_PKEY *key, struct sha256 *out, struct err *e)
{
	char group[32] = "";
	uint8_t *der = NULL;
	int n;

	if (!key || !EVP_PKEY_is_a(key, "EC") ||
		EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1 ||
		strcmp(group, "prime256v1") != 0)
		return err_set(e, ERR_BAD_INPUT, "the key is not one on P-256");
	n = i2d_PUBKEY(key, &der);
	if (n <= 0)
		return err_set(e, ERR_BUG, "libcrypto cannot encode a key");
	digest_of(der, (size_t)n, out);
	OPENSSL_free(der);
	return 0;
}

bool x509_is_ecdsa(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *object;
	int type;

	X509_ALGOR_get0(&object, &type, NULL, algorithm);
	return OBJ_obj2nid(object) == NID_ecdsa_with_SHA256 && type == V_ASN1_UNDEF;
}
