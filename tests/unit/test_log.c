#include "tests/lib/expect.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/log.h"

static int saved_stderr;

static void capture_begin(void)
{
	int fd = open("log", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	saved_stderr = dup(STDERR_FILENO);
	assert_true(fd >= 0 && saved_stderr >= 0);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static const char *capture_end(void)
{
	static char text[4096];
	ssize_t n;

	n = pread(STDERR_FILENO, text, sizeof text - 1, 0);
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	assert_true(n >= 0);
	text[n] = 0;
	return text;
}

static void text_is_for_people(void **state)
{
	(void)state;
	log_init("prog", LOG_FORM_TEXT, LOG_INFO);
	capture_begin();
	log_ev(LOG_ID_ACTION_FAILED, "action=%s tries=%d", "stage", 3);
	log_ev(LOG_ID_START, "%s", "");
	expect_text(capture_end(), "prog: action_failed: an action failed action=stage tries=3\n"
				   "prog: start: started\n");
}

static void the_journal_reads_a_priority(void **state)
{
	(void)state;
	log_init("prog", LOG_FORM_JOURNAL, LOG_INFO);
	capture_begin();
	log_ev(LOG_ID_TRIGGER, "type=latency");
	expect_text(capture_end(), "<4>trigger: a rollback trigger fired type=latency\n");
}

static void what_is_too_detailed_is_dropped(void **state)
{
	struct err e;

	(void)state;
	(void)err_set(&e, ERR_IO, "x");
	log_init("prog", LOG_FORM_TEXT, LOG_WARNING);
	capture_begin();
	log_ev(LOG_ID_START, "a=b");
	log_err(LOG_ID_POLL_FAILED, &e, "a=b");
	log_ev(LOG_ID_HTTP, "a=b");
	expect_text(capture_end(), "");
}

static void one_event_is_one_line(void **state)
{
	struct err e;

	(void)state;
	(void)err_set(&e, ERR_DENIED, "said \"no\"\n<0>bug: forged");
	log_init("prog", LOG_FORM_JOURNAL, LOG_DEBUG);
	capture_begin();
	log_ev(LOG_ID_HTTP, "path=\"/a\nb\x1b[1m\"");
	log_err(LOG_ID_REFUSED, &e, "%s", "");
	log_err(LOG_ID_REFUSED, &e, "release=%s", "ocr-4");
	expect_text(capture_end(),
		"<7>http: a request was answered path=\"/a b [1m\"\n"
		"<4>refused: a desired state was refused error=denied reason=\"said 'no' <0>bug: forged\"\n"
		"<4>refused: a desired state was refused release=ocr-4 error=denied "
		"reason=\"said 'no' <0>bug: forged\"\n");
}

static void programs_read_json(void **state)
{
	const char *got;
	char time[40];

	(void)state;
	log_init("pr\"og", LOG_FORM_JSON, LOG_INFO);
	capture_begin();
	log_ev(LOG_ID_STATE, "from=idle  to=\"a b=c\\\" note= word x=\"open\n");
	got = capture_end();
	assert_int_equal(sscanf(got, "{\"time\":\"%30[0-9TZ:.-]\"", time), 1);
	assert_int_equal(strlen(time), 24);
	expect_text(strstr(got, ",\"program\""),
		",\"program\":\"pr\\\"og\",\"priority\":5,\"event\":\"state\","
		"\"text\":\"update moved on\",\"from\":\"idle\",\"to\":\"a b=c\\\\\",\"note\":\"\","
		"\"note\":\"word\",\"x\":\"open\\u000a\"}\n");
}

static void long_fields_are_cut(void **state)
{
	char longer[3000];
	const char *got;

	(void)state;
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	log_init("prog", LOG_FORM_TEXT, LOG_INFO);
	capture_begin();
	log_ev(LOG_ID_START, "a=%s", longer);
	got = capture_end();
	assert_in_range(strlen(got), 1000, 1100);
	assert_int_equal(got[strlen(got) - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_for_people),
		cmocka_unit_test(the_journal_reads_a_priority),
		cmocka_unit_test(what_is_too_detailed_is_dropped),
		cmocka_unit_test(one_event_is_one_line),
		cmocka_unit_test(programs_read_json),
		cmocka_unit_test(long_fields_are_cut),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
