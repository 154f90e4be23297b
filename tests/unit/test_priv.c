#include "tests/lib/expect.h"

#include <stdlib.h>
#include <string.h>

#include "agent/priv/priv.h"

/* The bounds again, for tests that go up to them and one beyond. */
#define LIST(...) __VA_ARGS__
static const struct bounds {
	unsigned side, answers;
	uint64_t num[PRIV_NUMS];
	size_t text[PRIV_TEXTS];
	size_t bytes;
} bounds[PRIV_VERB_MAX] = {
#define X(id, name, side, answers, nums, texts, bytes, help)                                       \
	[PRIV_##id] = {side, answers, {LIST nums}, {LIST texts}, bytes},
	PRIV_TABLE(X)
#undef X
};

static char letters[PRIV_PACKET_MAX];

static enum priv_side side_of(unsigned verb)
{
	return bounds[verb].side & PRIV_WORKER ? PRIV_WORKER : PRIV_INSTALLER;
}

/* The largest message that the verb's row allows. */
static struct priv_msg largest(unsigned verb)
{
	const struct bounds *b = &bounds[verb];
	struct priv_msg m = {.verb = (enum priv_verb)verb, .bytes = {letters, b->bytes}};

	memset(letters, 'x', sizeof letters);
	memcpy(m.num, b->num, sizeof m.num);
	for (unsigned i = 0; i < PRIV_TEXTS; i++)
		m.text[i] = (struct str){letters, b->text[i]};
	return m;
}

static void encode(const struct priv_msg *m, struct buf *out)
{
	struct err e;

	assert_int_equal(priv_encode(m, side_of(m->verb), out, &e), 0);
	buf_add(out, m->bytes.p, m->bytes.n);
}

static void every_verb_goes_through_at_its_bounds(void **state)
{
	(void)state;
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++) {
		struct priv_msg m = largest(v), is;
		BUF_AUTO packet = {0};
		struct err e;

		encode(&m, &packet);
		assert_true(packet.n <= PRIV_PACKET_MAX);
		assert_int_equal(priv_decode(buf_str(&packet), side_of(v), &is, &e), 0);
		assert_int_equal(is.verb, m.verb);
		assert_memory_equal(is.num, m.num, sizeof m.num);
		for (unsigned i = 0; i < PRIV_TEXTS; i++)
			assert_true(str_eq(is.text[i], m.text[i]));
		assert_true(str_eq(is.bytes, m.bytes));
	}
}

/* A packet with one byte less is cut off, or lacks bytes that may be missing; one more is too much.
 */
static void every_packet_is_exact(void **state)
{
	(void)state;
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++) {
		struct priv_msg m = largest(v), is;
		BUF_AUTO packet = {0};
		struct err e;

		encode(&m, &packet);
		for (size_t n = 0; n < packet.n - m.bytes.n; n++)
			assert_int_equal(
				priv_decode((struct str){(char *)packet.p, n}, side_of(v), &is, &e),
				-ERR_BAD_INPUT);
		buf_add_char(&packet, 'x');
		assert_int_equal(
			priv_decode(buf_str(&packet), side_of(v), &is, &e), -ERR_TOO_LARGE);
	}
}

static void a_number_beyond_its_bound_is_refused_on_both_ways(void **state)
{
	(void)state;
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++)
		for (unsigned i = 0; i < PRIV_NUMS && bounds[v].num[i]; i++) {
			struct priv_msg m = largest(v), is;
			BUF_AUTO packet = {0};
			struct err e;
			size_t at = 1 + i * 8;
			uint64_t over = bounds[v].num[i] + 1;

			encode(&m, &packet);
			for (unsigned k = 0; k < 8; k++)
				packet.p[at + k] = (uint8_t)(over >> (8 * k));
			assert_int_equal(
				priv_decode(buf_str(&packet), side_of(v), &is, &e), -ERR_TOO_LARGE);
			m.num[i]++;
			buf_clear(&packet);
			assert_int_equal(priv_encode(&m, side_of(v), &packet, &e), -ERR_TOO_LARGE);
			assert_int_equal(packet.n, 0);
		}
}

static void a_text_beyond_its_bound_is_refused_on_both_ways(void **state)
{
	(void)state;
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++)
		for (unsigned i = 0; i < PRIV_TEXTS && bounds[v].text[i]; i++) {
			struct priv_msg m = largest(v), is;
			BUF_AUTO packet = {0};
			struct err e;
			size_t at = 1;

			for (unsigned k = 0; k < PRIV_NUMS; k++)
				at += bounds[v].num[k] ? 8 : 0;
			for (unsigned k = 0; k < i; k++)
				at += 2 + bounds[v].text[k];
			encode(&m, &packet);
			packet.p[at] = (uint8_t)(bounds[v].text[i] + 1);
			packet.p[at + 1] = (uint8_t)((bounds[v].text[i] + 1) >> 8);
			assert_true(priv_decode(buf_str(&packet), side_of(v), &is, &e) < 0);
			m.text[i].n++;
			buf_clear(&packet);
			assert_int_equal(priv_encode(&m, side_of(v), &packet, &e), -ERR_TOO_LARGE);
		}
}

static void control_characters_are_refused_in_every_text(void **state)
{
	static const char bad[] = {'\0', '\n', '\r', 0x1f, 0x7f};

	(void)state;
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++)
		for (unsigned i = 0; i < PRIV_TEXTS && bounds[v].text[i]; i++)
			for (size_t k = 0; k < sizeof bad; k++) {
				struct priv_msg m = largest(v);
				BUF_AUTO packet = {0};
				struct err e;

				m.text[i] = (struct str){&bad[k], 1};
				assert_int_equal(
					priv_encode(&m, side_of(v), &packet, &e), -ERR_BAD_INPUT);
			}
}

static void a_verb_of_the_other_side_is_refused(void **state)
{
	(void)state;
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++) {
		enum priv_side other = side_of(v) == PRIV_WORKER ? PRIV_INSTALLER : PRIV_WORKER;
		struct priv_msg m = largest(v), is;
		BUF_AUTO packet = {0};
		struct err e;

		if (bounds[v].side & other)
			continue;
		encode(&m, &packet);
		assert_int_equal(priv_decode(buf_str(&packet), other, &is, &e), -ERR_DENIED);
		assert_int_equal(priv_encode(&m, other, &packet, &e), -ERR_DENIED);
	}
}

static void what_is_no_verb_is_refused(void **state)
{
	(void)state;
	for (unsigned v = PRIV_VERB_MAX; v < 256; v++) {
		char byte = (char)v;
		struct priv_msg is;
		struct err e;

		assert_int_equal(
			priv_decode((struct str){&byte, 1}, PRIV_WORKER, &is, &e), -ERR_BAD_INPUT);
	}
}

/* The installer's verbs answer nothing; each of the worker's answers a verb of the installer. */
static void the_table_is_consistent(void **state)
{
	(void)state;
	for (unsigned v = 0; v < PRIV_VERB_MAX; v++) {
		assert_true(priv_name(v)[0] && priv_help(v)[0]);
		assert_int_equal(bounds[v].answers != 0, (bounds[v].side & PRIV_WORKER) != 0);
		for (unsigned ask = 0; ask < PRIV_VERB_MAX; ask++)
			if (priv_answers(v, ask))
				assert_int_equal(bounds[ask].side, PRIV_INSTALLER);
	}
	assert_true(priv_answers(PRIV_FILE, PRIV_UNPACK));
	assert_false(priv_answers(PRIV_FILE, PRIV_GET));
	assert_false(priv_answers(PRIV_HEAD, PRIV_UNPACK));
	assert_false(priv_answers(PRIV_READY, PRIV_GET));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_goes_through_at_its_bounds),
		cmocka_unit_test(every_packet_is_exact),
		cmocka_unit_test(a_number_beyond_its_bound_is_refused_on_both_ways),
		cmocka_unit_test(a_text_beyond_its_bound_is_refused_on_both_ways),
		cmocka_unit_test(control_characters_are_refused_in_every_text),
		cmocka_unit_test(a_verb_of_the_other_side_is_refused),
		cmocka_unit_test(what_is_no_verb_is_refused),
		cmocka_unit_test(the_table_is_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
