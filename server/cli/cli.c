#include "server/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "proto/wire/policy.h"
#include "server/cli/cli_priv.h"
#include "server/cli/table.h"

#define DEFAULT_SERVER "http://127.0.0.1:8080"
#define DEFAULT_SOCKET "/run/backstay/agent.sock"
#define ANSWER_MAX     (64U << 20)
#define TOKEN_MAX      128

const char *cli_value(const struct cli *c, enum cli_option o, const char *otherwise)
{
	return c->n_values[o] ? c->values[o][c->n_values[o] - 1] : otherwise;
}

bool cli_flag(const struct cli *c, enum cli_option o)
{
	return c->n_values[o] > 0;
}

int cli_number(const struct cli *c, enum cli_option o, uint64_t min, uint64_t max,
	uint64_t otherwise, uint64_t *out, struct err *e)
{
	const char *text = cli_value(c, o, NULL);

	if (!text) {
		*out = otherwise;
		return 0;
	}
	if (str_to_u64(str_of(text), min, max, out, e) < 0) {
		err_wrap(e, "%s", text);
		e->code = ERR_USAGE;
		return -(int)ERR_USAGE;
	}
	return 0;
}

int cli_read(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 1;

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	if (fstat(fd, &st) == 0 && st.st_size > (off_t)max) {
		close(fd);
		return err_set(e, ERR_TOO_LARGE, "%s: %lld bytes, at most %zu are taken", path,
			(long long)st.st_size, max);
	}
	while (n > 0 && out->n <= max) {
		n = read(fd, buf_reserve(out, 65536), 65536);
		out->n += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return n < 0 ? err_sys(e, errno, "%s", path) : 0;
}

int cli_policy(const char *path, struct policy *out, struct buf *out_text, struct err *e)
{
	BUF_AUTO text = {0};

	TRY(cli_read(path, LIMIT_POLICY_BYTES, &text, e));
	if (policy_parse(buf_str(&text), out, e) < 0)
		return err_wrap(e, "%s", path);
	if (out_text)
		buf_add(out_text, text.p, text.n);
	return 0;
}

const char *cli_behind(uint64_t n, const char *more, char out[64])
{
	if (n)
		snprintf(out, 64, "after=%llu%s%s", (unsigned long long)n, *more ? "&" : "", more);
	else
		snprintf(out, 64, "%s", more);
	return *out ? out : NULL;
}

int cli_last(const struct cli *c, uint64_t otherwise, char out[32], struct err *e)
{
	uint64_t n;

	TRY(cli_number(c, CLI_OPT_LAST, 1, 100000, otherwise, &n, e));
	snprintf(out, 32, "last=%llu", (unsigned long long)n);
	return 0;
}

/* ---- asking the server ---- */

static const char *from_env(const char *name, const char *otherwise)
{
	const char *v = getenv(name);

	return v && *v ? v : otherwise;
}

static const char *server_url(const struct cli *c)
{
	return cli_value(c, CLI_OPT_SERVER, from_env("BACKSTAY_SERVER", DEFAULT_SERVER));
}

int cli_http(const struct cli *c, struct http_conf *out, struct err *e)
{
	const char *token = cli_value(c, CLI_OPT_TOKEN_FILE, from_env("BACKSTAY_TOKEN_FILE", NULL));
	BUF_AUTO b = {0};

	*out = (struct http_conf){.user_agent = "backstay"};
	TRY(str_copy(str_of(cli_value(c, CLI_OPT_CA_FILE, from_env("BACKSTAY_CA_FILE", ""))),
		out->ca_file, sizeof out->ca_file, e));
	if (!token)
		return 0;
	TRY(cli_read(token, TOKEN_MAX, &b, e));
	while (b.n && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == ' '))
		b.n--;
	return str_copy(buf_str(&b), out->bearer, sizeof out->bearer, e);
}

int cli_url(const struct cli *c, enum route r, const char *const *args, const char *query,
	char *out, size_t cap, struct err *e)
{
	char path[512];
	int n;

	TRY(route_format(r, args, path, sizeof path, e));
	n = snprintf(
		out, cap, "%s%s%s%s", server_url(c), path, query ? "?" : "", query ? query : "");
	if (n < 0 || (size_t)n >= cap)
		return err_set(e, ERR_USAGE, "the address is too long");
	return 0;
}

/* What a person would ask next is answered here, once. */
static int with_hint(const struct cli *c, int rc, struct err *e)
{
	size_t n = strlen(e->text);
	const char *hint =
		e->code == ERR_NET || e->code == ERR_TIMEOUT
			? "is the server running there? --server URL names another"
		: e->code == ERR_DENIED
			? "--token-file names your token (the first administrator's is DATA/token)"
			: NULL;

	if (rc < 0 && hint)
		snprintf(e->text + n, sizeof e->text - n, " (%s; asked %s)", hint, server_url(c));
	return rc;
}

int cli_ask(const struct cli *c, enum route r, const char *const *args, const char *query,
	const json_t *body, json_t **out_answer, struct err *e)
{
	struct http_answer a = {0};
	struct http_conf conf;
	BUF_AUTO text = {0};
	char url[1024];
	int rc;

	TRY(cli_http(c, &conf, e));
	TRY(cli_url(c, r, args, query, url, sizeof url, e));
	if (body)
		json_write(body, &text);
	rc = body ? http_send(&conf, route_method(r), url, buf_str(&text), ANSWER_MAX, NULL, &a, e)
		  : http_get(&conf, url, NULL, ANSWER_MAX, NULL, &a, e);
	if (rc == 0)
		rc = http_check(&a, "the server", e);
	if (rc == 0)
		rc = json_read(buf_str(&a.body), ANSWER_MAX, out_answer, e);
	http_answer_fini(&a);
	return with_hint(c, rc, e);
}

static void show_upload(void *ctx, uint64_t done, uint64_t total)
{
	BUF_AUTO b = {0};

	bar_format(done, total, 30, &b);
	fprintf(stderr, "\r  %s %s %5.1f %%", (const char *)ctx, buf_cstr(&b),
		total ? 100.0 * (double)done / (double)total : 100.0);
}

int cli_upload(
	const struct cli *c, enum route r, const char *const *args, const char *path, struct err *e)
{
	bool terminal = isatty(STDERR_FILENO);
	struct http_answer a = {0};
	struct http_conf conf;
	char url[1024], label[16];
	int rc;

	TRY(cli_http(c, &conf, e));
	TRY(cli_url(c, r, args, NULL, url, sizeof url, e));
	snprintf(label, sizeof label, "%.12s", args[0]);
	rc = http_put_file(
		&conf, url, path, LIMIT_BODY_BYTES, terminal ? show_upload : NULL, label, &a, e);
	if (terminal)
		fputs("\r\033[K", stderr);
	if (rc == 0)
		rc = http_check(&a, "the server", e);
	http_answer_fini(&a);
	return with_hint(c, rc, e);
}

int cli_local(
	const struct cli *c, enum ctl_cmd cmd, json_t *extra, json_t **out_answer, struct err *e)
{
	const char *path =
		cli_value(c, CLI_OPT_SOCKET, from_env("BACKSTAY_SOCKET", DEFAULT_SOCKET));
	JSON_AUTO *request = extra ? extra : json_object();
	int rc;

	json_object_set_new(request, "cmd", json_string(ctl_cmd_name(cmd)));
	rc = ctl_call(path, request, SEC(30), out_answer, e);
	if (rc < 0 && (e->code == ERR_NOT_FOUND || e->code == ERR_NET) && e->sys)
		return err_set(e, ERR_NET,
			"no agent answers at %s; is backstay-agent running? --socket PATH names another",
			path);
	return rc;
}

/* ---- output ---- */

bool cli_json(const struct cli *c, const json_t *answer)
{
	BUF_AUTO b = {0};

	if (!cli_flag(c, CLI_OPT_JSON))
		return false;
	json_write(answer, &b);
	puts(buf_cstr(&b));
	return true;
}

const char *cli_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

json_int_t cli_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

void cli_ago(ms_t then, char *out, size_t cap)
{
	long long s = (clock_system.wall(NULL) - then) / 1000;

	if (then == 0)
		snprintf(out, cap, "never");
	else if (s < 120)
		snprintf(out, cap, "%lld s", s < 0 ? 0 : s);
	else if (s < 7200)
		snprintf(out, cap, "%lld min", s / 60);
	else if (s < 172800)
		snprintf(out, cap, "%lld h", s / 3600);
	else
		snprintf(out, cap, "%lld d", s / 86400);
}
