#include "tests/lib/expect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/ctl/ctl.h"

/* An agent that answers commands in a thread of its own. */
struct agent {
	char dir[64], path[80];
	sd_event *loop;
	struct ctl *ctl;
	pthread_t thread;
	int stop[2];
};

static int answer(void *ctx, enum ctl_cmd cmd, const json_t *request, json_t **out, struct err *e)
{
	(void)ctx;
	if (cmd == CTL_CHECK)
		return err_set(e, ERR_BUSY, "busy with \x01\xff things");
	if (cmd == CTL_HISTORY) {
		*out = json_object();
		for (int i = 0; i < 40000; i++) {
			char key[32];

			snprintf(key, sizeof key, "line %d", i);
			json_object_set_new(*out, key, json_integer(i));
		}
		return 0;
	}
	*out = json_pack("{s:s, s:O}", "did", ctl_cmd_name(cmd), "asked", (json_t *)request);
	return 0;
}

static int on_stop(sd_event_source *s, int fd, uint32_t events, void *loop)
{
	(void)s;
	(void)fd;
	(void)events;
	return sd_event_exit(loop, 0);
}

static void *run(void *arg)
{
	struct agent *a = arg;

	sd_event_loop(a->loop);
	return NULL;
}

static int begin(void **state)
{
	struct agent *a = mem_new(sizeof *a);
	struct err e;

	strcpy(a->dir, "ctl.XXXXXX");
	assert_non_null(mkdtemp(a->dir));
	assert_int_equal(chmod(a->dir, 0755), 0);
	snprintf(a->path, sizeof a->path, "%s/socket", a->dir);
	assert_int_equal(pipe(a->stop), 0);
	assert_true(sd_event_new(&a->loop) >= 0);
	assert_true(sd_event_add_io(a->loop, NULL, a->stop[0], EPOLLIN, on_stop, a->loop) >= 0);
	expect_ok(ctl_open(a->loop, a->path, answer, a, &a->ctl, &e), &e);
	assert_int_equal(pthread_create(&a->thread, NULL, run, a), 0);
	*state = a;
	return 0;
}

static int end(void **state)
{
	struct agent *a = *state;

	assert_int_equal(write(a->stop[1], "", 1), 1);
	pthread_join(a->thread, NULL);
	ctl_close(&a->ctl);
	ctl_close(&a->ctl);
	assert_int_equal(access(a->path, F_OK), -1);
	sd_event_unref(a->loop);
	close(a->stop[0]);
	close(a->stop[1]);
	mem_free(&a);
	return 0;
}

static int ask(struct agent *a, const char *text, json_t **out, struct err *e)
{
	json_t *request = json_loads(text, 0, NULL);
	int rc = ctl_call(a->path, request, SEC(30), out, e);

	json_decref(request);
	return rc;
}

static void every_command_is_answered(void **state)
{
	struct agent *a = *state;
	struct err e;

	for (enum ctl_cmd c = 0; c < CTL_CMD_MAX; c++) {
		JSON_AUTO *got = NULL;
		char text[80];

		if (c == CTL_CHECK || c == CTL_HISTORY)
			continue;
		snprintf(text, sizeof text, "{\"cmd\": \"%s\", \"n\": 20}", ctl_cmd_name(c));
		expect_ok(ask(a, text, &got, &e), &e);
		expect_text(json_string_value(json_object_get(got, "did")), ctl_cmd_name(c));
		assert_int_equal(
			json_integer_value(json_object_get(json_object_get(got, "asked"), "n")),
			20);
	}
	expect_text(ctl_cmd_name(CTL_CMD_MAX), "unknown");
	assert_true(ctl_cmd_is_guarded(CTL_CMD_MAX));
}

static void a_failure_comes_back_as_the_same_error(void **state)
{
	struct agent *a = *state;
	json_t *got;
	struct err e;

	expect_err(ask(a, "{\"cmd\": \"check\"}", &got, &e), &e, ERR_BUSY, "busy with ?? things",
		"check");
}

static void a_large_answer_comes_whole(void **state)
{
	struct agent *a = *state;
	JSON_AUTO *got = NULL;
	struct err e;

	expect_ok(ask(a, "{\"cmd\": \"history\"}", &got, &e), &e);
	assert_int_equal(json_object_size(got), 40000);
}

/* ---- raw requests ---- */

static int reach(struct agent *a)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, a->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void hear(int fd, char *out, size_t cap)
{
	size_t n = 0;
	ssize_t got;

	while (n < cap - 1 && (got = recv(fd, out + n, cap - 1 - n, 0)) > 0)
		n += (size_t)got;
	out[n] = 0;
	close(fd);
}

static const struct {
	const char *line, *code, *reason;
} bad[] = {
	{"\n", "bad_input", "line 1"},
	{"{}\n", "bad_input", "cmd"},
	{"[]\n", "bad_input", "request"},
	{"{\"cmd\": 1}\n", "bad_input", "cmd"},
	{"{\"cmd\": \"fly\"}\n", "bad_input", "fly"},
	{"{\"cmd\": \"status\", \"cmd\": \"reset\"}\n", "bad_input", "duplicate"},
	{"{\"cmd\": \"a name that is longer than any command could be\"}\n", "too_large", "cmd"},
};

static void malformed_requests_are_refused_with_the_reason(void **state)
{
	struct agent *a = *state;
	char got[600];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int fd = reach(a);

		assert_int_equal(
			send(fd, bad[i].line, strlen(bad[i].line), 0), strlen(bad[i].line));
		hear(fd, got, sizeof got);
		if (!strstr(got, bad[i].code) || !strstr(got, bad[i].reason))
			fail_msg("%s was answered %s", bad[i].line, got);
	}
}

static void a_request_without_end_is_refused(void **state)
{
	struct agent *a = *state;
	char text[CTL_REQUEST_MAX + 1], got[600];
	int fd = reach(a);

	memset(text, ' ', sizeof text);
	assert_int_equal(send(fd, text, sizeof text, 0), sizeof text);
	hear(fd, got, sizeof got);
	assert_non_null(strstr(got, "too_large"));
}

static void a_request_may_come_in_pieces(void **state)
{
	struct agent *a = *state;
	const char *text = "{\"cmd\": \"status\"}\n";
	char got[600];
	int fd = reach(a);

	for (const char *p = text; *p; p++)
		assert_int_equal(send(fd, p, 1, 0), 1);
	hear(fd, got, sizeof got);
	assert_non_null(strstr(got, "\"did\""));
}

static void more_than_fit_wait_their_turn(void **state)
{
	struct agent *a = *state;
	JSON_AUTO *got = NULL;
	int fds[16];
	struct err e;

	for (int i = 0; i < 16; i++)
		fds[i] = reach(a);
	/* The seventeenth is served as soon as one of them leaves. */
	close(fds[7]);
	expect_ok(ask(a, "{\"cmd\": \"status\"}", &got, &e), &e);
	for (int i = 0; i < 16; i++)
		if (i != 7)
			close(fds[i]);
}

static void who_leaves_early_disturbs_nobody(void **state)
{
	struct agent *a = *state;
	struct err e;

	for (int i = 0; i < 40; i++) {
		JSON_AUTO *got = NULL;
		int fd = reach(a);

		if (i % 2)
			assert_int_equal(send(fd, "{\"cmd\": \"history\"}\n", 19, 0), 19);
		close(fd);
		expect_ok(ask(a, "{\"cmd\": \"status\"}", &got, &e), &e);
	}
}

/* ---- who may ---- */

static void a_stranger_may_look_but_not_change(void **state)
{
	struct agent *a = *state;
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(a->path, 0666), 0);
	assert_int_equal(chmod(".", 0755), 0);
	pid = fork();
	if (pid == 0) {
		json_t *got = NULL;
		struct err e = {0};

		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(3);
		if (ask(a, "{\"cmd\": \"status\"}", &got, &e) < 0)
			_exit(1);
		_exit(ask(a, "{\"cmd\": \"reset\"}", &got, &e) == -(int)ERR_DENIED ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- the socket ---- */

static void the_socket_is_for_user_and_group(void **state)
{
	struct agent *a = *state;
	struct stat st;

	assert_int_equal(stat(a->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void a_living_agent_is_not_pushed_aside(void **state)
{
	struct agent *a = *state;
	struct ctl *second = NULL;
	JSON_AUTO *got = NULL;
	struct err e;

	expect_err(ctl_open(a->loop, a->path, answer, a, &second, &e), &e, ERR_BUSY, "another",
		"second");
	expect_ok(ask(a, "{\"cmd\": \"status\"}", &got, &e), &e);
}

static void what_a_dead_agent_left_is_replaced(void **state)
{
	struct agent *a = *state, again = *a;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct err e;

	snprintf(again.path, sizeof again.path, "%s/dead", a->dir);
	strcpy(address.sun_path, again.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	expect_err(ask(&again, "{\"cmd\": \"status\"}", NULL, &e), &e, ERR_NET, "no agent", "dead");
	assert_true(sd_event_new(&again.loop) >= 0);
	expect_ok(ctl_open(again.loop, again.path, answer, a, &again.ctl, &e), &e);
	ctl_close(&again.ctl);
	sd_event_unref(again.loop);
}

static void a_file_in_the_way_stays(void **state)
{
	struct agent *a = *state;
	struct ctl *second = NULL;
	char path[80];
	struct err e;
	FILE *f;

	snprintf(path, sizeof path, "%s/file", a->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	expect_err(ctl_open(a->loop, path, answer, a, &second, &e), &e, ERR_CONFLICT, "no socket",
		"file");
	assert_int_equal(access(path, F_OK), 0);
}

/* ---- the client ---- */

static void the_client_says_what_is_wrong_with_the_way(void **state)
{
	struct agent *a = *state, other = *a;
	struct err e;

	strcpy(other.path, "nowhere/socket");
	expect_err(ask(&other, "{}", NULL, &e), &e, ERR_NOT_FOUND, "nowhere", "no socket");
	memset(other.path, 'x', sizeof other.path - 1);
	other.path[sizeof other.path - 1] = 0;
	expect_err(ask(&other, "{}", NULL, &e), &e, ERR_NOT_FOUND, NULL, "no socket");
}

/* What a broken server answers, and how the client takes it. */
static const struct {
	const char *answer;
	enum err_code code;
} broken[] = {
	{"", ERR_NET},
	{"{\"half\":", ERR_NET},
	{"[]\n", ERR_BAD_INPUT},
	{"{\"error\": \"no_such_error\", \"reason\": \"x\"}\n", ERR_BAD_INPUT},
	{"{\"error\": \"ok\"}\n", ERR_BAD_INPUT},
	{"{\"error\": \"conflict\"}\n", ERR_CONFLICT},
};

static void *serve_broken(void *arg)
{
	int fd = *(int *)arg;

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		int client = accept(fd, NULL, NULL);
		char line[200];

		(void)!recv(client, line, sizeof line, 0);
		(void)!send(client, broken[i].answer, strlen(broken[i].answer), MSG_NOSIGNAL);
		close(client);
	}
	return NULL;
}

static void the_client_does_not_trust_the_server(void **state)
{
	struct agent *a = *state, other = *a;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pthread_t t;
	struct err e;

	snprintf(other.path, sizeof other.path, "%s/broken", a->dir);
	strcpy(address.sun_path, other.path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(pthread_create(&t, NULL, serve_broken, &fd), 0);
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		json_t *got = NULL;

		expect_err(ask(&other, "{\"cmd\":\"status\"}", &got, &e), &e, broken[i].code, NULL,
			broken[i].answer);
	}
	pthread_join(t, NULL);
	/* Nobody accepts any more: the connection is made, the answer never comes. */
	{
		JSON_AUTO *request = json_object();
		json_t *got;

		expect_err(ctl_call(other.path, request, 50, &got, &e), &e, ERR_TIMEOUT, "answer",
			"silence");
	}
	close(fd);
}

#define AGENT_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AGENT_TEST(every_command_is_answered),
		AGENT_TEST(a_failure_comes_back_as_the_same_error),
		AGENT_TEST(a_large_answer_comes_whole),
		AGENT_TEST(malformed_requests_are_refused_with_the_reason),
		AGENT_TEST(a_request_without_end_is_refused),
		AGENT_TEST(a_request_may_come_in_pieces),
		AGENT_TEST(more_than_fit_wait_their_turn),
		AGENT_TEST(who_leaves_early_disturbs_nobody),
		AGENT_TEST(a_stranger_may_look_but_not_change),
		AGENT_TEST(the_socket_is_for_user_and_group),
		AGENT_TEST(a_living_agent_is_not_pushed_aside),
		AGENT_TEST(what_a_dead_agent_left_is_replaced),
		AGENT_TEST(a_file_in_the_way_stays),
		AGENT_TEST(the_client_says_what_is_wrong_with_the_way),
		AGENT_TEST(the_client_does_not_trust_the_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
