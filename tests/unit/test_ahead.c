#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <semaphore.h>
#include <string.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "lib/sys/ahead.h"

#define PIECE 4096U

/* A source of `size` bytes that count up, `step` of them at most at once, that fails at `fail_at`;
 * and somebody who looks at all pieces and refuses the one that begins at `refuse_at`. */
struct world {
	uint64_t size, step, at, fail_at;
	uint64_t seen, refuse_at;
	bool end_seen;
	sem_t stopped;
};

static int read_count(void *ctx, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct world *w = ctx;
	uint8_t *to = p;

	if (w->at >= w->fail_at)
		return err_set(e, ERR_IO, "broken at %llu", (unsigned long long)w->at);
	*out_n = (size_t)MIN(MIN(n, w->step), w->size - w->at);
	for (size_t i = 0; i < *out_n; i++)
		to[i] = (uint8_t)((w->at + i) * 7);
	w->at += *out_n;
	return 0;
}

static int look(void *ctx, const void *p, size_t n, struct err *e)
{
	struct world *w = ctx;

	if (w->seen >= w->refuse_at)
		return err_set(e, ERR_ALTERED, "refused");
	for (size_t i = 0; i < n; i++)
		assert_int_equal(((const uint8_t *)p)[i], (uint8_t)((w->seen + i) * 7));
	assert_false(w->end_seen);
	w->end_seen = n == 0;
	w->seen += n;
	return 0;
}

static struct ahead *begin(struct world *w, bool overlap, bool also)
{
	struct ahead_in in = {.read = read_count,
		.ctx = w,
		.also = also ? look : NULL,
		.also_ctx = w,
		.piece = PIECE,
		.pieces = 3,
		.overlap = overlap};

	w->step = w->step ? w->step : UINT64_MAX;
	w->fail_at = w->fail_at ? w->fail_at : UINT64_MAX;
	w->refuse_at = w->refuse_at ? w->refuse_at : UINT64_MAX;
	return ahead_new(&in);
}

/* Takes all there is; *out_sum counts it. */
static int take_all(struct ahead *a, uint64_t *out_sum, struct err *e)
{
	const void *p;
	size_t n = 1;

	*out_sum = 0;
	while (n > 0) {
		TRY(ahead_take(a, &p, &n, e));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(((const uint8_t *)p)[i], (uint8_t)((*out_sum + i) * 7));
		*out_sum += n;
	}
	return 0;
}

static void everything_comes_in_order(void **state)
{
	static const uint64_t sizes[] = {0, 1, PIECE - 1, PIECE, PIECE + 1, 10 * PIECE + 77};
	static const uint64_t steps[] = {0, 1000, 4096};
	uint64_t sum;
	const void *p;
	size_t n;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(steps) * 4; i++) {
		struct world w = {.size = sizes[i / 4 % ARRAY_LEN(sizes)],
			.step = steps[i / 4 / ARRAY_LEN(sizes)]};
		struct ahead *a = begin(&w, i & 1, i & 2);

		assert_int_equal(take_all(a, &sum, &e), 0);
		assert_int_equal(sum, w.size);
		/* The end stays the end. */
		assert_int_equal(ahead_take(a, &p, &n, &e), 0);
		assert_int_equal(n, 0);
		ahead_free(&a);
		assert_null(a);
		assert_int_equal(w.seen, i & 2 ? w.size : 0);
		assert_int_equal(w.end_seen, (i & 2) != 0);
	}
}

/* What was read before the failure is handed out first, whole pieces of it. */
static void a_failure_comes_in_its_turn(void **state)
{
	uint64_t sum;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct world w = {.size = 100 * PIECE, .fail_at = 5 * PIECE};
		struct ahead *a = begin(&w, i & 1, i & 2);

		assert_int_equal(take_all(a, &sum, &e), -ERR_IO);
		assert_string_equal(e.text, "broken at 20480");
		assert_true(sum <= 5 * PIECE);
		if (!(i & 2))
			assert_int_equal(sum, 5 * PIECE);
		ahead_free(&a);
	}
}

static void what_the_other_refuses_is_refused(void **state)
{
	static const uint64_t at[] = {1, 5 * PIECE, 9 * PIECE + 5};
	uint64_t sum;
	struct err e;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(at); i++) {
		struct world w = {.size = 9 * PIECE + 5, .refuse_at = at[i / 2]};
		struct ahead *a = begin(&w, i & 1, true);

		/* The last of these refuses at the very end: all bytes came, the end does not. */
		assert_int_equal(take_all(a, &sum, &e), -ERR_ALTERED);
		ahead_free(&a);
	}
}

static void it_may_be_given_up_at_any_time(void **state)
{
	const void *p;
	size_t n;
	struct err e;

	(void)state;
	for (unsigned taken = 0; taken < 12; taken++) {
		struct world w = {.size = 10 * PIECE};
		struct ahead *a = begin(&w, true, taken % 2);

		for (unsigned i = 0; i < taken; i++)
			assert_int_equal(ahead_take(a, &p, &n, &e), 0);
		ahead_free(&a);
	}
}

static int read_until_stopped(void *ctx, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct world *w = ctx;

	(void)p;
	(void)n;
	(void)out_n;
	sem_wait(&w->stopped);
	return err_set(e, ERR_CANCELLED, "stopped");
}

static void stop(void *ctx)
{
	sem_post(&((struct world *)ctx)->stopped);
}

static void a_read_that_waits_is_stopped(void **state)
{
	struct world w = {0};
	struct ahead_in in = {.read = read_until_stopped,
		.stop = stop,
		.ctx = &w,
		.piece = PIECE,
		.pieces = 2,
		.overlap = true};
	struct ahead *a;

	(void)state;
	sem_init(&w.stopped, 0, 0);
	a = ahead_new(&in);
	ahead_free(&a);
	sem_destroy(&w.stopped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_in_order),
		cmocka_unit_test(a_failure_comes_in_its_turn),
		cmocka_unit_test(what_the_other_refuses_is_refused),
		cmocka_unit_test(it_may_be_given_up_at_any_time),
		cmocka_unit_test(a_read_that_waits_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
