#include "agent/worker/worker_priv.h"

#include "lib/sys/clock.h"

static int lost(struct call *c, struct err *e)
{
	worker_end(c->worker, c->start);
	e->code = ERR_WORKER;
	return err_wrap(e, "worker, %s", priv_name(c->ask));
}

/* What the line itself says. A worker that is gone, silent or speaks another language has lived. */
static int judge(struct call *c, int rc, struct err *e)
{
	return rc == 0 || rc == -(int)ERR_CANCELLED ? rc : lost(c, e);
}

int call_begin(struct worker *w, const struct priv_msg *ask, ms_t silence, ms_t all,
	const atomic_bool *cancel, struct call *out, struct err *e)
{
	struct call c = {.worker = w, .ask = ask->verb, .cancel = cancel};
	int fd;

	TRY(worker_line(w, &fd, &c.start, e));
	c.chan = chan_open(fd, PRIV_INSTALLER, cancel);
	chan_set_patience(c.chan, silence, all ? clock_system.mono(clock_system.self) + all : 0);
	int rc = call_say(&c, ask, e);
	if (rc < 0)
		call_end(&c);
	else
		*out = c;
	return rc;
}

/* What cannot be said (an address that is too long) is no fault of the worker. */
int call_say(struct call *c, const struct priv_msg *m, struct err *e)
{
	int rc = chan_say(c->chan, m, e);

	return rc == -(int)ERR_BAD_INPUT || rc == -(int)ERR_TOO_LARGE ? rc : judge(c, rc, e);
}

/* What a worker may say of the network, and of an archive. All else would be the installer's to
 * say, and is not believed. */
static bool may_claim(enum err_code code)
{
	static const enum err_code claims[] = {ERR_NET, ERR_TIMEOUT, ERR_BUSY, ERR_TOO_OFTEN,
		ERR_NOT_FOUND, ERR_TOO_LARGE, ERR_DENIED, ERR_CONFIG, ERR_CONFLICT, ERR_BAD_INPUT,
		ERR_ALTERED, ERR_IO, ERR_NO_SPACE, ERR_IMPOSTOR};

	for (size_t i = 0; i < ARRAY_LEN(claims); i++)
		if (claims[i] == code)
			return true;
	return false;
}

static int failed(struct call *c, const struct priv_msg *m, struct err *e)
{
	enum err_code code = (enum err_code)m->num[0];
	char shown[sizeof e->text];

	if (!may_claim(code))
		return call_refuse(c, "a failure that is not its to claim", e);
	return err_set(e, code, "%s", str_printable(m->text[0], shown, sizeof shown));
}

int call_hear(struct call *c, struct priv_msg *out, struct err *e)
{
	struct priv_msg m;

	TRY(judge(c, chan_hear(c->chan, &m, e), e));
	if (!priv_answers(m.verb, c->ask))
		return call_refuse(c, priv_name(m.verb), e);
	if (m.verb == PRIV_FAIL)
		return failed(c, &m, e);
	*out = m;
	return 0;
}

int call_refuse(struct call *c, const char *what, struct err *e)
{
	(void)err_set(e, ERR_WORKER, "it answers with %s", what);
	return lost(c, e);
}

void call_end(struct call *c)
{
	chan_close(&c->chan);
	worker_hang_up(c->worker);
}
