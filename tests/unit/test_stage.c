#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/stage/stage.h"
#include "proto/trust/digest.h"
#include "tests/lib/httpd.h"
#include "tests/lib/parcel.h"
#include "tests/lib/snapshot.h"

#define BIG 3000001U

static char big[BIG];

static const struct parcel_entry code[] = {
	{'5', "bin/", NULL, 0},
	{'0', "./bin/serve", "#!/bin/sh\n", 0755},
	{'0', "lib/\xce\x9a\xce\x91.so", "elf", 0},
	{'2', "lib/current.so", "\xce\x9a\xce\x91.so", 0},
	PARCEL_END,
};
static const struct parcel_entry config[] = {{'0', "serve.conf", "psm=7\n", 0}, PARCEL_END};

struct bed {
	char dir[32];
	struct fs fs;
	struct slots *slots;
	struct release r;
	struct httpd *server;
	struct http_conf conf;
	struct stage_http http;
	struct stage_in in;
	struct buf artifact[LIMIT_COMPONENTS];
	struct httpd_file file[LIMIT_COMPONENTS];
	char path[LIMIT_COMPONENTS][96];
	_Atomic uint64_t done;
	struct sha256 content;
	struct err e;
};

static void publish(struct bed *b, unsigned i)
{
	char hex[SHA256_TEXT];

	sha256_format(&b->r.components[i].artifact.digest, hex);
	snprintf(b->path[i], sizeof b->path[i], "/artifacts/%s", hex);
	b->file[i] = (struct httpd_file){
		.path = b->path[i], .body = buf_str(&b->artifact[i]), .etag = "\"x\""};
	httpd_put(b->server, &b->file[i]);
}

static int open_bed(void **state)
{
	static unsigned n;
	struct bed *b = calloc(1, sizeof *b);

	uint32_t noise = 1;

	for (size_t i = 0; i < BIG && !big[BIG - 1]; i++)
		big[i] = (char)((noise = noise * 1664525 + 1013904223) >> 24 | 1);
	snprintf(b->dir, sizeof b->dir, "bed%u", n++);
	mkdir(b->dir, 0755);
	assert_int_equal(fs_posix_open(b->dir, &b->fs, &b->e), 0);
	assert_int_equal(slots_open(&b->fs, "dir", &b->slots, &b->e), 0);
	b->server = httpd_new();
	b->conf = (struct http_conf){.retry_wait = 1, .retries = 1, .low_speed_s = 1};
	strcpy(b->r.id.s, "ocr-1");
	b->r.n_components = 3;
	parcel_make_tar(
		&b->r.components[0], "code", "code", code, COMPRESSION_ZSTD, &b->artifact[0]);
	parcel_make_raw(&b->r.components[1], "model", "models/eng.traineddata",
		(struct str){big, BIG}, COMPRESSION_ZSTD, &b->artifact[1]);
	parcel_make_tar(
		&b->r.components[2], "config", "etc", config, COMPRESSION_NONE, &b->artifact[2]);
	for (unsigned i = 0; i < 3; i++)
		publish(b, i);
	b->http = (struct stage_http){.http = &b->conf, .server = httpd_url(b->server)};
	b->in = (struct stage_in){.slots = b->slots,
		.slot = 0,
		.from = SLOT_NONE,
		.release = &b->r,
		.document = {{7}},
		.source = stage_source_http(&b->http),
		.done = &b->done};
	*state = b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	slots_close(&b->slots);
	fs_posix_close(&b->fs);
	httpd_free(&b->server);
	for (unsigned i = 0; i < LIMIT_COMPONENTS; i++)
		buf_fini(&b->artifact[i]);
	free(b);
	return 0;
}

static int run(struct bed *b)
{
	atomic_store(&b->done, 0);
	return stage_run(&b->in, &b->content, &b->e);
}

static enum slot_mark mark(struct bed *b, unsigned slot)
{
	struct slot_view v;

	assert_int_equal(slots_driver(b->slots)->look(b->slots, slot, &v, &b->e), 0);
	return v.mark;
}

static const char *in(struct bed *b, const char *path)
{
	static char full[256];

	snprintf(full, sizeof full, "%s/%s", b->dir, path);
	return full;
}

static void is_sealed(struct bed *b, unsigned slot)
{
	struct sha256 want;

	slot_content(&b->r, &want);
	assert_memory_equal(want.b, b->content.b, sizeof want.b);
	assert_int_equal(mark(b, slot), SLOT_VALID);
}

static void a_release_comes_over_http(void **state)
{
	struct bed *b = *state;
	struct stat st;

	for (int overlap = 0; overlap < 2; overlap++) {
		b->in.slot = (unsigned)overlap;
		b->in.overlap = overlap;
		assert_int_equal(run(b), 0);
		is_sealed(b, b->in.slot);
		assert_int_equal(b->done, release_artifact_bytes(&b->r));
	}
	assert_int_equal(httpd_count(b->server, NULL), 6);
	assert_int_equal(stat(in(b, "slots/b/models/eng.traineddata"), &st), 0);
	assert_int_equal(st.st_size, BIG);
	assert_int_equal(stat(in(b, "slots/b/code/bin/serve"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	assert_int_equal(stat(in(b, "slots/b/code/lib/current.so"), &st), 0);
}

static void a_release_comes_from_a_folder(void **state)
{
	struct bed *b = *state;
	struct fs usb;

	mkdir(in(b, "usb"), 0755);
	for (unsigned i = 0; i < b->r.n_components; i++) {
		char name[128];
		FILE *f;

		snprintf(name, sizeof name, "usb/%s", b->path[i] + strlen("/artifacts/"));
		f = fopen(in(b, name), "w");
		fwrite(b->artifact[i].p, 1, b->artifact[i].n, f);
		fclose(f);
	}
	assert_int_equal(fs_posix_open(in(b, "usb"), &usb, &b->e), 0);
	b->in.source = stage_source_dir(&usb);
	assert_int_equal(run(b), 0);
	is_sealed(b, 0);
	unlink(in(b, "usb/nothing"));
	b->r.components[0].artifact.digest.b[0] ^= 1;
	b->in.slot = 1;
	assert_int_equal(run(b), -ERR_NOT_FOUND);
	fs_posix_close(&usb);
}

static void the_null_driver_takes_it_too(void **state)
{
	struct bed *b = *state;

	slots_close(&b->slots);
	assert_int_equal(slots_open(&b->fs, "null", &b->slots, &b->e), 0);
	b->in.slots = b->slots;
	assert_int_equal(run(b), 0);
	is_sealed(b, 0);
}

/* ---- what need not be fetched ---- */

static void unchanged_components_are_not_asked_for(void **state)
{
	struct bed *b = *state;

	assert_int_equal(run(b), 0);
	httpd_forget(b->server);
	buf_clear(&b->artifact[2]);
	parcel_make_tar(&b->r.components[2], "config", "etc",
		(struct parcel_entry[]){{'0', "serve.conf", "psm=8\n", 0}, PARCEL_END},
		COMPRESSION_NONE, &b->artifact[2]);
	publish(b, 2);
	b->in.slot = 1;
	b->in.from = 0;
	b->in.document.b[0] = 8;
	assert_int_equal(run(b), 0);
	is_sealed(b, 1);
	assert_int_equal(mark(b, 0), SLOT_VALID);
	assert_int_equal(httpd_count(b->server, NULL), 1);
	assert_int_equal(httpd_count(b->server, b->path[2]), 1);
	assert_int_equal(b->done, release_artifact_bytes(&b->r));
}

static void a_sealed_release_is_only_read_back(void **state)
{
	struct bed *b = *state;
	struct stat before, after;

	assert_int_equal(run(b), 0);
	httpd_forget(b->server);
	assert_int_equal(stat(in(b, "slots/a/etc/serve.conf"), &before), 0);
	assert_int_equal(run(b), 0);
	assert_int_equal(stat(in(b, "slots/a/etc/serve.conf"), &after), 0);
	assert_int_equal(httpd_count(b->server, NULL), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* A flipped bit on the disk: that component is brought again, the others are kept. */
static void damage_on_the_disk_is_found_and_mended(void **state)
{
	struct bed *b = *state;
	FILE *f;

	assert_int_equal(run(b), 0);
	httpd_forget(b->server);
	chmod(in(b, "slots/a/models/eng.traineddata"), 0644);
	f = fopen(in(b, "slots/a/models/eng.traineddata"), "r+");
	fseek(f, 1234567, SEEK_SET);
	fputc(big[1234567] ^ 1, f);
	fclose(f);
	assert_int_equal(run(b), 0);
	is_sealed(b, 0);
	assert_int_equal(httpd_count(b->server, NULL), 1);
	assert_int_equal(httpd_count(b->server, b->path[1]), 1);
}

static void what_was_whole_before_a_failure_is_kept(void **state)
{
	struct bed *b = *state;

	b->file[2].manner = HTTPD_STATUS;
	b->file[2].n = 404;
	b->file[2].times = 1;
	httpd_put(b->server, &b->file[2]);
	assert_int_equal(run(b), -ERR_NOT_FOUND);
	assert_int_equal(mark(b, 0), SLOT_INVALID);
	assert_int_equal(run(b), 0);
	is_sealed(b, 0);
	assert_int_equal(httpd_count(b->server, b->path[0]), 1);
	assert_int_equal(httpd_count(b->server, b->path[1]), 1);
	assert_int_equal(httpd_count(b->server, b->path[2]), 2);
}

static void a_cut_connection_is_no_failure(void **state)
{
	struct bed *b = *state;

	b->file[1].manner = HTTPD_CUT;
	b->file[1].n = b->artifact[1].n / 3;
	b->file[1].times = 2;
	httpd_put(b->server, &b->file[1]);
	assert_int_equal(run(b), 0);
	is_sealed(b, 0);
	assert_int_equal(httpd_count(b->server, b->path[1]), 3);
}

/* ---- what is refused ---- */

/* The active slot, and everything else of home, before and after. */
static void other_slot(struct bed *b, struct buf *out)
{
	snapshot_take(in(b, "slots/b"), out);
	buf_add_char(out, '\n');
}

static int little_room(struct fs *fs, const char *path, uint64_t *out, struct err *e)
{
	(void)fs;
	(void)path;
	(void)e;
	*out = 1000000;
	return 0;
}

static void no_room_is_seen_before_the_first_byte(void **state)
{
	struct bed *b = *state;
	const struct fs_ops *old = b->fs.ops;
	struct fs_ops ops = *old;
	BUF_AUTO before = {0};
	BUF_AUTO after = {0};

	assert_int_equal(run(b), 0);
	snapshot_take(b->dir, &before);
	httpd_forget(b->server);
	ops.room = little_room;
	b->fs.ops = &ops;
	b->in.slot = 1;
	assert_int_equal(run(b), -ERR_NO_SPACE);
	b->fs.ops = old;
	snapshot_take(b->dir, &after);
	assert_string_equal(buf_cstr(&before), buf_cstr(&after));
	assert_int_equal(httpd_count(b->server, NULL), 0);
}

static void content_that_cannot_make_the_tree_is_seen_before(void **state)
{
	struct bed *b = *state;
	BUF_AUTO before = {0};
	BUF_AUTO after = {0};

	snapshot_take(b->dir, &before);
	b->r.components[1].artifact.tree.b[5] ^= 1;
	assert_int_equal(run(b), -ERR_ALTERED);
	snapshot_take(b->dir, &after);
	assert_string_equal(buf_cstr(&before), buf_cstr(&after));
	assert_int_equal(httpd_count(b->server, NULL), 0);
}

static void raw_files_may_be_executable(void **state)
{
	struct bed *b = *state;
	struct stat st;

	parcel_raw_tree((struct str){big, BIG}, true, &b->r.components[1].artifact.tree);
	assert_int_equal(run(b), 0);
	assert_int_equal(stat(in(b, "slots/a/models/eng.traineddata"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
}

/* Each takes the release as it should be and makes one component of it wrong. */
static void flip_bit(struct bed *b)
{
	b->artifact[0].p[b->artifact[0].n / 2] ^= 1;
}

static void flip_plain_bit(struct bed *b)
{
	b->artifact[2].p[1] ^= 1; /* in a name */
}

static void lengthen(struct bed *b)
{
	buf_add_char(&b->artifact[0], 'x');
	publish(b, 0);
}

static void shorten(struct bed *b)
{
	b->artifact[0].n--;
	publish(b, 0);
}

static void state_less_content(struct bed *b)
{
	b->r.components[0].artifact.content_length--;
}

static void state_more_content(struct bed *b)
{
	b->r.components[0].artifact.content_length++;
}

static void state_other_content(struct bed *b)
{
	b->r.components[0].artifact.content_digest.b[0] ^= 1;
}

static void state_other_tree(struct bed *b)
{
	b->r.components[0].artifact.tree.b[0] ^= 1;
}

/* Signed numbers that fit the artifact, but not what it says of itself. */
static void replace(struct bed *b, struct str content)
{
	struct artifact *a = &b->r.components[0].artifact;
	uint64_t length = a->content_length;

	buf_clear(&b->artifact[0]);
	parcel_wrap(&b->r.components[0], content, COMPRESSION_ZSTD, &b->artifact[0]);
	a->content_length = length;
	publish(b, 0);
}

static void bomb(struct bed *b)
{
	BUF_AUTO zeros = {0};

	memset(buf_reserve(&zeros, 64 << 20), 0, 64 << 20);
	zeros.n = 64 << 20;
	replace(b, buf_str(&zeros));
}

static void wrap_bytes(struct bed *b, const void *p, size_t n)
{
	struct artifact *a = &b->r.components[0].artifact;

	buf_clear(&b->artifact[0]);
	buf_add(&b->artifact[0], p, n);
	a->length = n;
	digest_of(p, n, &a->digest);
	publish(b, 0);
}

static void no_zstd(struct bed *b)
{
	wrap_bytes(b, "this was never compressed", 25);
}

static void half_a_frame(struct bed *b)
{
	BUF_AUTO half = {0};

	buf_add(&half, b->artifact[0].p, b->artifact[0].n - 7);
	wrap_bytes(b, half.p, half.n);
}

static void wide_window(struct bed *b)
{
	BUF_AUTO frame = {0};

	parcel_zstd((struct str){big, BIG}, 3, 24, &frame);
	wrap_bytes(b, frame.p, frame.n);
}

static const struct {
	const char *why;
	void (*spoil)(struct bed *);
	enum err_code code;
} spoilt[] = {
	{"a flipped bit", flip_bit, ERR_ALTERED},
	{"a flipped bit in a plain archive", flip_plain_bit, ERR_BAD_INPUT},
	{"one byte more", lengthen, ERR_ALTERED},
	{"one byte less", shorten, ERR_ALTERED},
	{"more content than signed", state_less_content, ERR_ALTERED},
	{"less content than signed", state_more_content, ERR_ALTERED},
	{"another content", state_other_content, ERR_ALTERED},
	{"another tree", state_other_tree, ERR_ALTERED},
	{"a bomb", bomb, ERR_ALTERED},
	{"no zstd", no_zstd, ERR_ALTERED},
	{"half a frame", half_a_frame, ERR_ALTERED},
	{"a window of 16 MiB", wide_window, ERR_TOO_LARGE},
};

static void what_is_not_as_signed_is_refused(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_LEN(spoilt); i++) {
		struct bed *b;
		BUF_AUTO before = {0};
		BUF_AUTO after = {0};
		struct stat st;

		assert_int_equal(open_bed((void **)&b), 0);
		b->in.slot = 1;
		assert_int_equal(run(b), 0);
		other_slot(b, &before);
		httpd_forget(b->server);
		spoilt[i / 2].spoil(b);
		b->in.slot = 0;
		b->in.overlap = i % 2;
		int rc = run(b);
		if (rc != -(int)spoilt[i / 2].code &&
			!(spoilt[i / 2].spoil == flip_plain_bit && rc == -ERR_ALTERED))
			fail_msg("%s: %d (%s)", spoilt[i / 2].why, rc, b->e.text);
		other_slot(b, &after);
		assert_string_equal(buf_cstr(&before), buf_cstr(&after));
		assert_int_equal(mark(b, 0), SLOT_INVALID);
		assert_int_equal(mark(b, 1), SLOT_VALID);
		if (spoilt[i / 2].spoil != flip_plain_bit)
			assert_int_equal(stat(in(b, "slots/a/code"), &st), -1);
		close_bed((void **)&b);
	}
	(void)state;
}

/* ---- cancelling ---- */

struct slow {
	struct stage_source inner;
	atomic_bool cancel;
	unsigned left; /* reads until it is cancelled */
};

static struct slow slow;

static int slow_read(void *stream, void *p, size_t n, size_t *out_n, struct err *e)
{
	if (slow.left-- == 0)
		atomic_store(&slow.cancel, true);
	return slow.inner.read(stream, p, MIN(n, (size_t)4096), out_n, e);
}

static void it_can_be_cancelled_at_any_read(void **state)
{
	struct bed *b = *state;

	for (unsigned k = 0; k < 12; k++) {
		slow = (struct slow){.inner = stage_source_http(&b->http), .left = k};
		b->in.source = slow.inner;
		b->in.source.read = slow_read;
		b->in.cancel = &slow.cancel;
		b->in.overlap = k % 2;
		assert_int_equal(run(b), -ERR_CANCELLED);
		assert_int_equal(mark(b, 0), SLOT_INVALID);
	}
	b->in.cancel = NULL;
	b->in.source = slow.inner;
	assert_int_equal(run(b), 0);
	is_sealed(b, 0);
	atomic_store(&slow.cancel, true);
	b->in.cancel = &slow.cancel;
	assert_int_equal(run(b), -ERR_CANCELLED);
	is_sealed(b, 0);
}

/* A refused archive must not wait for a source that says nothing more. */
static void a_silent_source_does_not_hold_a_refusal_up(void **state)
{
	struct bed *b = *state;
	BUF_AUTO tar = {0};

	b->conf.low_speed_s = 3600;
	parcel_tar_entry(&tar, &(struct parcel_entry){'0', "../x", "", 0});
	for (int i = 0; i < 4000; i++)
		parcel_tar_entry(&tar, &(struct parcel_entry){'5', "d", NULL, 0});
	parcel_wrap(&b->r.components[0], buf_str(&tar), COMPRESSION_NONE,
		(buf_clear(&b->artifact[0]), &b->artifact[0]));
	publish(b, 0);
	b->file[0].manner = HTTPD_STALL;
	b->file[0].n = 1000000;
	httpd_put(b->server, &b->file[0]);
	b->in.overlap = true;
	assert_int_equal(run(b), -ERR_DENIED);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_bed, close_bed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_release_comes_over_http),
		CASE(a_release_comes_from_a_folder),
		CASE(the_null_driver_takes_it_too),
		CASE(unchanged_components_are_not_asked_for),
		CASE(a_sealed_release_is_only_read_back),
		CASE(damage_on_the_disk_is_found_and_mended),
		CASE(what_was_whole_before_a_failure_is_kept),
		CASE(a_cut_connection_is_no_failure),
		CASE(no_room_is_seen_before_the_first_byte),
		CASE(content_that_cannot_make_the_tree_is_seen_before),
		CASE(raw_files_may_be_executable),
		cmocka_unit_test(what_is_not_as_signed_is_refused),
		CASE(it_can_be_cancelled_at_any_read),
		CASE(a_silent_source_does_not_hold_a_refusal_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
