/* The command by which the TUF community's conformance suite drives our engine
 * (docs/conformance.md). It knows no time but the machine's, and no repository but the one it is
 * given. */
#include <string.h>

#include "lib/sys/clock.h"
#include "server/cli/cli.h"
#include "server/cli/tuf_client.h"

static int need(
	const struct cli *c, enum cli_option o, const char *name, const char **out, struct err *e)
{
	*out = cli_value(c, o, NULL);
	return *out && **out ? 0 : err_set(e, ERR_USAGE, "--%s is missing", name);
}

static int run_init(const struct cli *c, struct tuf_client *client, struct err *e)
{
	BUF_AUTO root = {0};

	if (c->n_args != 2)
		return err_set(e, ERR_USAGE, "init: which file is the root that is trusted?");
	TRY(cli_read(c->args[1], LIMIT_ROOT_BYTES, &root, e));
	return tuf_client_init(client, buf_str(&root), e);
}

static int run_refresh(const struct cli *c, struct tuf_client *client, struct err *e)
{
	struct http_conf *http = &client->http;

	TRY(str_copy(
		str_of(cli_value(c, CLI_OPT_CA_FILE, "")), http->ca_file, sizeof http->ca_file, e));
	TRY(need(c, CLI_OPT_METADATA_URL, "metadata-url", &client->meta_url, e));
	return tuf_client_refresh(client, e);
}

static int download_all(const struct cli *c, struct tuf_client *client, struct fs *targets,
	const char *url, struct err *e)
{
	for (unsigned i = 0; i < c->n_values[CLI_OPT_TARGET_NAME]; i++)
		TRY(tuf_client_download(
			client, c->values[CLI_OPT_TARGET_NAME][i], targets, url, e));
	return 0;
}

static int run_download(const struct cli *c, struct tuf_client *client, struct err *e)
{
	const char *dir, *url, *first;
	struct fs targets;
	int rc;

	TRY(need(c, CLI_OPT_TARGET_NAME, "target-name", &first, e));
	TRY(need(c, CLI_OPT_TARGET_DIR, "target-dir", &dir, e));
	TRY(need(c, CLI_OPT_TARGET_BASE_URL, "target-base-url", &url, e));
	TRY(run_refresh(c, client, e));
	TRY(fs_posix_open(dir, &targets, e));
	rc = download_all(c, client, &targets, url, e);
	fs_posix_close(&targets);
	return rc;
}

static const struct {
	const char *name;
	int (*run)(const struct cli *c, struct tuf_client *client, struct err *e);
} verbs[] = {
	{"init", run_init},
	{"refresh", run_refresh},
	{"download", run_download},
};

int cmd_TUF(const struct cli *c, struct err *e)
{
	CLEANUP(mem_free) struct tuf_client *client = mem_new(sizeof *client);
	const char *dir;
	size_t i = 0;
	int rc;

	while (i < ARRAY_LEN(verbs) && strcmp(verbs[i].name, c->args[0]) != 0)
		i++;
	if (i == ARRAY_LEN(verbs))
		return err_set(e, ERR_USAGE, "%s: init, refresh or download?", c->args[0]);
	TRY(need(c, CLI_OPT_METADATA_DIR, "metadata-dir", &dir, e));
	TRY(tuf_client_open(client, dir, "", clock_system.wall(NULL) / 1000, e));
	rc = verbs[i].run(c, client, e);
	tuf_client_close(client);
	return rc;
}
