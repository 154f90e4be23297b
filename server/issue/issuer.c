#include "server/issue/issuer.h"

#include <string.h>

struct issuer {
	struct device_ca *ca;
	uint64_t issued;
};

int issuer_open(const char *dir, struct issuer **out, struct err *e)
{
	struct device_ca *ca;

	TRY(device_ca_open(dir, &ca, e));
	*out = mem_new(sizeof **out);
	(*out)->ca = ca;
	return 0;
}

void issuer_close(struct issuer **i)
{
	if (*i)
		device_ca_close(&(*i)->ca);
	mem_free(i);
}

struct str issuer_der(const struct issuer *i)
{
	return device_ca_der(i->ca);
}

struct str issuer_pem(const struct issuer *i)
{
	return device_ca_pem(i->ca);
}

int issuer_read(struct str der, struct issuer_request *out, struct err *e)
{
	struct csr csr CLEANUP(csr_fini) = {.pkey = NULL};

	TRY(csr_decode(der, &csr, e));
	memcpy(out->device, csr.device, sizeof out->device);
	out->key = csr.key;
	return 0;
}

int issuer_issue(struct issuer *i, struct str der, const char *device, int64_t now_s,
	int64_t until_s, struct buf *out, struct err *e)
{
	struct csr csr CLEANUP(csr_fini) = {.pkey = NULL};

	TRY(csr_decode(der, &csr, e));
	if (strcmp(csr.device, device) != 0)
		return err_set(
			e, ERR_WRONG_DEVICE, "the request is of %s, not of %s", csr.device, device);
	TRY(device_ca_issue(i->ca, &csr, now_s, until_s, out, e));
	i->issued++;
	return 0;
}

int issuer_check(const struct issuer *i, struct str der, struct device_cert *out, struct err *e)
{
	return device_ca_check(i->ca, der, out, e);
}

int issuer_bundle(struct str cert, struct buf *out, struct err *e)
{
	return device_ca_bundle(&cert, 1, out, e);
}

uint64_t issuer_count(const struct issuer *i)
{
	return i->issued;
}
