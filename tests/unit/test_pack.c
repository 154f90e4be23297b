#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

#include "lib/sys/fs.h"
#include "proto/trust/digest.h"
#include "proto/wire/tree.h"
#include "server/pack/pack.h"

/* Packs what lies in src/ (a folder model/ and a file app) into out/. */
struct world {
	struct pack_result done;
	struct release r;
	struct err e;
};

static void sh(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static void write_template(const char *path, const char *id, const char *components)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f,
		"{\"format\": 1, \"id\": \"%s\", \"product\": \"ocr\", \"version\": \"1.0\", "
		"\"notes\": \"caf\\u00e9\", \"components\": [%s]}",
		id, components);
	assert_int_equal(fclose(f), 0);
}

#define MODEL                                                                                      \
	"{\"name\": \"model\", \"kind\": \"model\", \"path\": \"models\","                         \
	" \"source\": \"model\"}"
#define APP                                                                                        \
	"{\"name\": \"app\", \"kind\": \"code\", \"path\": \"bin/app\","                           \
	" \"source\": \"app\", \"compression\": \"none\"}"

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	sh("rm -rf src out && mkdir -p src/model/eng/empty src/model/b");
	sh("printf words >src/model/eng/words && printf run >src/model/eng/run.sh");
	sh("chmod 0640 src/model/eng/words && chmod 0700 src/model/eng/run.sh");
	sh("ln -s eng/words src/model/latest && ln -s ../eng/run.sh src/model/b/up");
	sh("head -c 300000 /dev/zero >src/model/zeros && : >src/model/nothing");
	sh("printf program >src/app && chmod 0755 src/app");
	write_template("src/t.json", "ocr-1", MODEL "," APP);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	mem_free(&w);
	return 0;
}

static struct buf read_file(const char *path)
{
	char dir[FS_PATH_MAX];
	struct buf b = {0};
	struct err e;
	struct fs fs;

	fs_dirname(path, dir, sizeof dir);
	assert_int_equal(fs_posix_open(dir, &fs, &e), 0);
	if (fs_read_file(&fs, strrchr(path, '/') + 1, 1 << 24, &b, &e) < 0)
		fail_msg("%s: %s", path, e.text);
	fs_posix_close(&fs);
	return b;
}

static void pack_is(struct world *w, const char *template, const char *out, enum err_code want)
{
	struct pack_spec spec = {.template_path = template, .out_dir = out};
	int rc = pack_release(&spec, &w->done, &w->e);

	if (rc != -(int)want)
		fail_msg("got %s, wanted %s: %s", err_name((enum err_code) - rc), err_name(want),
			rc < 0 ? w->e.text : "");
}

static void read_release(struct world *w, const char *path)
{
	BUF_AUTO text = read_file(path);
	struct sha256 digest;

	if (release_parse(buf_str(&text), &w->r, &w->e) < 0)
		fail_msg("%s", w->e.text);
	digest_of(text.p, text.n, &digest);
	assert_true(sha256_eq(&digest, &w->done.document));
}

static struct buf read_artifact(const struct artifact *a)
{
	char hex[SHA256_TEXT], path[128];
	struct sha256 digest;
	struct buf b;

	sha256_format(&a->digest, hex);
	snprintf(path, sizeof path, "out/artifacts/%s", hex);
	b = read_file(path);
	digest_of(b.p, b.n, &digest);
	assert_true(sha256_eq(&digest, &a->digest));
	assert_int_equal(b.n, a->length);
	return b;
}

/* The content of an artifact, checked against what the document says of it. */
static struct buf read_content(const struct artifact *a)
{
	BUF_AUTO packed = read_artifact(a);
	struct sha256 digest;
	struct buf b = {0};

	b.n = ZSTD_decompress(
		buf_reserve(&b, a->content_length + 1), a->content_length, packed.p, packed.n);
	assert_int_equal(b.n, a->content_length);
	digest_of(b.p, b.n, &digest);
	assert_true(sha256_eq(&digest, &a->content_digest));
	return b;
}

static void a_file_stays_what_it_is(void **state)
{
	struct world *w = *state;
	const struct component *app = &w->r.components[1];
	BUF_AUTO lines = {0}, bytes = {0};
	struct tree_entry x = {
		.kind = TREE_FILE, .executable = true, .size = 7, .path = (char[]){"."}};
	struct tree t = {&x, 1, 1};
	struct sha256 tree;

	pack_is(w, "src/t.json", "out", ERR_OK);
	assert_string_equal(w->done.id.s, "ocr-1");
	assert_string_equal(w->done.product, "ocr");
	read_release(w, "out/ocr-1.json");
	assert_int_equal(app->artifact.archive, ARCHIVE_RAW);
	assert_int_equal(app->artifact.compression, COMPRESSION_NONE);
	bytes = read_artifact(&app->artifact);
	assert_true(str_is(buf_str(&bytes), "program"));
	digest_of("program", 7, &x.digest);
	tree_encode(&t, &lines);
	digest_of(lines.p, lines.n, &tree);
	assert_true(sha256_eq(&tree, &app->artifact.tree));
}

static const struct {
	const char *path, *link;
	mode_t mode;
	la_int64_t size;
} entries[] = {
	{"b/", NULL, AE_IFDIR | 0755, 0},
	{"b/up", "../eng/run.sh", AE_IFLNK | 0777, 0},
	{"eng/", NULL, AE_IFDIR | 0755, 0},
	{"eng/empty/", NULL, AE_IFDIR | 0755, 0},
	{"eng/run.sh", NULL, AE_IFREG | 0755, 3},
	{"eng/words", NULL, AE_IFREG | 0644, 5},
	{"latest", "eng/words", AE_IFLNK | 0777, 0},
	{"nothing", NULL, AE_IFREG | 0644, 0},
	{"zeros", NULL, AE_IFREG | 0644, 300000},
};

static void a_folder_becomes_a_plain_tar(void **state)
{
	struct world *w = *state;
	const struct component *model = &w->r.components[0];
	struct archive *a = archive_read_new();
	struct archive_entry *x;
	BUF_AUTO tar = {0};

	pack_is(w, "src/t.json", "out", ERR_OK);
	read_release(w, "out/ocr-1.json");
	assert_int_equal(model->artifact.archive, ARCHIVE_TAR);
	assert_int_equal(model->artifact.compression, COMPRESSION_ZSTD);
	assert_true(model->artifact.length < 1000);
	tar = read_content(&model->artifact);
	archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_memory(a, tar.p, tar.n), ARCHIVE_OK);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		assert_int_equal(archive_read_next_header(a, &x), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(x), entries[i].path);
		assert_int_equal(archive_entry_mode(x), entries[i].mode);
		assert_int_equal(archive_entry_size(x), entries[i].size);
		assert_int_equal(archive_entry_uid(x), 0);
		assert_int_equal(archive_entry_gid(x), 0);
		assert_int_equal(archive_entry_mtime(x), 0);
		if (entries[i].link)
			assert_string_equal(archive_entry_symlink(x), entries[i].link);
	}
	assert_int_equal(archive_read_next_header(a, &x), ARCHIVE_EOF);
	archive_read_free(a);
}

/* What is signed of a tree is what a device reads back from its disk. */
static void the_signed_tree_is_that_of_the_folder(void **state)
{
	struct world *w = *state;
	BUF_AUTO lines = {0};
	char zeros[SHA256_TEXT];
	struct sha256 d;

	pack_is(w, "src/t.json", "out", ERR_OK);
	read_release(w, "out/ocr-1.json");
	void *zero = mem_new(300000);
	digest_of(zero, 300000, &d);
	mem_free(&zero);
	sha256_format(&d, zeros);
	buf_addf(&lines,
		"d b\n"
		"l 13 ../eng/run.sh b/up\n"
		"d eng\n"
		"d eng/empty\n"
		"f 0755 3 acba25512100f80b56fc3ccd14c65be55d94800cda77585c5f41a887e398f9be "
		"eng/run.sh\n"
		"f 0644 5 dba36bffa5cab0f922d087a3aeb179f9d4e745df40b323e1b1471402848c8a3e "
		"eng/words\n"
		"l 9 eng/words latest\n"
		"f 0644 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "
		"nothing\n"
		"f 0644 300000 %s zeros\n",
		zeros);
	digest_of(lines.p, lines.n, &d);
	assert_true(sha256_eq(&d, &w->r.components[0].artifact.tree));
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	struct world *w = *state;
	struct sha256 first;

	pack_is(w, "src/t.json", "out", ERR_OK);
	first = w->done.document;
	pack_is(w, "src/t.json", "out", ERR_OK);
	assert_true(sha256_eq(&first, &w->done.document));
	sh("rm -rf out && cp -a src moved && find moved -exec touch -h -d 2001-01-01 {} +");
	pack_is(w, "./moved/t.json", "out", ERR_OK);
	assert_true(sha256_eq(&first, &w->done.document));
	sh("rm -rf moved");
}

static void a_document_is_never_replaced(void **state)
{
	struct world *w = *state;

	pack_is(w, "src/t.json", "out", ERR_OK);
	sh("printf other >src/app");
	pack_is(w, "src/t.json", "out", ERR_CONFLICT);
	write_template("src/t.json", "ocr-2", MODEL "," APP);
	pack_is(w, "src/t.json", "out", ERR_OK);
	read_release(w, "out/ocr-2.json");
}

static void long_names_survive(void **state)
{
	struct world *w = *state;
	BUF_AUTO tar = {0};

	sh("d=src/model/$(printf 'l%.0s' $(seq 120)) && mkdir $d && : >$d/$(printf 'n%.0s' $(seq "
	   "100)) && : >src/model/$(printf '\\316\\232\\316\\221')");
	pack_is(w, "src/t.json", "out", ERR_OK);
	read_release(w, "out/ocr-1.json");
	tar = read_content(&w->r.components[0].artifact);
	assert_non_null(memmem(tar.p, tar.n, "\316\232\316\221", 4));
}

static void what_no_device_would_take_is_refused(void **state)
{
	static const struct {
		const char *make, *undo;
		enum err_code want;
	} rows[] = {
		{"ln -s ../../secret src/model/out", "rm src/model/out", ERR_DENIED},
		{"ln -s /etc/passwd src/model/out", "rm src/model/out", ERR_DENIED},
		{"ln -s eng/../../app src/model/out", "rm src/model/out", ERR_DENIED},
		{"mkfifo src/model/fifo", "rm src/model/fifo", ERR_BAD_INPUT},
		{"chmod u+s src/model/zeros", "chmod u-s src/model/zeros", ERR_BAD_INPUT},
		{"chmod g+s src/model/zeros", "chmod g-s src/model/zeros", ERR_BAD_INPUT},
		{"chmod u+s src/app", "chmod u-s src/app", ERR_BAD_INPUT},
		{"touch 'src/model/a\\b'", "rm 'src/model/a\\b'", ERR_BAD_INPUT},
		{"touch \"src/model/$(printf 'a\\nb')\"", "rm src/model/a*b", ERR_BAD_INPUT},
		{"mv src/app src/gone", "mv src/gone src/app", ERR_NOT_FOUND},
		{"d=src/model/deep; for i in $(seq 40); do d=$d/d; done; mkdir -p $d",
			"rm -r src/model/deep", ERR_BAD_INPUT},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sh(rows[i].make);
		pack_is(w, "src/t.json", "out", rows[i].want);
		assert_int_equal(access("out/ocr-1.json", F_OK), -1);
		assert_int_equal(access("out/artifacts/.growing", F_OK), -1);
		sh(rows[i].undo);
	}
	pack_is(w, "src/t.json", "out", ERR_OK);
}

static void a_bad_template_is_refused_before_anything_is_packed(void **state)
{
	static const struct {
		const char *components;
		enum err_code want;
	} rows[] = {
		{"", ERR_BAD_INPUT},
		{"7", ERR_BAD_INPUT},
		{MODEL "," MODEL, ERR_BAD_INPUT},
		{"{\"name\": \"m\", \"kind\": \"model\", \"path\": \"../m\", \"source\": \"model\"}",
			ERR_BAD_INPUT},
		{"{\"name\": \"m\", \"kind\": \"model\", \"path\": \"m\", \"source\": 7}",
			ERR_BAD_INPUT},
		{"{\"name\": \"m\", \"kind\": \"model\", \"path\": \"m\"}", ERR_BAD_INPUT},
		{"{\"name\": \"m\", \"kind\": \"model\", \"path\": \"m\", \"source\": \"model\", "
		 "\"compression\": \"xz\"}",
			ERR_BAD_INPUT},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		write_template("src/bad.json", "ocr-1", rows[i].components);
		pack_is(w, "src/bad.json", "out", rows[i].want);
	}
	sh("test -z \"$(ls -A out/artifacts)\"");
	pack_is(w, "src/none.json", "out", ERR_NOT_FOUND);
	sh("printf '{' >src/bad.json");
	pack_is(w, "src/bad.json", "out", ERR_BAD_INPUT);
}

/* How many frames, each of which must be 4 MiB of content, but for the last. */
static unsigned count_frames(const struct artifact *a)
{
	BUF_AUTO packed = read_artifact(a);
	BUF_AUTO frame = {0};
	unsigned n = 0;

	for (size_t at = 0, size; at < packed.n; at += size, n++) {
		size = ZSTD_findFrameCompressedSize(packed.p + at, packed.n - at);
		assert_false(ZSTD_isError(size));
		buf_clear(&frame);
		size_t got =
			ZSTD_decompress(buf_reserve(&frame, 8 << 20), 8 << 20, packed.p + at, size);
		assert_int_equal(got, MIN(a->content_length - n * (4U << 20), 4U << 20));
	}
	return n;
}

static void what_is_large_is_made_of_frames(void **state)
{
	static const struct {
		const char *bytes;
		unsigned frames;
	} rows[] = {
		{"0", 1}, {"1", 1}, {"4194304", 1}, {"4194305", 2}, {"8388608", 2}, {"9000000", 3}};
	struct world *w = *state;

	write_template("src/large.json", "ocr-1",
		"{\"name\": \"app\", \"kind\": \"code\", \"path\": \"app\", "
		"\"source\": \"app\"}");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char make[96];

		snprintf(make, sizeof make, "rm -rf out; yes | head -c %s >src/app", rows[i].bytes);
		sh(make);
		pack_is(w, "src/large.json", "out", ERR_OK);
		read_release(w, "out/ocr-1.json");
		BUF_AUTO content = read_content(&w->r.components[0].artifact);
		assert_int_equal(content.n, w->r.components[0].artifact.content_length);
		assert_int_equal(count_frames(&w->r.components[0].artifact), rows[i].frames);
	}
}

static void levels_beyond_the_agents_window_are_refused(void **state)
{
	struct world *w = *state;
	struct pack_spec spec = {.template_path = "src/t.json", .out_dir = "out", .level = 20};

	assert_int_equal(pack_release(&spec, &w->done, &w->e), -ERR_USAGE);
	spec.level = 19;
	assert_int_equal(pack_release(&spec, &w->done, &w->e), 0);
}

static void count(void *ctx, const char *component, uint64_t done, uint64_t total)
{
	uint64_t *last = ctx;

	assert_true(done <= total);
	last[component[0] == 'm'] = done == total;
}

static void progress_reaches_its_end(void **state)
{
	struct world *w = *state;
	uint64_t ended[2] = {0};
	struct pack_spec spec = {
		.template_path = "src/t.json", .out_dir = "out", .progress = count, .ctx = ended};

	assert_int_equal(pack_release(&spec, &w->done, &w->e), 0);
	assert_true(ended[0] && ended[1]);
	read_release(w, "out/ocr-1.json");
	assert_int_equal(w->done.artifact_bytes, release_artifact_bytes(&w->r));
	assert_int_equal(w->done.content_bytes, release_content_bytes(&w->r));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		CASE(a_file_stays_what_it_is),
		CASE(a_folder_becomes_a_plain_tar),
		CASE(the_signed_tree_is_that_of_the_folder),
		CASE(the_same_input_gives_the_same_bytes),
		CASE(a_document_is_never_replaced),
		CASE(long_names_survive),
		CASE(what_no_device_would_take_is_refused),
		CASE(a_bad_template_is_refused_before_anything_is_packed),
		CASE(what_is_large_is_made_of_frames),
		CASE(levels_beyond_the_agents_window_are_refused),
		CASE(progress_reaches_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
