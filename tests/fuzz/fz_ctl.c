#include <stdlib.h>

#include "agent/ctl/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ctl_cmd cmd = CTL_CMD_MAX;
	json_t *request = NULL;
	struct err e;

	if (ctl_parse((struct str){(const char *)data, size}, &cmd, &request, &e) == 0) {
		if (cmd >= CTL_CMD_MAX || !json_is_object(request))
			abort();
		json_decref(request);
	} else if (request || e.code == ERR_OK || e.code >= ERR_CODE_MAX) {
		abort();
	}
	return 0;
}
