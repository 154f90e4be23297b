#include "manifests/examples/ocr/desk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/sys/clock.h"

#define FRESH_FOR   SEC(2) /* a plate read within this time is health enough */
#define TURN_WITHIN 2      /* seconds */

static void note(struct desk *d, const struct reader_facts *facts)
{
	pthread_mutex_lock(&d->note);
	d->facts = *facts;
	d->good_at = clock_system.mono(clock_system.self);
	pthread_mutex_unlock(&d->note);
}

int desk_init(struct desk *d, const char *slot_dir, struct err *e)
{
	*d = (struct desk){0};
	pthread_mutex_init(&d->turn, NULL);
	pthread_mutex_init(&d->reload, NULL);
	pthread_mutex_init(&d->note, NULL);
	return desk_reload(d, slot_dir, e);
}

void desk_fini(struct desk *d)
{
	reader_close(&d->reader);
	pthread_mutex_destroy(&d->turn);
	pthread_mutex_destroy(&d->reload);
	pthread_mutex_destroy(&d->note);
}

int desk_read(struct desk *d, PIX *pix, struct reader_answer *out, struct reader_facts *out_by,
	struct err *e)
{
	int rc;

	pthread_mutex_lock(&d->turn);
	*out_by = *reader_facts(d->reader);
	rc = reader_read(d->reader, pix, out, e);
	if (rc == 0)
		note(d, out_by);
	pthread_mutex_unlock(&d->turn);
	return rc;
}

/* Under `reload`. The old reader goes on until the new one has read its first number. */
static int replace(struct desk *d, const char *slot_dir, struct err *e)
{
	char path[PATH_MAX];
	struct reader *next, *old;

	if (!realpath(slot_dir, path))
		return err_sys(e, errno, "%s", slot_dir);
	TRY(reader_open(path, &next, e));
	memcpy(d->slot_dir, path, sizeof(path));
	pthread_mutex_lock(&d->turn);
	old = d->reader;
	d->reader = next;
	note(d, reader_facts(next));
	pthread_mutex_unlock(&d->turn);
	reader_close(&old);
	return 0;
}

int desk_reload(struct desk *d, const char *slot_dir, struct err *e)
{
	int rc;

	pthread_mutex_lock(&d->reload);
	rc = replace(d, slot_dir ? slot_dir : d->slot_dir, e);
	pthread_mutex_unlock(&d->reload);
	return rc;
}

static bool is_fresh(struct desk *d)
{
	ms_t now = clock_system.mono(clock_system.self);
	bool fresh;

	pthread_mutex_lock(&d->note);
	fresh = now - d->good_at < FRESH_FOR;
	pthread_mutex_unlock(&d->note);
	return fresh;
}

int desk_check(struct desk *d, struct err *e)
{
	struct timespec until;
	int rc;

	if (is_fresh(d))
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += TURN_WITHIN;
	if (pthread_mutex_clocklock(&d->turn, CLOCK_MONOTONIC, &until) != 0)
		return err_set(
			e, ERR_TIMEOUT, "one plate has kept the reader busy for %d s", TURN_WITHIN);
	rc = reader_check(d->reader, e);
	if (rc == 0)
		note(d, reader_facts(d->reader));
	pthread_mutex_unlock(&d->turn);
	return rc;
}

void desk_look(struct desk *d, struct reader_facts *out)
{
	pthread_mutex_lock(&d->note);
	*out = d->facts;
	pthread_mutex_unlock(&d->note);
}
