/* What letters say and how they are signed, and which addresses they may go to. */
#include "tests/lib/expect.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "proto/trust/mac.h"
#include "proto/wire/base64.h"
#include "proto/wire/json.h"
#include "server/hook/address.h"
#include "server/hook/letter.h"

static struct err e;

static struct str bytes(const char *text)
{
	return str_of(text);
}

/* The example that Standard Webhooks publishes with its libraries, and RFC 4231's second case. */
static void macs_are_those_of_others(void **state UNUSED)
{
	BUF_AUTO secret = {0}, text = {0};
	char hex[SHA256_TEXT];
	struct sha256 mac;

	expect_ok(base64_decode(bytes("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &secret, &e), &e);
	mac_of(buf_str(&secret),
		bytes("msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}"), &mac);
	base64_encode((struct str){(const char *)mac.b, sizeof mac.b}, &text);
	expect_text(buf_cstr(&text), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	mac_of(bytes("Jefe"), bytes("what do ya want for nothing?"), &mac);
	sha256_format(&mac, hex);
	expect_text(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static struct hook_row hook = {.name = "ops",
	.kind = HOOK_KIND_WEBHOOK,
	.url = "https://ops.example/in?x=1",
	.events = "*",
	.secret = {1, 2, 3}};

static void fill(struct hook_event_row *ev)
{
	*ev = (struct hook_event_row){.n = 7,
		.id = "00112233445566778899aabbccddeeff",
		.type = HOOK_CAMPAIGN_ABORTED,
		.at = 1790000000123,
		.campaign = "spring",
		.text = "3 failures, 1 is allowed: \"Ω\" <b>",
		.audit = 42};
	buf_add_str(&ev->data, "{\"phase\":\"rolling_back\",\"release\":\"ocr-4\"}");
}

static void a_webhook_gets_a_signed_cloud_event(void **state UNUSED)
{
	struct letter_out l CLEANUP(letter_out_fini), again CLEANUP(letter_out_fini);
	HOOK_EVENT_AUTO ev = {0};

	fill(&ev);
	letter_encode(&hook, &ev, "/depot", 1790000005999, &l);
	expect_text(l.url, hook.url);
	expect_text(buf_cstr(&l.body),
		"{\"specversion\":\"1.0\",\"id\":\"00112233445566778899aabbccddeeff\",\"source\":\"/depot\","
		"\"type\":\"backstay.campaign.aborted\",\"time\":\"2026-09-21T14:13:20Z\",\"subject\":\"spring\","
		"\"datacontenttype\":\"application/json\",\"data\":{\"phase\":\"rolling_back\",\"release\":\"ocr-4\","
		"\"gravity\":\"critical\",\"campaign\":\"spring\",\"text\":\"3 failures, 1 is allowed: \\\"Ω\\\" <b>\","
		"\"at_ms\":1790000000123,\"audit_row\":42}}");
	expect_text(l.headers[0], "Content-Type: application/cloudevents+json; charset=UTF-8");
	expect_text(l.headers[1], "webhook-id: 00112233445566778899aabbccddeeff");
	expect_text(l.headers[2], "webhook-timestamp: 1790000005");
	assert_memory_equal(l.headers[3], "webhook-signature: v1,", 22);
	letter_encode(&hook, &ev, "/depot", 1790000099999, &again);
	expect_text(buf_cstr(&again.body), buf_cstr(&l.body));
	assert_string_not_equal(again.headers[3], l.headers[3]);
}

/* What the header would be with this secret alone. */
static void signature_with(uint8_t first, ms_t now, char out[64])
{
	struct letter_out l CLEANUP(letter_out_fini);
	struct hook_row h = hook;
	HOOK_EVENT_AUTO ev = {0};

	fill(&ev);
	h.secret[0] = first;
	letter_encode(&h, &ev, "/depot", now, &l);
	snprintf(out, 64, "%.63s", l.headers[3] + strlen("webhook-signature: "));
}

/* As a receiver of Standard Webhooks expects it: one signature for each secret, by blanks. */
static void old_secrets_sign_until_their_time_is_over(void **state UNUSED)
{
	static const struct {
		ms_t now;
		unsigned n;
	} rows[] = {{1790000005999, 3}, {1790000009999, 3}, {1790000010000, 1}, {1790000099999, 1}};
	struct hook_row h = hook;
	HOOK_EVENT_AUTO ev = {0};

	fill(&ev);
	h.old[0][0] = 7;
	h.old[1][0] = 8;
	h.old[0][1] = h.old[1][1] = 2;
	h.old[0][2] = h.old[1][2] = 3;
	h.n_old = 2;
	h.old_until = 1790000010000;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct letter_out l CLEANUP(letter_out_fini);
		char one[64], two[64], three[64], want[256];

		signature_with(1, rows[i].now, one);
		signature_with(7, rows[i].now, two);
		signature_with(8, rows[i].now, three);
		letter_encode(&h, &ev, "/depot", rows[i].now, &l);
		if (rows[i].n == 3)
			snprintf(want, sizeof want, "webhook-signature: %s %s %s", one, two, three);
		else
			snprintf(want, sizeof want, "webhook-signature: %s", one);
		expect_text(l.headers[3], want);
	}
}

static void an_alertmanager_gets_an_alert(void **state UNUSED)
{
	static const struct {
		const char *url, *goes_to;
	} urls[] = {{"http://am:9093", "http://am:9093/api/v2/alerts"},
		{"http://am:9093/", "http://am:9093/api/v2/alerts"},
		{"http://am/x//", "http://am/x/api/v2/alerts"},
		{"http://am/api/v2/alerts", "http://am/api/v2/alerts"}};
	struct hook_row h = hook;
	HOOK_EVENT_AUTO ev = {0};

	fill(&ev);
	h.kind = HOOK_KIND_ALERTMANAGER;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct letter_out l CLEANUP(letter_out_fini);

		snprintf(h.url, sizeof h.url, "%s", urls[i].url);
		letter_encode(&h, &ev, "/depot", 1790000100000, &l);
		expect_text(l.url, urls[i].goes_to);
		expect_text(buf_cstr(&l.body),
			"[{\"labels\":{\"alertname\":\"BackstayCampaignAborted\",\"severity\":\"critical\","
			"\"source\":\"/depot\",\"campaign\":\"spring\",\"release\":\"ocr-4\"},"
			"\"annotations\":{\"summary\":\"3 failures, 1 is allowed: \\\"Ω\\\" <b>\","
			"\"description\":\"a guardrail was crossed or the judge has found harm: the campaign gives up\","
			"\"audit_row\":\"42\"},\"startsAt\":\"2026-09-21T14:13:20Z\",\"endsAt\":\"2026-09-21T18:15:00Z\"}]");
		expect_text(l.headers[1], "");
	}
}

static void every_event_can_be_told(void **state UNUSED)
{
	for (enum hook_event t = 0; t < HOOK_EVENT_MAX; t++)
		for (enum hook_kind k = 0; k < HOOK_KIND_MAX; k++) {
			struct letter_out l CLEANUP(letter_out_fini);
			struct hook_event_row ev = {.type = t, .id = "x", .text = "", .at = 1};
			struct hook_row h = hook;
			JSON_AUTO *j = NULL;

			h.kind = k;
			letter_encode(&h, &ev, "/s", 2000, &l);
			expect_ok(json_read(buf_str(&l.body), l.body.n, &j, &e), &e);
		}
}

/* ---- addresses ---- */

static void addresses(void **state UNUSED)
{
	static const struct {
		const char *text;
		bool in_public, in_private;
	} cases[] = {
		{"93.184.216.34", true, true},
		{"2606:2800:220:1::1", true, true},
		{"127.0.0.1", false, true},
		{"127.255.255.254", false, true},
		{"10.1.2.3", false, true},
		{"172.16.0.1", false, true},
		{"172.32.0.1", true, true},
		{"192.168.1.1", false, true},
		{"100.64.0.1", false, true},
		{"100.128.0.1", true, true},
		{"198.18.0.1", false, true},
		{"::1", false, true},
		{"fd00::1", false, true},
		{"fec0::1", false, true},
		{"::ffff:127.0.0.1", false, true},
		{"::ffff:93.184.216.34", true, true},
		{"64:ff9b::a00:1", false, true},
		{"169.254.169.254", false, false},
		{"::ffff:169.254.169.254", false, false},
		{"64:ff9b::a9fe:a9fe", false, false},
		{"fe80::1", false, false},
		{"0.0.0.0", false, false},
		{"::", false, false},
		{"::ffff:0.0.0.0", false, false},
		{"224.0.0.1", false, false},
		{"255.255.255.255", false, false},
		{"240.0.0.1", false, false},
		{"ff02::1", false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sockaddr_in in = {.sin_family = AF_INET};
		struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
		bool is4 = inet_pton(AF_INET, cases[i].text, &in.sin_addr) == 1;
		const struct sockaddr *a =
			is4 ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6;

		assert_true(is4 || inet_pton(AF_INET6, cases[i].text, &in6.sin6_addr) == 1);
		if (address_is_allowed(a, false) != cases[i].in_public ||
			address_is_allowed(a, true) != cases[i].in_private)
			fail_msg("%s", cases[i].text);
	}
	assert_false(address_is_allowed(&(struct sockaddr){.sa_family = AF_UNIX}, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_are_those_of_others),
		cmocka_unit_test(a_webhook_gets_a_signed_cloud_event),
		cmocka_unit_test(old_secrets_sign_until_their_time_is_over),
		cmocka_unit_test(an_alertmanager_gets_an_alert),
		cmocka_unit_test(every_event_can_be_told),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
