/* Any bytes as the body of an enrolment, and as what the server answers to one. */
#include "agent/ident/ident_key.h"
#include "keys/csr.h"
#include "proto/wire/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static struct str a_key(void)
{
	static struct buf key;
	struct err e;

	if (!key.n && ident_key_new(&key, &e) < 0)
		__builtin_trap();
	return buf_str(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct csr csr CLEANUP(csr_fini) = {.pkey = NULL};
	BUF_AUTO der = {0}, pem = {0};
	struct err e;
	int rc;

	if (base64_decode((struct str){(const char *)p, n}, &der, &e) < 0)
		buf_add(&der, p, n);
	rc = csr_decode(buf_str(&der), &csr, &e);
	if ((rc == 0) != (csr.pkey != NULL))
		__builtin_trap();
	rc = ident_answer(buf_str(&der), a_key(), "node-1", &pem, &e);
	if (rc == 0) /* nobody knows the key */
		__builtin_trap();
	return 0;
}
