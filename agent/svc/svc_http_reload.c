#include "agent/svc/svc_priv.h"

#include "proto/wire/json.h"

#define ANSWER_MAX 4096

struct svc_http_reload {
	struct svc_conf conf;
	const struct svc_driver *base;
	void *self; /* the base's */
};

static int reload_open(const struct svc_conf *c, void **out_self, struct err *e)
{
	const struct svc_driver *base = svc_driver_find(c->base);
	struct svc_http_reload *h;
	int rc;

	if (!base || base == &svc_http_reload)
		return err_set(e, ERR_CONFIG, "http_reload: \"%s\" cannot be its base", c->base);
	if (c->reload_url[0] == 0)
		return err_set(e, ERR_CONFIG, "http_reload: no reload_url");
	h = mem_new(sizeof *h);
	h->conf = *c;
	h->base = base;
	rc = base->open(c, &h->self, e);
	if (rc < 0)
		mem_free(&h);
	else
		*out_self = h;
	return rc;
}

static void reload_close(void *self)
{
	struct svc_http_reload *h = self;

	h->base->close(h->self);
	mem_free(&h);
}

/* *out_deaf: there was nobody to tell it to (it has only just been started, or it died of it). */
static int order(
	const struct svc_http_reload *h, unsigned slot, ms_t timeout, bool *out_deaf, struct err *e)
{
	struct http_conf http = {.connect_timeout = timeout, .total_timeout = timeout};
	struct http_answer answer = {0};
	char dir[SVC_PATH_MAX];
	JSON_AUTO *j = NULL;
	BUF_AUTO body = {0};
	int rc;

	TRY(svc_place_of_slot(&h->conf, slot, dir, e));
	j = json_pack("{s:s}", "slot_dir", dir);
	json_write(j, &body);
	rc = http_send(
		&http, "POST", h->conf.reload_url, buf_str(&body), ANSWER_MAX, NULL, &answer, e);
	*out_deaf = rc == -(int)ERR_NET;
	if (rc == 0)
		rc = http_check(&answer, "reload", e);
	http_answer_fini(&answer);
	return rc;
}

static int reload_apply(void *self, unsigned slot, enum activation how, ms_t timeout, struct err *e)
{
	struct svc_http_reload *h = self;
	struct svc_view view;
	bool deaf = true;
	int rc = 0;

	if (how == ACTIVATE_RELOAD) {
		TRY(h->base->look(h->self, &view, e));
		if (view.alive)
			rc = order(h, slot, timeout, &deaf, e);
	}
	if (deaf)
		return h->base->apply(h->self, slot, ACTIVATE_RESTART, timeout, e);
	return rc < 0 ? rc : h->base->moved(h->self, slot, e);
}

static int reload_look(void *self, struct svc_view *out, struct err *e)
{
	struct svc_http_reload *h = self;

	return h->base->look(h->self, out, e);
}

static int reload_moved(void *self, unsigned slot, struct err *e)
{
	struct svc_http_reload *h = self;

	return h->base->moved(h->self, slot, e);
}

static int reload_stop(void *self, struct err *e)
{
	struct svc_http_reload *h = self;

	return h->base->stop(h->self, e);
}

static int reload_log_tail(void *self, size_t max, struct buf *out, struct err *e)
{
	struct svc_http_reload *h = self;

	return h->base->log_tail(h->self, max, out, e);
}

const struct svc_driver svc_http_reload = {
	.kind = "http_reload",
	.help = "Asks the running workload to load the other slot (POST {\"slot_dir\": ...}); another "
		"driver starts it, and restarts it where a reload is not enough.",
	.open = reload_open,
	.close = reload_close,
	.apply = reload_apply,
	.look = reload_look,
	.moved = reload_moved,
	.stop = reload_stop,
	.log_tail = reload_log_tail,
};
