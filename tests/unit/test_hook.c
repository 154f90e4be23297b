/* Which events a hook is for, where it may send, and what becomes of a letter. */
#include "tests/lib/expect.h"

#include <string.h>

#include "server/core/hook.h"

static struct err e;

/* ---- events ---- */

static void events_are_chosen(void **state UNUSED)
{
	static const struct {
		const char *text;
		enum hook_event in, out;
	} good[] = {
		{"*", HOOK_RETRAINING, HOOK_EVENT_MAX},
		{"campaign.*", HOOK_CAMPAIGN_DONE, HOOK_DEVICE_STUCK},
		{"device.stuck", HOOK_DEVICE_STUCK, HOOK_DEVICE_SILENT},
		{"device.stuck, retraining.wanted", HOOK_RETRAINING, HOOK_CAMPAIGN_DONE},
		{"device.stuck", HOOK_TEST, HOOK_CAMPAIGN_DONE},
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t mask = 0;

		expect_ok(hook_events_parse(str_of(good[i].text), &mask, &e), &e);
		assert_true(hook_is_for(mask, good[i].in));
		assert_false(hook_is_for(mask, good[i].out));
	}
}

static void wrong_events_are_refused(void **state UNUSED)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "none is named"},
		{",", "no event ''"},
		{"device.stuck,", ""},
		{"device.stukc", "is device.stuck meant?"},
		{"dev*", "no event 'dev*'"},
		{"nothing.*", "no event 'nothing.*'"},
		{"**", "no event"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint64_t mask = 77;
		int rc = hook_events_parse(str_of(bad[i].text), &mask, &e);

		if (!*bad[i].why) {
			assert_int_equal(rc, 0); /* a comma at the end says nothing */
			continue;
		}
		expect_err(rc, &e, ERR_BAD_INPUT, bad[i].why, bad[i].text);
		assert_int_equal(mask, 77);
	}
}

static void names_and_ids_are_the_same_thing(void **state UNUSED)
{
	for (enum hook_event ev = 0; ev < HOOK_EVENT_MAX; ev++)
		assert_int_equal(hook_event_by_name(hook_event_name(ev)), ev);
	for (enum hook_kind k = 0; k < HOOK_KIND_MAX; k++)
		assert_int_equal(hook_kind_by_name(hook_kind_name(k)), k);
	assert_int_equal(hook_event_by_name("no"), HOOK_EVENT_MAX);
	assert_int_equal(hook_kind_by_name("no"), HOOK_KIND_MAX);
}

/* ---- addresses ---- */

static void addresses_are_checked(void **state UNUSED)
{
	static const struct {
		const char *url, *why; /* NULL: good */
	} cases[] = {
		{"https://hooks.example/in?x=1", NULL},
		{"http://127.0.0.1:9093", NULL},
		{"http://[::1]:9093/x", NULL},
		{"https://example/a@b", NULL},
		{"", "neither http://"},
		{"ftp://example/", "neither http://"},
		{"file:///etc/passwd", "neither http://"},
		{"HTTP://example/", "neither http://"},
		{"gopher://example", "neither http://"},
		{"https://", "names no host"},
		{"https:///x", "names no host"},
		{"http://:80/", "names no host"},
		{"https://ann:secret@example/", "would be seen"},
		{"https://example@evil/", "would be seen"},
		{"https://example/a b", "byte 18"},
		{"https://example/\r\nHost: x", "byte 17"},
		{"https://example/#x", "byte 17"},
		{"https://ex\xc3\xa4mple/", "byte 11"},
		{"https://a\\@b/", "byte 10"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int rc = hook_url_check(str_of(cases[i].url), &e);

		if (!cases[i].why) {
			expect_ok(rc, &e);
			continue;
		}
		expect_err(rc, &e, ERR_BAD_INPUT, cases[i].why, cases[i].url);
	}
}

/* ---- what becomes of a letter ---- */

static const struct hook_rule rule = {.tries = 5, .first = SEC(5), .last = SEC(60)};

static void answers_are_understood(void **state UNUSED)
{
	static const struct {
		struct hook_answer a;
		unsigned tries;
		enum hook_fate fate;
		bool quiet;
	} cases[] = {
		{{200, 0}, 1, HOOK_DELIVERED, false},
		{{204, 0}, 5, HOOK_DELIVERED, false},
		{{299, SEC(60)}, 1, HOOK_DELIVERED, false},
		{{0, 0}, 1, HOOK_AGAIN, true},
		{{0, 0}, 4, HOOK_AGAIN, true},
		{{0, 0}, 5, HOOK_DEAD, true},
		{{0, 0}, 9, HOOK_DEAD, true},
		{{500, 0}, 1, HOOK_AGAIN, true},
		{{503, 0}, 1, HOOK_AGAIN, true},
		{{429, 0}, 1, HOOK_AGAIN, true},
		{{400, 0}, 1, HOOK_AGAIN, false},
		{{404, 0}, 5, HOOK_DEAD, false},
		{{301, 0}, 1, HOOK_AGAIN, false},
		{{199, 0}, 1, HOOK_AGAIN, false},
		{{410, 0}, 1, HOOK_DEAD, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct hook_plan p;

		hook_step(&rule, cases[i].tries, &cases[i].a, 7, &p);
		assert_int_equal(p.fate, cases[i].fate);
		assert_int_equal(p.quiet > 0, cases[i].quiet);
	}
}

static void waits_grow_with_jitter_and_end(void **state UNUSED)
{
	static const ms_t step[] = {SEC(5), SEC(15), SEC(45), SEC(60), SEC(60)};
	const struct hook_rule long_rule = {.tries = 100, .first = SEC(5), .last = SEC(60)};
	const struct hook_answer none = {0, 0};

	for (unsigned t = 0; t < ARRAY_LEN(step); t++) {
		ms_t least = step[t], most = 0;

		for (uint64_t chance = 0; chance < 200000; chance += 97) {
			struct hook_plan p;

			hook_step(&long_rule, t + 1, &none, chance, &p);
			least = MIN(least, p.wait);
			most = MAX(most, p.wait);
		}
		assert_true(least >= step[t] / 2 && least < step[t] / 2 + 200);
		assert_true(most <= step[t] && most > step[t] - 200);
	}
}

static void whoever_asks_for_time_gets_it(void **state UNUSED)
{
	const struct hook_answer busy = {503, MINUTE(10)}, mad = {429, MINUTE(60 * 24 * 365)};
	struct hook_plan p;

	hook_step(&rule, 1, &busy, 0, &p);
	assert_int_equal(p.wait, MINUTE(10));
	assert_int_equal(p.quiet, MINUTE(10));
	hook_step(&rule, 1, &mad, 0, &p);
	assert_int_equal(p.wait, HOOK_WAIT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_chosen),
		cmocka_unit_test(wrong_events_are_refused),
		cmocka_unit_test(names_and_ids_are_the_same_thing),
		cmocka_unit_test(addresses_are_checked),
		cmocka_unit_test(answers_are_understood),
		cmocka_unit_test(waits_grow_with_jitter_and_end),
		cmocka_unit_test(whoever_asks_for_time_gets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
