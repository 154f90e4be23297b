#include "keys/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/token_uri.h"

#define KEYSTORE_MAX 256          /* keys in one store */
#define KEY_FILE_MAX (16U * 1024) /* bytes of one key file */

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
	if (st.st_size > KEY_FILE_MAX)
		return err_set(e, ERR_TOO_LARGE, "%s: %lld bytes", file, (long long)st.st_size);
	n = read(fd, buf_reserve(out, KEY_FILE_MAX), KEY_FILE_MAX);
	if (n < 0)
		return err_sys(e, errno, "read %s", file);
	out->n += (size_t)n;
	return 0;
}

/* Of a URI's pin-source: the first line of a file that nobody else may read. */
static int read_pin(int dir, const char *uri_pin, struct buf *out, struct err *e)
{
	char *end;

	if (read_secret(dir, uri_pin, out, e) < 0)
		return err_wrap(e, "PIN");
	end = memchr(out->p, '\n', out->n);
	if (end)
		out->n = (size_t)(end - (char *)out->p);
	if (out->n == 0 || out->n > LIMIT_PIN_BYTES)
		return err_set(e, ERR_BAD_INPUT, "PIN: %s holds one of %zu bytes, 1 to %d may be",
			uri_pin, out->n, LIMIT_PIN_BYTES);
	return 0;
}

static int from_pem(
	int dir UNUSED, const char *name, struct str pem, struct sign_key *out, struct err *e)
{
	return sign_key_decode(name, pem, out, e);
}

static int from_token(
	int dir, const char *name, struct str text, struct sign_key *out, struct err *e)
{
	CLEANUP(token_uri_fini) struct token_uri uri = {0};
	CLEANUP(sign_wipe) struct buf pin = {0};

	if (token_uri_parse(text, &uri, e) < 0 || read_pin(dir, uri.pin, &pin, e) < 0)
		return err_wrap(e, "%s", name);
	return sign_key_token(name, text, buf_str(&pin), out, e);
}

/* What a file's name says of how its key is had. */
static const struct kind {
	const char *suffix;
	int (*load)(
		int dir, const char *name, struct str text, struct sign_key *out, struct err *e);
} kinds[] = {
	{".pem", from_pem},
	{".p11", from_token},
};

static const struct kind *kind_of(const char *file, char name[ID_TEXT_MAX])
{
	size_t n = strlen(file);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t tail = strlen(kinds[i].suffix);

		if (n > tail && strcmp(file + n - tail, kinds[i].suffix) == 0 &&
			str_copy((struct str){file, n - tail}, name, ID_TEXT_MAX, NULL) == 0)
			return &kinds[i];
	}
	return NULL;
}

static bool is_known(const struct keystore *ks, const struct sign_key *key)
{
	for (unsigned i = 0; i < ks->n; i++)
		if (strcmp(ks->keys[i]->name, key->name) == 0 &&
			sha256_eq(&ks->keys[i]->pub.spki, &key->pub.spki))
			return true;
	return false;
}

static int load_one(
	struct keystore *ks, int dir, const char *file, unsigned *io_found, struct err *e)
{
	CLEANUP(key_free) struct sign_key *key = mem_new(sizeof *key);
	CLEANUP(sign_wipe) struct buf text = {0};
	char name[ID_TEXT_MAX];
	const struct kind *kind = kind_of(file, name);

	if (!kind)
		return 0;
	++*io_found;
	TRY(read_secret(dir, file, &text, e));
	TRY(kind->load(dir, name, buf_str(&text), key, e));
	return is_known(ks, key) ? 0 : add(ks, &key, e);
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

int keystore_load(struct keystore *ks, const char *dir, struct err *e)
{
	CLEANUP(close_dir) DIR *d = opendir(dir);
	unsigned found = 0;
	struct dirent *entry;

	if (!d)
		return err_sys(e, errno, "open %s", dir);
	while ((entry = readdir(d)))
		if (load_one(ks, dirfd(d), entry->d_name, &found, e) < 0)
			return err_wrap(e, "%s", dir);
	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "%s: no key files (*.pem, *.p11)", dir);
	return 0;
}

/* The mode is given at creation: at no time is the file readable by others. */
static int write_new(int dir, const char *file, struct str bytes, mode_t mode, struct err *e)
{
	int fd = openat(dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool ok;

	if (fd < 0 && errno == EEXIST)
		return err_set(e, ERR_CONFLICT, "%s exists; a key file is never replaced", file);
	if (fd < 0)
		return err_sys(e, errno, "create %s", file);
	ok = write(fd, bytes.p, bytes.n) == (ssize_t)bytes.n && fsync(fd) == 0;
	if (close(fd) < 0 || !ok || fsync(dir) < 0)
		return err_sys(e, errno ? errno : EIO, "write %s", file);
	return 0;
}

int keystore_create(struct keystore *ks, const char *dir, const char *name, enum sig_scheme scheme,
	struct err *e)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(key_free) struct sign_key *key = mem_new(sizeof *key);
	CLEANUP(sign_wipe) struct buf pem = {0};
	char file[ID_TEXT_MAX + 8];

	if (at < 0)
		return err_sys(e, errno, "open %s", dir);
	TRY(sign_key_new(name, scheme, key, e));
	TRY(sign_key_encode(key, &pem, e));
	snprintf(file, sizeof file, "%s.pem", name);
	if (write_new(at, file, buf_str(&pem), 0600, e) < 0)
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

unsigned keystore_count(const struct keystore *ks)
{
	return ks->n;
}

const struct sign_key *keystore_at(const struct keystore *ks, unsigned i)
{
	return ks->keys[i];
}

const struct sign_key *keystore_get(const struct keystore *ks, const char *name)
{
	for (unsigned i = 0; i < ks->n; i++)
		if (strcmp(ks->keys[i]->name, name) == 0)
			return ks->keys[i];
	return NULL;
}

static int put_public(const struct sign_key *key, int at, struct err *e)
{
	JSON_AUTO *public = sign_key_public(key);
	char file[ID_TEXT_MAX + 8];
	BUF_AUTO text = {0};

	json_write(public, &text);
	buf_add_char(&text, '\n');
	snprintf(file, sizeof file, "%s.pub", key->name);
	if (faccessat(at, file, F_OK, 0) == 0)
		return 0;
	return write_new(at, file, buf_str(&text), 0644, e);
}

int keystore_put_public(const struct keystore *ks, const char *dir, struct err *e)
{
	CLEANUP(close_fd) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return err_sys(e, errno, "open %s", dir);
	for (unsigned i = 0; i < ks->n; i++)
		if (put_public(ks->keys[i], at, e) < 0)
			return err_wrap(e, "%s", dir);
	return 0;
}
