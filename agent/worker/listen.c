/* The installer's side of listening to a broker. */
#include "agent/worker/worker_priv.h"

#include <errno.h>
#include <poll.h>

#define LOOK_EVERY 100     /* ms: how late a cancellation may be seen */
#define PATIENCE   SEC(30) /* a worker that does not take what it is told is of no use */

struct listening {
	const struct listen_ask *ask;
	listen_f *on;
	listen_post_f *post;
	void *ctx;
	const atomic_bool *cancel;
	bool connected;
	struct call call;
};

static int hear(struct listening *l, struct err *e)
{
	struct priv_msg m;

	TRY(call_hear(&l->call, &m, e));
	if (m.verb == PRIV_ACK) {
		l->on(l->ctx, LISTEN_ACK, m.bytes);
		return 0;
	}
	l->connected = true;
	l->on(l->ctx, m.num[0] ? LISTEN_WAKE : LISTEN_CONNECTED, (struct str){"", 0});
	return 0;
}

static int say(struct listening *l, struct err *e)
{
	struct listen_post p;

	while (l->post(l->ctx, &p)) {
		struct priv_msg m = {
			.verb = PRIV_POST, .text = {str_of(p.topic)}, .bytes = p.bytes};

		TRY(call_say(&l->call, &m, e));
	}
	return 0;
}

static int attend(struct listening *l, struct err *e)
{
	struct pollfd p[] = {{.fd = chan_fd(l->call.chan), .events = POLLIN},
		{.fd = l->connected ? l->ask->post_fd : -1, .events = POLLIN}};

	if (atomic_load(l->cancel))
		return err_set(e, ERR_CANCELLED, "cancelled");
	if (poll(p, ARRAY_LEN(p), LOOK_EVERY) < 0)
		return errno == EINTR ? 0 : err_sys(e, errno, "poll");
	if (p[0].revents)
		TRY(hear(l, e));
	return p[1].revents ? say(l, e) : 0;
}

int worker_listen(struct worker *w, const struct listen_ask *ask, listen_f *on, listen_post_f *post,
	void *ctx, const atomic_bool *cancel, struct err *e)
{
	struct listening l = {.ask = ask, .on = on, .post = post, .ctx = ctx, .cancel = cancel};
	struct priv_msg m = {.verb = PRIV_LISTEN,
		.text = {str_of(ask->url), str_of(ask->client), str_of(ask->topic),
			str_of(ask->presence), str_of(ask->acks)}};
	int rc;

	TRY(call_begin(w, &m, PATIENCE, 0, cancel, &l.call, e));
	while ((rc = attend(&l, e)) == 0)
		continue;
	call_end(&l.call);
	return rc;
}
