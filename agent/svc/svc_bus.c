#include "agent/svc/svc_priv.h"

#include <errno.h>

#define CALL_USEC (10 * 1000000ULL)

int svc_bus_open(sd_bus **out, struct err *e)
{
	int rc = sd_bus_open_system(out);

	if (rc < 0)
		return err_sys(e, -rc, "system bus");
	sd_bus_set_method_call_timeout(*out, CALL_USEC);
	return 0;
}

void svc_bus_close(sd_bus **bus)
{
	*bus = sd_bus_flush_close_unref(*bus);
}

int svc_bus_refused(const char *what, int rc, sd_bus_error *bus_error, struct err *e)
{
	if (sd_bus_error_is_set(bus_error))
		rc = err_set(e, -rc == EACCES || -rc == EPERM ? ERR_DENIED : ERR_START_FAILED,
			"%s: %s", what, bus_error->message ? bus_error->message : bus_error->name);
	else
		rc = err_sys(e, -rc, "%s", what);
	sd_bus_error_free(bus_error);
	return rc;
}
