#include "tests/lib/expect.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys/log_priv.h"

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

/* ---- what the journal gets ---- */

static const struct log_event event = {"STATE", "moved", "0123456789abcdef0123456789abcdef", 5};

static const struct {
	const char *fields, *want; /* behind those that every event has; '|' ends one */
} encoded[] = {
	{"", ""},
	{"from=idle  to=\"a b=c\" x=\"open",
		"BACKSTAY_FROM=idle|BACKSTAY_TO=a b=c|BACKSTAY_X=open|"},
	{"note= word", "BACKSTAY_NOTE=|BACKSTAY_NOTE=word|"},
	{"retry-ms.2=\xc3\xa9", "BACKSTAY_RETRY_MS_2=\xc3\xa9|"},
	{"=1", "BACKSTAY_=1|"},
	{"a23456789012345678901234567890123456789012345=1",
		"BACKSTAY_A234567890123456789012345678901234567890=1|"},
};

static void every_key_is_a_field_of_the_journal(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(encoded); i++) {
		BUF_AUTO got = {0}, want = {0};
		size_t n = log_journal_encode(&event, "prog", encoded[i].fields, &got), ends = 0;

		for (size_t k = 0; k < got.n; k++) {
			ends += got.p[k] == 0;
			got.p[k] = got.p[k] ? got.p[k] : '|';
		}
		assert_int_equal(n, ends);
		buf_addf(&want,
			"MESSAGE=state: moved%s%s|PRIORITY=5|"
			"MESSAGE_ID=0123456789abcdef0123456789abcdef|SYSLOG_IDENTIFIER=prog|"
			"BACKSTAY_EVENT=state|%s",
			*encoded[i].fields ? " " : "", encoded[i].fields, encoded[i].want);
		expect_text(buf_cstr(&got), buf_cstr(&want));
	}
}

static void fields_are_bounded(void **state)
{
	BUF_AUTO fields = {0}, got = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		buf_addf(&fields, "k%d=1 ", i);
	assert_int_equal(
		log_journal_encode(&event, "prog", buf_cstr(&fields), &got), LOG_JOURNAL_FIELDS);
}

/* The catalog, filters and whoever watches the journal go by them. */
static void ids_are_ids_and_differ(void **state)
{
	static const char *const ids[] = {
#define X(id, priority, message_id, ...) message_id,
		LOG_TABLE(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		assert_int_equal(strlen(ids[i]), 32);
		assert_int_equal(strspn(ids[i], "0123456789abcdef"), 32);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
}

static void the_journal_is_known_by_its_socket(void **state)
{
	char named[64];
	struct stat st;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	assert_int_equal(log_form_here(), LOG_FORM_TEXT);
	capture_begin();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(named, sizeof named, "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", named, 1);
	enum log_form here = log_form_here();

	capture_end();
	assert_int_equal(here, LOG_FORM_JOURNAL);
	assert_int_equal(log_form_here(), LOG_FORM_TEXT);
	setenv("JOURNAL_STREAM", "journal", 1);
	assert_int_equal(log_form_here(), LOG_FORM_TEXT);
	unsetenv("JOURNAL_STREAM");
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
		cmocka_unit_test(every_key_is_a_field_of_the_journal),
		cmocka_unit_test(fields_are_bounded),
		cmocka_unit_test(ids_are_ids_and_differ),
		cmocka_unit_test(the_journal_is_known_by_its_socket),
		cmocka_unit_test(long_fields_are_cut),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
