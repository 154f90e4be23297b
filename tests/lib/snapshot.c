#include "tests/lib/snapshot.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/trust/digest.h"

static void add_file(const char *path, struct buf *out)
{
	static uint8_t piece[65536];
	char hex[SHA256_TEXT];
	struct sha256 sum;
	struct digest d;
	int fd = open(path, O_RDONLY);
	ssize_t n;

	assert(fd >= 0);
	digest_init(&d);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		digest_add(&d, piece, (size_t)n);
	close(fd);
	digest_fini(&d, &sum);
	sha256_format(&sum, hex);
	buf_add_str(out, hex);
}

static void add(const char *path, struct buf *out)
{
	char target[4096] = "";
	struct stat st;

	assert(lstat(path, &st) == 0);
	buf_addf(out, "%s %06o %lld ", path, st.st_mode,
		S_ISREG(st.st_mode) ? (long long)st.st_size : 0LL);
	if (S_ISREG(st.st_mode))
		add_file(path, out);
	if (S_ISLNK(st.st_mode) && readlink(path, target, sizeof target - 1) > 0)
		buf_add_str(out, target);
	buf_add_char(out, '\n');
	if (S_ISDIR(st.st_mode))
		snapshot_take(path, out);
}

void snapshot_take(const char *dir, struct buf *out)
{
	struct dirent **v;
	char path[4096];
	int n = scandir(dir, &v, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		if (strcmp(v[i]->d_name, ".") != 0 && strcmp(v[i]->d_name, "..") != 0) {
			snprintf(path, sizeof path, "%s/%s", dir, v[i]->d_name);
			add(path, out);
		}
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}
