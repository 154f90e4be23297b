/* ocr-serve: reads number plates for whoever asks over HTTP. Runs in a slot: its working directory
 * holds models/ and config/. */
#include <argp.h>
#include <errno.h>
#include <leptonica/allheaders.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/sys/log.h"
#include "manifests/examples/ocr/serve.h"

struct order {
	uint16_t port;
	const char *port_file;
};

static const struct argp_option options[] = {
	{"port", 'p', "N", 0,
		"Port on 127.0.0.1 (default: $BACKSTAY_PORT, or 0: the kernel chooses)", 0},
	{"port-file", 'P', "FILE", 0, "Where to write the port once the service listens", 0},
	{0},
};

static int read_port(const char *text, uint16_t *out, struct err *e)
{
	uint64_t n;

	if (str_to_u64(str_of(text), 0, UINT16_MAX, &n, e) < 0)
		return err_wrap(e, "port");
	*out = (uint16_t)n;
	return 0;
}

/* How the agent tells a private instance, started for a smoke test, where to listen. */
static int port_from_env(uint16_t *out, struct err *e)
{
	const char *text = getenv("BACKSTAY_PORT");

	return text ? read_port(text, out, e) : 0;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct order *o = state->input;
	struct err e;

	switch (key) {
	case 'p':
		if (read_port(arg, &o->port, &e) < 0)
			argp_error(state, "%s", e.text);
		return 0;
	case 'P':
		o->port_file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Whoever waits for the file finds it whole: it gets its name last. */
static int write_port(const char *path, unsigned port, struct err *e)
{
	char tmp[PATH_MAX];
	FILE *f;
	bool ok;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return err_set(e, ERR_TOO_LARGE, "the port file's name is too long");
	f = fopen(tmp, "we");
	if (!f)
		return err_sys(e, errno, "%s", tmp);
	ok = fprintf(f, "%u\n", port) > 0;
	if (fclose(f) != 0 || !ok || rename(tmp, path) != 0)
		return err_sys(e, errno, "%s", path);
	return 0;
}

static int announce(const struct order *o, unsigned port, struct err *e)
{
	if (o->port_file)
		TRY(write_port(o->port_file, port, e));
	printf("listening on 127.0.0.1:%u\n", port);
	fflush(stdout);
	return 0;
}

static int run_open(const struct order *o, struct serve *s, const sigset_t *ends, struct err *e)
{
	int signal;

	TRY(announce(o, serve_port(s), e));
	sigwait(ends, &signal);
	log_ev(LOG_ID_STOP, "signal=%d", signal);
	return 0;
}

static int run_desk(const struct order *o, struct desk *desk, const sigset_t *ends, struct err *e)
{
	struct tally tally;
	struct mirror mirror;
	struct serve *s = NULL;
	int rc;

	log_ev(LOG_ID_START, "model=%s release=%s slot=%s", desk->facts.model, desk->facts.release,
		desk->facts.slot);
	tally_init(&tally);
	mirror_init(&mirror, getenv("BACKSTAY_SHADOW_SOCKET"));
	rc = serve_open(desk, &tally, &mirror, o->port, &s, e);
	if (rc == 0)
		rc = run_open(o, s, ends, e);
	serve_close(&s);
	mirror_fini(&mirror);
	tally_fini(&tally);
	return rc;
}

static int run(const struct order *o, struct err *e)
{
	struct desk desk;
	sigset_t ends;
	int rc;

	/* Blocked before the first thread is made, so that only sigwait sees them. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	setMsgSeverity(L_SEVERITY_NONE);
	rc = desk_init(&desk, ".", e);
	if (rc == 0)
		rc = run_desk(o, &desk, &ends, e);
	desk_fini(&desk);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {options, option, NULL,
		"Reads number plates for whoever asks over HTTP.", NULL, NULL, NULL};
	struct order o = {0};
	struct err e;

	reader_limit_threads(argv);
	log_init("ocr-serve", LOG_FORM_TEXT, LOG_INFO);
	if (port_from_env(&o.port, &e) < 0) {
		fprintf(stderr, "ocr-serve: %s\n", e.text);
		return err_exit(e.code);
	}
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return err_exit(ERR_USAGE);
	if (run(&o, &e) < 0) {
		log_err(LOG_ID_ACTION_FAILED, &e, "action=serve");
		return err_exit(e.code);
	}
	return 0;
}
