/* Files like those of a model release: weights (whose high bytes repeat and whose low bytes are
 * noise), quantised weights, words, and some that are empty for long stretches. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "server/pack/pack.h"
#include "tests/bench/bench.h"

#define MIB   ((size_t)1 << 20)
#define PIECE MIB

const struct bench_case bench_cases[2] = {
	{"tree", "400 MiB tree", 400 * MIB},
	{"image", "512 MiB file", 512 * MIB},
};

static uint64_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void weights(uint8_t *p, size_t n, uint64_t *s)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		uint64_t r = next(s);

		p[i] = (uint8_t)r;
		p[i + 1] = (uint8_t)(0x3c + (r >> 40) % 3);
	}
}

static void quantised(uint8_t *p, size_t n, uint64_t *s)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t r = next(s);

		p[i] = (uint8_t)((r & 15) + ((r >> 8) & 15) + ((r >> 16) & 15));
	}
}

static void words(uint8_t *p, size_t n, uint64_t *s)
{
	static const char *const list[] = {"slot", "release", "campaign", "wave", "soak", "trigger",
		"quarantine", "digest", "root", "snapshot", "the", "of", "and", "device", "plate"};
	size_t at = 0;

	while (at < n) {
		const char *w = list[next(s) % ARRAY_LEN(list)];
		size_t k = MIN(strlen(w), n - at);

		memcpy(p + at, w, k);
		at += k;
		if (at < n)
			p[at++] = next(s) % 12 ? ' ' : '\n';
	}
}

static void hollow(uint8_t *p, size_t n, uint64_t *s)
{
	memset(p, 0, n);
	for (size_t i = 0; i + 64 < n; i += 64 + next(s) % 1024)
		weights(p + i, 64, s);
}

static void fill(uint8_t *p, size_t n, size_t kind, uint64_t *s)
{
	static void (*const kinds[])(uint8_t *, size_t, uint64_t *) = {
		weights, quantised, words, hollow};

	kinds[kind % ARRAY_LEN(kinds)](p, n, s);
}

static void write_file(const char *path, size_t size, size_t kind, uint64_t seed)
{
	uint8_t *p = mem_new(PIECE);
	FILE *f = fopen(path, "w");
	uint64_t s = seed * 0x9e3779b97f4a7c15ULL + 1;

	if (!f)
		bench_die(path, strerror(errno));
	for (size_t at = 0, i = 0; at < size; at += PIECE, i++) {
		size_t n = MIN(PIECE, size - at);

		/* One large file has all kinds in it, piece by piece. */
		fill(p, n, kind < 4 ? kind : i / 4, &s);
		if (fwrite(p, 1, n, f) != n)
			bench_die(path, strerror(errno));
	}
	fclose(f);
	free(p);
}

/* Few large files, many small ones: 400 MiB in 240 files. */
static void make_tree(const char *dir)
{
	char path[300];
	size_t left = bench_cases[0].bytes;

	for (unsigned i = 0; left > 0; i++) {
		size_t size = i < 24 ? 14 * MIB : i < 64 ? MIB : i < 239 ? 64 * 1024 : left;

		size = MIN(size, left);
		snprintf(path, sizeof path, "%s/part-%u", dir, i % 8);
		mkdir(path, 0755);
		snprintf(path, sizeof path, "%s/part-%u/layer-%03u.bin", dir, i % 8, i);
		write_file(path, size, i % 4, i);
		left -= size;
	}
}

static void make_template(const char *path, const char *name, const char *source)
{
	FILE *f = fopen(path, "w");

	if (!f)
		bench_die(path, strerror(errno));
	fprintf(f,
		"{\"format\":1,\"id\":\"bench-%s\",\"product\":\"bench\",\"version\":\"1\","
		"\"components\":[{\"name\":\"%s\",\"kind\":\"model\",\"path\":\"content/%s\","
		"\"source\":\"%s\"}]}\n",
		name, name, name, source);
	fclose(f);
}

static void pack(const char *dir, const char *name)
{
	char template[256], out[256];
	struct pack_spec spec = {.template_path = template, .out_dir = out};
	struct pack_result result;
	struct err e;

	bench_path(template, dir, name, ".template.json");
	bench_path(out, dir, name, "");
	if (pack_release(&spec, &result, &e) < 0)
		bench_die(name, e.text);
}

/* The artifact once more, as it is before compression. */
static void unpack(const char *dir, const char *name)
{
	char artifact[400], content[256], command[1024], hex[SHA256_TEXT];
	struct release *r = mem_new(sizeof *r);

	bench_release(dir, name, r);
	sha256_format(&r->components[0].artifact.digest, hex);
	free(r);
	snprintf(artifact, sizeof artifact, "%s/%s/artifacts/%s", dir, name, hex);
	bench_path(content, dir, name, ".content");
	snprintf(command, sizeof command, "zstd -q -d -c '%s' >'%s'", artifact, content);
	if (system(command) != 0)
		bench_die(command, "failed");
}

static void make(const char *dir, size_t i)
{
	const char *name = bench_cases[i].name;
	char source[256], template[256], base[64];

	snprintf(base, sizeof base, "%s.source", name);
	bench_path(source, dir, base, "");
	if (i == 0) {
		mkdir(source, 0755);
		make_tree(source);
	} else {
		write_file(source, bench_cases[i].bytes, 4, 99);
	}
	bench_path(template, dir, name, ".template.json");
	make_template(template, name, base);
	pack(dir, name);
	unpack(dir, name);
}

void bench_data(const char *dir)
{
	char content[256];

	for (size_t i = 0; i < ARRAY_LEN(bench_cases); i++) {
		bench_path(content, dir, bench_cases[i].name, ".content");
		if (access(content, R_OK) == 0)
			continue;
		fprintf(stderr, "making %s\n", bench_cases[i].title);
		make(dir, i);
	}
}
