#include "agent/core/record.h"

#include <assert.h>
#include <string.h>

/* clang-format off */

/* Every member that survives, in the order of its bytes: how it is written, where it is, and for
 * numbers the largest value that makes sense. Both directions are made from these rows. */
#define RECORD_ROWS(X)                                    \
	X(u64, seq, UINT64_MAX)                           \
	X(enumeration, state, UPD_STATE_MAX - 1)          \
	X(bytes, txn.b, 0)                                \
	X(text, goal.release.s, 0)                        \
	X(bytes, goal.document.b, 0)                      \
	X(bytes, goal.manifest.b, 0)                      \
	X(text, goal.campaign.s, 0)                       \
	X(u64, goal.director_version, UINT64_MAX)         \
	X(u64, goal.counter, UINT64_MAX)                  \
	X(text, goal.path, 0)                             \
	X(flag, goal.rollback, 1)                         \
	X(text, from.s, 0)                                \
	X(bytes, from_document.b, 0)                      \
	X(bytes, content.b, 0)                            \
	X(slot, slot_old, SLOT_NONE)                      \
	X(slot, slot_new, SLOT_NONE)                      \
	X(u32, attempt, UINT32_MAX)                       \
	X(u32, retries, UINT32_MAX)                       \
	X(u64, boot_id, UINT64_MAX)                       \
	X(ms, entered_wall, 0)                            \
	X(ms, wake_wall, 0)                               \
	X(ms, soak_done, 0)                               \
	X(ms, soak_want, 0)                               \
	X(ms, start_timeout, 0)                           \
	X(u32, start_ended, UINT32_MAX)                   \
	X(enumeration, why, ERR_CODE_MAX - 1)             \
	X(cause, cause, TRIG_TYPE_MAX)                    \
	X(text, why_text, 0)                              \
	X(u64, counter_floor, UINT64_MAX)                 \
	X(u64, report_seq, UINT64_MAX)                    \
	X(u64, director_seen, UINT64_MAX)                 \
	X(u32, n_trig, LIMIT_TRIGGERS)

#define TRIG_ROWS(X)                                      \
	X(real, baseline, 0)                              \
	X(u64, baseline_n, UINT64_MAX)                    \
	X(u32, windows, UINT32_MAX)                       \
	X(u32, history, UINT32_MAX)                       \
	X(real, last, 0)                                  \
	X(u64, last_n, UINT64_MAX)

/* Since the third format, behind all the rest. */
#define TRIG_MORE_ROWS(X)                                 \
	X(u64, baseline_bad, UINT64_MAX)                  \
	X(ms, baseline_span, 0)                           \
	X(u32, judged, UINT32_MAX)                        \
	X(u32, blind, UINT32_MAX)                         \
	X(u32, busy, UINT32_MAX)                          \
	X(u32, proven, 1)                                 \
	X(bins, bin, UINT32_MAX)

/* clang-format on */

/* ---- writing ---- */

static void put_le(struct buf *out, uint64_t v, unsigned width)
{
	for (unsigned i = 0; i < width; i++)
		buf_add_char(out, (char)(v >> 8 * i & 0xff));
}

static void put_u64(struct buf *out, const uint64_t *v, size_t size)
{
	(void)size;
	put_le(out, *v, 8);
}

static void put_u32(struct buf *out, const uint32_t *v, size_t size)
{
	(void)size;
	put_le(out, *v, 4);
}

static void put_ms(struct buf *out, const ms_t *v, size_t size)
{
	(void)size;
	put_le(out, (uint64_t)*v, 8);
}

static void put_real(struct buf *out, const double *v, size_t size)
{
	uint64_t bits;

	memcpy(&bits, v, size);
	put_le(out, bits, 8);
}

#define put_slot put_u32

static void put_bins(struct buf *out, const uint32_t (*v)[TRIG_BINS], size_t size)
{
	(void)size;
	for (unsigned i = 0; i < TRIG_BINS; i++)
		put_le(out, (*v)[i], 4);
}

/* There were seven types when records were first written, and seven says "none" in all that are out
 * there. */
#define NO_CAUSE 7U

static void put_cause(struct buf *out, const unsigned *v, size_t size)
{
	(void)size;
	put_le(out, *v == TRIG_TYPE_MAX ? NO_CAUSE : *v < NO_CAUSE ? *v : *v + 1, 4);
}

static void put_enumeration(struct buf *out, const void *v, size_t size)
{
	uint32_t wide;

	static_assert(sizeof(enum upd_state) == 4 && sizeof(enum err_code) == 4, "enum is an int");
	memcpy(&wide, v, size);
	put_le(out, wide, 4);
}

static void put_flag(struct buf *out, const bool *v, size_t size)
{
	(void)size;
	buf_add_char(out, *v ? 1 : 0);
}

static void put_bytes(struct buf *out, const void *v, size_t size)
{
	buf_add(out, v, size);
}

static void put_text(struct buf *out, const void *v, size_t size)
{
	size_t n = strnlen(v, size - 1);

	put_le(out, n, 2);
	buf_add(out, v, n);
}

void record_encode(const struct upd_record *r, struct buf *out)
{
	put_le(out, RECORD_FORMAT, 4);
#define X(type, member, max) put_##type(out, &r->member, sizeof r->member);
	RECORD_ROWS(X)
#undef X
	for (unsigned i = 0; i < r->n_trig; i++) {
#define X(type, member, max) put_##type(out, &r->trig[i].member, sizeof r->trig[i].member);
		TRIG_ROWS(X)
#undef X
	}
	put_u32(out, &r->rearms, sizeof r->rearms);
	for (unsigned i = 0; i < r->n_trig; i++) {
#define X(type, member, max) put_##type(out, &r->trig[i].member, sizeof r->trig[i].member);
		TRIG_MORE_ROWS(X)
#undef X
	}
}

/* ---- reading: the first thing that is wrong ends it ---- */

struct reader {
	struct str rest;
	const char *member;
	struct err *e;
};

static int take(struct reader *r, void *out, size_t n)
{
	if (r->rest.n < n)
		return err_set(r->e, ERR_BAD_INPUT, "record: ends in %s", r->member);
	memcpy(out, r->rest.p, n);
	r->rest.p += n;
	r->rest.n -= n;
	return 0;
}

static int get_le(struct reader *r, unsigned width, uint64_t max, uint64_t *out)
{
	uint8_t b[8];
	uint64_t v = 0;

	TRY(take(r, b, width));
	for (unsigned i = 0; i < width; i++)
		v |= (uint64_t)b[i] << 8 * i;
	if (v > max)
		return err_set(r->e, ERR_BAD_INPUT, "record: %s is out of bounds", r->member);
	*out = v;
	return 0;
}

static int get_u64(struct reader *r, uint64_t *v, size_t size, uint64_t max)
{
	(void)size;
	return get_le(r, 8, max, v);
}

static int get_u32(struct reader *r, uint32_t *v, size_t size, uint64_t max)
{
	uint64_t wide;

	(void)size;
	TRY(get_le(r, 4, max, &wide));
	*v = (uint32_t)wide;
	return 0;
}

static int get_bins(struct reader *r, uint32_t (*v)[TRIG_BINS], size_t size, uint64_t max)
{
	(void)size;
	for (unsigned i = 0; i < TRIG_BINS; i++)
		TRY(get_u32(r, &(*v)[i], 4, max));
	return 0;
}

static int get_cause(struct reader *r, unsigned *v, size_t size, uint64_t max)
{
	uint32_t n;

	TRY(get_u32(r, &n, size, max));
	*v = n == NO_CAUSE ? TRIG_TYPE_MAX : n < NO_CAUSE ? n : n - 1;
	return 0;
}

static int get_enumeration(struct reader *r, void *v, size_t size, uint64_t max)
{
	uint64_t wide;

	TRY(get_le(r, 4, max, &wide));
	memcpy(v, &(uint32_t){(uint32_t)wide}, size);
	return 0;
}

static int get_slot(struct reader *r, uint32_t *v, size_t size, uint64_t max)
{
	uint32_t slot;

	TRY(get_u32(r, &slot, size, max));
	if (slot >= SLOT_COUNT && slot != SLOT_NONE)
		return err_set(r->e, ERR_BAD_INPUT, "record: %s is no slot", r->member);
	*v = slot;
	return 0;
}

static int get_ms(struct reader *r, ms_t *v, size_t size, uint64_t max)
{
	uint64_t bits;

	(void)size;
	(void)max;
	TRY(get_le(r, 8, UINT64_MAX, &bits));
	*v = (ms_t)bits;
	return 0;
}

static int get_real(struct reader *r, double *v, size_t size, uint64_t max)
{
	uint64_t bits;

	(void)max;
	TRY(get_le(r, 8, UINT64_MAX, &bits));
	memcpy(v, &bits, size);
	return 0;
}

static int get_flag(struct reader *r, bool *v, size_t size, uint64_t max)
{
	uint64_t wide;

	(void)size;
	TRY(get_le(r, 1, max, &wide));
	*v = wide != 0;
	return 0;
}

static int get_bytes(struct reader *r, void *v, size_t size, uint64_t max)
{
	(void)max;
	return take(r, v, size);
}

static int get_text(struct reader *r, void *v, size_t size, uint64_t max)
{
	uint64_t n;

	(void)max;
	TRY(get_le(r, 2, size - 1, &n));
	TRY(take(r, v, n));
	if (memchr(v, 0, n))
		return err_set(r->e, ERR_BAD_INPUT, "record: %s holds a NUL", r->member);
	return 0;
}

static int get_triggers(struct reader *r, struct upd_record *out)
{
	for (unsigned i = 0; i < out->n_trig; i++) {
		struct trig_state *t = &out->trig[i];

#define X(type, name, max)                                                                         \
	r->member = "trig." #name;                                                                 \
	TRY(get_##type(r, &t->name, sizeof t->name, max));
		TRIG_ROWS(X)
#undef X
	}
	return 0;
}

static int get_more_of_triggers(struct reader *r, struct upd_record *out)
{
	for (unsigned i = 0; i < out->n_trig; i++) {
		struct trig_state *t = &out->trig[i];

#define X(type, name, max)                                                                         \
	r->member = "trig." #name;                                                                 \
	TRY(get_##type(r, &t->name, sizeof t->name, max));
		TRIG_MORE_ROWS(X)
#undef X
	}
	return 0;
}

int record_decode(struct str bytes, struct upd_record *out, struct err *e)
{
	struct reader r = {.rest = bytes, .member = "format", .e = e};
	struct upd_record rec;
	uint64_t format;

	memset(&rec, 0, sizeof rec);
	TRY(get_le(&r, 4, UINT32_MAX, &format));
	if (format == 0 || format > RECORD_FORMAT)
		return err_set(e, ERR_BAD_INPUT, "record: format %u, not %u", (unsigned)format,
			RECORD_FORMAT);
#define X(type, name, max)                                                                         \
	r.member = #name;                                                                          \
	TRY(get_##type(&r, &rec.name, sizeof rec.name, max));
	RECORD_ROWS(X)
#undef X
	TRY(get_triggers(&r, &rec));
	r.member = "rearms";
	if (format > 1)
		TRY(get_u32(&r, &rec.rearms, sizeof rec.rearms, UPD_REARM_MAX));
	if (format > 2)
		TRY(get_more_of_triggers(&r, &rec));
	if (r.rest.n != 0)
		return err_set(e, ERR_BAD_INPUT, "record: %zu bytes too many", r.rest.n);
	*out = rec;
	return 0;
}
