#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <cmocka.h>

#include "agent/core/record.h"
#include "lib/prng.h"

static struct err e;

/* Every byte of the record is set, so that a member that is forgotten shows. */
static void fill_trigger(struct trig_state *t, unsigned i)
{
	*t = (struct trig_state){.baseline = 0.5 + i,
		.baseline_n = i,
		.windows = 1,
		.history = 2,
		.last = i ? -1e300 : (double)INFINITY,
		.last_n = 5,
		.baseline_bad = 6,
		.baseline_span = -7,
		.judged = 8,
		.blind = 9,
		.busy = 10,
		.proven = i & 1};
	t->bin[0] = 11;
	t->bin[TRIG_BINS - 1] = UINT32_MAX;
}

static void full(struct upd_record *r, uint64_t seed)
{
	struct prng p = {.s = seed};

	memset(r, 0, sizeof *r);
	r->seq = prng_next(&p);
	r->state = (enum upd_state)prng_below(&p, UPD_STATE_MAX);
	memset(r->txn.b, 0xa1, sizeof r->txn.b);
	strcpy(r->goal.release.s, "ocr-4");
	memset(r->goal.document.b, 0xa2, 32);
	memset(r->goal.manifest.b, 0xa3, 32);
	strcpy(r->goal.campaign.s, "spring");
	r->goal.director_version = prng_next(&p);
	r->goal.counter = prng_next(&p);
	memset(r->goal.path, 'p', sizeof r->goal.path - 1);
	r->goal.rollback = true;
	strcpy(r->from.s, "ocr-2");
	memset(r->from_document.b, 0xa4, 32);
	memset(r->content.b, 0xa5, 32);
	r->slot_old = SLOT_NONE;
	r->slot_new = 1;
	r->attempt = 3;
	r->retries = UINT32_MAX;
	r->boot_id = prng_next(&p);
	r->entered_wall = -1;
	r->wake_wall = INT64_MAX;
	r->soak_done = 1;
	r->soak_want = 2;
	r->start_timeout = 3;
	r->start_ended = 4;
	r->rearms = 2;
	r->why = ERR_CODE_MAX - 1;
	r->cause = TRIG_TYPE_MAX;
	memset(r->why_text, 'w', sizeof r->why_text - 1);
	r->n_trig = LIMIT_TRIGGERS;
	for (unsigned i = 0; i < LIMIT_TRIGGERS; i++)
		fill_trigger(&r->trig[i], i);
	r->counter_floor = prng_next(&p);
	r->report_seq = prng_next(&p);
	r->director_seen = prng_next(&p);
}

static void comes_back_as_it_was(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct upd_record r, back;
		BUF_AUTO b = {0};

		full(&r, seed);
		memset(&back, 0x55, sizeof back);
		record_encode(&r, &b);
		assert_true(b.n <= RECORD_MAX - 64);
		assert_int_equal(record_decode(buf_str(&b), &back, &e), 0);
		assert_memory_equal(&r, &back, sizeof r);
	}
}

static void an_unmeasured_value_stays_unmeasured(void **state)
{
	struct upd_record r, back;
	BUF_AUTO b = {0};

	(void)state;
	upd_record_init(&r);
	r.n_trig = 1;
	r.trig[0].baseline = (double)NAN;
	record_encode(&r, &b);
	assert_int_equal(record_decode(buf_str(&b), &back, &e), 0);
	assert_true(isnan(back.trig[0].baseline));
}

static void every_cut_is_refused(void **state)
{
	struct upd_record r, untouched;
	BUF_AUTO b = {0};

	(void)state;
	full(&r, 1);
	record_encode(&r, &b);
	buf_add_char(&b, 0);
	memset(&untouched, 0x55, sizeof untouched);
	for (size_t n = 0; n <= b.n; n++) {
		struct upd_record out = untouched;
		int rc = record_decode((struct str){(const char *)b.p, n}, &out, &e);

		assert_int_equal(rc, n == b.n - 1 ? 0 : -ERR_BAD_INPUT);
		if (rc < 0)
			assert_memory_equal(&out, &untouched, sizeof out);
	}
}

/* What triggers have remembered since the third format. */
#define MORE_BYTES ((8 + 8 + 4 * 4 + TRIG_BINS * 4) * LIMIT_TRIGGERS)

static void an_older_record_has_less(void **state)
{
	struct upd_record r, back;
	BUF_AUTO b = {0};

	(void)state;
	full(&r, 1);
	record_encode(&r, &b);
	b.n -= MORE_BYTES;
	b.p[0] = 2;
	assert_int_equal(record_decode(buf_str(&b), &back, &e), 0);
	for (unsigned i = 0; i < LIMIT_TRIGGERS; i++)
		r.trig[i] = (struct trig_state){.baseline = r.trig[i].baseline,
			.baseline_n = r.trig[i].baseline_n,
			.windows = 1,
			.history = 2,
			.last = r.trig[i].last,
			.last_n = 5};
	assert_memory_equal(&r, &back, sizeof r);
	b.n -= 4;
	b.p[0] = 1;
	assert_int_equal(record_decode(buf_str(&b), &back, &e), 0);
	r.rearms = 0;
	assert_memory_equal(&r, &back, sizeof r);
}

/* Whatever types come later, what old records say stays what it was: seven is none. */
static void causes_keep_their_numbers(void **state)
{
	size_t at = 0;

	(void)state;
	for (unsigned cause = 0; cause <= TRIG_TYPE_MAX; cause++) {
		struct upd_record r, out;
		BUF_AUTO other = {0};
		BUF_AUTO b = {0};

		full(&r, 1);
		r.cause = cause ? 0 : 1;
		record_encode(&r, &other);
		r.cause = cause;
		record_encode(&r, &b);
		assert_int_equal(record_decode(buf_str(&b), &out, &e), 0);
		assert_int_equal(out.cause, cause);
		if (cause == 0)
			while (b.p[at] == other.p[at])
				at++;
		assert_int_equal(b.p[at], cause == TRIG_TYPE_MAX ? 7
					  : cause < 7            ? cause
								 : cause + 1);
	}
}

/* Values that make no sense, each set in an otherwise good record. */
static void nonsense_is_refused(void **state)
{
	static const struct {
		size_t at, n; /* in the struct */
		uint32_t value;
		const char *named;
	} bad[] = {
#define MEMBER(m) offsetof(struct upd_record, m), sizeof(((struct upd_record *)0)->m)
		{MEMBER(state), UPD_STATE_MAX, "state"},
		{MEMBER(slot_old), 2, "slot_old"},
		{MEMBER(slot_new), 256, "slot_new"},
		{MEMBER(why), ERR_CODE_MAX, "why"},
		{MEMBER(cause), TRIG_TYPE_MAX + 1, "cause"},
#undef MEMBER
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct upd_record r, out;
		BUF_AUTO b = {0};

		full(&r, 1);
		memcpy((char *)&r + bad[i].at, &bad[i].value, bad[i].n);
		record_encode(&r, &b);
		assert_int_equal(record_decode(buf_str(&b), &out, &e), -ERR_BAD_INPUT);
		assert_non_null(strstr(e.text, bad[i].named));
	}
}

static void other_formats_are_refused(void **state)
{
	struct upd_record r;
	BUF_AUTO b = {0};

	(void)state;
	full(&r, 1);
	record_encode(&r, &b);
	b.p[0]++;
	assert_int_equal(record_decode(buf_str(&b), &r, &e), -ERR_BAD_INPUT);
	assert_string_equal(e.text, "record: format 4, not 3");
}

/* No byte that is turned over leads to anything but a record or an error. */
static void no_flipped_byte_does_harm(void **state)
{
	struct upd_record r, out;
	BUF_AUTO b = {0};

	(void)state;
	full(&r, 1);
	record_encode(&r, &b);
	for (size_t i = 0; i < b.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			b.p[i] ^= (uint8_t)(1U << bit);
			if (record_decode(buf_str(&b), &out, &e) == 0) {
				assert_true(out.state < UPD_STATE_MAX);
				assert_true(out.n_trig <= LIMIT_TRIGGERS);
				assert_non_null(memchr(out.why_text, 0, sizeof out.why_text));
			}
			b.p[i] ^= (uint8_t)(1U << bit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(an_unmeasured_value_stays_unmeasured),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(an_older_record_has_less),
		cmocka_unit_test(causes_keep_their_numbers),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(other_formats_are_refused),
		cmocka_unit_test(no_flipped_byte_does_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
