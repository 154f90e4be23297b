/* A connection that may come and go. One timer does everything that takes time: it connects, looks
 * whether the connection is still there, and tells what has changed. */
#include <errno.h>

#include "agent/bus/bus_priv.h"
#include "lib/sys/log.h"

#define AGAIN_USEC    (60 * 1000 * 1000ULL) /* until a bus that is not there is tried again */
#define TELL_USEC     (1000 * 1000ULL)      /* between two messages about one update */
#define ACCURACY_USEC (100 * 1000ULL)
#define CALL_USEC     (5 * 1000 * 1000ULL)

static void wake_in(struct bus *b, uint64_t usec)
{
	sd_event_source_set_time_relative(b->timer, usec);
	sd_event_source_set_enabled(b->timer, SD_EVENT_ONESHOT);
}

void bus_wake(struct bus *b)
{
	wake_in(b, TELL_USEC);
}

static void complain(const char *what, int rc)
{
	struct err e = {0};

	(void)!err_sys(&e, -rc, "%s", what);
	log_err(LOG_ID_ACTION_FAILED, &e, "action=bus");
}

/* ---- the connection ---- */

static int named(sd_bus_message *m, void *ctx UNUSED, sd_bus_error *unused UNUSED)
{
	const sd_bus_error *why = sd_bus_message_get_error(m);

	if (why)
		complain(why->message ? why->message : BUS_NAME, -EPERM);
	return 0;
}

static int lost(sd_bus_message *m UNUSED, void *ctx, sd_bus_error *unused UNUSED)
{
	wake_in(ctx, 0);
	return 0;
}

static void leave(struct bus *b)
{
	b->object = sd_bus_slot_unref(b->object);
	b->conn = sd_bus_close_unref(b->conn);
}

static int join(struct bus *b, struct err *e)
{
	int rc = sd_bus_open_system(&b->conn);

	if (rc >= 0)
		rc = sd_bus_set_method_call_timeout(b->conn, CALL_USEC);
	if (rc >= 0)
		rc = sd_bus_match_signal_async(b->conn, NULL, NULL, NULL,
			"org.freedesktop.DBus.Local", "Disconnected", lost, NULL, b);
	if (rc >= 0)
		rc = sd_bus_attach_event(b->conn, b->loop, SD_EVENT_PRIORITY_NORMAL);
	if (rc < 0)
		return err_sys(e, -rc, "message bus");
	TRY(object_add(b, e));
	rc = sd_bus_request_name_async(b->conn, NULL, BUS_NAME, 0, named, NULL);
	return rc < 0 ? err_sys(e, -rc, BUS_NAME) : 0;
}

static void try_to_join(struct bus *b)
{
	struct err e = {0};

	if (join(b, &e) == 0)
		return;
	log_err(LOG_ID_ACTION_FAILED, &e, "action=bus");
	leave(b);
	wake_in(b, AGAIN_USEC);
}

/* ---- the loop ---- */

static int on_time(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *ctx)
{
	struct bus *b = ctx;

	if (b->conn && sd_bus_is_open(b->conn) <= 0)
		leave(b);
	if (!b->conn)
		try_to_join(b);
	if (!b->conn)
		return 0;
	object_tell(b);
	return 0;
}

/* After everything else that happened in a turn of the loop. */
static int on_post(sd_event_source *s UNUSED, void *ctx)
{
	struct bus *b = ctx;
	unsigned state = b->conf.state(b->conf.ctx);

	if (state != b->state && b->conn)
		wake_in(b, 0);
	b->state = state;
	return 0;
}

static int open_system(struct bus *b, struct err *e)
{
	int rc = sd_event_add_time_relative(
		b->loop, &b->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_time, b);

	if (rc >= 0)
		rc = sd_event_add_post(b->loop, &b->post, on_post, b);
	return rc < 0 ? err_sys(e, -rc, "event loop") : 0;
}

static void close_system(struct bus *b)
{
	b->timer = sd_event_source_disable_unref(b->timer);
	b->post = sd_event_source_disable_unref(b->post);
	sd_bus_flush(b->conn);
	leave(b);
}

const struct bus_driver bus_system = {
	.kind = "system",
	.help = "The system's message bus, with what its polkit allows.",
	.open = open_system,
	.close = close_system,
};
