/* A question for a disruption lease, or the answer to one: the first byte picks which. What is read
 * is written and read again. */
#include <assert.h>
#include <string.h>

#include "proto/wire/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check_ask(struct str text)
{
	struct lease_ask a, again;
	BUF_AUTO out = {0};
	struct err e;

	if (lease_ask_decode(text, &a, &e) < 0)
		return;
	lease_ask_encode(&a, &out);
	assert(lease_ask_decode(buf_str(&out), &again, &e) == 0);
	assert(sha256_eq(&a.document, &again.document) && a.need == again.need);
}

static void check_answer(struct str text)
{
	struct lease_answer a, again;
	BUF_AUTO out = {0};
	struct err e;

	if (lease_answer_decode(text, &a, &e) < 0)
		return;
	lease_answer_encode(&a, &out);
	if (out.n > LIMIT_LEASE_BYTES)
		return; /* a text of escapes grows when it is written */
	assert(lease_answer_decode(buf_str(&out), &again, &e) == 0);
	assert(a.granted == again.granted && a.life == again.life && a.again == again.again &&
		strcmp(a.text, again.text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str text = {(const char *)p + 1, n - 1};

	if (n == 0)
		return 0;
	(p[0] & 1 ? check_answer : check_ask)(text);
	return 0;
}
