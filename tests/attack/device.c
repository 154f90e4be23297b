/* The agent as a child process, asked from outside. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/attack/attack.h"

#define PATIENCE_S 60

static void write_conf(const struct bed *b)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof path, "%s/agent.conf", b->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f,
		"[device]\nid = " DEVICE "\nhardware = " HARDWARE "\n"
		"[server]\nurl = %s\n%s"
		"[agent]\nhome = %s\nrun_dir = %s/run\n"
		"[net]\n%s",
		b->url      ? b->url
		: b->server ? httpd_url(b->server)
			    : "",
		b->server_conf, b->home, b->dir, b->net_conf);
	assert_int_equal(fclose(f), 0);
}

/* ---- the process ---- */

/* In the child: a library that comes before the C library's own functions. */
static void preload(const char *shim, const char *variable, long long value)
{
	char library[PATH_MAX], text[24];

	if (!value)
		return;
	snprintf(library, sizeof library, "%s/../tests/attack/shim/%s.so", getenv("BACKSTAY_BIN"),
		shim);
	snprintf(text, sizeof text, "%lld", value);
	setenv("LD_PRELOAD", library, 1);
	setenv(variable, text, 1);
}

struct child {
	pid_t pid;
	int err; /* what it says */
};

static struct child start(const struct bed *b, const char *option, const char *value)
{
	char program[PATH_MAX], conf[300];
	struct child c;
	int fds[2];

	write_conf(b);
	snprintf(program, sizeof program, "%s/backstay-agent", getenv("BACKSTAY_BIN"));
	snprintf(conf, sizeof conf, "%s/agent.conf", b->dir);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(PATIENCE_S); /* the last resort of a test that would wait for ever */
		dup2(fds[1], STDERR_FILENO);
		preload("clock", "BACKSTAY_TEST_CLOCK", b->clock_s);
		preload("cut", "BACKSTAY_TEST_CUT", b->cut_at);
		execl(program, program, "--config", conf, option, value, NULL);
		_exit(127);
	}
	close(fds[1]);
	c.err = fds[0];
	return c;
}

/* False at its end. */
static bool listen_to(struct child *c, struct buf *out)
{
	ssize_t n = read(c->err, buf_reserve(out, 4096), 4096);

	if (n <= 0)
		return false;
	out->n += (size_t)n;
	return true;
}

static int end(struct child *c, const struct buf *log)
{
	int status;

	close(c->err);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM && WTERMSIG(status) != SIGKILL)
		fail_msg("the agent was ended by signal %d\n%.*s", WTERMSIG(status), (int)log->n,
			log->p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int device_provision(struct bed *b, const char *repo, struct buf *out_text)
{
	struct child c = start(b, "--provision", repo);

	while (listen_to(&c, out_text))
		;
	return end(&c, out_text);
}

/* ---- what it says ---- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* The last report that names an error. */
static void read_reports(struct bed *b)
{
	BUF_AUTO posts = {0};
	struct str rest, line;

	if (!b->server)
		return;
	httpd_posts(b->server, &posts);
	rest = buf_str(&posts);
	while (str_split(&rest, '\n', &line)) {
		JSON_AUTO *doc = NULL;

		if (json_read(line, LIMIT_REPORT_BYTES, &doc, NULL) < 0 ||
			strcmp(text_of(doc, "code"), "ok") == 0)
			continue;
		snprintf(b->verdict.kind, sizeof b->verdict.kind, "%s", text_of(doc, "kind"));
		b->verdict.code = err_by_name(text_of(doc, "code"));
		snprintf(b->verdict.text, sizeof b->verdict.text, "%s", text_of(doc, "text"));
	}
}

static void take(struct str s, const char *begin, char end, char *out, size_t cap)
{
	const char *at = memmem(s.p, s.n, begin, strlen(begin));
	const char *stop;

	out[0] = 0;
	if (!at)
		return;
	at += strlen(begin);
	stop = memchr(at, end, (size_t)(s.p + s.n - at));
	if (!stop)
		stop = s.p + s.n;
	snprintf(out, cap, "%.*s", (int)(stop - at), at);
}

/* What failed on the way is not reported, for there was no way; the log has it. */
static void read_log(struct bed *b)
{
	struct str rest = buf_str(&b->log), line;
	char code[32];

	while (str_split(&rest, '\n', &line)) {
		take(line, " error=", ' ', code, sizeof code);
		if (!code[0])
			continue;
		b->verdict.code = err_by_name(code);
		take(line, " reason=\"", '"', b->verdict.text, sizeof b->verdict.text);
		snprintf(b->verdict.kind, sizeof b->verdict.kind, "log");
	}
}

static void read_verdict(struct bed *b, int status)
{
	b->verdict = (struct verdict){.exit = status};
	read_log(b);
	read_reports(b);
}

void device_ask(struct bed *b)
{
	struct child c = start(b, "--once", NULL);

	buf_clear(&b->log);
	while (listen_to(&c, &b->log))
		;
	read_verdict(b, end(&c, &b->log));
}

void device_run_until(struct bed *b, const char *text, int sig)
{
	struct child c = start(b, NULL, NULL);
	bool told = false;

	buf_clear(&b->log);
	while (listen_to(&c, &b->log))
		if (!told && strstr(buf_cstr(&b->log), text)) {
			told = true;
			if (b->meanwhile)
				b->meanwhile(b);
			kill(c.pid, sig);
		}
	read_verdict(b, end(&c, &b->log));
	if (!told)
		blame(b, "the agent ended without \"%s\"", text);
}

bool device_runs(struct bed *b, unsigned n)
{
	char path[400], is[32] = "", want[32];
	FILE *f;

	snprintf(path, sizeof path, "%s/current/code/version", b->home);
	snprintf(want, sizeof want, "toy-%u", n);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(is, sizeof is, f))
			is[0] = 0;
		fclose(f);
	}
	return strcmp(is, want) == 0;
}

void device_must_run(struct bed *b, unsigned n)
{
	if (!device_runs(b, n))
		blame(b, "the device does not run toy-%u", n);
}

json_t *device_status(struct bed *b)
{
	char command[900];
	json_t *status;
	FILE *f;

	snprintf(command, sizeof command,
		"'%s/backstay' status --json --socket '%s/run/agent.sock'", getenv("BACKSTAY_BIN"),
		b->dir);
	f = popen(command, "re");
	assert_non_null(f);
	status = json_loadf(f, 0, NULL);
	if (pclose(f) != 0 || !status)
		blame(b, "no status");
	return status;
}

bool device_cut_at(struct bed *b, unsigned nth)
{
	struct child c;

	b->cut_at = nth;
	c = start(b, "--once", NULL);
	b->cut_at = 0;
	buf_clear(&b->log);
	while (listen_to(&c, &b->log))
		;
	return end(&c, &b->log) == -SIGKILL;
}

void blame(struct bed *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n%s", buf_cstr(&b->log));
	exit(1);
}
