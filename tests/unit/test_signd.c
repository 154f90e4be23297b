/* The process that signs, in this one: real keys, store and log in the current folder, releases
 * that people signed; what is shown to it may come from anybody. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/fs.h"
#include "lib/sys/log.h"
#include "keys/ceremony.h"
#include "server/signd/book.h"
#include "server/signd/core/reply.h"
#include "server/signd/signd.h"
#include "tests/lib/paper.h"
#include "tests/lib/softtoken.h"

#define START ((ms_t)1790000000000)
#define MUCH                                                                                       \
	{                                                                                          \
		1000, 1000000                                                                      \
	}

static const char *const shown_first[] = {"root", "targets", "engineering", "safety", "compliance"};

static ms_t now;
static struct signd *signd;
static struct paper toys[3];

static ms_t wall(void *self)
{
	(void)self;
	return now;
}

static const struct clock test_clock = {wall, wall, NULL};

static int open_with(const char *keys, struct err *e)
{
	const struct signd_conf c = {
		.keys = keys,
		.root = "keys/repo/image/1.root.json",
		.data = "signer",
		.limits = {7 * 86400, 7 * 86400, 86400, 90 * 86400, MUCH, MUCH, MUCH, MUCH, MUCH,
			MUCH},
		.clock = &test_clock,
	};

	return signd_open(&c, &signd, e);
}

static int open_signd(struct err *e)
{
	return open_with("keys/online", e);
}

static void reopen(void)
{
	struct err e;

	signd_close(&signd);
	expect_ok(open_signd(&e), &e);
}

/* ---- asking ---- */

struct question {
	struct ask *ask;
	struct buf held[16]; /* files that are shown */
	unsigned n;
};

static void question_open(struct question *q, enum ask_kind kind)
{
	memset(q, 0, sizeof *q);
	q->ask = mem_new(sizeof *q->ask);
	memset(q->ask, 0, sizeof *q->ask);
	q->ask->kind = kind;
	q->ask->image.life_s = q->ask->director.life_s = 86400;
	q->ask->image.timestamp_life_s = q->ask->director.timestamp_life_s = 3600;
}

static void question_close(struct question *q)
{
	for (unsigned i = 0; i < q->n; i++)
		buf_fini(&q->held[i]);
	mem_free(&q->ask);
}
#define QUESTION_AUTO CLEANUP(question_close) struct question

static int put(struct question *q, struct reply *out, struct err *e)
{
	BUF_AUTO frame = {0}, answer = {0};

	ask_format(q->ask, &frame);
	signd_answer(signd, "uid=0 pid=1", buf_str(&frame), &answer);
	return reply_parse(buf_str(&answer), out, e);
}

static void show(struct question *q, const char *role, struct str bytes)
{
	struct ask_file *f = &q->ask->image.files[q->ask->image.n++];
	struct buf *b = &q->held[q->n++];

	buf_add(b, bytes.p, bytes.n);
	snprintf(f->role, sizeof f->role, "%s", role);
	f->bytes = buf_str(b);
}

static void show_file(struct question *q, const char *role, const char *dir, const char *file)
{
	BUF_AUTO bytes = {0};
	struct err e;
	struct fs fs;

	expect_ok(fs_posix_open(dir, &fs, &e), &e);
	expect_ok(fs_read_file(&fs, file, LIMIT_TARGETS_BYTES, &bytes, &e), &e);
	fs_posix_close(&fs);
	show(q, role, buf_str(&bytes));
}

static void show_repo(struct question *q, const char *dir)
{
	for (size_t i = 0; i < ARRAY_LEN(shown_first); i++) {
		char file[64];

		snprintf(file, sizeof file, "1.%s.json", shown_first[i]);
		show_file(q, shown_first[i], dir, file);
	}
}

/* What was published with toy N. */
static void show_toy(struct question *q, unsigned toy)
{
	show_file(q, "root", "keys/repo/image", "1.root.json");
	show_file(q, "targets", "keys/repo/image", "1.targets.json");
	for (size_t i = 0; i < PAPER_ROLES; i++)
		show(q, paper_roles[i], buf_str(&toys[toy - 1].roles[i]));
}

static void has(struct question *q, uint64_t snapshot, uint64_t timestamp)
{
	q->ask->image.want[SIGN_SNAPSHOT].has = snapshot;
	q->ask->image.want[SIGN_TIMESTAMP].has = timestamp;
}

static void order(struct question *q, const char *device, enum desired_order what, unsigned toy)
{
	struct ask_director *d = &q->ask->director;

	snprintf(d->device.s, sizeof d->device.s, "%s", device);
	d->order = what;
	if (what != DESIRED_NOTHING) {
		snprintf(d->path, sizeof d->path, "%s", toys[toy - 1].path);
		digest_of(toys[toy - 1].document.p, toys[toy - 1].document.n, &d->digest);
	}
}

static int direct(const char *device, enum desired_order what, unsigned toy, uint64_t has_version,
	struct reply *out, struct err *e)
{
	QUESTION_AUTO q;

	question_open(&q, ASK_DIRECTOR);
	order(&q, device, what, toy);
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		q.ask->director.want[f].has = has_version;
	return put(&q, out, e);
}

static int show_all_of(unsigned toy, struct reply *out, struct err *e)
{
	QUESTION_AUTO q;

	question_open(&q, ASK_IMAGE);
	show_toy(&q, toy);
	return put(&q, out, e);
}

static struct reply *reply_new(void)
{
	struct reply *r = mem_new(sizeof *r);

	memset(r, 0, sizeof *r);
	return r;
}

static void reply_free(struct reply **r)
{
	reply_fini(*r);
	mem_free(r);
}
#define REPLY_NEW(name) CLEANUP(reply_free) struct reply *name = reply_new()

/* ---- the tests ---- */

static int begin(void **state)
{
	struct err e;

	(void)state;
	log_init("test", LOG_FORM_TEXT, LOG_CRIT);
	now = START;
	if (system("rm -rf signer") != 0)
		return -1;
	expect_ok(open_signd(&e), &e);
	return 0;
}

static int end(void **state)
{
	struct chain at;
	struct err e;

	(void)state;
	signd_close(&signd);
	expect_ok(book_verify("signer/" SIGND_LOG, &at, &e), &e);
	return 0;
}

static void nothing_is_ordered_before_the_repository_was_shown(void **state)
{
	REPLY_NEW(r);
	struct err e;

	(void)state;
	expect_err(direct("lane-1", DESIRED_INSTALL, 1, 0, r, &e), &e, ERR_UNSIGNED, NULL, "early");
	expect_ok(direct("lane-1", DESIRED_NOTHING, 0, 0, r, &e), &e);
}

/* As a device does it: the files of both repositories, from the provisioned roots. */
static void a_device_believes_what_is_signed(void **state)
{
	struct trusted_set director CLEANUP(trusted_fini), image CLEANUP(trusted_fini);
	struct device_facts facts = {.device = {"lane-1"}, .hardware = "edge"};
	struct desired d;
	QUESTION_AUTO roots;
	REPLY_NEW(im);
	REPLY_NEW(dir);
	struct err e;
	bool changed;

	(void)state;
	question_open(&roots, ASK_IMAGE);
	show_file(&roots, "root", "keys/repo/director", "1.root.json");
	show_toy(&roots, 2);
	expect_ok(show_all_of(2, im, &e), &e);
	expect_ok(direct("lane-1", DESIRED_INSTALL, 2, 0, dir, &e), &e);
	assert_int_equal(dir->made, 3);
	trusted_init(&director, now / 1000);
	expect_ok(trusted_load_root(&director, roots.ask->image.files[0].bytes, &e), &e);
	expect_ok(trusted_timestamp(&director, buf_str(&dir->files[2].bytes), &changed, &e), &e);
	expect_ok(trusted_snapshot(&director, buf_str(&dir->files[1].bytes), &e), &e);
	expect_ok(trusted_targets(&director, buf_str(&dir->files[0].bytes), &e), &e);
	trusted_init(&image, now / 1000);
	expect_ok(trusted_load_root(&image, roots.ask->image.files[1].bytes, &e), &e);
	expect_ok(trusted_timestamp(&image, buf_str(&im->files[1].bytes), &changed, &e), &e);
	expect_ok(trusted_snapshot(&image, buf_str(&im->files[0].bytes), &e), &e);
	expect_ok(trusted_targets(&image, roots.ask->image.files[2].bytes, &e), &e);
	for (size_t i = 0; i < PAPER_ROLES; i++)
		expect_ok(trusted_delegated(
				  &image, paper_roles[i], roots.ask->image.files[3 + i].bytes, &e),
			&e);
	expect_ok(director_read(&director, &facts, &d, &e), &e);
	expect_ok(director_agree(&director, &image, &facts, &d, &e), &e);
	expect_text(d.path, toys[1].path);
}

static void the_same_question_gets_the_same_answer(void **state)
{
	REPLY_NEW(im);
	REPLY_NEW(once);
	REPLY_NEW(twice);
	struct err e;

	(void)state;
	expect_ok(show_all_of(2, im, &e), &e);
	expect_ok(direct("lane-1", DESIRED_INSTALL, 2, 0, once, &e), &e);
	reopen();
	now += SEC(60);
	expect_ok(direct("lane-1", DESIRED_INSTALL, 2, 0, twice, &e), &e);
	assert_int_equal(twice->made, 0);
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		assert_true(
			str_eq(buf_str(&twice->files[f].bytes), buf_str(&once->files[f].bytes)));
	reply_fini(im);
	expect_ok(show_all_of(2, im, &e), &e);
	assert_int_equal(im->made, 0);
}

/* ---- a server that was taken over ---- */

static void what_was_shown_before_is_not_taken_back(void **state)
{
	REPLY_NEW(r);
	REPLY_NEW(again);
	struct err e;

	(void)state;
	expect_ok(show_all_of(3, r, &e), &e);
	expect_ok(show_all_of(2, again, &e), &e);
	/* nothing was signed, and the newer files are handed back */
	assert_int_equal(again->made, 0);
	assert_int_equal(again->n, 2 + PAPER_ROLES);
	for (size_t i = 0; i < PAPER_ROLES; i++)
		assert_true(str_eq(buf_str(&reply_find(again, paper_roles[i])->bytes),
			buf_str(&toys[2].roles[i])));
}

static void keep_only(struct question *q, const char *but, const char *file_of_foreign)
{
	show_file(q, "root", "keys/repo/image", "1.root.json");
	show_file(q, "targets", "keys/repo/image", "1.targets.json");
	for (size_t i = 0; i < PAPER_ROLES; i++)
		if (strcmp(paper_roles[i], but) != 0)
			show(q, paper_roles[i], buf_str(&toys[1].roles[i]));
		else if (file_of_foreign)
			show_file(q, but, "foreign/repo/image", file_of_foreign);
}

static void foreign_targets(struct question *q)
{
	show_file(q, "root", "keys/repo/image", "1.root.json");
	show_file(q, "targets", "foreign/repo/image", "1.targets.json");
}

static void foreign_everything(struct question *q)
{
	show_repo(q, "foreign/repo/image");
}

static void foreign_role(struct question *q)
{
	keep_only(q, "safety", "1.safety.json");
}

static void next_root_by_others(struct question *q)
{
	char *p;

	show_file(q, "root", "foreign/repo/image", "1.root.json");
	/* made to look like the next one; its signatures no longer fit, nor would they count */
	p = memmem(q->held[0].p, q->held[0].n, "\"version\":1", 11);
	assert_non_null(p);
	p[10] = '2';
}

static void role_that_is_none(struct question *q)
{
	show_toy(q, 2);
	show(q, "janitor", buf_str(&toys[1].roles[0]));
}

static void role_file_of_another_role(struct question *q)
{
	keep_only(q, "safety", NULL);
	show(q, "safety", buf_str(&toys[1].roles[0]));
}

static void altered_role(struct question *q)
{
	char *p;

	show_toy(q, 2);
	p = memmem(q->held[2].p, q->held[2].n, "\"releaseCounter\":", 17);
	assert_non_null(p);
	p[17] = '9';
}

static void snapshot_of_others(struct question *q)
{
	show_toy(q, 2);
	has(q, LIMIT_SIGN_FIRST + 1, 1);
}

static void life_of_years(struct question *q)
{
	show_toy(q, 2);
	q->ask->image.life_s = 1000 * 86400;
}

static void no_targets(struct question *q)
{
	show_file(q, "root", "keys/repo/image", "1.root.json");
}

static void one_role_is_missing(struct question *q)
{
	keep_only(q, "compliance", NULL);
	snprintf(q->ask->image.path, sizeof q->ask->image.path, "%s", toys[1].path);
	digest_of(toys[1].document.p, toys[1].document.n, &q->ask->image.digest);
}

static const struct {
	const char *what;
	void (*show)(struct question *q);
	enum err_code code;
} shows[] = {
	{"foreign targets", foreign_targets, ERR_UNSIGNED},
	{"a foreign repository", foreign_everything, ERR_UNSIGNED},
	{"a foreign role", foreign_role, ERR_UNSIGNED},
	{"a next root by others", next_root_by_others, ERR_UNSIGNED},
	{"a role that is none", role_that_is_none, ERR_UNSIGNED},
	{"a role's file for another role", role_file_of_another_role, ERR_UNSIGNED},
	{"a role's file that was altered", altered_role, ERR_UNSIGNED},
	{"versions from nowhere", snapshot_of_others, ERR_MIXED},
	{"a snapshot for years", life_of_years, ERR_DENIED},
	{"no targets", no_targets, ERR_NOT_FOUND},
	{"a quorum of two", one_role_is_missing, ERR_UNSIGNED},
};

static void what_people_did_not_sign_is_refused(void **state)
{
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shows); i++) {
		REPLY_NEW(r);
		QUESTION_AUTO q;

		question_open(&q, ASK_IMAGE);
		shows[i].show(&q);
		expect_err(put(&q, r, &e), &e, shows[i].code, NULL, shows[i].what);
	}
	/* and nothing of it stuck */
	REPLY_NEW(good);
	expect_ok(show_all_of(2, good, &e), &e);
	assert_int_equal(good->files[0].version, 1);
	assert_int_equal(good->files[1].version, 1);
}

static void a_role_that_was_pinned_does_not_vanish(void **state)
{
	QUESTION_AUTO q;
	REPLY_NEW(r);
	REPLY_NEW(less);
	struct err e;

	(void)state;
	expect_ok(show_all_of(2, r, &e), &e);
	question_open(&q, ASK_IMAGE);
	keep_only(&q, "safety", NULL);
	expect_ok(put(&q, less, &e), &e);
	assert_int_equal(less->made, 0);
	assert_non_null(reply_find(less, "safety"));
}

static void counters_and_versions_survive(void **state)
{
	REPLY_NEW(r);
	REPLY_NEW(second);
	struct err e;

	(void)state;
	expect_ok(show_all_of(3, r, &e), &e);
	reply_fini(r);
	expect_ok(direct("lane-1", DESIRED_INSTALL, 3, 0, r, &e), &e);
	reply_fini(r);
	reopen();
	expect_err(direct("lane-1", DESIRED_INSTALL, 2, 1, r, &e), &e, ERR_ROLLED_BACK, "counter 2",
		"down");
	expect_err(direct("lane-1", DESIRED_ROLLBACK, 1, 1, r, &e), &e, ERR_ROLLED_BACK,
		"counter 1", "two down");
	expect_err(direct("lane-1", DESIRED_ROLLBACK, 2, 9, r, &e), &e, ERR_MIXED, "version 9",
		"another device's version");
	expect_ok(direct("lane-1", DESIRED_ROLLBACK, 2, 1, second, &e), &e);
	assert_int_equal(second->files[SIGN_TARGETS].version, 2);
}

/* ---- the log ---- */

static void a_log_that_is_not_the_own_stops_it(void **state)
{
	REPLY_NEW(r);
	struct err e;

	(void)state;
	expect_ok(show_all_of(2, r, &e), &e);
	signd_close(&signd);
	assert_int_equal(
		system("cp signer/signer.log kept.log && truncate -s -1 signer/signer.log"), 0);
	expect_err(open_signd(&e), &e, ERR_ALTERED, "bytes", "cut");
	assert_int_equal(system("rm signer/signer.log"), 0);
	expect_err(open_signd(&e), &e, ERR_ALTERED, "bytes", "removed");
	assert_int_equal(system("mv kept.log signer/signer.log"), 0);
	expect_ok(open_signd(&e), &e);
}

/* What devices have seen is taken up from the server, and the log goes on. */
static void a_store_that_is_lost_is_begun_anew(void **state)
{
	REPLY_NEW(r);
	REPLY_NEW(dir);
	struct err e;
	uint64_t lines;

	(void)state;
	expect_ok(show_all_of(2, r, &e), &e);
	lines = r->line;
	reply_fini(r);
	signd_close(&signd);
	assert_int_equal(system("rm signer/signer.db*"), 0);
	expect_ok(open_signd(&e), &e);
	expect_ok(show_all_of(2, r, &e), &e);
	assert_int_equal(r->line, lines + 2);
	expect_ok(direct("lane-1", DESIRED_INSTALL, 2, 57, dir, &e), &e);
	assert_int_equal(dir->files[SIGN_TARGETS].version, 58);
	assert_int_equal(dir->files[SIGN_TIMESTAMP].version, 58);
}

static void two_do_not_sign_in_one_place(void **state)
{
	struct signd *first = signd;
	struct err e;

	(void)state;
	signd = NULL;
	expect_err(open_signd(&e), &e, ERR_BUSY, "another process", "second");
	signd = first;
}

static void a_flood_of_refusals_does_not_fill_the_disk(void **state)
{
	struct chain at;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 1500; i++) {
		BUF_AUTO answer = {0};

		signd_answer(signd, "uid=0 pid=1", STR("{\"ask\":\"all\"}"), &answer);
		assert_non_null(strstr(buf_cstr(&answer), "bad_input"));
	}
	expect_ok(book_verify("signer/" SIGND_LOG, &at, &e), &e);
	assert_int_equal(at.n, 1000);
}

/* ---- where the keys are ---- */

static const char *const online[] = {"image-snapshot", "image-timestamp", "director-targets",
	"director-snapshot", "director-timestamp"};

/* A folder that says of each key where in a token it is, and the token. */
static void move_into_token(const char *name)
{
	struct sign_key key;
	BUF_AUTO pem = {0};
	char path[80], uri[256];
	struct err e;
	struct fs fs;

	snprintf(path, sizeof path, "%s.pem", name);
	expect_ok(fs_posix_open("keys/online", &fs, &e), &e);
	expect_ok(fs_read_file(&fs, path, 16384, &pem, &e), &e);
	fs_posix_close(&fs);
	expect_ok(sign_key_decode(name, buf_str(&pem), &key, &e), &e);
	softtoken_import("hsm", name, &key);
	sign_key_fini(&key);
	softtoken_uri("hsm", name, uri);
	snprintf(path, sizeof path, "token/%s.p11", name);
	softtoken_write(path, uri, 0600);
}

static void keys_may_be_in_a_token(void **state)
{
	REPLY_NEW(im);
	REPLY_NEW(dir);
	struct err e;

	(void)state;
	softtoken_make("hsm");
	assert_int_equal(system("rm -rf token && mkdir -m 700 token"), 0);
	softtoken_write("token/pin", SOFTTOKEN_PIN "\n", 0600);
	for (size_t i = 0; i < ARRAY_LEN(online); i++)
		move_into_token(online[i]);
	signd_close(&signd);
	expect_ok(open_with("token", &e), &e);
	expect_ok(show_all_of(2, im, &e), &e); /* which a device's code has believed */
	assert_int_equal(im->made, 2);
	expect_ok(direct("lane-1", DESIRED_INSTALL, 2, 0, dir, &e), &e);
	assert_int_equal(dir->made, 3);
	signd_close(&signd);
	assert_int_equal(system("rm token/director-snapshot.p11"), 0);
	expect_err(open_with("token", &e), &e, ERR_NOT_FOUND, "director-snapshot", "a key less");
	expect_ok(open_signd(&e), &e);
}

/* toy-1 to toy-3, each of which allows to go back to the one before. */
static int make(void **state)
{
	static const char *const ids[] = {"toy-1", "toy-2", "toy-3"};
	struct err e;

	(void)state;
	paper_folder(START / 1000);
	for (unsigned i = 0; i < 3; i++)
		paper_sign(ids[i], i + 1, i ? ids[i - 1] : NULL, START / 1000, &toys[i]);
	if (access("foreign", F_OK) < 0)
		expect_ok(ceremony_init("foreign", START / 1000, &e), &e);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		paper_fini(&toys[i]);
	return system("rm -rf signer keys signed foreign token hsm* toy-*.json kept.log");
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_ordered_before_the_repository_was_shown),
		T(a_device_believes_what_is_signed),
		T(the_same_question_gets_the_same_answer),
		T(what_was_shown_before_is_not_taken_back),
		T(what_people_did_not_sign_is_refused),
		T(a_role_that_was_pinned_does_not_vanish),
		T(counters_and_versions_survive),
		T(a_log_that_is_not_the_own_stops_it),
		T(a_store_that_is_lost_is_begun_anew),
		T(two_do_not_sign_in_one_place),
		T(keys_may_be_in_a_token),
		T(a_flood_of_refusals_does_not_fill_the_disk),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
