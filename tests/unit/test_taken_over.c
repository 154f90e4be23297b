/* A worker that was taken over says every verb with every argument, in any order and none. Whatever
 * it says: what the device runs, what it takes for good, what it remembers, and every byte outside
 * the inactive slot stay as they are, and the next worker brings the next update. */
#include "tests/lib/expect.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/boot/boot.h"
#include "agent/core/update.h"
#include "agent/journal/journal.h"
#include "agent/net/desired.h"
#include "agent/tele/tele.h"
#include "agent/worker/worker.h"
#include "tests/lib/hostile.h"
#include "tests/lib/httpd.h"
#include "tests/lib/parcel.h"
#include "tests/lib/snapshot.h"
#include "tests/lib/trepo.h"

#define NOBODY   65534U
#define ACTIVE   0U
#define INACTIVE 1U

static const struct parcel_entry old_code[] = {
	{'0', "bin/run", "#!/bin/sh\n# old\n", 0755},
	{'0', "version", "1\n", 0},
	PARCEL_END,
};
static const struct parcel_entry new_code[] = {
	{'0', "bin/run", "#!/bin/sh\n# new\n", 0755},
	{'0', "version", "2\n", 0},
	{'2', "again", "bin/run", 0},
	PARCEL_END,
};

struct device {
	struct fs fs;
	struct httpd *server;
	struct slots *slots;
	struct release old, new;
	struct buf old_bytes, new_bytes, raw_bytes;
	struct http_conf direct; /* without a worker */
	struct stage_http http;
	struct sha256 content;
	char path[3][96];
	struct err e;
};

/* ---- the device: a release runs, and everything that a device remembers is there ---- */

static void publish(struct device *d, unsigned i, const struct component *c, struct buf *bytes)
{
	char hex[SHA256_TEXT];

	sha256_format(&c->artifact.digest, hex);
	snprintf(d->path[i], sizeof d->path[i], "/artifacts/%s", hex);
	httpd_put(d->server, &(struct httpd_file){.path = d->path[i], .body = buf_str(bytes)});
}

static void make_releases(struct device *d)
{
	strcpy(d->old.id.s, "toy-1");
	strcpy(d->new.id.s, "toy-2");
	d->old.n_components = 1;
	d->new.n_components = 2;
	parcel_make_tar(
		&d->old.components[0], "code", "code", old_code, COMPRESSION_ZSTD, &d->old_bytes);
	parcel_make_tar(
		&d->new.components[0], "code", "code", new_code, COMPRESSION_ZSTD, &d->new_bytes);
	parcel_make_raw(&d->new.components[1], "data", "data", STR("some data"), COMPRESSION_NONE,
		&d->raw_bytes);
	publish(d, 0, &d->old.components[0], &d->old_bytes);
	publish(d, 1, &d->new.components[0], &d->new_bytes);
	publish(d, 2, &d->new.components[1], &d->raw_bytes);
}

static int stage(struct device *d, unsigned slot, unsigned from, const struct release *r,
	const struct stage_source *source)
{
	struct stage_in in = {.slots = d->slots,
		.slot = slot,
		.from = from,
		.release = r,
		.document = {{(uint8_t)(slot + 1)}},
		.source = *source,
		.overlap = true};

	return stage_run(&in, &d->content, &d->e);
}

static void activate(struct device *d)
{
	struct boot *boot;

	expect_ok(boot_open(&(struct boot_place){.home = &d->fs},
			  &(struct boot_conf){.kind = "symlink"}, &boot, &d->e),
		&d->e);
	expect_ok(boot_adapter_of(boot)->try_next(boot, ACTIVE, 1, &d->e), &d->e);
	expect_ok(boot_adapter_of(boot)->confirm(boot, ACTIVE, &d->e), &d->e);
	boot_close(&boot);
}

static void remember(struct device *d)
{
	struct journal j;
	struct upd_record r;
	struct trepo director, image;
	static const char quarantine[] = "{\"format\":1,\"entries\":[]}";

	expect_ok(journal_open(&d->fs, "journal", &j, &d->e), &d->e);
	expect_ok(journal_load(&j, &r, &d->e), &d->e);
	expect_ok(journal_save(&j, &r, &d->e), &d->e);
	expect_ok(fs_write_file(&d->fs, "quarantine.json", quarantine, sizeof quarantine - 1, 0644,
			  &d->e),
		&d->e);
	expect_ok(history_add(&d->fs, 1, "toy-1 is accepted", &d->e), &d->e);
	trepo_init(&director, TREPO_DIRECTOR, TREPO_NOW);
	trepo_init(&image, TREPO_IMAGE, TREPO_NOW);
	trepo_publish(&director);
	trepo_publish(&image);
	expect_ok(desired_provision(&d->fs, trepo_bytes(&director, TREPO_ROOT),
			  trepo_bytes(&image, TREPO_ROOT), &d->e),
		&d->e);
	trepo_fini(&director);
	trepo_fini(&image);
}

static int open_device(void **state)
{
	struct device *d = calloc(1, sizeof *d);
	struct stage_source direct;

	mkdir("home", 0755);
	expect_ok(fs_posix_open("home", &d->fs, &d->e), &d->e);
	expect_ok(slots_open(&d->fs, "dir", &d->slots, &d->e), &d->e);
	slots_set_threads(d->slots, 2);
	d->server = httpd_new();
	d->http = (struct stage_http){.http = &d->direct, .server = httpd_url(d->server)};
	make_releases(d);
	direct = stage_source_http(&d->http);
	expect_ok(stage(d, ACTIVE, SLOT_NONE, &d->old, &direct), &d->e);
	activate(d);
	remember(d);
	*state = d;
	return 0;
}

static int close_device(void **state)
{
	struct device *d = *state;

	slots_close(&d->slots);
	httpd_free(&d->server);
	fs_posix_close(&d->fs);
	buf_fini(&d->old_bytes);
	buf_fini(&d->new_bytes);
	buf_fini(&d->raw_bytes);
	free(d);
	return 0;
}

/* ---- what must not change ---- */

/* Content of the inactive slot, the listings of what lies in it, and which reports still wait are a
 * worker's to cause. */
static bool is_inactive(struct str line)
{
	return str_has_prefix(line, "./home/slots/b/") ||
	       str_has_prefix(line, "./home/slots/b.code.tree") ||
	       str_has_prefix(line, "./home/slots/b.data.tree") ||
	       str_has_prefix(line, "./home/reports");
}

static void look(struct buf *out)
{
	BUF_AUTO all = {0};
	struct str rest, line;

	snapshot_take(".", &all); /* home, and the folder around it */
	rest = buf_str(&all);
	while (str_split(&rest, '\n', &line)) {
		if (is_inactive(line))
			continue;
		buf_add(out, line.p, line.n);
		buf_add_char(out, '\n');
	}
}

static void is_as_before(const struct buf *before, const char *way)
{
	BUF_AUTO now = {0};

	look(&now);
	assert_int_not_equal(access("/tmp/backstay-evil", F_OK), 0);
	if (!str_eq(buf_str(&now), buf_str(before)))
		fail_msg("%s: something outside the inactive slot has changed:\n%.*s\n---\n%.*s",
			way, (int)before->n, before->p, (int)now.n, now.p);
}

static void is_not_good(struct device *d, const char *way)
{
	struct slot_view v;

	expect_ok(slots_driver(d->slots)->look(d->slots, INACTIVE, &v, &d->e), &d->e);
	if (v.mark != SLOT_INVALID)
		fail_msg("%s: the inactive slot is valid", way);
}

/* ---- workers ---- */

static struct worker *start(struct device *d, const char *mode, const char *way)
{
	static const char *argv[] = {"test", NULL, NULL, NULL};
	bool root = geteuid() == 0;
	struct worker_conf conf = {.program = "/proc/self/exe",
		.argv = argv,
		.server = httpd_url(d->server),
		.uid = root ? NOBODY : 0,
		.gid = root ? NOBODY : 0};

	argv[1] = mode;
	argv[2] = way;
	return worker_new(&conf);
}

static void must_fail(int rc, const struct err *e, const char *name, const char *what)
{
	if (rc >= 0)
		fail_msg("%s: %s succeeded", name, what);
	if (e->code == ERR_OK || e->code == ERR_BUG || !e->text[0])
		fail_msg("%s: %s fails without a reason", name, what);
	if (upd_is_blamed(&(struct upd_record){.why = e->code, .cause = TRIG_TYPE_MAX}))
		fail_msg("%s: %s blames the release: %s", name, what, err_name(e->code));
}

typedef int attempt_f(struct device *d, struct worker *w);

/* Every way to misbehave, each by a worker of its own. */
static void in_every_way(struct device *d, attempt_f *attempt, const char *what)
{
	BUF_AUTO before = {0};
	unsigned n = hostile_ways();

	look(&before);
	for (unsigned i = 0; i < n; i++) {
		char name[64], number[16];

		hostile_name(i, name);
		snprintf(number, sizeof number, "%u", i);
		struct worker *w = start(d, "--hostile", number);
		must_fail(attempt(d, w), &d->e, name, what);
		worker_free(&w);
		is_as_before(&before, name);
		is_not_good(d, name);
	}
	printf("== %s: %u ways to misbehave, nothing changed\n", what, n);
}

static int try_stage(struct device *d, struct worker *w)
{
	struct stage_source source = worker_source(w);

	return stage(d, INACTIVE, ACTIVE, &d->new, &source);
}

static int try_fetch(struct device *d, struct worker *w)
{
	struct http_conf http = {.via = worker_via(w)};
	struct desired_in in = {.fs = &d->fs,
		.http = &http,
		.server = httpd_url(d->server),
		.facts = {.device = {"dev-1"}, .hardware = "edge-x86"},
		.now_s = TREPO_NOW};
	struct desired_out out = {0};

	return desired_fetch(&in, &out, &d->e);
}

/* That the server had a report it can only be lied to about: it is all that the worker's word
 * decides.
 */
static int try_send(struct device *d, struct worker *w)
{
	struct http_conf http = {.via = worker_via(w)};
	struct report r;
	unsigned left;
	ms_t after;

	report_init(&r);
	r.seq = 7;
	expect_ok(tele_put(&d->fs, &r, &d->e), &d->e);
	int rc =
		tele_send(&d->fs, &http, httpd_url(d->server), "dev-1", NULL, &left, &after, &d->e);

	assert_int_equal(left, rc < 0);
	return rc < 0 ? rc : err_set(&d->e, ERR_NET, "a lie");
}

/* As if nothing had ever been staged: what lies there would be taken, and the worker not asked. */
static void empty(struct device *d)
{
	expect_ok(slots_driver(d->slots)->invalidate(d->slots, INACTIVE, &d->e), &d->e);
	expect_ok(fs_remove_tree(&d->fs, "slots/b", &d->e), &d->e);
	expect_ok(fs_make_dirs(&d->fs, "slots/b", &d->e), &d->e);
	expect_ok(d->fs.ops->unlink(&d->fs, "slots/b.code.tree", &d->e), &d->e);
	expect_ok(d->fs.ops->unlink(&d->fs, "slots/b.data.tree", &d->e), &d->e);
}

static void healed(struct device *d)
{
	struct worker *w = start(d, "--worker", NULL);
	struct slot_view v;
	struct sha256 want;

	expect_ok(try_stage(d, w), &d->e);
	worker_free(&w);
	expect_ok(slots_driver(d->slots)->look(d->slots, INACTIVE, &v, &d->e), &d->e);
	assert_int_equal(v.mark, SLOT_VALID);
	slot_content(&d->new, &want);
	assert_memory_equal(want.b, d->content.b, sizeof want.b);
	empty(d);
}

static void staging_writes_nowhere_else_and_marks_nothing_good(void **state)
{
	struct device *d = *state;

	in_every_way(d, try_stage, "staging");
	healed(d);
}

/* The second component is a raw file, for which the installer has opened the file already. */
static void a_raw_component_is_no_way_out_either(void **state)
{
	struct device *d = *state;
	struct component code = d->new.components[0];

	d->new.components[0] = d->new.components[1];
	d->new.n_components = 1;
	in_every_way(d, try_stage, "staging a raw file");
	d->new.components[0] = code;
	d->new.n_components = 2;
	healed(d);
}

static void metadata_is_not_believed(void **state)
{
	struct device *d = *state;

	in_every_way(d, try_fetch, "fetching");
	healed(d);
}

static void sending_changes_nothing_but_the_queue(void **state)
{
	in_every_way(*state, try_send, "sending");
}

/* ---- a worker that says nothing can be given up ---- */

static void *cancel_soon(void *arg)
{
	usleep(50000);
	atomic_store((atomic_bool *)arg, true);
	return NULL;
}

static void who_floods_or_is_silent_can_be_cancelled(void **state)
{
	struct device *d = *state;
	BUF_AUTO before = {0};
	struct worker *w = start(d, "--silent", NULL);
	atomic_bool cancel = false;
	pthread_t thread;
	struct stage_in in = {.slots = d->slots,
		.slot = INACTIVE,
		.from = ACTIVE,
		.release = &d->new,
		.source = worker_source(w),
		.cancel = &cancel,
		.overlap = true};

	look(&before);
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	expect_err(
		stage_run(&in, &d->content, &d->e), &d->e, ERR_CANCELLED, NULL, "a silent worker");
	pthread_join(thread, NULL);
	worker_free(&w);
	is_as_before(&before, "a silent worker");
	is_not_good(d, "a silent worker");
	healed(d);
}

static void be(int argc, char **argv)
{
	struct err e;

	if (argc >= 2 && strcmp(argv[1], "--worker") == 0)
		_exit(serve_run(WORKER_FD, &e) < 0);
	if (argc == 3 && strcmp(argv[1], "--hostile") == 0)
		_exit(hostile_run(WORKER_FD, (unsigned)atoi(argv[2]), false, &e) < 0);
	if (argc >= 2 && strcmp(argv[1], "--silent") == 0)
		_exit(hostile_run(WORKER_FD, HOSTILE_SILENT, false, &e) < 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(staging_writes_nowhere_else_and_marks_nothing_good),
		cmocka_unit_test(a_raw_component_is_no_way_out_either),
		cmocka_unit_test(metadata_is_not_believed),
		cmocka_unit_test(sending_changes_nothing_but_the_queue),
		cmocka_unit_test(who_floods_or_is_silent_can_be_cancelled),
	};

	signal(SIGPIPE, SIG_IGN);
	be(argc, argv);
	return cmocka_run_group_tests(tests, open_device, close_device);
}
