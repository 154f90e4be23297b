#include "keys/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYSTORE_MAX 256          /* keys in one store */
#define PEM_FILE_MAX (16U * 1024) /* bytes of one key file */

struct keystore {
	unsigned n;
	struct sign_key *keys[KEYSTORE_MAX]; /* by name */
};

struct keystore *keystore_new(void)
{
	return mem_new(sizeof(struct keystore));
}

static void key_free(struct sign_key **key)
{
	if (*key)
		sign_key_fini(*key);
	mem_free(key);
}

void keystore_free(struct keystore **ks)
{
	if (*ks)
		for (unsigned i = 0; i < (*ks)->n; i++)
			key_free(&(*ks)->keys[i]);
	mem_free(ks);
}

/* Takes over the key. Kept in order, so that a file lists its signatures the same way every time.
 */
static int add(struct keystore *ks, struct sign_key **key, struct err *e)
{
	unsigned at = ks->n;

	if (ks->n == KEYSTORE_MAX)
		return err_set(e, ERR_TOO_LARGE, "more than %d keys", KEYSTORE_MAX);
	for (; at > 0 && strverscmp(ks->keys[at - 1]->name, (*key)->name) > 0; at--)
		ks->keys[at] = ks->keys[at - 1];
	ks->keys[at] = *key;
	ks->n++;
	*key = NULL;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int read_secret(int dir, const char *file, struct buf *out, struct err *e)
{
	CLEANUP(close_fd) int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, errno, "open %s", file);
	if (st.st_mode & 077)
		return err_set(e, ERR_DENIED,
			"%s: mode %04o lets others at a private key, 0600 is right", file,
			(unsigned)(st.st_mode & 07777));
	if (st.st_size > PEM_FILE_MAX)
		return err_set(e, ERR_TOO_LARGE, "%s: %lld bytes", file, (long long)st.st_size);
	n = read(fd, buf_reserve(out, PEM_FILE_MAX), PEM_FILE_MAX);
	if (n < 0)
		return err_sys(e, errno, "read %s", file);
	out->n += (size_t)n;
	return 0;
}

static int load_one(struct keystore *ks, int dir, const char *file, size_t name_n, struct err *e)
{
	CLEANUP(key_free) struct sign_key *key = mem_new(sizeof *key);
	CLEANUP(sign_wipe) struct buf pem = {0};
	char name[ID_TEXT_MAX];

	TRY(str_copy((struct str){file, name_n}, name, sizeof name, e));
	TRY(read_secret(dir, file, &pem, e));
	TRY(sign_key_decode(name, buf_str(&pem), key, e));
	return add(ks, &key, e);
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int keystore_load(struct keystore *ks, const char *dir, struct err *e)
{
	CLEANUP(close_dir) DIR *d = opendir(dir);
	unsigned before = ks->n;
	struct dirent *entry;

	if (!d)
		return err_sys(e, errno, "open %s", dir);
	while ((entry = readdir(d))) {
		size_t n = strlen(entry->d_name);

		if (n <= 4 || strcmp(entry->d_name + n - 4, ".pem") != 0)
			continue;
		if (load_one(ks, dirfd(d), entry->d_name, n - 4, e) < 0)
			return err_wrap(e, "%s", dir);
	}
	if (ks->n == before)
		return err_set(e, ERR_NOT_FOUND, "%s: no key files (*.pem)", dir);
	return 0;
}

/* The mode is given at creation: at no time is the file readable by others. */
static int write_secret(int dir, const char *file, struct str bytes, struct err *e)
{
	int fd = openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s exists; a private key is never replaced", file);
	if (fd < 0)
		return err_sys(e, errno, "create %s", file);
	ok = write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n && fsync(fd) == 0;
	if (close(fd) < 0 || !ok || fsync(dir) < 0)
		return err_sys(e, errno ? errno : EIO, "write %s", file);
	return 0;
}

int keystore_create(struct keystore *ks, const char *dir, const char *name, struct err *e)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(key_free) struct sign_key *key = mem_new(sizeof *key);
	CLEANUP(sign_wipe) struct buf pem = {0};
	char file[ID_TEXT_MAX + 8];

	if (at < 0)
		return err_sys(e, errno, "open %s", dir);
	TRY(sign_key_new(name, key, e));
	TRY(sign_key_encode(key, &pem, e));
	snprintf(file, sizeof file, "%s.pem", name);
	if (write_secret(at, file, buf_str(&pem), e) < 0)
		return err_wrap(e, "%s", dir);
	return add(ks, &key, e);
}

unsigned keystore_find(
	const struct keystore *ks, const char *role, const struct sign_key *out[LIMIT_KEYS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < ks->n && n < LIMIT_KEYS; i++)
		if (strcmp(ks->keys[i]->role, role) == 0)
			out[n++] = ks->keys[i];
	return n;
}
