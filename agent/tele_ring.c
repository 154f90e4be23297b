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

/* ---- dossiers ---- */

static json_int_t at_of(const json_t *window)
{
	return json_integer_value(json_object_get(window, "at_ms"));
}

static bool is_too_much(const json_t *windows)
{
	BUF_AUTO text = {0};

	json_write(windows, &text);
	return text.n > LIMIT_DOSSIER_RING || json_array_size(windows) > LIMIT_TELEMETRY_RING;
}

/* The windows of a dossier, which is begun when the event has just happened. */
static json_t *windows_of(json_t *dossier, ms_t now)
{
	json_t *ring = json_object_get(dossier, "ring");

	if (!ring || !json_is_array(json_object_get(ring, "windows"))) {
		ring = json_pack("{sI s[]}", "at_ms", (json_int_t)now, "windows");
		json_object_set_new(dossier, "ring", ring);
	}
	return json_object_get(ring, "windows");
}

void ring_tell(const struct agent *a, json_t *dossier)
{
	const struct tele_ring *r = &a->telemetry.ring;
	json_t *to = windows_of(dossier, agent_wall(a));
	json_int_t known = at_of(json_array_get(to, json_array_size(to) - 1));

	for (unsigned i = 0; i < r->n; i++)
		if (r->v[i].at > known)
			json_array_append_new(to, telemetry_window_json(&r->v[i]));
	while (is_too_much(to))
		json_array_remove(to, 0);
}

void ring_fini(struct tele_ring *r)
{
	drop_oldest(r, 0);
}
