#include "server/web/web_priv.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/sys/log.h"

#define CONNECTION_MEMORY (32 * 1024)
#define CONNECTION_IDLE_S 30U

/* TLS 1.2 and 1.3, with forward secrecy and authenticated ciphers only (RFC 9325). */
#define TLS_PRIORITIES                                                                             \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"           \
	"-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE"

/* ---- the event loop's side --------------------------------------------------------------------
 */

/* libmicrohttpd says when it wants to be called without news from a socket; the timer follows that.
 */
static void follow_timeout(struct web *w)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(w->daemon, &ms) != MHD_YES) {
		sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time_relative(w->timer, (uint64_t)ms * 1000);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

static void run_at_once(struct web *w)
{
	sd_event_source_set_time_relative(w->timer, 0);
	sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT);
}

/* Everybody who has asked is answered, and what was changed for them becomes durable with one sync.
 */
static void turn(struct web *w)
{
	struct err e = {0};
	int rc = 0;

	web_load_turn(w);
	if (w->turn.begin)
		w->turn.begin(w->ctx);
	MHD_run(w->daemon);
	if (w->turn.end)
		rc = w->turn.end(w->ctx, &e);
	if (rc < 0)
		log_err(LOG_ID_STORE, &e, "what=turn");
	/* libmicrohttpd does not say that those who go on want it to run. */
	if (web_release_held(w, rc, &e))
		run_at_once(w);
	else
		follow_timeout(w);
}

static int on_sockets(sd_event_source *s UNUSED, int fd UNUSED, uint32_t revents UNUSED, void *ctx)
{
	turn(ctx);
	return 0;
}

static int on_timer(sd_event_source *s UNUSED, uint64_t usec UNUSED, void *ctx)
{
	turn(ctx);
	return 0;
}

static int join_loop(struct web *w, sd_event *loop, struct err *e)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int rc = sd_event_add_io(loop, &w->sockets, info->epoll_fd, EPOLLIN, on_sockets, w);

	if (rc >= 0)
		rc = sd_event_add_time_relative(
			loop, &w->timer, CLOCK_MONOTONIC, 0, 1000, on_timer, w);
	if (rc < 0)
		return err_sys(e, -rc, "web: event loop");
	return 0;
}

/* ---- opening and closing ------------------------------------------------------------------------
 */

static int parse_address(const struct web_conf *c, struct sockaddr_storage *out, struct err *e)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, c->bind, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(c->port);
		return 0;
	}
	if (inet_pton(AF_INET6, c->bind, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(c->port);
		return 0;
	}
	return err_set(
		e, ERR_CONFIG, "web: '%s' is no numeric address such as 127.0.0.1 or ::", c->bind);
}

static int read_pem(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_sys(e, errno, "web: %s", path);
	do {
		n = read(fd, buf_reserve(out, 4096), 4096);
		out->n += n > 0 ? (size_t)n : 0;
	} while (n > 0 && out->n < WEB_PEM_MAX);
	close(fd);
	if (n < 0)
		return err_sys(e, errno, "web: %s", path);
	buf_cstr(out);
	return 0;
}

/* Asked for a client's certificate, GnuTLS takes any and makes sure that the client has its key;
 * who it is decides the handler. */
static void set_tls(
	const struct web *w, struct buf *cert, struct buf *key, struct MHD_OptionItem out[5])
{
	struct MHD_OptionItem items[5] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, cert->p},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, key->p},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	if (w->conf.client_ca)
		items[3] = (struct MHD_OptionItem){
			MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)(uintptr_t)w->conf.client_ca};
	memcpy(out, items, sizeof items);
}

static int start_daemon(struct web *w, struct err *e)
{
	struct MHD_OptionItem tls[5] = {{MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	struct sockaddr_storage address;
	BUF_AUTO cert = {0}, key = {0};

	TRY(parse_address(&w->conf, &address, e));
	if (address.ss_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	if (w->conf.tls_cert[0]) {
		TRY(read_pem(w->conf.tls_cert, &cert, e));
		TRY(read_pem(w->conf.tls_key, &key, e));
		flags |= MHD_USE_TLS;
		set_tls(w, &cert, &key, tls);
	}
	w->daemon = MHD_start_daemon(flags, w->conf.port, NULL, NULL, web_on_request, w,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, web_on_completed, w,
		MHD_OPTION_UNESCAPE_CALLBACK, web_unescape, NULL,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_IDLE_S, MHD_OPTION_CONNECTION_LIMIT,
		web_load_sockets(w), MHD_OPTION_NOTIFY_CONNECTION, web_on_connection, w,
		MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (!w->daemon)
		return err_set(e, ERR_CONFIG,
			"web: cannot listen on %s port %u; is the port in use, or the certificate wrong?",
			w->conf.bind, (unsigned)w->conf.port);
	return 0;
}

int web_open(sd_event *loop, const struct web_conf *c, web_handler_f *handler,
	const struct web_turn *turn_of, void *ctx, struct web **out, struct err *e)
{
	struct web *w = mem_new(sizeof *w);
	int rc;

	w->conf = *c;
	w->handler = handler;
	if (turn_of)
		w->turn = *turn_of;
	w->ctx = ctx;
	web_load_open(w);
	rc = start_daemon(w, e);
	if (rc == 0)
		rc = join_loop(w, loop, e);
	if (rc < 0) {
		web_close(&w);
		return rc;
	}
	*out = w;
	return 0;
}

void web_close(struct web **w)
{
	if (!*w)
		return;
	sd_event_source_disable_unref((*w)->sockets);
	sd_event_source_disable_unref((*w)->timer);
	if ((*w)->daemon)
		MHD_stop_daemon((*w)->daemon);
	free(*w);
	*w = NULL;
}

uint16_t web_port(const struct web *w)
{
	return MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

const struct web_stats *web_stats(const struct web *w)
{
	return &w->stats;
}
