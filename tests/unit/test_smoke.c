#include "tests/lib/expect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/smoke/smoke.h"
#include "tests/lib/webtest.h"

/* ---- the release's own server: this program, started again from the slot ---- */

static void serve_answer(void *ctx, const struct webtest_request *rq, struct webtest_reply *out)
{
	atomic_int *n = ctx;

	if (strcmp(rq->path, "/loading") == 0 && ++*n < 3)
		out->status = 503;
	else if (strcmp(rq->path, "/broken") == 0)
		out->status = 500;
	else if (strcmp(rq->path, "/hang") == 0)
		out->hang = true;
	buf_addf(&out->body, "read %s in %s", rq->path, getenv("BACKSTAY_SLOT_DIR"));
}

_Noreturn static void serve(void)
{
	static atomic_int n;

	webtest_open((unsigned)atoi(getenv("BACKSTAY_PORT")), serve_answer, &n);
	puts("serving");
	fflush(stdout);
	for (;;)
		pause();
}

/* ---- a slot and a release ---- */

struct world {
	char slot[200], tmp[220], self[300];
	struct release *release;
	struct smoke_in in;
};

static int begin(void **state)
{
	struct world *w = mem_new(sizeof *w);
	char cwd[150];
	ssize_t n;

	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(w->slot, sizeof w->slot, "%s/slot.XXXXXX", cwd);
	assert_non_null(mkdtemp(w->slot));
	assert_int_equal(chmod(w->slot, 0755), 0);
	snprintf(w->tmp, sizeof w->tmp, "%s.tmp", w->slot);
	n = readlink("/proc/self/exe", w->self, sizeof w->self - 1);
	assert_true(n > 0);
	assert_int_equal(chdir(w->slot), 0);
	assert_int_equal(symlink(w->self, "server"), 0);
	assert_int_equal(mkdir("data", 0755), 0);
	assert_int_equal(chdir(cwd), 0);
	w->release = mem_new(sizeof *w->release);
	w->in = (struct smoke_in){.slot_dir = w->slot, .tmp_dir = w->tmp, .release = w->release};
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	mem_free(&w->release);
	mem_free(&w);
	return 0;
}

static struct smoke_test *add(struct world *w, const char *name, const char *const *argv)
{
	struct smoke_test *t = &w->release->smoke[w->release->n_smoke++];

	*t = (struct smoke_test){.timeout = SEC(60)};
	strcpy(t->name, name);
	for (; *argv; argv++)
		strcpy(t->argv[t->argc++], *argv);
	return t;
}

static struct smoke_test *add_sh(struct world *w, const char *name, const char *text)
{
	return add(w, name, (const char *const[]){"sh", "-c", text, NULL});
}

static struct smoke_test *add_http(struct world *w, const char *path)
{
	struct smoke_test *t = add(w, "ask", (const char *const[]){"./server", "--serve", NULL});

	t->kind = SMOKE_HTTP;
	t->expect_status = 200;
	strcpy(t->path, path);
	return t;
}

static unsigned entries(const char *dir)
{
	char command[300];
	unsigned n;
	FILE *f;

	snprintf(command, sizeof command, "ls -A %s | wc -l", dir);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

/* ---- exec ---- */

static const struct {
	const char *name, *text, *error, *log;
	ms_t timeout;
	uint64_t memory;
	enum err_code code;
} execs[] = {
	{"passes", "exit 0", NULL, "t: passed in", SEC(60), 0, ERR_OK},
	{"sees the slot", "[ \"$PWD\" = \"$BACKSTAY_SLOT_DIR\" ] && [ -d data ]", NULL, "passed",
		SEC(60), 0, ERR_OK},
	{"may write its own folder", "echo x >$TMPDIR/f && [ $TMPDIR = $HOME ]", NULL, "passed",
		SEC(60), 0, ERR_OK},
	{"has no port", "[ -z \"$BACKSTAY_PORT\" ]", NULL, "passed", SEC(60), 0, ERR_OK},
	{"fails", "echo one; echo wrong letters; exit 3", "smoke test t: exit 3: wrong letters",
		"one\nwrong letters\n", SEC(60), 0, ERR_SMOKE_FAILED},
	{"fails silently", "exit 1", "smoke test t: exit 1", "", SEC(60), 0, ERR_SMOKE_FAILED},
	{"is killed", "kill -11 $$", "signal 11", "", SEC(60), 0, ERR_SMOKE_FAILED},
	{"takes too long", "echo begun; sleep 1000", "not done within 0.2 s: begun", "begun\n", 200,
		0, ERR_SMOKE_FAILED},
	{"has its memory", "[ $(ulimit -v) = 131072 ]", NULL, "passed", SEC(60), 128 << 20, ERR_OK},
	{"has the device's memory", "[ $(ulimit -v) = 262144 ]", NULL, "passed", SEC(60), 0,
		ERR_OK},
	{"prints what is not printable", "printf 'a\\033[31mb\\n'; exit 1", "exit 1: a?[31mb", NULL,
		SEC(60), 0, ERR_SMOKE_FAILED},
};

static void exec_tests_judge_a_release(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(execs); i++) {
		BUF_AUTO log = {0};
		struct smoke_test *t;
		struct world *w;
		struct err e;
		void *mine;

		begin(&mine);
		w = mine;
		w->in.max_memory = 256 << 20;
		t = add_sh(w, "t", execs[i].text);
		t->timeout = execs[i].timeout;
		t->max_memory = execs[i].memory;
		if (execs[i].code == ERR_OK)
			expect_ok(smoke_run(&w->in, &log, &e), &e);
		else
			expect_err(smoke_run(&w->in, &log, &e), &e, execs[i].code, execs[i].error,
				execs[i].name);
		if (execs[i].log && !strstr(buf_cstr(&log), execs[i].log))
			fail_msg("%s: the log is \"%s\"", execs[i].name, buf_cstr(&log));
		assert_int_equal(entries(w->tmp), 0);
		end(&mine);
	}
}

static void a_program_that_is_not_there_is_the_releases_fault(void **state)
{
	struct world *w = *state;
	BUF_AUTO log = {0};
	struct err e;

	add(w, "absent", (const char *const[]){"./bin/check", NULL});
	expect_err(smoke_run(&w->in, &log, &e), &e, ERR_SMOKE_FAILED, "./bin/check", "absent");
}

static void the_first_failure_ends_it(void **state)
{
	struct world *w = *state;
	BUF_AUTO log = {0};
	struct err e;

	add_sh(w, "one", "touch $TMPDIR/one");
	add_sh(w, "two", "echo $(ls -A $TMPDIR | wc -l) files; exit 2");
	add_sh(w, "three", "touch ../three");
	expect_err(smoke_run(&w->in, &log, &e), &e, ERR_SMOKE_FAILED,
		"smoke test two: exit 2: 0 files", "two");
	expect_text(buf_cstr(&log), "0 files\n");
	assert_int_equal(access("three", F_OK), -1);
}

static void no_test_is_no_failure(void **state)
{
	struct world *w = *state;
	BUF_AUTO log = {0};
	struct err e;

	expect_ok(smoke_run(&w->in, &log, &e), &e);
	assert_int_equal(log.n, 0);
	assert_int_equal(access(w->tmp, F_OK), -1);
}

static const char *const changes[] = {
	"echo x >data/new",
	"chmod 0700 data",
	"rmdir data",
	"rm server; ln -s elsewhere server",
};

/* A root's test cannot; anybody else's is caught. */
static void who_changes_the_slot_has_failed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		BUF_AUTO log = {0};
		struct world *w;
		struct err e;
		char text[200];
		void *mine;

		begin(&mine);
		w = mine;
		/* Its own exit status is hidden: only the slot may tell. */
		snprintf(text, sizeof text, "%s; touch data/mark; exit 0", changes[i]);
		add_sh(w, "vandal", text);
		if (smoke_run(&w->in, &log, &e) == 0)
			assert_int_equal(geteuid(), 0);
		else
			expect_text(e.text, "smoke test vandal: it changed the slot");
		if (geteuid() == 0)
			assert_int_equal(entries(w->slot), 2);
		end(&mine);
	}
}

/* The temporary folders of a test are closed to others. */
static void let_others_through(const char *dir)
{
	struct stat st;

	assert_int_equal(stat(dir, &st), 0);
	if (!(st.st_mode & S_IXOTH))
		assert_int_equal(chmod(dir, (st.st_mode & 07777) | S_IXOTH), 0);
}

static void a_test_may_run_as_somebody_else(void **state)
{
	struct world *w = *state;
	BUF_AUTO log = {0};
	struct err e;

	if (geteuid() != 0)
		skip();
	let_others_through(".");
	let_others_through("..");
	w->in.uid = w->in.gid = 65534;
	add_sh(w, "who", "[ $(id -u):$(id -g) = 65534:65534 ] && echo x >$TMPDIR/f");
	expect_ok(smoke_run(&w->in, &log, &e), &e);
}

static void *set_flag(void *flag)
{
	usleep(50000);
	atomic_store((atomic_bool *)flag, true);
	return NULL;
}

static void expect_cancelled(struct world *w)
{
	atomic_bool cancel = false;
	BUF_AUTO log = {0};
	pthread_t t;
	struct err e;

	w->in.cancel = &cancel;
	assert_int_equal(pthread_create(&t, NULL, set_flag, &cancel), 0);
	expect_err(smoke_run(&w->in, &log, &e), &e, ERR_CANCELLED, NULL, "cancelled");
	pthread_join(t, NULL);
}

static void an_exec_test_can_be_cancelled(void **state)
{
	add_sh(*state, "long", "sleep 1000");
	expect_cancelled(*state);
}

static void an_http_test_can_be_cancelled(void **state)
{
	add_http(*state, "/hang");
	expect_cancelled(*state);
}

/* ---- HTTP ---- */

static const struct {
	const char *name, *path, *body;
	uint32_t status;
	ms_t timeout;
	enum err_code code;
	const char *text;
} asks[] = {
	{"answers", "/infer?x=1", "", 200, SEC(60), ERR_OK, "ask: passed"},
	{"from this slot", "/infer", "read /infer in /", 200, SEC(60), ERR_OK, "ask: passed"},
	{"is loading at first", "/loading", "read /loading", 200, SEC(60), ERR_OK, "ask: passed"},
	{"another status", "/broken", "", 200, SEC(60), ERR_SMOKE_FAILED,
		"smoke test ask: /broken answers 500, not 200"},
	{"a status that is wanted", "/broken", "", 500, SEC(60), ERR_OK, "ask: passed"},
	{"another body", "/infer", "KA-B5", 200, SEC(60), ERR_SMOKE_FAILED,
		"answers without \"KA-B5\""},
	{"503 may be wanted", "/loading", "", 503, SEC(60), ERR_OK, "ask: passed"},
	{"never answers", "/hang", "", 200, 500, ERR_SMOKE_FAILED, "no answer within 0.5 s"},
};

static void http_tests_judge_a_private_instance(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		BUF_AUTO log = {0};
		struct smoke_test *t;
		struct world *w;
		struct err e;
		void *mine;

		begin(&mine);
		w = mine;
		t = add_http(w, asks[i].path);
		t->expect_status = asks[i].status;
		t->timeout = asks[i].timeout;
		strcpy(t->expect_body, asks[i].body);
		if (asks[i].code != ERR_OK) {
			expect_err(smoke_run(&w->in, &log, &e), &e, asks[i].code, asks[i].text,
				asks[i].name);
			if (!strstr(buf_cstr(&log), "serving"))
				fail_msg("%s: the log is \"%s\"", asks[i].name, buf_cstr(&log));
		} else {
			expect_ok(smoke_run(&w->in, &log, &e), &e);
			assert_non_null(strstr(buf_cstr(&log), asks[i].text));
		}
		end(&mine);
	}
}

static const struct {
	const char *text, *error;
} short_lived[] = {
	{"echo no model; exit 4", "the instance did not stay: exit 4: no model"},
	{"exit 0", "the instance did not stay: exit 0"},
	{"kill -6 $$", "the instance did not stay: ended by signal 6"},
};

static void an_instance_that_ends_has_failed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(short_lived); i++) {
		BUF_AUTO log = {0};
		struct smoke_test *t;
		struct world *w;
		struct err e;
		void *mine;

		begin(&mine);
		w = mine;
		t = add_sh(w, "brief", short_lived[i].text);
		t->kind = SMOKE_HTTP;
		t->expect_status = 200;
		strcpy(t->path, "/");
		expect_err(smoke_run(&w->in, &log, &e), &e, ERR_SMOKE_FAILED, short_lived[i].error,
			short_lived[i].text);
		end(&mine);
	}
}

static void nothing_of_an_instance_is_left(void **state)
{
	struct world *w = *state;
	char command[400];
	BUF_AUTO log = {0};
	struct err e;

	add_http(w, "/infer");
	expect_ok(smoke_run(&w->in, &log, &e), &e);
	snprintf(command, sizeof command,
		"for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = %s ] && exit 1; done; exit 0",
		w->slot);
	assert_int_equal(system(command), 0);
}

/* ---- what the device itself cannot do ---- */

static void a_folder_that_cannot_be_used_is_no_verdict(void **state)
{
	struct world *w = *state;
	BUF_AUTO log = {0};
	struct err e;

	add_sh(w, "t", "exit 0");
	w->in.tmp_dir = "/nowhere/tmp";
	assert_true(smoke_run(&w->in, &log, &e) < 0);
	assert_true(e.code != ERR_SMOKE_FAILED);
	assert_non_null(strstr(e.text, "/nowhere/tmp"));
}

static void leftovers_are_cleared_before(void **state)
{
	struct world *w = *state;
	char path[300];
	BUF_AUTO log = {0};
	struct err e;

	assert_int_equal(mkdir(w->tmp, 0700), 0);
	snprintf(path, sizeof path, "%s/old", w->tmp);
	assert_int_equal(mkdir(path, 0500), 0);
	add_sh(w, "t",
		"[ -z \"$(ls -A $TMPDIR)\" ]; mkdir -m 0 $TMPDIR/deep; ln -s / $TMPDIR/root");
	expect_ok(smoke_run(&w->in, &log, &e), &e);
	assert_int_equal(entries(w->tmp), 0);
}

/* ---- images of raw slots ---- */

/* What only root can have, on a machine with loop devices. */
static void need_images(void)
{
	if (geteuid() != 0 || access("/dev/loop-control", W_OK) < 0 ||
		system("command -v mksquashfs >mksquashfs.path") != 0) {
		print_message("images are not tried: no root, loop device or mksquashfs\n");
		skip();
	}
}

static const char *make_image(struct world *w, char path[256])
{
	char command[800];

	snprintf(path, 256, "%s.img", w->slot);
	snprintf(command, sizeof command,
		"rm -rf tree && mkdir tree && echo words >tree/f && "
		"mksquashfs tree %s -quiet -no-progress -noappend >mksquashfs.log 2>&1",
		path);
	assert_int_equal(system(command), 0);
	return path;
}

static bool is_left(const char *image)
{
	char command[400];

	snprintf(command, sizeof command,
		"grep -q '%s' /proc/self/mounts || [ -n \"$(losetup -j '%s')\" ]", image, image);
	return system(command) == 0;
}

static void an_image_is_mounted_for_its_test(void **state)
{
	struct world *w = *state;
	char path[256];
	BUF_AUTO log = {0};
	struct err e;

	need_images();
	w->in.image = make_image(w, path);
	w->in.filesystem = "squashfs";
	add_sh(w, "looks",
		"[ \"$(cat f)\" = words ] && [ ! -e data ] && ! touch x && [ -b $BACKSTAY_SLOT_DEVICE ]");
	add_sh(w, "again", "[ -e $BACKSTAY_SLOT_DIR/f ]");
	expect_ok(smoke_run(&w->in, &log, &e), &e);
	assert_false(is_left(path));
	assert_int_equal(entries(w->slot), 2); /* as before: it was the test's own view */
	add_sh(w, "fails", "exit 3");
	expect_err(smoke_run(&w->in, &log, &e), &e, ERR_SMOKE_FAILED, "exit 3", "a bad image");
	assert_false(is_left(path));
}

/* Says nothing about the release. */
static void an_image_that_cannot_be_mounted_is_no_verdict(void **state)
{
	struct world *w = *state;
	char path[256];
	BUF_AUTO log = {0};
	struct err e;

	need_images();
	add_sh(w, "looks", "exit 0");
	w->in.image = make_image(w, path);
	w->in.filesystem = "erofs";
	expect_err(smoke_run(&w->in, &log, &e), &e, ERR_IO, "image mounted", "another one");
	assert_false(is_left(path));
	w->in.image = "/nowhere/image";
	expect_err(smoke_run(&w->in, &log, &e), &e, ERR_IO, "/nowhere/image", "none");
	w->in.image = path;
	w->in.filesystem = ""; /* not stated: the test has the device alone */
	expect_ok(smoke_run(&w->in, &log, &e), &e);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exec_tests_judge_a_release),
		WORLD_TEST(a_program_that_is_not_there_is_the_releases_fault),
		WORLD_TEST(the_first_failure_ends_it),
		WORLD_TEST(no_test_is_no_failure),
		cmocka_unit_test(who_changes_the_slot_has_failed),
		WORLD_TEST(a_test_may_run_as_somebody_else),
		WORLD_TEST(an_exec_test_can_be_cancelled),
		WORLD_TEST(an_http_test_can_be_cancelled),
		cmocka_unit_test(http_tests_judge_a_private_instance),
		cmocka_unit_test(an_instance_that_ends_has_failed),
		WORLD_TEST(nothing_of_an_instance_is_left),
		WORLD_TEST(a_folder_that_cannot_be_used_is_no_verdict),
		WORLD_TEST(leftovers_are_cleared_before),
		WORLD_TEST(an_image_is_mounted_for_its_test),
		WORLD_TEST(an_image_that_cannot_be_mounted_is_no_verdict),
	};

	if (argc > 1 && strcmp(argv[1], "--serve") == 0)
		serve();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
