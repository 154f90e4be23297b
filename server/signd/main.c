#include <argp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/sys/log.h"
#include "lib/sys/program.h"
#include "server/signd/book.h"
#include "server/signd/door.h"
#include "server/signd/main.tbl.h"
#include "server/signd/signd_conf.h"
#include "server/version.h"

static const char doc[] =
	SIGND_PURPOSE "\v" SIGND_ABOUT "\n\nTo give the keys to a user of their own:\n" SIGND_STEPS
		      "\n" SIGND_THEN "\n\nExit status: " SIGND_EXIT;

enum {
	OPT_FIRST = 1000,
#define X(id, ...) OPT_##id,
	SIGND_OPTIONS(X)
#undef X
};

static const struct argp_option options[] = {
#define X(id, name, letter, arg, text) {name, (letter) ? (letter) : OPT_##id, arg, 0, text, 0},
	SIGND_OPTIONS(X)
#undef X
		{0},
};

struct args {
	const char *config, *verify;
	int fd; /* -1: listen */
	bool dump, version, json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;
	uint64_t fd = 0;

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
	case OPT_VERIFY:
		a->verify = arg;
		return 0;
	case OPT_FD:
		if (str_to_u64(str_of(arg), 3, 1023, &fd, NULL) < 0)
			argp_error(state, "--fd: %s is no descriptor of a socket", arg);
		a->fd = (int)fd;
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

static int load(const struct args *args, struct signd_settings *conf, struct conf_trace *trace,
	struct err *e)
{
	BUF_AUTO problems = {0};
	int rc = signd_conf_load(args->config, conf, trace, &problems, e);

	program_say_problems(&problems);
	return rc;
}

static int dump(const struct signd_settings *conf, const struct conf_trace *trace, struct err *e)
{
	size_t n;
	const struct conf_row *rows = signd_conf_rows(&n);

	return program_dump_conf(rows, n, conf, trace, e);
}

static int uid_of(const char *user, unsigned *out, struct err *e)
{
	const struct passwd *p;

	*out = geteuid();
	if (!*user)
		return 0;
	p = getpwnam(user);
	if (!p)
		return err_set(e, ERR_CONFIG, "signer.user: there is no user %s", user);
	*out = p->pw_uid;
	return 0;
}

static struct sign_limits limits_of(const struct signd_settings *s)
{
	return (struct sign_limits){
		.director_life_s = s->trust.director_expiry / 1000,
		.snapshot_life_s = s->trust.snapshot_expiry / 1000,
		.timestamp_life_s = s->trust.timestamp_expiry / 1000,
		.offline_life_s = s->trust.offline_expiry / 1000,
		.device = {s->budget.device_burst, s->budget.device_per_hour},
		.newcomers = {s->budget.newcomers_burst, s->budget.newcomers_per_hour},
		.total = {s->budget.total_burst, s->budget.total_per_hour},
		.image = {s->budget.image_burst, s->budget.image_per_hour},
		.time = {s->budget.time_burst, s->budget.time_per_hour},
		.audit = {s->budget.audit_burst, s->budget.audit_per_hour},
	};
}

/* ---- the service ---- */

static int listen_or_adopt(sd_event *loop, struct signd *d, const struct args *args,
	const struct signd_settings *conf, struct door **out, struct err *e)
{
	unsigned uid;

	if (args->fd >= 0)
		return door_one(loop, d, args->fd, out, e);
	TRY(uid_of(conf->signer.user, &uid, e));
	return door_open(loop, d, conf->signer.socket, uid, out, e);
}

static int run(sd_event *loop, struct signd *d, const struct args *args,
	const struct signd_settings *conf, struct err *e)
{
	struct door *s CLEANUP(door_close) = NULL;
	int rc;

	TRY(listen_or_adopt(loop, d, args, conf, &s, e));
	log_ev(LOG_ID_START, "version=%s data=%s", SERVER_VERSION, conf->signer.data);
	sd_notify(0, "READY=1");
	rc = sd_event_loop(loop);
	sd_notify(0, "STOPPING=1");
	log_ev(LOG_ID_STOP, "status=%d", rc);
	return rc < 0 ? err_sys(e, -rc, "event loop") : 0;
}

static int serve(const struct args *args, const struct signd_settings *conf, struct err *e)
{
	struct signd *d CLEANUP(signd_close) = NULL;
	sd_event *loop CLEANUP(sd_event_unrefp) = NULL;
	char root[sizeof conf->trust.repo + 32];
	struct signd_conf c = {
		.keys = conf->trust.keys,
		.root = root,
		.data = conf->signer.data,
		.limits = limits_of(conf),
		.clock = &clock_system,
		.patience = SEC(10),
	};

	snprintf(root, sizeof root, "%s/image/1.root.json", conf->trust.repo);
	TRY(program_loop(&loop, e));
	TRY(signd_open(&c, &d, e));
	return run(loop, d, args, conf, e);
}

static int verify(const char *path, struct err *e)
{
	char hex[SHA256_TEXT];
	struct chain at;
	int rc = book_verify(path, &at, e);

	sha256_format(&at.last, hex);
	printf("%llu lines are as they were written; the last one's digest is %s\n",
		(unsigned long long)at.n, hex);
	return rc;
}

static int work(const struct args *args, struct err *e)
{
	struct conf_trace trace CLEANUP(conf_trace_fini) = {{0}};
	struct signd_settings conf;

	if (args->verify)
		return verify(args->verify, e);
	TRY(load(args, &conf, &trace, e));
	return args->dump ? dump(&conf, &trace, e) : serve(args, &conf, e);
}

int main(int argc, char **argv)
{
	struct args args = {.fd = -1};
	struct err e = {0};
	int rc;

	argp_err_exit_status = err_exit(ERR_USAGE);
	umask(077);
	argp_parse(&parser, argc, argv, 0, NULL, &args);
	/* Nobody looks into a process that holds keys, and no core file has them. */
	prctl(PR_SET_DUMPABLE, 0);
	log_init("backstay-signer", args.json ? LOG_FORM_JSON : log_form_here(), LOG_INFO);
	if (args.version) {
		printf("backstay-signer %s\n", SERVER_VERSION);
		return 0;
	}
	rc = work(&args, &e);
	if (rc < 0)
		log_err(e.code == ERR_CONFIG ? LOG_ID_CONFIG : LOG_ID_STOP, &e, "config=%s",
			args.config ? args.config : SIGND_CONF_NAME);
	return rc < 0 ? err_exit(e.code) : 0;
}
