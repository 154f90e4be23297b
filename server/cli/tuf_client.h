/* A client of any TUF repository: proto/trust/refresh.h driven over HTTP, with its trusted files in
 * one folder and its targets in another. Every file is replaced at once or not at all, and nothing
 * else is left in either folder. */
#ifndef SERVER_CLI_TUF_CLIENT_H
#define SERVER_CLI_TUF_CLIENT_H

#include "agent/net/http.h"
#include "lib/sys/fs.h"
#include "proto/trust/refresh.h"

struct tuf_client {
	struct fs meta; /* the trusted files: "root.json", "timestamp.json", ..., "ROLE.json" */
	struct http_conf http;
	const char *meta_url; /* with or without a '/' at its end */
	struct refresh refresh;
};

/* `dir` must exist. */
int tuf_client_open(struct tuf_client *c, const char *dir, const char *meta_url, int64_t now_s,
	struct err *e) MUST_CHECK;
void tuf_client_close(struct tuf_client *c);

/* Makes `root` the root that is trusted. Form and its own signatures are checked, not its expiry;
 * ERR_CONFLICT when another one is trusted already. */
int tuf_client_init(struct tuf_client *c, struct str root, struct err *e) MUST_CHECK;
/* The top-level roles. What was accepted before a failure is stored. ERR_NOT_FOUND when no root is
 * trusted yet. */
int tuf_client_refresh(struct tuf_client *c, struct err *e) MUST_CHECK;
/* After the refresh: finds a target and brings it into the folder, as one file whose name is the
 * target's, quoted. What is there already with the right length and hashes is not fetched. */
int tuf_client_download(struct tuf_client *c, const char *path, struct fs *targets,
	const char *targets_url, struct err *e) MUST_CHECK;

#endif
