/* A device authority without a network: answers enrolments and renewals as the server does, from
 * the real keys/device_ca.h in ./authority. Failures inside end the test. */
#ifndef TESTS_LIB_AUTHORITY_H
#define TESTS_LIB_AUTHORITY_H

#include "agent/ident/ident.h"
#include "keys/device_ca.h"

struct authority {
	struct device_ca *ca;
	int64_t now_s, life_s;
	const char *invitation; /* that is good */
	struct sha256 used_key; /* it was used by this key; zero: not yet */
	struct buf given;       /* to that key */
	unsigned enrolled, renewed, refused;
	enum err_code fails; /* with this, when not ERR_OK */
	bool lies;           /* gives the certificate of another device */
};

void authority_open(struct authority *a, int64_t now_s, int64_t life_s);
void authority_close(struct authority *a);
/* `self` is the struct authority. */
ident_send_f authority_send;

#endif
