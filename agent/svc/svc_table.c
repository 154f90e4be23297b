#include "agent/svc/svc_priv.h"

#include <string.h>

static const struct svc_driver *const drivers[] = {
	&svc_systemd,
	&svc_exec,
	&svc_http_reload,
	&svc_reboot,
	&svc_none,
};

const struct svc_driver *svc_driver_find(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	return NULL;
}
