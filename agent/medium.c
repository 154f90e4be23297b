#include "agent/medium.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "agent/net/folder.h"

struct medium {
	pthread_mutex_t lock;
	char dir[256];
	struct stage_source server;
	bool has_server;
};

struct medium *medium_new(const struct stage_source *server)
{
	struct medium *m = mem_new(sizeof *m);

	*m = (struct medium){.has_server = server != NULL};
	if (server)
		m->server = *server;
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void medium_free(struct medium **m)
{
	if (*m)
		pthread_mutex_destroy(&(*m)->lock);
	mem_free(m);
}

static void where(struct medium *m, char out[sizeof m->dir])
{
	pthread_mutex_lock(&m->lock);
	memcpy(out, m->dir, sizeof m->dir);
	pthread_mutex_unlock(&m->lock);
}

int medium_take(struct medium *m, const char *dir, struct err *e)
{
	struct folder f;

	TRY(folder_open(&f, dir, e));
	folder_close(&f);
	pthread_mutex_lock(&m->lock);
	snprintf(m->dir, sizeof m->dir, "%s", dir);
	pthread_mutex_unlock(&m->lock);
	return 0;
}

bool medium_is_taken(struct medium *m)
{
	char dir[sizeof m->dir];

	where(m, dir);
	return dir[0] != 0;
}

int medium_fetch(
	struct medium *m, const struct desired_in *in, struct desired_out *out, struct err *e)
{
	struct desired_in full = *in;
	char dir[sizeof m->dir];
	struct folder f;

	where(m, dir);
	TRY(folder_open(&f, dir, e));
	full.http = &f.conf;
	full.server = FOLDER_URL;
	int rc = desired_fetch(&full, out, e);

	folder_close(&f);
	return rc;
}

static int unpack_from(const char *dir, const struct stage_pull *p, struct err *e)
{
	struct stage_pull pull = *p;
	struct folder f;

	TRY(folder_open(&f, dir, e));
	pull.source = stage_source_folder(&f.fs);
	int rc = stage_unpack(&pull, e);

	folder_close(&f);
	return rc;
}

/* What it is says the digest, wherever it comes from. */
static int unpack(void *self, const struct stage_pull *p, struct err *e)
{
	struct medium *m = self;
	char dir[sizeof m->dir];

	where(m, dir);
	int rc = unpack_from(dir, p, e);

	if (rc == -ERR_NOT_FOUND && m->has_server)
		return m->server.unpack(m->server.self, p, e);
	return rc;
}

struct stage_source medium_source(struct medium *m)
{
	return (struct stage_source){.kind = "medium", .unpack = unpack, .self = m};
}
