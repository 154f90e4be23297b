/* bench_install DIR ROUNDS: the table. With a verb as third argument it is one of its own
 * measurements. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/stage/stage.h"
#include "agent/worker/worker.h"
#include "tests/bench/bench.h"
#include "tests/lib/httpd.h"

#define ROUNDS_MAX 50
#define NOBODY     65534U

void bench_die(const char *what, const char *why)
{
	fprintf(stderr, "bench_install: %s: %s\n", what, why);
	exit(1);
}

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_path(char out[256], const char *dir, const char *name, const char *rest)
{
	snprintf(out, 256, "%s/%s%s", dir, name, rest);
}

void bench_release(const char *dir, const char *name, struct release *out)
{
	char path[400];
	struct fs fs;
	BUF_AUTO text = {0};
	struct err e;

	snprintf(path, sizeof path, "%s/bench-%s.json", name, name);
	if (fs_posix_open(dir, &fs, &e) < 0 ||
		fs_read_file(&fs, path, LIMIT_RELEASE_BYTES, &text, &e) < 0 ||
		release_parse(buf_str(&text), out, &e) < 0)
		bench_die(name, e.text);
	fs_posix_close(&fs);
}

/* ---- measurements, each in a process of its own: "SECONDS SECONDS-OF-READING-BACK" ---- */

/* This very program as the worker, another user where this one is root, as on a device. */
static struct worker *start_worker(const char *url)
{
	static const char *const argv[] = {"bench_install", "--worker", NULL};
	unsigned who = geteuid() == 0 ? NOBODY : 0;

	return worker_new(&(struct worker_conf){
		.program = "/proc/self/exe", .argv = argv, .server = url, .uid = who, .gid = who});
}

static void measure_install(
	const char *dir, const char *name, const char *url, unsigned threads, bool split)
{
	struct http_conf conf = {0};
	struct stage_http http = {.http = &conf, .server = url};
	struct stage_in in = {
		.from = SLOT_NONE, .source = stage_source_http(&http), .overlap = threads > 1};
	struct release *r = mem_new(sizeof *r);
	struct worker *worker = split ? start_worker(url) : NULL;
	struct sha256 content;
	char home[256];
	struct fs fs;
	struct err e;

	if (worker)
		in.source = worker_source(worker);
	bench_release(dir, name, r);
	in.release = r;
	bench_path(home, dir, "home", "");
	mkdir(home, 0755);
	if (fs_posix_open(home, &fs, &e) < 0 || slots_open(&fs, "dir", &in.slots, &e) < 0)
		bench_die(home, e.text);
	slots_set_threads(in.slots, threads);
	double begin = bench_now();
	if (stage_run(&in, &content, &e) < 0)
		bench_die(name, e.text);
	double all = bench_now() - begin;
	/* Sealed already: this time everything is only read back. */
	begin = bench_now();
	if (stage_run(&in, &content, &e) < 0)
		bench_die(name, e.text);
	printf("%f %f\n", all, bench_now() - begin);
	slots_close(&in.slots);
	fs_posix_close(&fs);
	worker_free(&worker);
}

static void measure(char **v)
{
	const char *dir = v[1], *verb = v[3], *name = v[4], *url = v[5];
	char content[256], to[256];

	bench_path(content, dir, name, ".content");
	bench_path(to, dir, "written", "");
	if (strcmp(verb, "install") == 0)
		measure_install(dir, name, url, 2, false);
	else if (strcmp(verb, "install-1") == 0)
		measure_install(dir, name, url, 1, false);
	else if (strcmp(verb, "install-split") == 0)
		measure_install(dir, name, url, 2, true);
	else if (strcmp(verb, "digest") == 0)
		printf("%f 0\n", bench_digest_alone(content));
	else if (strcmp(verb, "write") == 0)
		printf("%f 0\n", bench_write_alone(content, to));
	else if (strcmp(verb, "loop") == 0)
		printf("%f 0\n", bench_loop(url, to));
	else
		bench_die(verb, "no such measurement");
}

/* ---- running them ---- */

struct result {
	double seconds, readback, cpu;
	long rss_kib;
};

static double seconds_of(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* The highest resident size that the kernel saw of the process itself, not of what it was forked
 * from. */
static void run(const char *const argv[], struct result *out)
{
	int pipes[2], status;
	char line[128] = "";
	double begin = bench_now();
	pid_t pid;
	FILE *f;

	if (pipe(pipes) < 0 || (pid = fork()) < 0)
		bench_die("fork", strerror(errno));
	if (pid == 0) {
		dup2(pipes[1], 1);
		close(pipes[0]);
		close(pipes[1]);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(pipes[1]);
	f = fdopen(pipes[0], "r");
	(void)!fgets(line, sizeof line, f);
	while (fgetc(f) != EOF)
		;
	fclose(f);
	struct rusage use;
	if (wait4(pid, &status, 0, &use) != pid || status != 0)
		bench_die(argv[0], "failed");
	*out = (struct result){.seconds = bench_now() - begin,
		.cpu = seconds_of(use.ru_utime) + seconds_of(use.ru_stime),
		.rss_kib = use.ru_maxrss};
	sscanf(line, "%lf %lf", &out->seconds, &out->readback);
}

/* The machine may have handed unused memory back to its host: the first to touch a page again pays
 * for it. Nobody whose time is taken shall be the first. */
static void warm_memory(void)
{
	size_t n = (size_t)2 << 30;
	pid_t pid = fork();

	if (pid == 0) {
		(void)!mmap(NULL, n, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void clean(const char *dir)
{
	struct fs fs;
	struct err e;

	if (fs_posix_open(dir, &fs, &e) < 0 || fs_remove_tree(&fs, "home", &e) < 0 ||
		fs_remove_tree(&fs, "written", &e) < 0)
		bench_die(dir, e.text);
	fs_posix_close(&fs);
	sync();
}

struct row {
	const char *what;
	const char *verb; /* a measurement of this program; NULL: a command */
	bool is_limit;
	struct result r[ROUNDS_MAX];
};

static struct row rows[] = {
	{.what = "`curl -o /dev/null`", .verb = NULL, .is_limit = true},
	{.what = "`zstd -d`", .verb = NULL, .is_limit = true},
	{.what = "SHA-256 alone", .verb = "digest", .is_limit = true},
	{.what = "direct write alone, synced", .verb = "write", .is_limit = true},
	{.what = "bare loop of two threads, nothing checked", .verb = "loop"},
	{.what = "**install**: verified, written, synced", .verb = "install"},
	{.what = "**install and read back** (sealed)", .verb = "install"},
	{.what = "the same in one thread", .verb = "install-1"},
	{.what = "**the same in two processes**, as the agent does it", .verb = "install-split"},
};

enum { ROW_CURL, ROW_ZSTD, ROW_INSTALL = 5, ROW_SEALED = 6 };

static void measure_row(size_t i, unsigned round, const char *self, const char *dir,
	const char *name, const char *base, const char *url, const char *artifact)
{
	const char *verb = rows[i].verb ? rows[i].verb : "";
	bool whole_url = strcmp(verb, "loop") == 0;
	const char *const own[] = {self, dir, "1", verb, name, whole_url ? url : base, NULL};
	const char *const curl[] = {"curl", "-s", "-o", "/dev/null", url, NULL};
	const char *const zstd[] = {
		"sh", "-c", "exec zstd -q -d -c \"$0\" >/dev/null", artifact, NULL};

	clean(dir);
	warm_memory();
	run(i == ROW_CURL ? curl : i == ROW_ZSTD ? zstd : own, &rows[i].r[round]);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct spread {
	double median, min, max;
};

static struct spread spread_of(const struct row *row, unsigned rounds, bool readback)
{
	double v[ROUNDS_MAX] = {0};

	for (unsigned i = 0; i < rounds; i++)
		v[i] = row->r[i].seconds - (readback ? 0 : row->r[i].readback);
	qsort(v, rounds, sizeof *v, by_value);
	return (struct spread){v[rounds / 2], v[0], v[rounds - 1]};
}

static double least_cpu(const struct row *row, unsigned rounds)
{
	double least = row->r[0].cpu;

	for (unsigned i = 1; i < rounds; i++)
		least = MIN(least, row->r[i].cpu);
	return least;
}

static long most_rss(const struct row *row, unsigned rounds)
{
	long most = 0;

	for (unsigned i = 0; i < rounds; i++)
		most = MAX(most, row->r[i].rss_kib);
	return most;
}

static void print_table(const struct bench_case *c, unsigned rounds)
{
	double slowest = 0, mib = (double)c->bytes / (1 << 20);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].is_limit)
			slowest = MAX(slowest, spread_of(&rows[i], rounds, true).median);
	double loop = spread_of(&rows[ROW_INSTALL - 1], rounds, true).median;
	printf("\n### %s, %u interleaved rounds\n\n", c->title, rounds);
	printf("| what | seconds, median (min–max) | MiB/s | of the slowest limit | of the bare loop "
	       "| CPU s | peak RSS MiB |\n|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spread s = spread_of(&rows[i], rounds, i != ROW_INSTALL);

		printf("| %s | %.2f (%.2f–%.2f) | %.0f | %.2f | %.2f | %.2f | %.1f |\n",
			rows[i].what, s.median, s.min, s.max, mib / s.median, slowest / s.median,
			loop / s.median, least_cpu(&rows[i], rounds),
			(double)most_rss(&rows[i], rounds) / 1024);
	}
	fflush(stdout);
}

/* ---- serving, in a process of its own ---- */

static void serve_case(struct httpd *h, const char *dir, const char *name)
{
	struct release *r = mem_new(sizeof *r);
	char path[400], hex[SHA256_TEXT], route[96];
	struct stat st;

	bench_release(dir, name, r);
	sha256_format(&r->components[0].artifact.digest, hex);
	snprintf(path, sizeof path, "%s/%s/artifacts/%s", dir, name, hex);
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		bench_die(path, strerror(errno));
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		bench_die(path, strerror(errno));
	snprintf(route, sizeof route, "/artifacts/%s", hex);
	httpd_put(h, &(struct httpd_file){.path = route, .body = {p, (size_t)st.st_size}});
	free(r);
}

static pid_t serve(const char *dir, char url[64])
{
	int pipes[2];
	pid_t pid;

	if (pipe(pipes) < 0 || (pid = fork()) < 0)
		bench_die("fork", strerror(errno));
	if (pid == 0) {
		struct httpd *h = httpd_new();

		for (size_t i = 0; i < ARRAY_LEN(bench_cases); i++)
			serve_case(h, dir, bench_cases[i].name);
		dprintf(pipes[1], "%s", httpd_url(h));
		close(pipes[1]);
		pause();
		_exit(0);
	}
	close(pipes[1]);
	ssize_t n = read(pipes[0], url, 63);
	url[MAX(n, 0)] = '\0';
	close(pipes[0]);
	return pid;
}

static void bench_one(const char *self, const char *dir, size_t which, unsigned rounds, char *base)
{
	const struct bench_case *c = &bench_cases[which];
	struct release *r = mem_new(sizeof *r);
	char hex[SHA256_TEXT], url[256], artifact[400];

	bench_release(dir, c->name, r);
	sha256_format(&r->components[0].artifact.digest, hex);
	snprintf(url, sizeof url, "%s/artifacts/%s", base, hex);
	snprintf(artifact, sizeof artifact, "%s/%s/artifacts/%s", dir, c->name, hex);
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (i != ROW_SEALED)
				measure_row(i, round, self, dir, c->name, base, url, artifact);
		rows[ROW_SEALED].r[round] = rows[ROW_INSTALL].r[round];
	}
	print_table(c, rounds);
	printf("\nArtifact: %.0f MiB, zstd.\n",
		(double)r->components[0].artifact.length / (1 << 20));
	free(r);
	clean(dir);
}

int main(int argc, char **argv)
{
	char url[64];
	struct err e;

	if (argc == 2 && strcmp(argv[1], "--worker") == 0)
		_exit(serve_run(WORKER_FD, &e) < 0);
	if (argc == 6) {
		measure(argv);
		return 0;
	}
	if (argc != 3)
		bench_die("usage", "bench_install DIR ROUNDS");
	unsigned rounds = (unsigned)MIN(MAX(atoi(argv[2]), 1), ROUNDS_MAX);
	mkdir(argv[1], 0755);
	/* Made by a child: what it takes in memory is not this one's. */
	pid_t maker = fork();
	int status = 1;
	if (maker == 0) {
		bench_data(argv[1]);
		_exit(0);
	}
	if (waitpid(maker, &status, 0) != maker || status != 0)
		bench_die("data", "could not be made");
	pid_t server = serve(argv[1], url);
	for (size_t i = 0; i < ARRAY_LEN(bench_cases); i++)
		bench_one(argv[0], argv[1], i, rounds, url);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	return 0;
}
