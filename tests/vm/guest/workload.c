/* What runs on the machine that `make check-vm` boots: it does a piece of work twenty times a
 *second, and answers /healthz and /metrics with how long that took.
 *
 *	workload PORT MILLISECONDS	a piece of work takes so long
 */
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const unsigned bound_ms[] = {5, 10, 25, 50, 100, 250, 500, 1000, 2500};
#define N_BOUNDS (sizeof bound_ms / sizeof bound_ms[0])

struct tally {
	uint64_t below[N_BOUNDS], count, sum_ms;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void work(struct tally *t, unsigned ms)
{
	const struct timespec span = {ms / 1000, (long)(ms % 1000) * 1000000};
	uint64_t began = now_ms(), took;

	nanosleep(&span, NULL);
	took = now_ms() - began;
	for (size_t i = 0; i < N_BOUNDS; i++)
		t->below[i] += took <= bound_ms[i];
	t->count++;
	t->sum_ms += took;
}

static void write_page(FILE *f, const struct tally *t)
{
	fputs("# TYPE work_seconds histogram\n", f);
	for (size_t i = 0; i < N_BOUNDS; i++)
		fprintf(f, "work_seconds_bucket{le=\"%u.%03u\"} %llu\n", bound_ms[i] / 1000,
			bound_ms[i] % 1000, (unsigned long long)t->below[i]);
	fprintf(f, "work_seconds_bucket{le=\"+Inf\"} %llu\n", (unsigned long long)t->count);
	fprintf(f, "work_seconds_sum %llu.%03llu\n", (unsigned long long)(t->sum_ms / 1000),
		(unsigned long long)(t->sum_ms % 1000));
	fprintf(f, "work_seconds_count %llu\n", (unsigned long long)t->count);
}

/* Whoever asks sends one small packet: a machine's own agent does. */
static void answer(int fd, const struct tally *t)
{
	char ask[1024] = "", page[2048] = "ok\n";
	ssize_t n = recv(fd, ask, sizeof ask - 1, 0);
	FILE *f;

	if (n > 0 && strncmp(ask, "GET /metrics ", 13) == 0 &&
		(f = fmemopen(page, sizeof page, "w"))) {
		write_page(f, t);
		fclose(f);
	}
	if (n > 0)
		dprintf(fd,
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
			strlen(page), page);
	close(fd);
}

static int listen_on(uint16_t port)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
		bind(fd, (const struct sockaddr *)&at, sizeof at) || listen(fd, 8)) {
		perror("workload");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct tally t = {0};
	struct pollfd p = {.events = POLLIN};
	unsigned ms;

	if (argc != 3)
		return 64;
	ms = (unsigned)strtoul(argv[2], NULL, 10);
	p.fd = listen_on((uint16_t)strtoul(argv[1], NULL, 10));
	for (;;) {
		work(&t, ms);
		if (poll(&p, 1, 50) > 0)
			answer(accept4(p.fd, NULL, NULL, SOCK_CLOEXEC), &t);
	}
}
