#include "tests/lib/serving.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/expect.h"

/* ---- the process ---- */

static void write_conf(const char *extra)
{
	FILE *f = fopen("server.conf", "w");

	assert_non_null(f);
	fprintf(f,
		"[server]\nport = 0\ndata = data\n"
		"[signer]\ntimeout = 30s\n" /* a busy machine is no broken signer */
		"[trust]\nrepo = keys/repo\nkeys = keys/online\n%s",
		extra ? extra : "");
	fclose(f);
}

/* The server tells the service manager when it is ready; here the test is the manager. */
static void listen_for_ready(struct serving *s)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char name[80];
	int n = snprintf(name, sizeof name, "@backstay-test-%d", (int)getpid());

	memcpy(at.sun_path, name, (size_t)n);
	at.sun_path[0] = 0;
	s->ready = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(s->ready >= 0);
	assert_int_equal(bind(s->ready, (struct sockaddr *)&at,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void wait_for_ready(struct serving *s)
{
	struct timeval patience = {.tv_sec = 60};
	char message[512];

	setsockopt(s->ready, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	for (;;) {
		ssize_t n = recv(s->ready, message, sizeof message - 1, 0);

		if (n < 0)
			fail_msg("the server did not come up");
		message[n] = 0;
		if (strstr(message, "READY=1"))
			break;
	}
	close(s->ready);
}

static void read_line(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(fgets(out, (int)cap, f));
	fclose(f);
	out[strcspn(out, "\n")] = 0;
}

void serving_start(struct serving *s, const char *extra)
{
	char program[512], port[16];

	paper_folder(time(NULL));
	write_conf(extra);
	snprintf(program, sizeof program, "%s/backstay-server", getenv("BACKSTAY_BIN"));
	listen_for_ready(s);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* a test that fails leaves nobody behind */
		if (!freopen("server.log", "a", stderr))
			_exit(1);
		execl(program, program, "-c", "server.conf", "--port-file", "port", NULL);
		_exit(127);
	}
	wait_for_ready(s);
	read_line("port", port, sizeof port);
	s->port = (uint16_t)atoi(port);
	read_line("data/token", s->token, sizeof s->token);
}

static int end(struct serving *s, int sig)
{
	int status;

	kill(s->pid, sig);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	s->pid = 0;
	return status;
}

void serving_stop(struct serving *s)
{
	int status = end(s, SIGTERM);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void serving_kill(struct serving *s)
{
	end(s, SIGKILL);
}

/* ---- asking ---- */

void answer_fini(struct answer *a)
{
	buf_fini(&a->body);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	buf_add(&((struct answer *)ctx)->body, p, size * n);
	return size * n;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;
	struct str line = {p, size * n}, name;

	if (str_split(&line, ':', &name) && line.p) {
		while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
			line.n--;
		line = str_trim(line);
		if (name.n == 4 && strncasecmp(name.p, "ETag", 4) == 0)
			snprintf(a->etag, sizeof a->etag, "%.*s", (int)line.n, line.p);
		if (name.n == 11 && strncasecmp(name.p, "Retry-After", 11) == 0)
			a->retry_after = (unsigned)strtoul(line.p, NULL, 10);
	}
	return size * n;
}

static struct curl_slist *headers_of(const char *bearer, const char *etag)
{
	struct curl_slist *h = NULL;
	char line[256];

	if (bearer) {
		snprintf(line, sizeof line, "Authorization: Bearer %s", bearer);
		h = curl_slist_append(h, line);
	}
	if (etag) {
		snprintf(line, sizeof line, "If-None-Match: %s", etag);
		h = curl_slist_append(h, line);
	}
	return curl_slist_append(h, "Expect:");
}

void ask(const struct serving *s, const char *method, const char *path, const struct str *body,
	const char *bearer, const char *etag, struct answer *out)
{
	struct curl_slist *headers = headers_of(bearer, etag);
	CURL *c = curl_easy_init();
	char url[512];
	long status = 0;

	memset(out, 0, sizeof *out);
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", s->port, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, out);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body->p);
	}
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	out->status = (int)status;
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
}

void ask_ok(const struct serving *s, const char *method, const char *path, const char *body,
	struct answer *out)
{
	struct str text = str_of(body ? body : "");

	ask(s, method, path, body ? &text : NULL, s->token, NULL, out);
	if (out->status != 200 && out->status != 201)
		fail_msg("%s %s: %d %s", method, path, out->status, buf_cstr(&out->body));
}

void serving_upload(const struct serving *s, const struct paper *p)
{
	char path[128], hex[SHA256_TEXT];
	struct str artifact = buf_str(&p->artifact);
	ANSWER_AUTO put;

	sha256_format(&p->artifact_digest, hex);
	snprintf(path, sizeof path, "/v1/artifacts/%s", hex);
	ask(s, "PUT", path, &artifact, s->token, NULL, &put);
	assert_int_equal(put.status, 200);
}

void serving_publish(const struct serving *s, const struct paper *p)
{
	BUF_AUTO body = {0};
	ANSWER_AUTO published;

	serving_upload(s, p);
	paper_body(p, &body);
	ask_ok(s, "POST", "/v1/releases", buf_cstr(&body), &published);
}
