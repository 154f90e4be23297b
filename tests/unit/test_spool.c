/* How telemetry waits: the lines of a piece, and what gives way. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "agent/core/spool.h"
#include "lib/prng.h"

static void add(struct buf *out, uint64_t seq, bool detail, const char *item)
{
	const struct spool_line l = {seq, detail, str_of(item)};

	spool_line_format(&l, out);
}

static void make(struct buf *out)
{
	spool_head_format(&(struct spool_head){0xff, 7}, out);
	add(out, 7, true, "{\"a\":1}");
	add(out, 9, false, "{\"b\":2}");
}

static unsigned lines_of(struct str text, uint64_t *out_last)
{
	struct spool_head h;
	struct spool_line l;
	unsigned n = 0;

	if (spool_head_parse(&text, &h, NULL) < 0)
		return 0;
	assert_true(h.epoch == 0xff && h.first == 7);
	for (*out_last = 6; spool_line_parse(&text, *out_last, &l); n++) {
		assert_true(l.detail == (l.seq == 7));
		assert_true(str_is(l.item, l.seq == 7 ? "{\"a\":1}" : "{\"b\":2}"));
		*out_last = l.seq;
	}
	return n;
}

static void lines_go_both_ways(void **state)
{
	BUF_AUTO text = {0};
	uint64_t last;

	(void)state;
	make(&text);
	assert_int_equal(lines_of(buf_str(&text), &last), 2);
	assert_int_equal(last, 9);
}

/* Cut anywhere, or with any byte changed, it is read as far as it is whole, and no further. */
static void what_is_torn_off_is_seen(void **state)
{
	BUF_AUTO text = {0};
	uint64_t last;

	(void)state;
	make(&text);
	for (size_t n = 0; n < text.n; n++)
		assert_true(lines_of((struct str){(const char *)text.p, n}, &last) < 2);
	for (size_t i = 0; i < text.n; i++) {
		text.p[i] ^= 1;
		assert_true(lines_of(buf_str(&text), &last) < 2);
		text.p[i] ^= 1;
	}
	assert_int_equal(lines_of(buf_str(&text), &last), 2);
}

static void bad_lines_are_no_lines(void **state)
{
	static const char *const heads[] = {"", "\n", "00000000 \n", "00000000 telemetry 1\n",
		"telemetry 1 00000000000000ff 7\n"};
	static const char *const words[] = {"0 d {}", "7 x {}", "7 d", "7  {}", "-7 d {}", "7 d ",
		"99999999999999999999 d {}", "5 d {}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct str text = str_of(heads[i]);
		struct spool_head h;
		struct err e;

		expect_err(spool_head_parse(&text, &h, &e), &e, ERR_BAD_INPUT, NULL, heads[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		BUF_AUTO line = {0};
		struct spool_line l;
		struct str text;

		buf_addf(&line, "%08x %s\n", crc32c(0, words[i], strlen(words[i])), words[i]);
		text = buf_str(&line);
		assert_false(spool_line_parse(&text, 5, &l));
		assert_int_equal(text.n, line.n);
	}
}

/* ---- what gives way ---- */

#define K 1024ULL
#define D                                                                                          \
	{                                                                                          \
		8 * K, 100, false, true                                                            \
	} /* details only */
#define M                                                                                          \
	{                                                                                          \
		8 * K, 3 * K, true, true                                                           \
	} /* both */
#define W                                                                                          \
	{                                                                                          \
		8 * K, 8 * K, true, false                                                          \
	} /* nothing that gives way */
#define T                                                                                          \
	{                                                                                          \
		8 * K, 5 * K, true, true                                                           \
	} /* thinning it gains nothing */

static void the_oldest_details_give_way(void **state)
{
	static const struct {
		struct spool_piece v[4];
		unsigned n;
		uint64_t limit, need;
		bool fits;
		enum spool_fate fate[4];
	} cases[] = {
		{{D, D}, 2, 24 * K, 8 * K, true, {SPOOL_STAYS, SPOOL_STAYS}},
		{{D, D}, 2, 23 * K, 8 * K, true, {SPOOL_DROPPED, SPOOL_STAYS}},
		{{W, D, D}, 3, 24 * K, 8 * K, true, {SPOOL_STAYS, SPOOL_DROPPED, SPOOL_STAYS}},
		{{M, D}, 2, 20 * K, 8 * K, true, {SPOOL_THINNED, SPOOL_STAYS}},
		{{M, D}, 2, 16 * K, 8 * K, true, {SPOOL_THINNED, SPOOL_DROPPED}},
		{{T, D}, 2, 16 * K, 8 * K, true, {SPOOL_STAYS, SPOOL_DROPPED}},
		{{W, W}, 2, 23 * K, 8 * K, false, {0}},
		{{D}, 1, 4 * K, 8 * K, false, {0}},
		{{D}, 0, 8 * K, 8 * K, true, {0}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum spool_fate fate[4];

		assert_int_equal(
			spool_plan(cases[i].v, cases[i].n, cases[i].limit, cases[i].need, fate),
			cases[i].fits);
		for (unsigned k = 0; cases[i].fits && k < cases[i].n; k++)
			assert_int_equal(fate[k], cases[i].fate[k]);
	}
}

/* Whatever lies there: a plan makes the room, takes no keeper, and takes nothing that is newer than
 * something that it leaves and could have taken. */
static void any_plan_keeps_the_rules(void **state)
{
	struct prng r = {7};

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct spool_piece v[8];
		enum spool_fate fate[8];
		unsigned n = (unsigned)prng_below(&r, 9);
		uint64_t limit = prng_below(&r, 200 * K), all = 0, need = prng_below(&r, 20 * K);
		bool spared = false;

		for (unsigned i = 0; i < n; i++) {
			v[i].bytes = 1 + prng_below(&r, 30 * K);
			v[i].keeper = prng_below(&r, v[i].bytes);
			v[i].has_keepers = prng_below(&r, 2);
			v[i].has_details = !v[i].has_keepers || prng_below(&r, 2);
		}
		if (!spool_plan(v, n, limit, need, fate))
			continue;
		for (unsigned i = 0; i < n; i++) {
			uint64_t left = fate[i] == SPOOL_DROPPED   ? 0
					: fate[i] == SPOOL_THINNED ? v[i].keeper
								   : v[i].bytes;
			uint64_t could = v[i].has_keepers ? v[i].keeper : 0;

			assert_true(fate[i] == SPOOL_STAYS || v[i].has_details);
			assert_true(fate[i] != SPOOL_DROPPED || !v[i].has_keepers);
			assert_true(fate[i] == SPOOL_STAYS || !spared);
			spared |= fate[i] == SPOOL_STAYS && v[i].has_details &&
				  spool_room(could) < spool_room(v[i].bytes);
			all += spool_room(left);
		}
		assert_true(all + need <= limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_go_both_ways),
		cmocka_unit_test(what_is_torn_off_is_seen),
		cmocka_unit_test(bad_lines_are_no_lines),
		cmocka_unit_test(the_oldest_details_give_way),
		cmocka_unit_test(any_plan_keeps_the_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
