/* Lines of the signer's log: whatever stands in one, the place where the log stands moves on by
 * exactly one line, or does not move. */
#include <stdlib.h>
#include <string.h>

#include "server/signd/core/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size}, line;
	struct chain at = {.n = 0};

	while (text.n && str_split(&text, '\n', &line)) {
		struct chain before = at;
		struct err e = {0};

		if (chain_check(&at, line, &e) < 0) {
			if (memcmp(&at, &before, sizeof at) != 0 || e.code == ERR_OK)
				abort();
			return 0;
		}
		if (at.n != before.n + 1 || at.size != before.size + line.n + 1 ||
			chain_is_last(&at, line, &e) < 0)
			abort();
	}
	return 0;
}
