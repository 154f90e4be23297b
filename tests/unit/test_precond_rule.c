/* Preconditions as releases and configurations state them. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/precond.h"

static int parse(const char *text, struct precond_rule *out, struct err *e)
{
	JSON_AUTO *j = json_loads(text, 0, NULL);

	assert_non_null(j);
	return precond_rule_parse(j, "p", out, e);
}

static void every_type_has_a_whole_row(void **state)
{
	(void)state;
	for (enum precond_type t = 0; t < PRECOND_TYPE_MAX; t++) {
		assert_true(precond_type_name(t)[0] != 0);
		assert_true(precond_type_text(t)[0] != 0);
	}
	expect_text(precond_phase_name(PRECOND_DOWNLOAD), "download");
	expect_text(precond_phase_name(PRECOND_INSTALL), "install");
	expect_text(precond_phase_name(PRECOND_SWAP), "swap");
	assert_true(precond_holds_rollback(PRECOND_PARKED));
	assert_false(precond_holds_rollback(PRECOND_CONSENT));
}

static void defaults_come_from_the_table(void **state)
{
	struct precond_rule r;
	struct err e;

	(void)state;
	expect_ok(parse("{\"type\":\"parked\"}", &r, &e), &e);
	assert_int_equal(r.type, PRECOND_PARKED);
	assert_int_equal(r.before, PRECOND_SWAP);
	assert_int_equal(r.on_unknown, PRECOND_UNKNOWN_BLOCK);
	expect_ok(parse("{\"type\":\"metered\"}", &r, &e), &e);
	assert_int_equal(r.before, PRECOND_DOWNLOAD);
	assert_int_equal(r.on_unknown, PRECOND_UNKNOWN_PASS);
	expect_ok(parse("{\"type\":\"load\",\"at_most\":80}", &r, &e), &e);
	expect_text(r.of, "loadavg");
	assert_int_equal(r.limit, 80);
	expect_ok(parse("{\"type\":\"power\",\"battery_percent\":50}", &r, &e), &e);
	assert_int_equal(r.before, PRECOND_INSTALL | PRECOND_SWAP);
	assert_int_equal(r.limit, 50);
	assert_false(r.mains);
}

static void everything_can_be_said(void **state)
{
	struct precond_rule r;
	struct err e;

	(void)state;
	expect_ok(parse("{\"type\":\"power\",\"mains\":true,\"battery_percent\":100,"
			"\"before\":[\"swap\",\"download\",\"swap\"],\"on_unknown\":\"pass\"}",
			  &r, &e),
		&e);
	assert_true(r.mains);
	assert_int_equal(r.before, PRECOND_SWAP | PRECOND_DOWNLOAD);
	assert_int_equal(r.on_unknown, PRECOND_UNKNOWN_PASS);
	expect_ok(
		parse("{\"type\":\"temperature\",\"at_most\":70,\"of\":\"x86_pkg_temp\"}", &r, &e),
		&e);
	expect_text(r.of, "x86_pkg_temp");
	expect_ok(parse("{\"type\":\"load\",\"at_most\":10,\"of\":\"psi\"}", &r, &e), &e);
	expect_text(r.of, "psi");
	expect_ok(parse("{\"type\":\"free_space\",\"at_least\":68719476736}", &r, &e), &e);
	expect_ok(parse("{\"type\":\"window\",\"windows\":[\"mon-fri 22:00-05:00\",\"sun\"]}", &r,
			  &e),
		&e);
	assert_int_equal(r.n_windows, 2);
	assert_int_equal(r.windows[0].days, 0x1f);
	assert_int_equal(r.windows[0].from, 1320);
	assert_int_equal(r.windows[0].to, 300);
	assert_int_equal(r.windows[1].days, 0x40);
}

static const struct {
	const char *text;
	enum err_code code;
	const char *why;
} bad[] = {
	{"[]", ERR_BAD_INPUT, "p: an object"},
	{"{}", ERR_BAD_INPUT, "p.type is missing"},
	{"{\"type\":\"moon\"}", ERR_BAD_INPUT, "p.type: \"moon\" is none of"},
	{"{\"type\":7}", ERR_BAD_INPUT, "p.type"},
	{"{\"type\":\"parked\",\"mains\":true}", ERR_BAD_INPUT, "unknown member \"mains\""},
	{"{\"type\":\"parked\",\"on_unknown\":\"maybe\"}", ERR_BAD_INPUT, "none of: block, pass"},
	{"{\"type\":\"parked\",\"before\":\"swap\"}", ERR_BAD_INPUT, "p.before: an array"},
	{"{\"type\":\"parked\",\"before\":[]}", ERR_BAD_INPUT, "p.before"},
	{"{\"type\":\"parked\",\"before\":[7]}", ERR_BAD_INPUT, "p.before: \"download\""},
	{"{\"type\":\"parked\",\"before\":[\"boot\"]}", ERR_BAD_INPUT, "p.before"},
	{"{\"type\":\"parked\",\"before\":[\"swap\",\"swap\",\"swap\",\"swap\"]}", ERR_TOO_LARGE,
		"p.before: 4 elements"},
	{"{\"type\":\"lease\",\"before\":[\"download\"]}", ERR_BAD_INPUT, "lease cannot be asked"},
	{"{\"type\":\"power\"}", ERR_BAD_INPUT, "mains, battery_percent or both"},
	{"{\"type\":\"power\",\"mains\":false}", ERR_BAD_INPUT, "mains, battery_percent or both"},
	{"{\"type\":\"power\",\"mains\":1}", ERR_BAD_INPUT, "p.mains"},
	{"{\"type\":\"power\",\"battery_percent\":0}", ERR_BAD_INPUT, "between 1 and 100"},
	{"{\"type\":\"power\",\"battery_percent\":101}", ERR_BAD_INPUT, "between 1 and 100"},
	{"{\"type\":\"temperature\"}", ERR_BAD_INPUT, "p.at_most is missing"},
	{"{\"type\":\"temperature\",\"at_most\":151}", ERR_BAD_INPUT, "between 1 and 150"},
	{"{\"type\":\"temperature\",\"at_most\":7,\"of\":\"a zone whose name does not end soon enough\"}",
		ERR_TOO_LARGE, "p.of"},
	{"{\"type\":\"load\",\"at_most\":50,\"of\":\"gpu\"}", ERR_BAD_INPUT,
		"none of: loadavg, psi"},
	{"{\"type\":\"free_space\",\"at_most\":5}", ERR_BAD_INPUT, "unknown member"},
	{"{\"type\":\"free_space\",\"at_least\":0}", ERR_BAD_INPUT, "p.at_least"},
	{"{\"type\":\"window\"}", ERR_BAD_INPUT, "p.windows is missing"},
	{"{\"type\":\"window\",\"windows\":[]}", ERR_BAD_INPUT, "p.windows is empty"},
	{"{\"type\":\"window\",\"windows\":[7]}", ERR_BAD_INPUT, "p.windows[0]: text"},
	{"{\"type\":\"window\",\"windows\":[\"sun\",\"someday\"]}", ERR_BAD_INPUT,
		"p.windows[1]: 'someday' is no day"},
	{"{\"type\":\"window\",\"windows\":[\"sun\",\"sun\",\"sun\",\"sun\",\"sun\",\"sun\",\"sun\",\"sun\",\"sun\"]}",
		ERR_TOO_LARGE, "p.windows: 9 elements"},
};

static void what_makes_no_sense_is_refused(void **state)
{
	struct precond_rule r = {.limit = 4711};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_err(parse(bad[i].text, &r, &e), &e, bad[i].code, bad[i].why, bad[i].text);
	assert_int_equal(r.limit, 4711);
}

/* ---- windows ---- */

static void windows_read_and_write(void **state)
{
	static const struct {
		const char *text, *again;
	} good[] = {
		{"sun", "sun 00:00-24:00"},
		{"mon-fri 22:00-05:00", "mon-fri 22:00-05:00"},
		{"fri-mon 22:00-05:30", "fri-mon 22:00-05:30"},
		{"daily 01:00-02:00", "daily 01:00-02:00"},
		{"01:00-02:00", "daily 01:00-02:00"},
		{"mon-sun 00:00-24:00", "daily 00:00-24:00"},
		{"sat   23:59-00:00", "sat 23:59-24:00"},
	};
	static const char *const wrong[] = {"", "monday", "mon-", "-fri", "mon 22:00", "mon 22-23",
		"mon 24:00-01:00", "mon 12:60-13:00", "mon 12:00-24:01", "mon 12:00-12:00",
		"mon 12:00-13:00-14:00", "01:00-02:00 mon", "mon 1:00-02:00", "mon +1:00-02:00",
		"mon 12:00 - 13:00"};
	char text[PRECOND_WINDOW_TEXT];
	struct precond_window w;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		expect_ok(precond_window_parse(str_of(good[i].text), &w, &e), &e);
		precond_window_format(&w, text);
		expect_text(text, good[i].again);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		expect_err(precond_window_parse(str_of(wrong[i]), &w, &e), &e, ERR_BAD_INPUT, NULL,
			wrong[i]);
}

#define AT(day, hour, minute) ((day)*1440U + (hour)*60U + (minute))

static void windows_open_and_close(void **state)
{
	static const struct {
		const char *window;
		unsigned now, opens_in;
	} cases[] = {
		{"mon-fri 22:00-05:00", AT(0, 22, 0), 0},
		{"mon-fri 22:00-05:00", AT(0, 21, 59), 1},
		{"mon-fri 22:00-05:00", AT(1, 4, 59), 0},
		{"mon-fri 22:00-05:00", AT(1, 5, 0), 17 * 60},
		/* Friday's goes on into Saturday; then nothing until Monday. */
		{"mon-fri 22:00-05:00", AT(5, 4, 59), 0},
		{"mon-fri 22:00-05:00", AT(5, 5, 0), 2 * 1440 + 17 * 60},
		/* Over the end of the week. */
		{"sun 23:00-01:00", AT(0, 0, 59), 0},
		{"sun 23:00-01:00", AT(0, 1, 0), 6 * 1440 + 22 * 60},
		{"sun 00:00-24:00", AT(6, 23, 59), 0},
		{"sun 00:00-24:00", AT(0, 0, 0), 6 * 1440},
		{"daily 00:00-24:00", AT(3, 12, 0), 0},
	};
	struct precond_window w;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		expect_ok(precond_window_parse(str_of(cases[i].window), &w, &e), &e);
		if (precond_window_opens_in(&w, cases[i].now) != cases[i].opens_in)
			fail_msg("%s at %u opens in %u, not %u", cases[i].window, cases[i].now,
				precond_window_opens_in(&w, cases[i].now), cases[i].opens_in);
	}
}

/* ---- the configuration's form ---- */

static void configured_text_is_the_same(void **state)
{
	struct precond_rule r[LIMIT_PRECONDITIONS];
	unsigned n;
	struct err e;

	(void)state;
	expect_ok(precond_text_parse(PRECOND_POWER,
			  STR("mains, battery_percent=50, before=install+swap, on_unknown=pass"),
			  "precond.power", r, &n, &e),
		&e);
	assert_int_equal(n, 1);
	assert_true(r[0].mains);
	assert_int_equal(r[0].limit, 50);
	assert_int_equal(r[0].on_unknown, PRECOND_UNKNOWN_PASS);
	expect_ok(precond_text_parse(PRECOND_WINDOW,
			  STR("windows=mon-fri 22:00-05:00 + sun | windows=daily 01:00-02:00, "
			      "before=download"),
			  "precond.window", r, &n, &e),
		&e);
	assert_int_equal(n, 2);
	assert_int_equal(r[0].n_windows, 2);
	assert_int_equal(r[1].before, PRECOND_DOWNLOAD);
	expect_ok(precond_text_parse(PRECOND_CONSENT, STR(" yes "), "c", r, &n, &e), &e);
	assert_int_equal(n, 1);
	expect_ok(precond_text_parse(PRECOND_CONSENT, STR("  "), "c", r, &n, &e), &e);
	assert_int_equal(n, 0);
}

static void configured_nonsense_is_refused(void **state)
{
	static const struct {
		enum precond_type type;
		const char *text, *why;
	} wrong[] = {
		{PRECOND_POWER, "50", "unknown member \"50\""},
		{PRECOND_POWER, "mains, mains", "is not understood"},
		{PRECOND_POWER, "mains,", "is not understood"},
		{PRECOND_POWER, "=7", "is not understood"},
		{PRECOND_POWER, "type=parked", "is not understood"},
		{PRECOND_POWER, "yes", "mains, battery_percent or both"},
		{PRECOND_PARKED, "| yes", "is not understood"},
		{PRECOND_WINDOW, "windows=someday", "c.windows[0]"},
		{PRECOND_TEMPERATURE, "at_most=hot", "c.at_most"},
		{PRECOND_TEMPERATURE, "at_most=7, of=\xff", "not text"},
		{PRECOND_PARKED, "a_name_that_is_longer_than_any_member=1", "is not understood"},
	};
	struct precond_rule r[LIMIT_PRECONDITIONS];
	unsigned n = 77;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		expect_err(precond_text_parse(wrong[i].type, str_of(wrong[i].text), "c", r, &n, &e),
			&e, ERR_BAD_INPUT, wrong[i].why, wrong[i].text);
	expect_err(
		precond_text_parse(PRECOND_PARKED,
			STR("yes|yes|yes|yes|yes|yes|yes|yes|yes|yes|yes|yes|yes|yes|yes|yes|yes"),
			"c", r, &n, &e),
		&e, ERR_TOO_LARGE, "more than 16", "17 rules");
	assert_int_equal(n, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_whole_row),
		cmocka_unit_test(defaults_come_from_the_table),
		cmocka_unit_test(everything_can_be_said),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(windows_read_and_write),
		cmocka_unit_test(windows_open_and_close),
		cmocka_unit_test(configured_text_is_the_same),
		cmocka_unit_test(configured_nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("precond_rule", tests, NULL, NULL);
}
