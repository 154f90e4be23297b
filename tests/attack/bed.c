#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/attack/attack.h"
#include "tests/lib/patch.h"

/* ---- files ---- */

static void make_folder(const char *path)
{
	if (mkdir(path, 0755) < 0)
		fail_msg("%s cannot be made", path);
}

void bed_write(struct bed *b, const char *path, struct str bytes)
{
	char full[600];
	FILE *f;

	snprintf(full, sizeof full, "%s/%s", b->www, path);
	f = fopen(full, "we");
	if (!f)
		fail_msg("%s cannot be written", full);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

void bed_remove(struct bed *b, const char *path)
{
	char full[600];

	snprintf(full, sizeof full, "%s/%s", b->www, path);
	assert_int_equal(unlink(full), 0);
}

static void set_places(struct bed *b, const char *dir)
{
	snprintf(b->dir, sizeof b->dir, "%s", dir);
	snprintf(b->www, sizeof b->www, "%s/www", dir);
	snprintf(b->home, sizeof b->home, "%s/home", dir);
}

/* ---- releases ---- */

static const char *part_name(unsigned part)
{
	return part == 0 ? "code" : "data";
}

static json_t *digest_json(const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	sha256_format(d, hex);
	return json_string(hex);
}

static json_t *part_json(const struct component *c)
{
	const struct artifact *a = &c->artifact;
	json_t *artifact = json_pack("{s:o, s:I, s:s, s:s, s:o, s:I, s:o}", "digest",
		digest_json(&a->digest), "length", (json_int_t)a->length, "compression",
		a->compression == COMPRESSION_ZSTD ? "zstd" : "none", "archive",
		a->archive == ARCHIVE_TAR ? "tar" : "raw", "content_digest",
		digest_json(&a->content_digest), "content_length", (json_int_t)a->content_length,
		"tree", digest_json(&a->tree));

	return json_pack("{s:s, s:s, s:s, s:o}", "name", c->name, "kind", "code", "path", c->path,
		"artifact", artifact);
}

void toy_write(struct toy *t, const char *change, const char *value)
{
	JSON_AUTO *doc = json_pack("{s:i, s:s, s:s, s:s, s:[o, o], s:i, s:i, s:i}", "format", 1,
		"id", t->id, "product", "toy", "version", t->id, "components",
		part_json(&t->part[0]), part_json(&t->part[1]), "start_timeout_ms", 20000,
		"soak_ms", 0, "baseline_wait_ms", 0);

	if (change) {
		patch_write(doc, change, value, &t->document);
		return;
	}
	buf_clear(&t->document);
	json_write(doc, &t->document);
}

void toy_set_code(struct toy *t, const struct parcel_entry *v, enum compression how)
{
	buf_clear(&t->artifact[0]);
	parcel_make_tar(&t->part[0], part_name(0), part_name(0), v, how, &t->artifact[0]);
	toy_write(t, NULL, NULL);
}

void toy_make(struct toy *t, unsigned n)
{
	const struct parcel_entry code[] = {
		{'5', "bin/", NULL, 0},
		{'0', "bin/run", "#!/bin/sh\nexec sleep 1000000\n", 0755},
		{'0', "version", t->id, 0},
		PARCEL_END,
	};

	memset(t, 0, sizeof *t);
	snprintf(t->id, sizeof t->id, "toy-%u", n);
	snprintf(t->path, sizeof t->path, "toy/%s.json", t->id);
	t->match = trepo_match(HARDWARE, n);
	parcel_make_raw(&t->part[1], part_name(1), "data/shared",
		STR("the same in every release\n"), COMPRESSION_NONE, &t->artifact[1]);
	toy_set_code(t, code, COMPRESSION_ZSTD);
}

void toy_fini(struct toy *t)
{
	for (unsigned i = 0; i < TOY_PARTS; i++)
		buf_fini(&t->artifact[i]);
	buf_fini(&t->document);
	buf_fini(&t->summary);
}

const char *bed_artifact(const struct toy *t, unsigned part)
{
	static char path[128];
	char hex[SHA256_TEXT];

	sha256_format(&t->part[part].artifact.digest, hex);
	snprintf(path, sizeof path, "artifacts/%s", hex);
	return path;
}

/* ---- what is served ---- */

static void put_document(struct bed *b, const struct toy *t)
{
	char path[256], hex[SHA256_TEXT];
	struct sha256 digest;

	digest_of(t->document.p, t->document.n, &digest);
	sha256_format(&digest, hex);
	snprintf(path, sizeof path, "image/targets/toy/%s.%s.json", hex, t->id);
	bed_write(b, path, buf_str(&t->document));
}

static void put_summary(struct bed *b, const struct toy *t)
{
	char path[256], hex[SHA256_TEXT];
	struct sha256 digest;

	if (!t->summary.n)
		return;
	digest_of(t->summary.p, t->summary.n, &digest);
	sha256_format(&digest, hex);
	snprintf(path, sizeof path, "artifacts/%s", hex);
	bed_write(b, path, buf_str(&t->summary));
}

void bed_offer(struct bed *b, const struct toy *t)
{
	for (unsigned i = 0; i < TOY_PARTS; i++)
		bed_write(b, bed_artifact(t, i), buf_str(&t->artifact[i]));
	put_document(b, t);
	put_summary(b, t);
	trepo_add_release(&b->image, t->path, buf_str(&t->document), &t->match);
	trepo_direct(
		&b->director, DEVICE, DESIRED_INSTALL, t->path, buf_str(&t->document), &t->match);
}

void bed_set_versions(struct bed *b, uint64_t version)
{
	for (enum trepo_file f = TREPO_TIMESTAMP; f < b->image.n; f++)
		trepo_set_version(&b->image, f, version);
	for (enum trepo_file f = TREPO_TIMESTAMP; f < b->director.n; f++)
		trepo_set_version(&b->director, f, version);
}

void bed_save(struct bed *b)
{
	char path[400];

	snprintf(path, sizeof path, "%s/image", b->www);
	trepo_save(&b->image, path);
	snprintf(path, sizeof path, "%s/director/" DEVICE, b->www);
	trepo_save(&b->director, path);
	b->saved = true;
}

void bed_publish(struct bed *b)
{
	trepo_publish(&b->image);
	trepo_publish(&b->director);
	bed_save(b);
}

/* ---- changes ---- */

struct edit {
	enum trepo_file f;
	struct str from, to;
};

static void edit(struct trepo *r, enum trepo_file f, void *ctx)
{
	const struct edit *x = ctx;
	struct buf *file = &r->role[f].file;
	BUF_AUTO before = {0};
	const uint8_t *at;

	if (f != x->f)
		return;
	buf_add(&before, file->p, file->n);
	at = memmem(before.p, before.n, x->from.p, x->from.n);
	if (!at)
		fail_msg("%s has no %s", r->role[f].name, x->from.p);
	buf_clear(file);
	buf_add(file, before.p, (size_t)(at - before.p));
	buf_add(file, x->to.p, x->to.n);
	buf_add(file, at + x->from.n, (size_t)(before.p + before.n - at) - x->from.n);
}

void bed_publish_edited(
	struct bed *b, struct trepo *r, enum trepo_file f, struct str from, struct str to)
{
	struct edit x = {f, from, to};

	trepo_publish(r == &b->image ? &b->director : &b->image);
	trepo_publish_changed(r, edit, &x);
	bed_save(b);
}

void bed_sign_again(struct bed *b, struct trepo *r, enum trepo_file f)
{
	trepo_sign(r, f);
	if (f >= TREPO_TARGETS) {
		trepo_pin(r, TREPO_SNAPSHOT, f);
		trepo_sign(r, TREPO_SNAPSHOT);
	}
	if (f >= TREPO_SNAPSHOT) {
		trepo_pin(r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
		trepo_sign(r, TREPO_TIMESTAMP);
	}
	bed_save(b);
}

void bed_set(struct trepo *r, enum trepo_file f, const char *path, const char *value)
{
	BUF_AUTO text = {0};

	patch_write(r->role[f].part, path, value, &text);
	json_decref(r->role[f].part);
	r->role[f].part = json_loadb((const char *)text.p, text.n, 0, NULL);
	assert_non_null(r->role[f].part);
}

json_t *bed_entry(struct trepo *r, enum trepo_file f, const struct toy *t)
{
	json_t *entry = json_object_get(json_object_get(r->role[f].part, "targets"), t->path);

	assert_non_null(entry);
	return entry;
}

void bed_misbehave(
	struct bed *b, const char *path, enum httpd_manner manner, uint64_t n, const char *body)
{
	char full[256];

	snprintf(full, sizeof full, "/%s", path);
	httpd_put(b->server,
		&(struct httpd_file){
			.path = full, .manner = manner, .n = n, .body = str_of(body ? body : "")});
}

void bed_serve(struct bed *b)
{
	b->server = httpd_new();
	httpd_set_dir(b->server, b->www);
	httpd_take_posts(b->server);
	if (b->serve_more)
		b->serve_more(b);
}

/* ---- beginning ---- */

static void make_folders(struct bed *b)
{
	static const char *const dirs[] = {"", "/image", "/image/targets", "/image/targets/toy",
		"/artifacts", "/director", ("/director/" DEVICE)};
	char path[400];

	make_folder(b->dir);
	make_folder(b->home);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s%s", b->www, dirs[i]);
		make_folder(path);
	}
}

static void install_toy_1(struct bed *b)
{
	BUF_AUTO text = {0};
	struct toy first;

	toy_make(&first, 1);
	bed_offer(b, &first);
	bed_set_versions(b, VERSION_FIRST);
	bed_publish(b);
	bed_serve(b);
	/* What a device is provisioned with has the layout of what is served. */
	bed_write(b, "director/1.root.json", trepo_bytes(&b->director, TREPO_ROOT));
	if (device_provision(b, b->www, &text) != 0)
		fail_msg("provisioning: %s", buf_cstr(&text));
	device_ask(b);
	if (b->verdict.exit != 0)
		blame(b, "toy-1: %s", b->verdict.text);
	device_must_run(b, 1);
	httpd_free(&b->server);
	toy_fini(&first);
}

void bed_make(struct bed *b, const char *dir)
{
	memset(b, 0, sizeof *b);
	set_places(b, dir);
	b->now_s = time(NULL);
	trepo_init(&b->image, TREPO_IMAGE, b->now_s);
	trepo_init(&b->director, TREPO_DIRECTOR, b->now_s);
	make_folders(b);
	install_toy_1(b);
	toy_make(&b->good, 2);
	b->saved = false;
	bed_set_versions(b, VERSION_GOOD);
}

static void run_command(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

void bed_restore(struct bed *b)
{
	char command[900];

	snprintf(command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", b->www, b->first_www,
		b->www);
	run_command(command);
}

void bed_shell(struct bed *b, const char *command)
{
	BUF_AUTO full = {0};

	buf_addf(&full, "cd '%s' && %s", b->dir, command);
	run_command(buf_cstr(&full));
}

void bed_discard(struct bed *b)
{
	char command[700];

	snprintf(command, sizeof command, "rm -rf '%s'", b->dir);
	run_command(command);
}

void bed_copy(struct bed *b, const char *dir)
{
	char command[700];

	snprintf(command, sizeof command, "cp -a '%s' '%s'", b->dir, dir);
	run_command(command);
	if (!b->first_www[0])
		snprintf(b->first_www, sizeof b->first_www, "%s", b->www);
	set_places(b, dir);
	bed_offer(b, &b->good);
}
