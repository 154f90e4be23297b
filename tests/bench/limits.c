#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "tests/bench/bench.h"

#define PIECE  ((size_t)1 << 20)
#define PIECES 4U

static uint8_t *piece_new(void)
{
	uint8_t *p = aligned_alloc(4096, PIECE);

	if (!p)
		abort();
	memset(p, 0, PIECE);
	return p;
}

static int open_to(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT, 0644);

	if (fd < 0)
		bench_die(path, strerror(errno));
	return fd;
}

static void put(int fd, const uint8_t *p, size_t n)
{
	if (n % 4096)
		n += 4096 - n % 4096;
	if (write(fd, p, n) != (ssize_t)n)
		bench_die("write", strerror(errno));
}

static void done(int fd)
{
	if (fsync(fd) < 0)
		bench_die("fsync", strerror(errno));
	close(fd);
}

double bench_digest_alone(const char *content)
{
	uint8_t *p = piece_new(), sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	int fd = open(content, O_RDONLY);
	double begin;
	ssize_t n;

	/* Once over, so that the file is in memory and the disk is not what is measured. */
	while ((n = read(fd, p, PIECE)) > 0)
		;
	lseek(fd, 0, SEEK_SET);
	begin = bench_now();
	EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	while ((n = read(fd, p, PIECE)) > 0)
		EVP_DigestUpdate(c, p, (size_t)n);
	EVP_DigestFinal_ex(c, sum, NULL);
	return bench_now() - begin;
}

double bench_write_alone(const char *content, const char *to)
{
	uint8_t *p = piece_new();
	struct stat st;
	double begin;

	if (stat(content, &st) < 0)
		bench_die(content, strerror(errno));
	begin = bench_now();
	int fd = open_to(to);
	for (off_t at = 0; at < st.st_size; at += (off_t)PIECE)
		put(fd, p, (size_t)MIN((off_t)PIECE, st.st_size - at));
	done(fd);
	return bench_now() - begin;
}

/* ---- the loop ---- */

struct loop {
	pthread_mutex_t lock;
	pthread_cond_t change;
	uint8_t *piece[PIECES];
	size_t n[PIECES];
	uint64_t filled, emptied;
	bool ended;
	int fd;
	EVP_MD_CTX *digest;
};

static void *hash_and_write(void *arg)
{
	struct loop *l = arg;

	for (;;) {
		pthread_mutex_lock(&l->lock);
		while (l->filled == l->emptied && !l->ended)
			pthread_cond_wait(&l->change, &l->lock);
		bool more = l->filled > l->emptied;
		pthread_mutex_unlock(&l->lock);
		if (!more)
			return NULL;
		size_t i = l->emptied % PIECES;
		EVP_DigestUpdate(l->digest, l->piece[i], l->n[i]);
		put(l->fd, l->piece[i], l->n[i]);
		pthread_mutex_lock(&l->lock);
		l->emptied++;
		pthread_cond_broadcast(&l->change);
		pthread_mutex_unlock(&l->lock);
	}
}

static void hand_over(struct loop *l, ZSTD_outBuffer *o)
{
	pthread_mutex_lock(&l->lock);
	l->n[l->filled % PIECES] = o->pos;
	l->filled++;
	pthread_cond_broadcast(&l->change);
	while (l->filled - l->emptied >= PIECES)
		pthread_cond_wait(&l->change, &l->lock);
	*o = (ZSTD_outBuffer){l->piece[l->filled % PIECES], PIECE, 0};
	pthread_mutex_unlock(&l->lock);
}

static int ask(const char *url)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char path[300];
	unsigned port;

	if (sscanf(url, "http://127.0.0.1:%u%299s", &port, path) != 2)
		bench_die(url, "not an address");
	a.sin_port = htons((uint16_t)port);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		bench_die(url, strerror(errno));
	dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
	return fd;
}

/* The rest of the first read, behind the head. */
static size_t skip_head(int fd, uint8_t *p, size_t cap)
{
	size_t n = 0;
	uint8_t *end = NULL;

	while (!end) {
		ssize_t k = read(fd, p + n, cap - n);

		if (k <= 0)
			bench_die("answer", "cut off");
		n += (size_t)k;
		end = memmem(p, n, "\r\n\r\n", 4);
	}
	n -= (size_t)(end + 4 - p);
	memmove(p, end + 4, n);
	return n;
}

static void decompress(struct loop *l, int from)
{
	static uint8_t in[256 * 1024];
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_outBuffer o = {l->piece[0], PIECE, 0};
	ssize_t n = (ssize_t)skip_head(from, in, sizeof in);

	do {
		ZSTD_inBuffer i = {in, (size_t)n, 0};
		bool full = true;

		while (i.pos < i.size || full) {
			if (ZSTD_isError(ZSTD_decompressStream(z, &o, &i)))
				bench_die("zstd", "malformed");
			full = o.pos == o.size;
			if (full)
				hand_over(l, &o);
		}
	} while ((n = read(from, in, sizeof in)) > 0);
	if (o.pos)
		hand_over(l, &o);
	ZSTD_freeDCtx(z);
}

double bench_loop(const char *url, const char *to)
{
	struct loop l = {.digest = EVP_MD_CTX_new()};
	uint8_t sum[EVP_MAX_MD_SIZE];
	double begin = bench_now();
	pthread_t writer;

	pthread_mutex_init(&l.lock, NULL);
	pthread_cond_init(&l.change, NULL);
	for (size_t i = 0; i < PIECES; i++)
		l.piece[i] = piece_new();
	EVP_DigestInit_ex(l.digest, EVP_sha256(), NULL);
	l.fd = open_to(to);
	pthread_create(&writer, NULL, hash_and_write, &l);
	int from = ask(url);
	decompress(&l, from);
	close(from);
	pthread_mutex_lock(&l.lock);
	l.ended = true;
	pthread_cond_broadcast(&l.change);
	pthread_mutex_unlock(&l.lock);
	pthread_join(writer, NULL);
	EVP_DigestFinal_ex(l.digest, sum, NULL);
	done(l.fd);
	return bench_now() - begin;
}
