#include "server/hook/courier.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "server/hook/address.h"

#define CONNECT_MS  5000L
#define PATIENCE_MS 60000

/* Whose turn it is: the loop fills a FREE one, the thread works on a GIVEN one, the loop takes a
 * DONE one. */
enum turn { FREE, GIVEN, CARRIED, DONE };

struct task {
	enum turn turn;
	struct letter_out letter;
	struct hook_answer answer;
	char why[LIMIT_TEXT];
	/* the thread's */
	CURL *easy;
	struct curl_slist *headers;
	char text[CURL_ERROR_SIZE];
	size_t answered;     /* bytes of the answer's body */
	bool private_too;    /* for on_socket */
	bool address_denied; /* by it */
};

struct courier {
	struct courier_conf c;
	char ca[256], agent[64];
	courier_done_f *done;
	void *ctx;
	sd_event_source *source;
	int news; /* eventfd: something is DONE */
	CURLM *multi;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of the turns, and of `leave` */
	bool leave;
	struct task tasks[COURIER_AT_ONCE];
};

/* ---- one request, in the thread ---- */

static size_t on_body(char *p UNUSED, size_t one, size_t n, void *ctx)
{
	struct task *t = ctx;

	t->answered += n * one;
	return t->answered > LIMIT_HOOK_ANSWER ? 0 : n * one;
}

static curl_socket_t on_socket(void *ctx, curlsocktype type UNUSED, struct curl_sockaddr *a)
{
	struct task *t = ctx;

	if (!address_is_allowed(&a->addr, t->private_too)) {
		t->address_denied = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static void set_bounds(struct task *t, const struct courier *c)
{
	CURL *h = t->easy;

	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L); /* waits for no name server at the end */
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, MIN(CONNECT_MS, (long)c->c.timeout));
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)c->c.timeout);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, t);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->text);
}

/* Verification of peer and host is curl's default, and stays it. */
static void set_identity(struct task *t, const struct courier *c)
{
	curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(t->easy, CURLOPT_USERAGENT, c->agent);
	if (!*c->ca)
		return;
	curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(t->easy, CURLOPT_CAINFO, c->ca);
}

static void add_header(struct task *t, const char *line)
{
	struct curl_slist *more = curl_slist_append(t->headers, line);

	if (!more)
		abort();
	t->headers = more;
}

static void begin(struct courier *c, struct task *t)
{
	t->easy = curl_easy_init();
	if (!t->easy)
		abort();
	t->private_too = c->c.private_too;
	set_bounds(t, c);
	set_identity(t, c);
	for (size_t i = 0; i < LETTER_HEADERS; i++)
		if (*t->letter.headers[i])
			add_header(t, t->letter.headers[i]);
	add_header(t, "Expect:");
	curl_easy_setopt(t->easy, CURLOPT_URL, t->letter.url);
	curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->letter.body.p);
	curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->letter.body.n);
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
	if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
		abort();
}

static void end(struct courier *c, struct task *t)
{
	curl_multi_remove_handle(c->multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	letter_out_fini(&t->letter);
	t->easy = NULL;
	t->headers = NULL;
}

static void say_why(struct task *t, CURLcode code, int status)
{
	if (t->address_denied)
		snprintf(t->why, sizeof t->why, "hooks may not go to that address");
	else if (code != CURLE_OK && status == 0)
		snprintf(t->why, sizeof t->why, "%.200s",
			*t->text ? t->text : curl_easy_strerror(code));
	else if (status < 200 || status >= 300)
		snprintf(t->why, sizeof t->why, "it answered %d%s", status,
			status >= 300 && status < 400 ? ", and no redirect is followed" : "");
}

/* A status is an answer, whatever became of the body behind it; without the whole head there is
 * none. */
static void look(struct task *t, CURLcode code)
{
	curl_off_t after = 0;
	long status = 0;

	if (code == CURLE_OK || code == CURLE_WRITE_ERROR)
		curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after);
	t->answer.status = (int)status;
	t->answer.retry_after = SEC(MIN(MAX(after, 0), HOOK_WAIT_MAX / 1000));
	say_why(t, code, (int)status);
}

/* ---- the thread ---- */

static bool take_given(struct courier *c)
{
	bool leave;

	pthread_mutex_lock(&c->lock);
	leave = c->leave;
	for (unsigned i = 0; !leave && i < COURIER_AT_ONCE; i++)
		if (c->tasks[i].turn == GIVEN) {
			c->tasks[i].turn = CARRIED;
			begin(c, &c->tasks[i]);
		}
	pthread_mutex_unlock(&c->lock);
	return !leave;
}

static void give_back(struct courier *c, struct task *t)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&c->lock);
	t->turn = DONE;
	pthread_mutex_unlock(&c->lock);
	(void)!write(c->news, &one, sizeof one);
}

static void take_done(struct courier *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left))) {
		struct task *t = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		look(t, m->data.result);
		end(c, t);
		give_back(c, t);
	}
}

static void *carry(void *ctx)
{
	struct courier *c = ctx;
	int running;

	while (take_given(c)) {
		curl_multi_perform(c->multi, &running);
		take_done(c);
		curl_multi_poll(c->multi, NULL, 0, PATIENCE_MS, NULL);
	}
	return NULL;
}

/* ---- the loop's side ---- */

static bool next_done(struct courier *c, unsigned *out_tag, struct hook_answer *out, char *why)
{
	bool found = false;

	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; !found && i < COURIER_AT_ONCE; i++) {
		struct task *t = &c->tasks[i];

		found = t->turn == DONE;
		if (!found)
			continue;
		*out_tag = i;
		*out = t->answer;
		memcpy(why, t->why, sizeof t->why);
		*t = (struct task){.turn = FREE};
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

static int on_news(sd_event_source *s UNUSED, int fd, uint32_t events UNUSED, void *ctx)
{
	struct courier *c = ctx;
	struct hook_answer a;
	char why[LIMIT_TEXT];
	uint64_t n;
	unsigned tag;

	(void)!read(fd, &n, sizeof n);
	while (next_done(c, &tag, &a, why))
		c->done(c->ctx, tag, &a, why);
	return 0;
}

void courier_carry(struct courier *c, unsigned tag, struct letter_out *l)
{
	struct task *t = &c->tasks[tag];

	pthread_mutex_lock(&c->lock);
	t->letter = *l;
	t->turn = GIVEN;
	pthread_mutex_unlock(&c->lock);
	l->body = (struct buf){0};
	curl_multi_wakeup(c->multi);
}

/* ---- life ---- */

static void init_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
}

static int start(struct courier *c, sd_event *loop, struct err *e)
{
	int rc;

	c->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->news < 0)
		return err_sys(e, errno, "eventfd");
	rc = sd_event_add_io(loop, &c->source, c->news, EPOLLIN, on_news, c);
	if (rc < 0)
		return err_sys(e, -rc, "event loop");
	rc = pthread_create(&c->thread, NULL, carry, c);
	if (rc != 0)
		return err_sys(e, rc, "thread");
	c->started = true;
	return 0;
}

int courier_open(sd_event *loop, const struct courier_conf *conf, courier_done_f *done, void *ctx,
	struct courier **out, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct courier *c = mem_new(sizeof *c);
	int rc;

	pthread_once(&once, init_curl);
	*c = (struct courier){.c = *conf, .done = done, .ctx = ctx, .news = -1};
	snprintf(c->ca, sizeof c->ca, "%s", conf->ca);
	snprintf(c->agent, sizeof c->agent, "%s", conf->agent);
	pthread_mutex_init(&c->lock, NULL);
	c->multi = curl_multi_init();
	if (!c->multi)
		abort();
	rc = start(c, loop, e);
	if (rc < 0)
		courier_close(&c);
	else
		*out = c;
	return rc;
}

static void leave(struct courier *c)
{
	pthread_mutex_lock(&c->lock);
	c->leave = true;
	pthread_mutex_unlock(&c->lock);
	curl_multi_wakeup(c->multi);
	pthread_join(c->thread, NULL);
}

void courier_close(struct courier **pc)
{
	struct courier *c = *pc;

	if (!c)
		return;
	if (c->started)
		leave(c);
	for (unsigned i = 0; i < COURIER_AT_ONCE; i++)
		if (c->tasks[i].easy)
			end(c, &c->tasks[i]);
		else
			letter_out_fini(&c->tasks[i].letter);
	sd_event_source_disable_unref(c->source);
	curl_multi_cleanup(c->multi);
	if (c->news >= 0)
		close(c->news);
	pthread_mutex_destroy(&c->lock);
	free(c);
	*pc = NULL;
}
