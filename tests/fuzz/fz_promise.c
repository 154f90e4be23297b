#include <stdlib.h>
#include <string.h>

#include "agent/core/promise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken for a note comes back as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct promise_note n, again;
	char text[PROMISE_NOTE_MAX];

	if (promise_parse((struct str){(const char *)data, size}, &n, NULL) < 0)
		return 0;
	if (promise_parse(str_of(promise_format(&n, text)), &again, NULL) < 0 ||
		memcmp(&n.txn, &again.txn, sizeof n.txn) != 0 || n.pid != again.pid ||
		n.start != again.start || n.message_due != again.message_due ||
		n.decision_due != again.decision_due)
		abort();
	return 0;
}
