/* A batch of telemetry, an item, or an ack: the first byte picks which. What is read is written and
 * read again, to the same bytes. */
#include <assert.h>

#include "proto/wire/telemetry.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool is_same(const struct buf *a, const struct buf *b)
{
	return str_eq(buf_str(a), buf_str(b));
}

/* One that was long with blanks or escapes may become longer than the bound. */
static void check_item(const struct telemetry_item *t)
{
	BUF_AUTO text = {0}, twice = {0};
	struct telemetry_item again;
	struct err e;

	telemetry_item_encode(t, &text);
	if (text.n > LIMIT_TELEMETRY_BYTES)
		return;
	assert(telemetry_item_decode(buf_str(&text), &again, &e) == 0);
	telemetry_item_encode(&again, &twice);
	assert(is_same(&text, &twice));
	telemetry_item_fini(&again);
}

static void try_item(struct str text)
{
	struct telemetry_item t;

	if (telemetry_item_decode(text, &t, NULL) < 0)
		return;
	check_item(&t);
	telemetry_item_fini(&t);
}

static void try_batch(struct str text)
{
	struct telemetry_batch b;

	if (telemetry_decode(text, &b, NULL) < 0)
		return;
	assert(b.n > 0 && b.n <= LIMIT_TELEMETRY_ITEMS && b.epoch);
	for (unsigned i = 0; i < b.n; i++) {
		assert(i == 0 || b.item[i].seq > b.item[i - 1].seq);
		check_item(&b.item[i]);
	}
	telemetry_fini(&b);
}

static void try_ack(struct str text)
{
	struct telemetry_ack a, again;
	BUF_AUTO out = {0};

	if (telemetry_ack_decode(text, &a, NULL) < 0)
		return;
	telemetry_ack_encode(&a, &out);
	assert(telemetry_ack_decode(buf_str(&out), &again, NULL) == 0);
	assert(a.epoch == again.epoch && a.seq == again.seq && a.report == again.report);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const tries[])(struct str) = {try_batch, try_item, try_ack};

	if (n)
		tries[p[0] % ARRAY_LEN(tries)]((struct str){(const char *)p + 1, n - 1});
	return 0;
}
