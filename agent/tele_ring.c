/* What was measured just before and after something happened. */
#include <stdio.h>
#include <string.h>

#include "agent/agent_priv.h"
#include "lib/sys/log.h"

static void drop_oldest(struct tele_ring *r, unsigned keep)
{
	unsigned gone = r->n > keep ? r->n - keep : 0;

	for (unsigned i = 0; i < gone; i++)
		telemetry_window_fini(&r->v[i]);
	memmove(r->v, r->v + gone, (r->n - gone) * sizeof r->v[0]);
	r->n -= gone;
}

/* A mark that is too large for a batch tells less of the time before. */
static int store(struct agent *a, unsigned n, struct err *e)
{
	struct tele_ring *r = &a->telemetry.ring;
	struct telemetry_item t = {.kind = TELEMETRY_MARK, .at = r->at};

	memcpy(t.mark.what, r->what, sizeof t.mark.what);
	memcpy(t.mark.text, r->text, sizeof t.mark.text);
	t.mark.n_ring = n;
	t.mark.ring = &r->v[r->n - n];
	return telequeue_put(a->telemetry.queue, &t, 1, e);
}

void ring_flush(struct agent *a)
{
	struct tele_ring *r = &a->telemetry.ring;
	struct err e = {0};
	int rc;

	if (!r->marked)
		return;
	for (unsigned n = r->n; (rc = store(a, n, &e)) == -(int)ERR_TOO_LARGE && n; n /= 2)
		continue;
	if (rc < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=telemetry kind=mark");
	else
		courier_hurry(a);
	r->marked = false;
	drop_oldest(r, RING_BEFORE);
}

void ring_add(struct agent *a, const struct telemetry_window *w)
{
	struct tele_ring *r = &a->telemetry.ring;

	if (!r->marked)
		drop_oldest(r, RING_BEFORE - 1);
	telemetry_window_copy(w, &r->v[r->n++]);
	if (r->n == LIMIT_TELEMETRY_RING)
		ring_flush(a);
}

void ring_mark(struct agent *a, const char *what, const char *text)
{
	struct tele_ring *r = &a->telemetry.ring;

	if (!a->telemetry.queue || r->marked)
		return;
	r->marked = true;
	r->at = agent_wall(a);
	snprintf(r->what, sizeof r->what, "%s", what);
	snprintf(r->text, sizeof r->text, "%s", text);
}

void ring_fini(struct tele_ring *r)
{
	drop_oldest(r, 0);
}
