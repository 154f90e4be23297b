/* Telemetry on the wire: there and back, and what is refused. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/telemetry.h"

#define HEX    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define AT     "\"at_ms\":5,"
#define ITEM   "{\"seq\":1," AT
#define WINDOW ITEM "\"kind\":\"window\",\"layer\":\"device\""
#define BATCH  "{\"format\":1,\"epoch\":\"00000000000000ff\",\"items\":["

static const char *const good[] = {
	WINDOW "}",
	"{\"seq\":9,\"dropped\":3,\"at_ms\":1764000000000,\"span_ms\":60000,\"kind\":\"window\","
	"\"release\":\"" HEX "\",\"slot\":\"a\",\"layer\":\"inference\",\"counters\":{\"requests_"
	"total\":1200,\"failed:total\":0},\"gauges\":{\"temp_celsius\":-12500},\"hists\":{"
	"\"latency\":{\"edges_micro\":[-5,0,1000],\"counts\":[0,1,2,3]},\"empty\":{\"edges_"
	"micro\":[],\"counts\":[7]}}}",
	ITEM "\"span_ms\":10000,\"kind\":\"watch\",\"release\":\"" HEX
	     "\",\"tripped\":\"latency\",\"samples\":77}",
	ITEM "\"kind\":\"watch\",\"release\":\"" HEX "\"}",
	ITEM "\"kind\":\"mark\",\"what\":\"crash_loop\",\"text\":\"three ends\",\"ring\":[{\"at_"
	     "ms\":4,\"span_ms\":1000,\"layer\":\"model\",\"gauges\":{\"x\":1}},{\"at_ms\":5,"
	     "\"span_ms\":1000,\"layer\":\"device\"}]}",
	ITEM "\"kind\":\"drift\",\"release\":\"" HEX
	     "\",\"metric\":\"score\",\"value_milli\":312,\"threshold_milli\":250,\"from_ms\":1,"
	     "\"to_ms\":5,\"samples\":900,\"reference\":\"" HEX "\"}",
};

static const struct {
	const char *text;
	enum err_code code;
	const char *piece;
} bad[] = {
	{"", ERR_BAD_INPUT, NULL},
	{"[]", ERR_BAD_INPUT, "an object"},
	{ITEM "\"kind\":\"word\"}", ERR_BAD_INPUT, "none of"},
	{"{\"seq\":0," AT "\"kind\":\"window\",\"layer\":\"device\"}", ERR_BAD_INPUT, "seq"},
	{"{\"seq\":1,\"kind\":\"window\",\"layer\":\"device\"}", ERR_BAD_INPUT, "at_ms"},
	{"{\"seq\":1,\"at_ms\":0,\"kind\":\"window\",\"layer\":\"device\"}", ERR_BAD_INPUT,
		"at_ms"},
	{"{\"seq\":3,\"dropped\":3," AT "\"kind\":\"window\",\"layer\":\"device\"}", ERR_BAD_INPUT,
		"dropped"},
	{WINDOW ",\"span_ms\":2592000001}", ERR_BAD_INPUT, "span_ms"},
	{WINDOW ",\"tripped\":\"latency\"}", ERR_BAD_INPUT, "unknown member"},
	{WINDOW ",\"slot\":\"somewhere\"}", ERR_TOO_LARGE, "slot"},
	{WINDOW ",\"release\":\"12\"}", ERR_BAD_INPUT, "release"},
	{ITEM "\"kind\":\"window\"}", ERR_BAD_INPUT, "layer"},
	{ITEM "\"kind\":\"window\",\"layer\":\"heart\"}", ERR_BAD_INPUT, "none of"},
	{WINDOW ",\"counters\":[]}", ERR_BAD_INPUT, "counters"},
	{WINDOW ",\"counters\":{\"a\":-1}}", ERR_BAD_INPUT, "number of events"},
	{WINDOW ",\"counters\":{\"a\":\"1\"}}", ERR_BAD_INPUT, "number of events"},
	{WINDOW ",\"counters\":{\"a\":1,\"a\":1}}", ERR_BAD_INPUT, NULL},
	{WINDOW ",\"counters\":{\"1a\":1}}", ERR_BAD_INPUT, "no name"},
	{WINDOW ",\"counters\":{\"\":1}}", ERR_BAD_INPUT, "no name"},
	{WINDOW ",\"gauges\":{\"a b\":1}}", ERR_BAD_INPUT, "no name"},
	{WINDOW ",\"gauges\":{\"a\":1.5}}", ERR_BAD_INPUT, "fraction"},
	{WINDOW ",\"gauges\":{\"a\":true}}", ERR_BAD_INPUT, "whole number"},
	{WINDOW ",\"hists\":{\"a\":[1]}}", ERR_BAD_INPUT, "an object"},
	{WINDOW ",\"hists\":{\"a\":{\"edges_micro\":[1],\"counts\":[1]}}}", ERR_BAD_INPUT,
		"one more"},
	{WINDOW ",\"hists\":{\"a\":{\"edges_micro\":[],\"counts\":[]}}}", ERR_BAD_INPUT,
		"one more"},
	{WINDOW ",\"hists\":{\"a\":{\"edges_micro\":[2,2],\"counts\":[1,1,1]}}}", ERR_BAD_INPUT,
		"rise"},
	{WINDOW ",\"hists\":{\"a\":{\"edges_micro\":[2,\"3\"],\"counts\":[1,1,1]}}}", ERR_BAD_INPUT,
		"whole number"},
	{WINDOW ",\"hists\":{\"a\":{\"edges_micro\":[2],\"counts\":[1,-1]}}}", ERR_BAD_INPUT,
		"number of events"},
	{WINDOW ",\"hists\":{\"a\":{\"edges_micro\":[2],\"counts\":[1,1],\"sum\":2}}}",
		ERR_BAD_INPUT, "unknown member"},
	{ITEM "\"kind\":\"watch\"}", ERR_BAD_INPUT, "release"},
	{ITEM "\"kind\":\"watch\",\"release\":\"" HEX "\",\"tripped\":\"a b\"}", ERR_BAD_INPUT,
		"tripped"},
	{ITEM "\"kind\":\"watch\",\"release\":\"" HEX "\",\"samples\":-1}", ERR_BAD_INPUT,
		"samples"},
	{ITEM "\"kind\":\"mark\",\"what\":\"x\"}", ERR_BAD_INPUT, "ring"},
	{ITEM "\"kind\":\"mark\",\"ring\":[]}", ERR_BAD_INPUT, "what"},
	{ITEM "\"kind\":\"mark\",\"what\":\"x\",\"ring\":[1]}", ERR_BAD_INPUT, "objects"},
	{ITEM "\"kind\":\"mark\",\"what\":\"x\",\"ring\":[{\"layer\":\"device\"}]}", ERR_BAD_INPUT,
		"at_ms"},
	{ITEM "\"kind\":\"mark\",\"what\":\"x\",\"ring\":[{" AT "\"layer\":\"device\",\"seq\":1}]}",
		ERR_BAD_INPUT, "unknown member"},
	{ITEM "\"kind\":\"mark\",\"what\":\"x\",\"ring\":[],\"text\":\"a\\nb\"}", ERR_BAD_INPUT,
		"control"},
	{ITEM "\"kind\":\"drift\",\"metric\":\"s\",\"from_ms\":9,\"to_ms\":8,\"reference\":\"" HEX
	      "\"}",
		ERR_BAD_INPUT, "to_ms"},
	{ITEM "\"kind\":\"drift\",\"metric\":\"s\",\"from_ms\":8,\"to_ms\":9}", ERR_BAD_INPUT,
		"reference"},
	{ITEM "\"kind\":\"drift\",\"metric\":\"s-1\",\"from_ms\":8,\"to_ms\":9,\"reference\":\"" HEX
	      "\"}",
		ERR_BAD_INPUT, "no name"},
};

static const struct {
	const char *text;
	enum err_code code;
	const char *piece;
} bad_batch[] = {
	{"[]", ERR_BAD_INPUT, "an object"},
	{"{\"format\":2,\"epoch\":\"00000000000000ff\",\"items\":[]}", ERR_BAD_INPUT, "format"},
	{"{\"format\":1,\"epoch\":\"0000000000000000\",\"items\":[" WINDOW "}]}", ERR_BAD_INPUT,
		"epoch"},
	{"{\"format\":1,\"epoch\":\"ff\",\"items\":[" WINDOW "}]}", ERR_BAD_INPUT, "epoch"},
	{"{\"format\":1,\"epoch\":255,\"items\":[" WINDOW "}]}", ERR_BAD_INPUT, "epoch"},
	{BATCH "]}", ERR_BAD_INPUT, "none"},
	{BATCH "1]}", ERR_BAD_INPUT, "an object"},
	{BATCH WINDOW "}," WINDOW "}]}", ERR_BAD_INPUT, "does not fit"},
	{BATCH WINDOW "},{\"seq\":3,\"dropped\":2," AT
		      "\"kind\":\"window\",\"layer\":\"device\"}]}",
		ERR_BAD_INPUT, "does not fit"},
	{BATCH WINDOW "}],\"device\":\"x\"}", ERR_BAD_INPUT, "unknown member"},
};

static void items_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct telemetry_item t;
		BUF_AUTO text = {0};
		struct err e;

		expect_ok(telemetry_item_decode(str_of(good[i]), &t, &e), &e);
		telemetry_item_encode(&t, &text);
		expect_text(buf_cstr(&text), good[i]);
		telemetry_item_fini(&t);
	}
}

static void bad_items_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct telemetry_item t = {.seq = 4711};
		struct err e;

		expect_err(telemetry_item_decode(str_of(bad[i].text), &t, &e), &e, bad[i].code,
			bad[i].piece, bad[i].text);
		assert_int_equal(t.seq, 4711);
	}
}

static void what_is_read_is_what_was_meant(void **state)
{
	struct telemetry_item t;
	struct err e;

	(void)state;
	expect_ok(telemetry_item_decode(str_of(good[1]), &t, &e), &e);
	assert_int_equal(t.kind, TELEMETRY_WINDOW);
	assert_int_equal(t.dropped, 3);
	assert_int_equal(t.window.layer, TELEMETRY_LAYER_INFERENCE);
	assert_true(t.window.span == MINUTE(1) && t.window.at == t.at);
	assert_int_equal(t.window.n_counters, 2);
	expect_text(t.window.counter[0].name, "requests_total");
	assert_int_equal(t.window.counter[0].value, 1200);
	assert_int_equal(t.window.gauge[0].milli, -12500);
	assert_int_equal(t.window.hist[0].n, 4);
	assert_int_equal(t.window.hist[0].edges_micro[2], 1000);
	assert_int_equal(t.window.hist[0].counts[3], 3);
	telemetry_item_fini(&t);
	expect_ok(telemetry_item_decode(str_of(good[2]), &t, &e), &e);
	assert_true(t.watch.at == 5 && t.watch.span == SEC(10) && t.watch.samples == 77);
	expect_text(t.watch.tripped, "latency");
	assert_false(telemetry_is_detail(t.kind));
	telemetry_item_fini(&t);
}

/* n objects or texts, each with its number where the '#' is. */
static void repeat(struct buf *out, const char *before, const char *each, unsigned n)
{
	buf_add_str(out, before);
	for (unsigned i = 0; i < n; i++) {
		buf_add_str(out, i ? "," : "");
		for (const char *p = each; *p; p++) {
			if (*p == '#')
				buf_addf(out, "%03u", 100 + i);
			else
				buf_add_char(out, *p);
		}
	}
}

static void lists_have_bounds(void **state)
{
	static const struct {
		const char *before, *each, *after;
		unsigned most;
		const char *piece;
	} lists[] = {
		{WINDOW ",\"counters\":{", "\"c#\":1", "}}", LIMIT_TELEMETRY_METRICS, "counters"},
		{WINDOW ",\"gauges\":{", "\"g#\":1", "}}", LIMIT_TELEMETRY_METRICS, "gauges"},
		{WINDOW ",\"hists\":{", "\"h#\":{\"edges_micro\":[],\"counts\":[1]}", "}}",
			LIMIT_TELEMETRY_METRICS, "hists"},
		{ITEM "\"kind\":\"mark\",\"what\":\"x\",\"ring\":[",
			"{\"at_ms\":1,\"span_ms\":#,\"layer\":\"device\"}", "]}",
			LIMIT_TELEMETRY_RING, "ring"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (unsigned more = 0; more < 2; more++) {
			struct telemetry_item t;
			BUF_AUTO text = {0};
			struct err e;
			int rc;

			repeat(&text, lists[i].before, lists[i].each, lists[i].most + more);
			buf_add_str(&text, lists[i].after);
			rc = telemetry_item_decode(buf_str(&text), &t, &e);
			if (more) {
				expect_err(rc, &e, ERR_TOO_LARGE, lists[i].piece, lists[i].piece);
			} else {
				expect_ok(rc, &e);
				telemetry_item_fini(&t);
			}
		}
	}
}

static void names_and_buckets_have_bounds(void **state)
{
	struct telemetry_item t;
	BUF_AUTO name = {0}, buckets = {0};
	struct err e;

	(void)state;
	repeat(&name, WINDOW ",\"gauges\":{\"", "", 0);
	for (unsigned i = 0; i < TELEMETRY_NAME; i++)
		buf_add_char(&name, 'n');
	buf_add_str(&name, "\":1}}");
	expect_err(telemetry_item_decode(buf_str(&name), &t, &e), &e, ERR_BAD_INPUT, "no name",
		"a long name");
	repeat(&buckets, WINDOW ",\"hists\":{\"h\":{\"edges_micro\":[", "#", LIMIT_HIST_BUCKETS);
	repeat(&buckets, "],\"counts\":[", "#", LIMIT_HIST_BUCKETS + 1);
	buf_add_str(&buckets, "]}}}");
	expect_err(telemetry_item_decode(buf_str(&buckets), &t, &e), &e, ERR_TOO_LARGE,
		"edges_micro", "many buckets");
}

/* ---- batches ---- */

static void a_batch_is_made_of_lines(void **state)
{
	struct telemetry_batch b;
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	telemetry_begin(0xff, &text);
	telemetry_add(str_of(good[0]), true, &text);
	telemetry_add(str_of(good[1]), false, &text);
	telemetry_end(&text);
	expect_ok(telemetry_decode(buf_str(&text), &b, &e), &e);
	assert_int_equal(b.n, 2);
	assert_int_equal(b.epoch, 0xff);
	assert_int_equal(b.item[1].seq, 9);
	telemetry_fini(&b);
}

static void bad_batches_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_batch); i++) {
		struct telemetry_batch b = {.epoch = 4711};
		struct err e;

		expect_err(telemetry_decode(str_of(bad_batch[i].text), &b, &e), &e,
			bad_batch[i].code, bad_batch[i].piece, bad_batch[i].text);
		assert_int_equal(b.epoch, 4711);
	}
}

static void batches_have_bounds(void **state)
{
	BUF_AUTO many = {0}, large = {0};
	struct telemetry_batch b;
	struct err e;

	(void)state;
	telemetry_begin(1, &many);
	repeat(&many, "", "{\"seq\":#," AT "\"kind\":\"window\",\"layer\":\"device\"}",
		LIMIT_TELEMETRY_ITEMS + 1);
	telemetry_end(&many);
	expect_err(telemetry_decode(buf_str(&many), &b, &e), &e, ERR_TOO_LARGE, "items", "items");
	for (unsigned i = 0; i <= LIMIT_TELEMETRY_BYTES; i++)
		buf_add_char(&large, ' ');
	expect_err(telemetry_decode(buf_str(&large), &b, &e), &e, ERR_TOO_LARGE, NULL, "bytes");
}

/* What a service calls itself is not ours to choose, and must not make an item that nobody takes.
 */
static void texts_are_made_printable(void **state)
{
	struct telemetry_item t = {.seq = 1, .at = 7, .kind = TELEMETRY_MARK}, again;
	BUF_AUTO text = {0};
	struct err e;

	(void)state;
	snprintf(t.mark.what, sizeof t.mark.what, "crash_loop");
	snprintf(t.mark.text, sizeof t.mark.text, "a\nb\x7f\xff");
	telemetry_item_encode(&t, &text);
	expect_ok(telemetry_item_decode(buf_str(&text), &again, &e), &e);
	expect_text(again.mark.text, "a b ?");
	telemetry_item_fini(&again);
}

/* ---- acks ---- */

static void acks_go_both_ways(void **state)
{
	static const char *const texts[] = {
		"{\"epoch\":\"00000000000000ff\",\"seq\":12}", "{\"seq\":1}", "{\"report\":3}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct telemetry_ack a;
		BUF_AUTO out = {0};
		struct err e;

		expect_ok(telemetry_ack_decode(str_of(texts[i]), &a, &e), &e);
		telemetry_ack_encode(&a, &out);
		expect_text(buf_cstr(&out), texts[i]);
	}
}

static void bad_acks_are_refused(void **state)
{
	static const char *const texts[] = {"", "7", "{}", "{\"seq\":0}", "{\"seq\":-1}",
		"{\"report\":\"3\"}", "{\"seq\":1,\"and\":2}", "{\"epoch\":\"\",\"seq\":1}",
		"{\"epoch\":\"0000000000000000\",\"seq\":1}"};
	BUF_AUTO large = {0};
	struct telemetry_ack a;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		expect_err(telemetry_ack_decode(str_of(texts[i]), &a, &e), &e, ERR_BAD_INPUT, NULL,
			texts[i]);
	for (unsigned i = 0; i <= LIMIT_TELEMETRY_ACK; i++)
		buf_add_char(&large, ' ');
	expect_err(telemetry_ack_decode(buf_str(&large), &a, &e), &e, ERR_TOO_LARGE, NULL, "bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_go_both_ways),
		cmocka_unit_test(bad_items_are_refused),
		cmocka_unit_test(what_is_read_is_what_was_meant),
		cmocka_unit_test(lists_have_bounds),
		cmocka_unit_test(names_and_buckets_have_bounds),
		cmocka_unit_test(a_batch_is_made_of_lines),
		cmocka_unit_test(bad_batches_are_refused),
		cmocka_unit_test(batches_have_bounds),
		cmocka_unit_test(texts_are_made_printable),
		cmocka_unit_test(acks_go_both_ways),
		cmocka_unit_test(bad_acks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
