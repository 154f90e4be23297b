/* bench_fleet: simulated devices on real sockets, in several processes that are started again when
 * they are killed. Commands come from standard input, a line each, and are answered by a line:
 *
 *   registered | listening   wait until all devices are
 *   begin                    no device has ended its update from here on
 *   ended                    wait until all have; the answer is how many seconds it took
 *   told                     wait until the server has acknowledged every report
 *   calm | flood             poll as configured, or all the time
 *   measure                  send telemetry from here on
 *   sleep SECONDS
 *   figures                  one line for each, "NAME VALUE", then "end"; counts from anew
 *   quit
 */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/fleet/device.h"
#include "tests/bench/fleet/listen.h"

#define PROCESSES_MAX 512
#define MODE_US       100000U

struct bench {
	struct herd_conf c;
	struct figures *figures;
	unsigned devices, each; /* in one process */
	const char *repo;
	pid_t pid[PROCESSES_MAX];
	unsigned n;
};

/* ---- one process ---- */

struct worker {
	struct herd herd;
	unsigned first, n;
	int mode;
	bool measures;
	struct device *v;
};

static void on_woken(void *ctx, unsigned device, bool retained)
{
	struct worker *w = ctx;

	if (!retained) {
		figures_count(w->herd.figures, COUNT_WAKES);
		figures_woken(w->herd.figures);
	}
	device_wake(&w->v[device - w->first]);
}

static void on_listening(void *ctx, unsigned device, bool is)
{
	struct worker *w = ctx;

	if (is)
		figures_count(w->herd.figures, COUNT_SESSIONS);
	w->herd.figures->dev[device].listening = is;
}

static int on_mode(sd_event_source *s, uint64_t us UNUSED, void *ctx)
{
	struct worker *w = ctx;
	int mode = w->herd.figures->mode;
	bool measures = w->herd.figures->measures;

	if (mode == MODE_END)
		_exit(0);
	if (mode != w->mode || measures != w->measures)
		for (unsigned i = 0; i < w->n; i++)
			device_mode(&w->v[i]);
	w->mode = mode;
	w->measures = measures;
	sd_event_source_set_time_relative(s, MODE_US);
	sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	return 0;
}

static void check(int rc, const struct err *e)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_fleet: %s\n", e->text);
	_exit(1);
}

static void read_roots(struct roots *out, const char *repo)
{
	struct fs fs;
	struct err e = {0};

	check(fs_posix_open(repo, &fs, &e), &e);
	check(fs_read_file(&fs, "director/1.root.json", LIMIT_ROOT_BYTES, &out->director, &e), &e);
	check(fs_read_file(&fs, "image/1.root.json", LIMIT_ROOT_BYTES, &out->image, &e), &e);
	fs_posix_close(&fs);
}

static void work(const struct bench *b, unsigned which)
{
	struct worker *w = mem_new(sizeof *w);
	struct ready *ready;
	struct err e = {0};

	*w = (struct worker){.first = which * b->each};
	w->n = MIN(b->each, b->devices - w->first);
	w->v = mem_new(w->n * sizeof *w->v);
	w->herd = (struct herd){.conf = &b->c, .figures = b->figures};
	w->herd.random.s = figures_now_us() ^ ((uint64_t)getpid() << 32);
	figures_count(b->figures, COUNT_LIVES);
	read_roots(&w->herd.roots, b->repo);
	check(fs_posix_open(b->c.home, &w->herd.home, &e), &e);
	if (sd_event_new(&w->herd.loop) < 0)
		abort();
	ready = ready_new(w->herd.loop);
	w->herd.calls = calls_new(w->herd.loop, ready, b->c.port, b->c.reconnect);
	for (unsigned i = 0; i < w->n; i++)
		device_begin(&w->v[i], &w->herd, w->first + i);
	if (b->c.broker_port) {
		struct listen_conf l = {w->herd.loop, ready, b->c.broker_port, w->first, w->n,
			on_woken, on_listening, w};

		(void)listen_new(&l);
	}
	sd_event_source *mode = NULL;

	if (sd_event_add_time_relative(
		    w->herd.loop, &mode, CLOCK_MONOTONIC, MODE_US, 1000, on_mode, w) < 0)
		abort();
	_exit(sd_event_loop(w->herd.loop) < 0);
}

/* ---- the processes ---- */

static void start(struct bench *b, unsigned which)
{
	for (unsigned i = which * b->each; i < MIN((which + 1) * b->each, b->devices); i++)
		b->figures->dev[i].listening = b->figures->dev[i].told = 0;
	b->pid[which] = fork();
	if (b->pid[which] < 0)
		abort();
	if (b->pid[which] == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(0);
		work(b, which);
	}
}

/* Whoever was killed is started again; whoever has failed ends the bench. */
static void look_after(struct bench *b)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
			fprintf(stderr, "bench_fleet: process %d: status %d\n", (int)pid, status);
			exit(1);
		}
		for (unsigned i = 0; i < b->n; i++)
			if (b->pid[i] == pid)
				start(b, i);
	}
}

/* ---- commands ---- */

static bool all_registered(const struct seen *s)
{
	return s->registered;
}

static bool all_listening(const struct seen *s)
{
	return s->listening;
}

static bool all_ended(const struct seen *s)
{
	return s->ended;
}

static bool all_told(const struct seen *s)
{
	return s->told;
}

static void wait_for_all(struct bench *b, bool (*is)(const struct seen *))
{
	uint64_t began = figures_now_us();
	unsigned i = 0;

	while (i < b->devices) {
		if (is(&b->figures->dev[i])) {
			i++;
			continue;
		}
		look_after(b);
		usleep(5000);
		i = 0;
	}
	printf("%.3f\n", (double)(figures_now_us() - began) / 1e6);
}

static void print_figures(struct bench *b)
{
	static const struct {
		const char *name;
		uint32_t part;
	} parts[] = {{"p50", 500000}, {"p99", 990000}};
	struct figures *f = b->figures;

	for (unsigned c = 0; c < COUNT_MAX; c++)
		printf("%s %llu\n", figures_count_name(c), (unsigned long long)f->count[c]);
	for (unsigned s = 0; s < SPAN_MAX; s++) {
		for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
			printf("%s_%s %.3f\n", figures_span_name(s), parts[i].name,
				(double)figures_quantile(f, s, parts[i].part) / 1000);
		printf("%s_n %llu\n", figures_span_name(s),
			(unsigned long long)figures_timed(f, s));
	}
	printf("end\n");
	figures_clear(f);
}

static void sleep_for(struct bench *b, const char *seconds)
{
	uint64_t until = figures_now_us() + (uint64_t)(atof(seconds) * 1e6);

	while (figures_now_us() < until) {
		look_after(b);
		usleep(5000);
	}
	printf("slept\n");
}

static bool obey(struct bench *b, const char *line)
{
	if (strcmp(line, "registered") == 0) {
		wait_for_all(b, all_registered);
	} else if (strcmp(line, "listening") == 0) {
		wait_for_all(b, all_listening);
	} else if (strcmp(line, "ended") == 0) {
		wait_for_all(b, all_ended);
	} else if (strcmp(line, "told") == 0) {
		wait_for_all(b, all_told);
	} else if (strcmp(line, "begin") == 0) {
		for (unsigned i = 0; i < b->devices; i++)
			b->figures->dev[i].ended = 0;
		printf("begun\n");
	} else if (strcmp(line, "calm") == 0 || strcmp(line, "flood") == 0) {
		b->figures->mode = *line == 'c' ? MODE_CALM : MODE_FLOOD;
		printf("%s\n", line);
	} else if (strcmp(line, "measure") == 0) {
		b->figures->measures = true;
		printf("measuring\n");
	} else if (strncmp(line, "sleep ", 6) == 0) {
		sleep_for(b, line + 6);
	} else if (strcmp(line, "figures") == 0) {
		print_figures(b);
	} else if (strcmp(line, "quit") == 0) {
		return false;
	} else {
		printf("what is '%s'?\n", line);
	}
	return true;
}

static void serve(struct bench *b)
{
	struct pollfd in = {.fd = 0, .events = POLLIN};
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		look_after(b);
		if (poll(&in, 1, 20) <= 0)
			continue;
		if (!fgets(line, sizeof line, stdin))
			break;
		line[strcspn(line, "\n")] = 0;
		if (!obey(b, line))
			break;
	}
	b->figures->mode = MODE_END;
	for (unsigned i = 0; i < b->n; i++)
		(void)waitpid(b->pid[i], NULL, 0);
}

/* ---- options ---- */

/*  letter, name, argument, text */
#define OPTIONS(X)                                                                                 \
	X('n', "devices", "N", "how many (100)")                                                   \
	X('e', "each", "N", "in one process (500)")                                                \
	X('p', "port", "PORT", "of the server on 127.0.0.1")                                       \
	X('b', "broker", "PORT", "of the broker; without: devices only poll")                      \
	X('h', "home", "DIR", "of the devices' files")                                             \
	X('r', "repo", "DIR", "with the first roots")                                              \
	X('i', "runs", "ID", "release that devices run at first")                                  \
	X('d', "digest", "HEX", "of its document")                                                 \
	X('P', "poll", "MS", "between two questions (60000)")                                      \
	X('t', "batch", "MS", "between two batches of telemetry (60000)")                          \
	X('s', "soak", "MS", "of an update (1000)")                                                \
	X('v', "verify-each", "N", "one device in N checks all signatures (100)")                  \
	X('R', "revert", "PPM", "of devices go back by themselves (0)")                            \
	X('F', "fail", "PPM", "of devices give up (0)")                                            \
	X('S', "seed", "N", "decides which (1)")                                                   \
	X('c', "reconnect", NULL, "a connection for each question, as agents do it")               \
	X('a', "artifacts", NULL, "fetch artifacts, too")

static const struct argp_option options[] = {
#define X(letter, name, arg, text) {name, letter, arg, 0, text, 0},
	OPTIONS(X)
#undef X
		{0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct bench *b = state->input;
	uint64_t n = arg ? strtoull(arg, NULL, 10) : 0;
	struct err e;

	switch (key) {
	case 'n':
		b->devices = (unsigned)n;
		return 0;
	case 'e':
		b->each = (unsigned)n;
		return 0;
	case 'p':
		b->c.port = (uint16_t)n;
		return 0;
	case 'b':
		b->c.broker_port = (uint16_t)n;
		return 0;
	case 'h':
		b->c.home = arg;
		return 0;
	case 'r':
		b->repo = arg;
		return 0;
	case 'i':
		snprintf(b->c.runs.s, sizeof b->c.runs.s, "%s", arg);
		return 0;
	case 'd':
		if (sha256_parse(str_of(arg), &b->c.runs_digest, &e) < 0)
			argp_error(state, "%s", e.text);
		return 0;
	case 'P':
		b->c.poll = (ms_t)n;
		return 0;
	case 't':
		b->c.batch = (ms_t)n;
		return 0;
	case 's':
		b->c.soak = (ms_t)n;
		return 0;
	case 'v':
		b->c.verify_each = (unsigned)n;
		return 0;
	case 'R':
		b->c.revert_ppm = (uint32_t)n;
		return 0;
	case 'F':
		b->c.fail_ppm = (uint32_t)n;
		return 0;
	case 'S':
		b->c.seed = n;
		return 0;
	case 'c':
		b->c.reconnect = true;
		return 0;
	case 'a':
		b->c.fetches = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	const struct argp parser = {.options = options, .parser = parse};
	struct bench b = {.devices = 100, .each = 500};

	b.c = (struct herd_conf){.poll = MINUTE(1),
		.batch = MINUTE(1),
		.soak = SEC(1),
		.verify_each = 100,
		.seed = 1};
	argp_parse(&parser, argc, argv, 0, NULL, &b);
	b.n = b.each ? (b.devices + b.each - 1) / b.each : 0;
	if (!b.n || b.n > PROCESSES_MAX || !b.c.home || !b.repo) {
		fprintf(stderr, "bench_fleet: devices, each, home and repo are wanted\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	b.figures = figures_new(b.devices);
	for (unsigned i = 0; i < b.n; i++)
		start(&b, i);
	serve(&b);
	return 0;
}
