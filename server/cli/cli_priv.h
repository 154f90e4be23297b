/* What the files behind cli.h share: how the server is reached. */
#ifndef SERVER_CLI_CLI_PRIV_H
#define SERVER_CLI_CLI_PRIV_H

#include "agent/net/http.h"
#include "server/cli/cli.h"

int cli_http(const struct cli *c, struct http_conf *out, struct err *e) MUST_CHECK;
int cli_url(const struct cli *c, enum route r, const char *const *args, const char *query,
	char *out, size_t cap, struct err *e) MUST_CHECK;

#endif
