#include "tests/lib/expect.h"

#include <string.h>

#include "agent/bus/bus.h"
#include "agent/core/update.h"

#define LAST(state, reason) "{\"state\": \"" state "\", \"reason\": \"" reason "\"}"
#define CARRIED(over, code)                                                                        \
	"{\"over\": " over ", \"code\": \"" code "\", \"reason\": \"the folder is no good\"}"
#define STATUS(state, progress, last, carried)                                                     \
	"{\"state\": \"" state "\", \"text\": \"does it\", \"hardware\": \"edge-x86\","            \
	"\"running\": {\"slot\": \"a\"}, \"progress\": " progress ", \"last\": " last              \
	", \"carried\": " carried ","                                                              \
	"\"slots\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}"

static const struct {
	const char *status;
	bool busy, well;
	int percent;
	const char *last_error;
} views[] = {
	{STATUS("idle", "null", "null", "null"), false, false, 0, ""},
	{STATUS("idle", "null", LAST("committed", ""), "null"), false, true, 100, ""},
	{STATUS("idle", "null", LAST("reverted", "p99 too high"), "null"), false, false, 0,
		"p99 too high"},
	{STATUS("idle", "null", LAST("committed", ""), CARRIED("true", "unsigned")), false, false,
		0, "the folder is no good"},
	{STATUS("idle", "null", LAST("committed", ""), CARRIED("true", "ok")), false, true, 100,
		""},
	{STATUS("idle", "null", "null", CARRIED("false", "ok")), true, false, 0, ""},
	{STATUS("accepted", "null", "null", "null"), true, false, 0, ""},
	{STATUS("staging", "{\"of\": \"bytes\", \"done\": 1, \"total\": 2}", "null", "null"), true,
		false, 30, ""},
	{STATUS("staging", "{\"of\": \"bytes\", \"done\": 9, \"total\": 2}", "null", "null"), true,
		false, 60, ""},
	{STATUS("staging", "{\"of\": \"bytes\", \"done\": 0, \"total\": 0}", "null", "null"), true,
		false, 0, ""},
	{STATUS("soaking", "{\"of\": \"soak_ms\", \"done\": 5, \"total\": 5}", "null", "null"),
		true, false, 99, ""},
	{STATUS("reverting", "null", LAST("committed", ""), "null"), true, true, 99, ""},
	{STATUS("stuck", "null", "null", "null"), false, false, 0, ""},
};

static json_t *read_json(const char *text)
{
	json_t *j;
	struct err e;

	expect_ok(json_read(str_of(text), 4096, &j, &e), &e);
	return j;
}

static void a_status_becomes_a_view(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		JSON_AUTO *j = read_json(views[i].status);
		struct bus_view v;
		struct err e;

		expect_ok(bus_view_of(j, &v, &e), &e);
		assert_int_equal(v.busy, views[i].busy);
		assert_int_equal(v.well, views[i].well);
		assert_int_equal(v.percent, views[i].percent);
		expect_text(v.last_error, views[i].last_error);
		expect_text(v.slot, "a");
		expect_text(v.hardware, "edge-x86");
		expect_text(v.text, "does it");
	}
}

/* A bar that goes back while an update goes on would be worse than none. */
static void every_state_has_its_place(void **state)
{
	int before = 0;

	(void)state;
	for (enum upd_state s = UPD_ACCEPTED; s <= UPD_COMMITTED; s++) {
		JSON_AUTO *j = read_json(STATUS("idle", "null", "null", "null"));
		struct bus_view v;
		struct err e;

		json_object_set_new(j, "state", json_string(upd_state_name(s)));
		expect_ok(bus_view_of(j, &v, &e), &e);
		assert_true(v.busy && v.percent >= before && v.percent <= 100);
		before = v.percent;
	}
	assert_int_equal(before, 100);
}

static void what_is_no_status_is_refused(void **state)
{
	static const char *const bad[] = {"[]", "{}", "{\"state\": \"idle\"}",
		"{\"state\": \"idle\", \"hardware\": \"x\", \"running\": null}",
		"{\"state\": 7, \"hardware\": \"x\", \"running\": {\"slot\": \"a\"}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		JSON_AUTO *j = read_json(bad[i]);
		struct bus_view v = {.percent = 7};
		struct err e;

		assert_int_equal(bus_view_of(j, &v, &e), -ERR_BAD_INPUT);
		assert_int_equal(v.percent, 7);
	}
}

static void slots_have_more_names_than_one(void **state)
{
	static const struct {
		const char *said, *slot; /* NULL: there is none */
	} rows[] = {{"a", "a"}, {"b", "b"}, {"booted", "a"}, {"other", "b"}, {"", NULL},
		{"c", NULL}, {"A", NULL}, {"booted ", NULL}};
	JSON_AUTO *j = read_json(STATUS("idle", "null", "null", "null"));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char slot[4] = "-";
		struct err e;
		int rc = bus_slot_of(j, rows[i].said, slot, &e);

		assert_int_equal(rc, rows[i].slot ? 0 : -ERR_NOT_FOUND);
		expect_text(slot, rows[i].slot ? rows[i].slot : "-");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_becomes_a_view),
		cmocka_unit_test(every_state_has_its_place),
		cmocka_unit_test(what_is_no_status_is_refused),
		cmocka_unit_test(slots_have_more_names_than_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
