#include "server/listen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/sys/clock.h"
#include "lib/sys/log.h"
#include "server/run/intake.h"
#include "server/run/presence.h"
#include "server/run/telemetry.h"

#define AT_ONCE 64U /* messages of one transaction; then polls are answered */

struct listen {
	struct listen_conf c;
	sd_event_source *source;
};

/* Messages of one turn, by what they are. */
struct turn {
	unsigned n_posts, n_news;
	struct telemetry_post post[AT_ONCE];
	struct presence_news news[AT_ONCE];
};

/* May the device that the topic names speak, and not too often? What is refused here is sent again
 * by HTTP, where the device is told why. */
static bool may_speak(const struct listen *l, const char *device)
{
	struct err e;
	ms_t wait;

	return enrol_vouched(l->c.enrol, device, &e) == 0 &&
	       buckets_take(
		       l->c.devices, str_of(device), clock_system.mono(clock_system.self), &wait);
}

static void ack(const struct listen *l, const char *device, const struct telemetry_ack *a)
{
	BUF_AUTO text = {0};

	telemetry_ack_encode(a, &text);
	broker_ack(l->c.broker, device, buf_str(&text));
}

/* ---- by kind ---- */

static void gather_presence(struct turn *t, const struct broker_message *m)
{
	struct presence_news *news = &t->news[t->n_news];

	if (!str_is(buf_str(&m->body), "online") && !str_is(buf_str(&m->body), "offline"))
		return;
	memcpy(news->device, m->device, sizeof news->device);
	news->online = str_is(buf_str(&m->body), "online");
	t->n_news++;
}

static void gather_telemetry(const struct listen *l, struct turn *t, const struct broker_message *m)
{
	struct telemetry_post *p = &t->post[t->n_posts];
	struct err e;

	*p = (struct telemetry_post){.seq = 0};
	if (!may_speak(l, m->device) || telemetry_decode(buf_str(&m->body), &p->batch, &e) < 0)
		return;
	memcpy(p->device, m->device, sizeof p->device);
	t->n_posts++;
}

static void take_report(const struct listen *l, const struct broker_message *m)
{
	struct report r CLEANUP(report_fini) = {0};
	struct err e;
	bool duplicate;

	if (!may_speak(l, m->device) || report_decode(buf_str(&m->body), &r, &e) < 0)
		return;
	if (intake_report(l->c.run, m->device, &r, buf_str(&m->body), &duplicate, &e) < 0)
		log_err(LOG_ID_STORE, &e, "what=report");
	else
		ack(l, m->device, &(struct telemetry_ack){.report = r.seq});
}

/* ---- a turn ---- */

/* What is not stored is not acknowledged. */
static void take_telemetry(const struct listen *l, struct turn *t)
{
	struct err e;
	int rc = t->n_posts ? telemetry_take(l->c.run, t->post, t->n_posts, &e) : 0;

	if (rc < 0)
		log_err(LOG_ID_STORE, &e, "what=telemetry");
	for (unsigned i = 0; i < t->n_posts; i++) {
		struct telemetry_post *p = &t->post[i];

		if (rc == 0 && p->refused.code == ERR_OK)
			ack(l, p->device,
				&(struct telemetry_ack){.epoch = p->batch.epoch, .seq = p->seq});
		telemetry_fini(&p->batch);
	}
}

static void take_presence(const struct listen *l, const struct turn *t)
{
	struct err e;

	if (t->n_news && presence_take(l->c.run, t->news, t->n_news, &e) < 0)
		log_err(LOG_ID_STORE, &e, "what=presence");
}

static int on_messages(sd_event_source *s UNUSED, int fd UNUSED, uint32_t revents UNUSED, void *ctx)
{
	struct turn *t CLEANUP(mem_free) = mem_new(sizeof *t);
	struct broker_message v[AT_ONCE];
	struct listen *l = ctx;
	unsigned n = broker_take(l->c.broker, v, AT_ONCE);

	for (unsigned i = 0; i < n; i++) {
		if (v[i].kind == BROKER_PRESENCE)
			gather_presence(t, &v[i]);
		else if (v[i].kind == BROKER_TELEMETRY)
			gather_telemetry(l, t, &v[i]);
		else
			take_report(l, &v[i]);
		broker_message_fini(&v[i]);
	}
	take_telemetry(l, t);
	take_presence(l, t);
	return 0;
}

int listen_open(sd_event *loop, const struct listen_conf *c, struct listen **out, struct err *e)
{
	struct listen *l = mem_new(sizeof *l);
	int rc;

	l->c = *c;
	rc = sd_event_add_io(loop, &l->source, broker_fd(c->broker), EPOLLIN, on_messages, l);
	if (rc < 0) {
		listen_close(&l);
		return err_sys(e, -rc, "event loop");
	}
	*out = l;
	return 0;
}

void listen_close(struct listen **l)
{
	if (!*l)
		return;
	sd_event_source_disable_unref((*l)->source);
	free(*l);
	*l = NULL;
}
