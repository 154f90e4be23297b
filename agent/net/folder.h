/* A folder that answers like the server: for devices that updates are carried to. It holds what
 * `backstay device export` writes, under the same names as the server has it:
 *
 *   director/DEVICE/   N.root.json (all), timestamp.json, N.snapshot.json, N.targets.json, whose
 *                      "x-backstay" says "offline": true
 *   image/             N.root.json (all), timestamp.json, N.snapshot.json, N.ROLE.json
 *   image/targets/     PRODUCT/DIGEST.NAME, the release document
 *   artifacts/         DIGEST
 *
 * It is believed as little as the network is. */
#ifndef AGENT_NET_FOLDER_H
#define AGENT_NET_FOLDER_H

#include "agent/net/http.h"
#include "lib/sys/fs.h"

#define FOLDER_URL "folder:" /* the server's address, for whoever forms addresses */

struct folder {
	struct fs fs;
	struct http_via via;
	struct http_conf conf; /* asks the folder */
};

/* Stays where it is until it is closed. ERR_NOT_FOUND. */
int folder_open(struct folder *f, const char *dir, struct err *e) MUST_CHECK;
void folder_close(struct folder *f);

#endif
