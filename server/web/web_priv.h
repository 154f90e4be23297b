/* Shared by the files of this directory. */
#ifndef SERVER_WEB_WEB_PRIV_H
#define SERVER_WEB_WEB_PRIV_H

#include <errno.h>
#include <microhttpd.h>

#include "server/web/web.h"

#define WEB_PEM_MAX (256 * 1024)

struct web {
	struct web_conf conf;
	web_handler_f *handler;
	void *ctx;
	struct MHD_Daemon *daemon;
	sd_event_source *sockets, *timer;
	struct web_stats stats;
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
	struct err refused; /* set when the request is answered without asking the handler */
};

enum MHD_Result web_on_request(void *ctx, struct MHD_Connection *c, const char *url,
	const char *method, const char *version, const char *data, size_t *io_n, void **state);
void web_on_completed(
	void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why);
/* Percent-decodes in place; a "%00" stays as it is, so that no name can be cut short. */
size_t web_unescape(void *ctx, struct MHD_Connection *c, char *s);

/* Takes the reply's body over and sends it (or the file it names). */
enum MHD_Result web_send(struct web *w, struct web_exchange *x, struct web_reply *r);

#endif
