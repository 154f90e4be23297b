#include "agent/svc/beside_priv.h"

#include <stdio.h>
#include <string.h>

static const struct beside_driver *const drivers[] = {&beside_exec, &beside_systemd};

static const struct beside_driver *find(const struct svc_conf *c)
{
	const char *kind = strcmp(c->kind, "http_reload") == 0 ? c->base : c->kind;

	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	return NULL;
}

bool beside_is_possible(const struct svc_conf *c)
{
	return find(c) != NULL;
}

static int open_parts(struct beside *b, struct err *e)
{
	TRY(fs_posix_open(b->conf.run_dir, &b->run, e));
	TRY(fs_make_dirs(&b->run, BESIDE_DIR, e));
	TRY(fs_posix_open(b->dir, &b->own, e));
	return b->driver->open(b, e);
}

int beside_open(const struct svc_conf *c, struct beside **out, struct err *e)
{
	const struct beside_driver *driver = find(c);
	struct beside *b;
	int rc;

	if (!driver)
		return err_set(e, ERR_UNSUPPORTED,
			"the service driver %s cannot run a second workload", c->kind);
	b = mem_new(sizeof *b);
	b->driver = driver;
	b->conf = *c;
	snprintf(b->dir, sizeof b->dir, "%s/" BESIDE_DIR, c->run_dir);
	rc = open_parts(b, e);
	if (rc < 0)
		beside_close(&b);
	else
		*out = b;
	return rc;
}

void beside_close(struct beside **b)
{
	if (!*b)
		return;
	if ((*b)->own.ops)
		fs_posix_close(&(*b)->own);
	if ((*b)->run.ops)
		fs_posix_close(&(*b)->run);
	mem_free(b);
}

int beside_start(struct beside *b, const struct beside_spec *spec, struct err *e)
{
	TRY(beside_stop(b, e));
	return b->driver->start(b, spec, e);
}

int beside_look(struct beside *b, bool *out_alive, struct err *e)
{
	return b->driver->look(b, out_alive, e);
}

int beside_stop(struct beside *b, struct err *e)
{
	return b->driver->stop(b, e);
}

const char *beside_limits(const struct beside *b)
{
	return b->limits;
}

int beside_log_tail(struct beside *b, size_t max, struct buf *out, struct err *e)
{
	return b->driver->log_tail(b, max, out, e);
}

bool beside_is_workload(struct beside *b, pid_t pid)
{
	return b->driver->is_workload(b, pid);
}

int beside_clear(const struct svc_conf *c, struct err *e)
{
	struct beside *b;
	int rc;

	if (!beside_is_possible(c))
		return 0;
	TRY(beside_open(c, &b, e));
	rc = beside_stop(b, e);
	beside_close(&b);
	return rc;
}
