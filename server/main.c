#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "lib/sys/fs.h"
#include "lib/sys/log.h"
#include "lib/sys/program.h"
#include "server/main.tbl.h"
#include "server/server.h"
#include "server/version.h"

static const char doc[] = SERVER_PURPOSE "\v" SERVER_ABOUT "\n\nFirst steps:\n" SERVER_STEPS
					 "\n" SERVER_THEN "\n\nExit status: " SERVER_EXIT;

enum {
	OPT_FIRST = 1000,
#define X(id, ...) OPT_##id,
	SERVER_OPTIONS(X)
#undef X
};

static const struct argp_option options[] = {
#define X(id, name, letter, arg, text) {name, (letter) ? (letter) : OPT_##id, arg, 0, text, 0},
	SERVER_OPTIONS(X)
#undef X
		{0},
};

struct args {
	const char *config, *port_file;
	bool dump, version, json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case 'c':
		a->config = arg;
		return 0;
	case 'V':
		a->version = true;
		return 0;
	case OPT_DUMP:
		a->dump = true;
		return 0;
	case OPT_PORT_FILE:
		a->port_file = arg;
		return 0;
	case OPT_JSON:
		a->json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected word: %s", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {.options = options, .parser = parse, .doc = doc};

/* ---- configuration ---- */

static int load(
	const struct args *args, struct server_conf *conf, struct conf_trace *trace, struct err *e)
{
	BUF_AUTO problems = {0};
	int rc = server_conf_load(args->config, conf, trace, &problems, e);

	program_say_problems(&problems);
	return rc;
}

static int dump(const struct server_conf *conf, const struct conf_trace *trace, struct err *e)
{
	size_t n;
	const struct conf_row *rows = server_conf_rows(&n);

	return program_dump_conf(rows, n, conf, trace, e);
}

/* ---- the service ---- */

static int write_port(const char *path, uint16_t port, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char dir[FS_PATH_MAX], text[8];
	struct fs fs;
	int rc;

	fs_dirname(path, dir, sizeof dir);
	if (slash == path)
		snprintf(dir, sizeof dir, "/");
	snprintf(text, sizeof text, "%u\n", port);
	TRY(fs_posix_open(dir[0] ? dir : ".", &fs, e));
	rc = fs_write_file(&fs, slash ? slash + 1 : path, text, strlen(text), 0644, e);
	fs_posix_close(&fs);
	return rc < 0 ? err_wrap(e, "%s", path) : 0;
}

static int run(struct server *s, sd_event *loop, const struct args *args,
	const struct server_conf *conf, struct err *e)
{
	int rc;

	if (args->port_file)
		TRY(write_port(args->port_file, server_port(s), e));
	log_ev(LOG_ID_START, "version=%s bind=%s port=%u data=%s", SERVER_VERSION,
		conf->server.bind, server_port(s), conf->server.data);
	sd_notifyf(0, "READY=1\nSTATUS=listening on %s port %u", conf->server.bind, server_port(s));
	rc = sd_event_loop(loop);
	sd_notify(0, "STOPPING=1");
	log_ev(LOG_ID_STOP, "status=%d", rc);
	return rc < 0 ? err_sys(e, -rc, "event loop") : 0;
}

static int serve(const struct args *args, const struct server_conf *conf, struct err *e)
{
	struct server *s CLEANUP(server_close) = NULL;
	sd_event *loop CLEANUP(sd_event_unrefp) = NULL;

	TRY(program_loop(&loop, e));
	TRY(server_open(loop, conf, &s, e));
	return run(s, loop, args, conf, e);
}

int main(int argc, char **argv)
{
	struct args args = {0};
	struct conf_trace trace CLEANUP(conf_trace_fini) = {{0}};
	struct server_conf conf;
	struct err e = {0};
	int rc;

	argp_err_exit_status = err_exit(ERR_USAGE);
	umask(027);
	argp_parse(&parser, argc, argv, 0, NULL, &args);
	log_init("backstay-server", args.json ? LOG_FORM_JSON : log_form_here(), LOG_INFO);
	if (args.version) {
		printf("backstay-server %s\n", SERVER_VERSION);
		return 0;
	}
	rc = load(&args, &conf, &trace, &e);
	if (rc == 0)
		rc = args.dump ? dump(&conf, &trace, &e) : serve(&args, &conf, &e);
	if (rc < 0)
		log_err(e.code == ERR_CONFIG ? LOG_ID_CONFIG : LOG_ID_STOP, &e, "config=%s",
			args.config ? args.config : SERVER_CONF_NAME);
	return rc < 0 ? err_exit(e.code) : 0;
}
