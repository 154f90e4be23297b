/* ocr-load: a steady stream of plates to one or more services, and what they made of it, as lines
 * of JSON. */
#include <argp.h>
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/sys/clock.h"
#include "manifests/examples/ocr/stream.h"

#define TARGETS 64

struct order {
	const char *url[TARGETS], *plates;
	unsigned n;
	double rate, seconds, report;
};

static const struct argp_option options[] = {
	{"target", 't', "URL", 0, "A service, http://127.0.0.1:PORT; may be given again", 0},
	{"plates", 'p', "DIR", 0, "Folder of plates with truth.tsv (default: .)", 0},
	{"rate", 'r', "N", 0, "Plates per second and service (default: 5)", 0},
	{"seconds", 's', "N", 0, "When to end (default: at SIGTERM)", 0},
	{"report", 'i', "SECONDS", 0,
		"A line each so many seconds, 0: only at the end (default: 1)", 0},
	{0},
};

static double number(const char *arg, double min, double max, struct argp_state *state)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= min && v <= max))
		argp_error(state, "'%s' is no number from %g to %g", arg, min, max);
	return v;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct order *o = state->input;

	switch (key) {
	case 't':
		if (o->n == TARGETS)
			argp_error(state, "more than %d targets", TARGETS);
		o->url[o->n++] = arg;
		return 0;
	case 'p':
		o->plates = arg;
		return 0;
	case 'r':
		o->rate = number(arg, 0.01, 1000, state);
		return 0;
	case 's':
		o->seconds = number(arg, 0.1, 1e7, state);
		return 0;
	case 'i':
		o->report = number(arg, 0, 3600, state);
		return 0;
	case ARGP_KEY_END:
		if (o->n == 0)
			argp_error(state, "no --target");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_line(struct stream *v, unsigned n, ms_t at, bool final)
{
	json_t *list = json_array();
	BUF_AUTO line = {0};

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, final ? stream_total(&v[i]) : stream_recent(&v[i]));
	json_t *j = json_pack(
		"{s:b, s:I, s:o}", "final", final, "t_ms", (json_int_t)at, "targets", list);

	json_write(j, &line);
	json_decref(j);
	printf("%s\n", buf_cstr(&line));
	fflush(stdout);
}

static ms_t now(void)
{
	return clock_system.mono(clock_system.self);
}

/* Waits for one of the signals for at most `span`. */
static bool is_ended(const sigset_t *ends, ms_t span)
{
	struct timespec t = {.tv_sec = span / 1000, .tv_nsec = span % 1000 * 1000000};

	return sigtimedwait(ends, NULL, &t) > 0;
}

static void watch(const struct order *o, struct stream *v, const sigset_t *ends, ms_t begun)
{
	ms_t end = o->seconds > 0 ? begun + (ms_t)(o->seconds * 1000) : INT64_MAX;
	ms_t period = o->report > 0 ? MAX((ms_t)(o->report * 1000), 1) : SEC(3600);

	for (ms_t next = begun + period; now() < end; next += period) {
		if (is_ended(ends, MAX(MIN(next, end) - now(), 0)))
			break;
		if (o->report > 0)
			print_line(v, o->n, now() - begun, false);
	}
}

static void prepare(const struct order *o, const struct truth *plates, struct stream *v)
{
	uint64_t period = (uint64_t)(1e6 / o->rate);

	for (unsigned i = 0; i < o->n; i++) {
		v[i].url = o->url[i];
		v[i].plates = plates;
		v[i].first = i * plates->n / o->n;
		v[i].period = period;
		/* Spread evenly, so that services on one machine do not all work at the same
		 * instant. */
		v[i].delay = period * i / o->n;
	}
}

static int run(const struct order *o, const sigset_t *ends, struct err *e)
{
	ms_t begun = now();
	struct stream *v CLEANUP(mem_free) = mem_new(o->n * sizeof(*v));
	struct truth plates = {0};
	unsigned running = 0;
	int rc = 0;

	TRY(truth_load(o->plates, &plates, e));
	prepare(o, &plates, v);
	while (rc == 0 && running < o->n) {
		rc = stream_begin(&v[running], e);
		running += rc == 0;
	}
	if (rc == 0) {
		watch(o, v, ends, begun);
		print_line(v, o->n, now() - begun, true);
	}
	for (unsigned i = 0; i < running; i++)
		v[i].stop = true;
	for (unsigned i = 0; i < running; i++)
		stream_end(&v[i]);
	truth_fini(&plates);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {options, option, NULL,
		"Sends a steady stream of plates, and tells what came back as lines of JSON.", NULL,
		NULL, NULL};
	struct order o = {.plates = ".", .rate = 5, .report = 1};
	sigset_t ends;
	struct err e;

	/* Blocked before the first thread is made, so that only sigtimedwait sees them. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return err_exit(ERR_USAGE);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (run(&o, &ends, &e) < 0) {
		fprintf(stderr, "ocr-load: %s\n", e.text);
		return err_exit(e.code);
	}
	curl_global_cleanup();
	return 0;
}
