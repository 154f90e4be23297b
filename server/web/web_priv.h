/* Shared by the files of this directory. */
#ifndef SERVER_WEB_WEB_PRIV_H
#define SERVER_WEB_WEB_PRIV_H

#include <errno.h>
#include <microhttpd.h>

#include "lib/prng.h"
#include "server/web/web.h"

#define WEB_PEM_MAX      (256 * 1024)
#define WEB_BUSY_AGAIN_S 3U

struct web {
	struct web_conf conf;
	web_handler_f *handler;
	struct web_turn turn; /* NULLs: there is none */
	void *ctx;
	struct web_exchange *held; /* whose answers wait for the end of the turn */
	struct MHD_Daemon *daemon;
	sd_event_source *sockets, *timer;
	struct web_stats stats;
	struct {
		ms_t turn; /* mono: when the present turn of the loop began */
		struct prng random;
	} load;
};

/* One request from its head to its last byte. Owned by libmicrohttpd's connection, freed in
 * web_on_completed. */
struct web_exchange {
	struct MHD_Connection *connection;
	struct web_request rq;
	char *path; /* what rq.args look into */
	char peer[64];
	struct buf body;
	uint64_t body_n, body_limit;
	int upload_fd; /* -1: the body is gathered in memory */
	char upload_path[320];
	struct web_exchange *next_held;
	struct web_reply reply; /* that is held */
	bool is_held, is_released;
	struct err refused; /* set when the request is answered without asking the handler */
};

enum MHD_Result web_on_request(void *ctx, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *io_n, void **state);
void web_on_completed(
	void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why);
/* Lets go on who was held; each is answered in the next turn. False: nobody was. */
bool web_release_held(struct web *w, int rc, const struct err *e);
/* Percent-decodes in place; a "%00" stays as it is, so that no name can be cut short. */
size_t web_unescape(void *ctx, struct MHD_Connection *c, char *s);

/* Takes the reply's body over and sends it (or the file it names). */
enum MHD_Result web_send(struct web *w, struct web_exchange *x, struct web_reply *r);

/* ---- what is put off when there is too much (web_load.c) ---- */

void web_load_open(struct web *w);
/* How many sockets libmicrohttpd may have open. */
unsigned web_load_sockets(const struct web *w);
/* A turn of the event loop begins, in which everybody who has asked is answered. */
void web_load_turn(struct web *w);
/* Are connections so scarce that none is kept for a next request? */
bool web_load_is_crowded(const struct web *w);
/* ERR_BUSY for a device when more connections are open than are served, or when answering those
 * before it has taken too long. People get through, and so does who asks how the server is. */
int web_load_check(struct web *w, const struct web_exchange *x, struct err *e) MUST_CHECK;
/* ERR_BUSY when the bodies of all requests would take too much memory; what was taken is given back
 * with web_load_done. */
int web_load_body(struct web *w, size_t n, struct err *e) MUST_CHECK;
void web_load_done(struct web *w, size_t n);
/* Seconds after which somebody may come again, spread, so that those who were sent away together do
 * not come back together. */
unsigned web_load_again(struct web *w, unsigned at_least_s);
void web_on_connection(
	void *ctx, struct MHD_Connection *c, void **of, enum MHD_ConnectionNotificationCode what);

#endif
