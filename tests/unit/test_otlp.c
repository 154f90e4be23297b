/* What a collector is told; that it is what the schema wants is seen by the receiver
 * of tests/system/39-telemetry.sh. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "server/export/otlp.h"

static void name(void *ctx, const struct sha256 *release, char out[ID_TEXT_MAX])
{
	snprintf(out, ID_TEXT_MAX, "%s", sha256_is_zero(release) ? "" : (const char *)ctx);
}

static const char *encoded(const struct totals *t, struct buf *out)
{
	struct otlp_in in = {.totals = t,
		.source = "/s",
		.version = "1.2",
		.now = 61000,
		.name = name,
		.ctx = (void *)(uintptr_t) "toy-1"};

	return otlp_encode(&in, out) ? buf_cstr(out) : "";
}

static void nothing_is_said_of_nothing(void **state)
{
	struct totals t = {.n = 0};
	BUF_AUTO out = {0};

	(void)state;
	expect_text(encoded(&t, &out), "");
	assert_int_equal(out.n, 0);
}

static void one_release_is_said_in_full(void **state)
{
	static const int64_t edges[] = {1000, 2500000};
	static const uint64_t counts[] = {1, 2, UINT64_MAX};
	static const char *const pieces[] = {
		"{\"resourceMetrics\":[{\"resource\":{\"attributes\":["
		"{\"key\":\"service.name\",\"value\":{\"stringValue\":\"backstay-server\"}},",
		"\"scopeMetrics\":[{\"scope\":{\"name\":\"backstay\",\"version\":\"1.2\"},",
		"{\"key\":\"backstay.layer\",\"value\":{\"stringValue\":\"model\"}}",
		"\"startTimeUnixNano\":\"1000000000\",\"timeUnixNano\":\"61000000000\",",
		"{\"name\":\"backstay.workload.windows\",\"unit\":\"{window}\",\"sum\":{",
		"\"asInt\":\"60000\"}],\"aggregationTemporality\":2,\"isMonotonic\":true}}",
		"\"key\":\"backstay.metric\",\"value\":{\"stringValue\":\"n\"}}],",
		"\"asInt\":\"7\"}],\"aggregationTemporality\":2,\"isMonotonic\":true}}",
		"\"asDouble\":-0.25}]}}",
		"\"count\":\"18446744073709551615\","
		"\"bucketCounts\":[\"1\",\"2\",\"18446744073709551615\"],"
		"\"explicitBounds\":[0.001,2.5]}],\"aggregationTemporality\":2}}",
	};
	struct total total = {.layer = TELEMETRY_LAYER_MODEL, .since = 1000};
	struct totals t = {.n = 1, .v = &total};
	BUF_AUTO out = {0};
	JSON_AUTO *j = NULL;

	(void)state;
	aggregate_add_window(&total.sum, 60000);
	aggregate_add_counter(&total.sum, "n", 7);
	aggregate_add_gauge(&total.sum, "g", -250);
	aggregate_add_hist(&total.sum, "h", edges, 2, counts);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		buf_clear(&out);
		if (!strstr(encoded(&t, &out), pieces[i]))
			fail_msg("%s\nis not in\n%s", pieces[i], buf_cstr(&out));
	}
	j = json_loads(buf_cstr(&out), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	aggregate_fini(&total.sum);
}

static void releases_are_named_where_they_are_known(void **state)
{
	struct total total = {.release = {{1, 2}}, .since = 1000};
	struct totals t = {.n = 1, .v = &total};
	BUF_AUTO out = {0};

	(void)state;
	assert_non_null(strstr(encoded(&t, &out), "\"backstay.release\",\"value\":{\"stringValue\":"
						  "\"toy-1\"}"));
	assert_non_null(strstr(buf_cstr(&out), "\"stringValue\":\"0102000000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_nothing),
		cmocka_unit_test(one_release_is_said_in_full),
		cmocka_unit_test(releases_are_named_where_they_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
