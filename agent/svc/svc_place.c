#include "agent/svc/svc_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void join(const struct svc_conf *c, unsigned slot, char out[SVC_PATH_MAX])
{
	snprintf(out, SVC_PATH_MAX, "%s/slots/%s", c->home, slot_name(slot));
}

int svc_place_of_slot(
	const struct svc_conf *c, unsigned slot, char out[SVC_PATH_MAX], struct err *e)
{
	char path[SVC_PATH_MAX];
	char *real;
	int rc;

	join(c, slot, path);
	real = realpath(path, NULL);
	if (!real)
		return err_sys(e, errno, "%s", path);
	rc = str_copy(str_of(real), out, SVC_PATH_MAX, e);
	free(real);
	return rc;
}

unsigned svc_place_slot(const struct svc_conf *c, const char *dir)
{
	char path[SVC_PATH_MAX];
	struct stat want, have;

	if (stat(dir, &want) < 0)
		return SLOT_NONE;
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
		join(c, slot, path);
		if (stat(path, &have) == 0 && have.st_dev == want.st_dev &&
			have.st_ino == want.st_ino)
			return slot;
	}
	return SLOT_NONE;
}

unsigned svc_place_current(const struct svc_conf *c)
{
	char path[SVC_PATH_MAX];

	snprintf(path, sizeof path, "%s/current", c->home);
	return svc_place_slot(c, path);
}
