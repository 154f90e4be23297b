/* Runs every attack of the table, several at once, each in a process and a folder of its own, and
 * compares the table with the list of attacks. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/attack/attack.h"

#define LIST "docs/attacks.md"

static const struct attack attacks[] = {
#define X(group, name, defender, kind, code)                                                       \
	{#group, #name, #defender, ATTACK_##kind, ERR_##code, attack_##name},
	ATTACKS(X)
#undef X
};

/* ---- the usual course ---- */

static void spoil_and_ask(struct bed *b, void (*spoil)(struct bed *b), enum attack_kind kind)
{
	struct before before, after;

	bed_serve(b);
	spoil(b);
	if (!b->saved)
		bed_publish(b);
	judge_look(b, kind, &before);
	device_ask(b);
	judge_look(b, kind, &after);
	judge_unchanged(b, &before, &after);
	before_fini(&before);
	before_fini(&after);
	httpd_free(&b->server);
}

static void judge_verdict(struct bed *b, enum attack_kind kind, enum err_code code)
{
	const struct verdict *v = &b->verdict;
	bool told = strcmp(v->kind, kind == ATTACK_FAILED ? "outcome" : "refused") == 0;

	if (v->code != code)
		blame(b, "wanted %s, got %s: \"%s\"", err_name(code), err_name(v->code), v->text);
	if (kind != ATTACK_FAILED && v->exit != err_exit(code))
		fail_msg("the agent ended with %d", v->exit);
	/* What may pass, such as a network that fails, is only in the log. */
	if (!told && kind != ATTACK_MUTED && err_retry(code) != ERR_RETRY_SOON &&
		code != ERR_NOT_FOUND)
		blame(b, "nobody was told of it");
}

static void wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		exit(1);
}

/* True in the child, which does something and then calls give_back; the parent has the verdict when
 * it returns. */
static bool fork_apart(struct bed *b, int *out_fd)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	*out_fd = fds[1];
	if (pid == 0)
		return true;
	wait_for(pid);
	assert_int_equal(read(fds[0], &b->verdict, sizeof b->verdict), sizeof b->verdict);
	close(fds[0]);
	close(fds[1]);
	return false;
}

static void give_back(const struct bed *b, int fd)
{
	_exit(write(fd, &b->verdict, sizeof b->verdict) == sizeof b->verdict ? 0 : 1);
}

void attack_try(
	struct bed *b, void (*spoil)(struct bed *b), enum attack_kind kind, enum err_code code)
{
	int fd;

	if (!fork_apart(b, &fd))
		return;
	spoil_and_ask(b, spoil, kind);
	judge_verdict(b, kind, code);
	device_must_run(b, 1);
	give_back(b, fd);
}

void attack_apart(struct bed *b, void (*what)(struct bed *b))
{
	char dir[sizeof b->dir + 8];
	int fd;

	if (!fork_apart(b, &fd))
		return;
	snprintf(dir, sizeof dir, "%s.apart", b->dir);
	bed_copy(b, dir);
	what(b);
	bed_discard(b);
	give_back(b, fd);
}

void attack_heal(struct bed *b)
{
	struct verdict kept = b->verdict;

	b->net_conf[0] = '\0'; /* impatience was for the attack: a good update may take its time */
	/* A root that was accepted meanwhile stays, and gets a successor. */
	if (b->attack->kind == ATTACK_ROOTED) {
		trepo_set_version(&b->image, TREPO_ROOT, 3);
		trepo_set_version(&b->director, TREPO_ROOT, 3);
	} else {
		bed_restore(b);
	}
	bed_offer(b, &b->good);
	bed_set_versions(b, VERSION_AGAIN);
	bed_publish(b);
	bed_serve(b);
	device_ask(b);
	if (b->verdict.exit != 0)
		blame(b, "the next good update: %s: %s", err_name(b->verdict.code),
			b->verdict.text);
	device_must_run(b, 2);
	httpd_free(&b->server);
	b->verdict = kept;
}

/* One attack, on its way through cmocka, which shows what an expectation saw. */
struct turn {
	struct bed *bed;
	const struct attack *attack;
	const char *dir;
};

static void print_verdict(const struct turn *t)
{
	const struct verdict *v = &t->bed->verdict;
	char path[320];
	FILE *f;

	snprintf(path, sizeof path, "%s.verdict", t->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "%s: %s\n", err_name(v->code), v->text);
	assert_int_equal(fclose(f), 0);
}

static void run_one(void **state)
{
	struct turn *t = *state;
	const struct attack *a = t->attack;
	struct bed *b = t->bed;

	bed_copy(b, t->dir);
	b->attack = a;
	if (a->kind == ATTACK_OWN) {
		a->run(b);
	} else {
		attack_try(b, a->run, a->kind, a->code);
		attack_heal(b);
	}
	if (b->verdict.code != a->code)
		blame(b, "wanted %s, got %s: \"%s\"", err_name(a->code), err_name(b->verdict.code),
			b->verdict.text);
	print_verdict(t);
}

/* ---- many at once ---- */

struct work {
	const struct attack *attack;
	pid_t pid;
	char dir[300];
	char why[500];
	bool ended, failed;
};

/* What it prints goes into files beside its folder, to be shown in the table's order. */
static void begin(struct bed *b, struct work *w)
{
	char out[320];

	w->pid = fork();
	if (w->pid < 0) {
		perror("fork");
		exit(1);
	}
	if (w->pid > 0)
		return;
	snprintf(out, sizeof out, "%s.out", w->dir);
	if (!freopen(out, "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		_exit(1);
	const struct CMUnitTest test[] = {cmocka_unit_test_prestate(
		run_one, &((struct turn){.bed = b, .attack = w->attack, .dir = w->dir}))};
	int failed = cmocka_run_group_tests(test, NULL, NULL);
	fflush(stdout);
	_exit(failed);
}

static void remove_folder(const char *dir)
{
	char command[1000];

	snprintf(command, sizeof command, "rm -rf '%s' '%s.out' '%s.verdict'", dir, dir, dir);
	if (system(command) != 0)
		fprintf(stderr, "%s cannot be removed\n", dir);
}

/* Of a file beside the test's folder. */
static void show_file(const struct work *w, const char *end, const char *before, unsigned lines)
{
	char path[320], line[2048];
	FILE *f;

	snprintf(path, sizeof path, "%s.%s", w->dir, end);
	f = fopen(path, "re");
	for (; f && lines > 0 && fgets(line, sizeof line, f); lines--)
		printf("%s%s", before, line);
	if (f)
		fclose(f);
}

/* The names of those that failed stand in the last lines as well: a log is often shortened. */
static void show_failed(const struct work *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].failed)
			printf("FAILED %s: %s\n", v[i].attack->name, v[i].why);
}

/* The line that says what was not as it should be, without the place in the source. */
static void remember_why(struct work *w)
{
	char path[320], line[sizeof w->why];
	FILE *f;

	snprintf(path, sizeof path, "%s.out", w->dir);
	f = fopen(path, "re");
	snprintf(w->why, sizeof w->why, "it ended without a word");
	while (f && fgets(line, sizeof line, f))
		if (strchr(line, '\n') && !strchr("[\n", line[0])) {
			*strchr(line, '\n') = '\0';
			snprintf(w->why, sizeof w->why, "%s", line);
			break;
		}
	if (f)
		fclose(f);
}

static void show(struct work *w)
{
	printf("%-10s %-6s %-48s", w->attack->group, w->failed ? "FAILED" : "held",
		w->attack->name);
	if (w->failed) {
		putchar('\n');
		remember_why(w);
		show_file(w, "out", "    ", 100);
	} else {
		show_file(w, "verdict", " ", 1);
	}
	fflush(stdout);
	remove_folder(w->dir);
}

static void collect(struct work *v, size_t n)
{
	int status;
	pid_t pid = wait(&status);

	for (size_t i = 0; i < n; i++)
		if (v[i].pid == pid) {
			v[i].ended = true;
			v[i].failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
		}
}

static unsigned run_all(struct bed *b, struct work *v, size_t n)
{
	long most = sysconf(_SC_NPROCESSORS_ONLN);
	size_t shown = 0, begun = 0, running = 0;
	unsigned failed = 0;

	while (shown < n) {
		while (begun < n && running < (size_t)MAX(2 * most, 2L)) {
			begin(b, &v[begun++]);
			running++;
		}
		collect(v, begun);
		running--;
		for (; shown < begun && v[shown].ended; shown++) {
			show(&v[shown]);
			failed += v[shown].failed;
		}
	}
	return failed;
}

/* ---- the list ---- */

static bool is_tested(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
		if (str_is(name, attacks[i].name))
			return true;
	return false;
}

/* "| `name` | ..." names an attack; behind a heading "## Not applicable" it stands with the reason
 * why it has no test. */
static bool name_in(struct str line, struct str *out)
{
	const struct str begin = STR("| `");

	if (!str_has_prefix(line, begin.p))
		return false;
	line = (struct str){line.p + begin.n, line.n - begin.n};
	return str_split(&line, '`', out);
}

static bool is_listed(struct str list, const char *name)
{
	struct str line, is;

	while (str_split(&list, '\n', &line))
		if (name_in(line, &is) && str_is(is, name))
			return true;
	return false;
}

struct tally {
	unsigned names, not_applicable, missing;
};

static void count_listed(struct str list, struct tally *t)
{
	struct str line, name;
	bool apply = true;

	while (str_split(&list, '\n', &line)) {
		if (str_has_prefix(line, "## "))
			apply = !str_is(line, "## Not applicable");
		if (!name_in(line, &name))
			continue;
		t->names++;
		t->not_applicable += !apply;
		if (apply == is_tested(name))
			continue;
		t->missing++;
		printf("missing: %.*s %s\n", (int)name.n, name.p,
			apply ? "is listed and has no test"
			      : "has a test and is said not to apply");
	}
}

static void compare(struct tally *t)
{
	BUF_AUTO text = {0};

	source_read(LIST, &text);
	count_listed(buf_str(&text), t);
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++)
		if (!is_listed(buf_str(&text), attacks[i].name)) {
			t->missing++;
			printf("missing: %s is not listed in " LIST "\n", attacks[i].name);
		}
}

/* ---- all ---- */

static bool is_wanted(const struct attack *a, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(a->name, argv[i]))
			return true;
	return argc < 2;
}

/* Words choose the attacks whose names they are part of; without, all run. */
int main(int argc, char **argv)
{
	static struct work v[ARRAY_LEN(attacks)];
	static struct bed bed;
	struct tally tally = {0};
	char cwd[200], dir[256];
	unsigned failed;
	size_t n = 0;

	signal(SIGPIPE, SIG_IGN);
	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(dir, sizeof dir, "%s/first", cwd);
	bed_make(&bed, dir);
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		if (!is_wanted(&attacks[i], argc, argv))
			continue;
		v[n].attack = &attacks[i];
		snprintf(v[n].dir, sizeof v[n].dir, "%s/%s", cwd, attacks[i].name);
		n++;
	}
	failed = run_all(&bed, v, n);
	remove_folder(dir);
	if (argc < 2)
		compare(&tally);
	printf("attacks: %u names listed, %zu tested, %u not applicable, %u missing\n", tally.names,
		n, tally.not_applicable, tally.missing);
	show_failed(v, n);
	printf("%zu passed, %u failed\n", n - failed, failed);
	return failed || tally.missing ? 1 : 0;
}
