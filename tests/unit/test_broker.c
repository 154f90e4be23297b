/* What the server hears through a broker: whose a topic is, and what waits. */
#include "tests/lib/expect.h"

#include <poll.h>
#include <string.h>

#include "server/broker/inbox.h"
#include "server/broker/topic.h"

static void topics_name_their_device(void **state)
{
	static const struct {
		const char *topic;
		enum broker_kind kind; /* MAX: none of ours */
		const char *device;
	} cases[] = {
		{"backstay/v1/telemetry/lane-1", BROKER_TELEMETRY, "lane-1"},
		{"backstay/v1/report/lane-1", BROKER_REPORT, "lane-1"},
		{"backstay/1/lane-1/presence", BROKER_PRESENCE, "lane-1"},
		{"backstay/v1/telemetry/", BROKER_KIND_MAX, ""},
		{"backstay/v1/telemetry/a/b", BROKER_KIND_MAX, ""},
		{"backstay/v1/telemetry/a b", BROKER_KIND_MAX, ""},
		{"backstay/v1/telemetry/..", BROKER_KIND_MAX, ""},
		{"backstay/v1/telemetry", BROKER_KIND_MAX, ""},
		{"backstay/v1/ack/lane-1", BROKER_KIND_MAX, ""},
		{"backstay/1/lane-1/wake", BROKER_KIND_MAX, ""},
		{"backstay/1/lane-1/presence/more", BROKER_KIND_MAX, ""},
		{"backstay/1//presence", BROKER_KIND_MAX, ""},
		{"backstay/1presence", BROKER_KIND_MAX, ""},
		{"other/lane-1/presence", BROKER_KIND_MAX, ""},
		{"", BROKER_KIND_MAX, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum broker_kind kind = BROKER_KIND_MAX;
		char device[ID_TEXT_MAX] = "";
		bool ours = topic_read(str_of(cases[i].topic), "backstay/1", &kind, device);

		if (ours != (cases[i].kind != BROKER_KIND_MAX))
			fail_msg("%s", cases[i].topic);
		if (!ours)
			continue;
		assert_int_equal(kind, cases[i].kind);
		expect_text(device, cases[i].device);
	}
}

static void filters_are_shared_but_for_presence(void **state)
{
	char filter[TOPIC_TEXT];
	struct err e;

	(void)state;
	expect_ok(topic_filter(BROKER_TELEMETRY, "p", filter, &e), &e);
	expect_text(filter, "$share/backstay/backstay/v1/telemetry/+");
	expect_ok(topic_filter(BROKER_REPORT, "p", filter, &e), &e);
	expect_text(filter, "$share/backstay/backstay/v1/report/+");
	expect_ok(topic_filter(BROKER_PRESENCE, "p/q", filter, &e), &e);
	expect_text(filter, "p/q/+/presence");
}

static bool is_readable(const struct inbox *b)
{
	struct pollfd p = {.fd = inbox_fd(b), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static bool put(struct inbox *b, size_t n)
{
	struct broker_message m = {.kind = BROKER_TELEMETRY};

	buf_reserve(&m.body, n + 1); /* also of none */
	m.body.n = n;
	return inbox_put(b, &m);
}

static void an_inbox_is_bounded_and_in_order(void **state)
{
	struct broker_message out[4];
	struct inbox *b = NULL;
	struct err e;

	(void)state;
	expect_ok(inbox_open(&b, &e), &e);
	assert_false(is_readable(b));
	for (size_t i = 0; i < INBOX_MESSAGES; i++)
		assert_true(put(b, i % 1000));
	assert_false(put(b, 1));
	assert_true(is_readable(b));
	for (size_t i = 0; i < INBOX_MESSAGES; i += 4) {
		assert_int_equal(inbox_take(b, out, 4), 4);
		for (size_t k = 0; k < 4; k++) {
			assert_int_equal(out[k].body.n, (i + k) % 1000);
			broker_message_fini(&out[k]);
		}
	}
	assert_false(is_readable(b));
	assert_int_equal(inbox_take(b, out, 4), 0);
	for (size_t i = 0; i < INBOX_BYTES / 65536; i++)
		assert_true(put(b, 65536));
	assert_false(put(b, 1));
	assert_int_equal(inbox_count(b), INBOX_BYTES / 65536);
	inbox_close(&b);
	assert_null(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics_name_their_device),
		cmocka_unit_test(filters_are_shared_but_for_presence),
		cmocka_unit_test(an_inbox_is_bounded_and_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
