/* Measuring an installation beside the physical limits of the same machine in the same minutes.
 * Each measurement is a process of its own, so that its memory is its own. */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include "lib/buf.h"
#include "proto/wire/release.h"

/* What is installed: DIR/NAME/ has the packed release, DIR/NAME.content its uncompressed bytes. */
struct bench_case {
	const char *name; /* "tree", "image" */
	const char *title;
	uint64_t bytes; /* of its files */
};
extern const struct bench_case bench_cases[2];

/* Ends the program with what went wrong. */
void bench_die(const char *what, const char *why) __attribute__((noreturn));
double bench_now(void);
void bench_path(char out[256], const char *dir, const char *name, const char *rest);
/* The packed release of a case. */
void bench_release(const char *dir, const char *name, struct release *out);

/* data.c: makes what is missing, always the same bytes. */
void bench_data(const char *dir);

/* limits.c: one physical limit each, told by its seconds. */
double bench_digest_alone(const char *content);
double bench_write_alone(const char *content, const char *to);
/* The barest overlapped loop: HTTP and zstd in one thread, SHA-256 and direct writes in another. */
double bench_loop(const char *url, const char *to);

#endif
