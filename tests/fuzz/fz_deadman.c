#include <stdlib.h>
#include <string.h>

#include "agent/deadman/core/deadman.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t bounds[][2] = {
#define X(id, name, least, most, default_, text) {MIN(least, default_), most},
	DEADMAN_PARAMS(X)
#undef X
};

/* The same bytes as a packet and as the kernel's command line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = {(const char *)data, size};
	struct deadman_conf conf;
	struct deadman_msg m, again;
	struct deadman d;
	unsigned bad;
	char text[LIMIT_DEADMAN_BYTES];

	deadman_conf_parse(bytes, &conf, &bad);
	for (enum deadman_param p = 0; p < DEADMAN_PARAM_MAX; p++)
		if (conf.v[p] < bounds[p][0] || conf.v[p] > bounds[p][1])
			abort();
	deadman_init(&conf, 0, &d);
	if (conf.v[DEADMAN_PARAM_TRIAL] && deadman_due(&d) == DEADMAN_NEVER)
		abort();
	if (deadman_parse(bytes, &m, NULL) < 0)
		return 0;
	if (deadman_parse(str_of(deadman_format(&m, text)), &again, NULL) < 0 ||
		m.word != again.word || m.within != again.within)
		abort();
	return 0;
}
