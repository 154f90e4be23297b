/* The worker as a process of its own: this very program, started with --worker. */
#include "tests/lib/expect.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"
#include "tests/lib/httpd.h"
#include "tests/lib/parcel.h"

#define NOBODY 65534U
#define BIG    1500001U

static char big[BIG];

struct bed {
	struct httpd *server;
	struct worker *worker;
	struct http_conf conf; /* asks through the worker */
	struct http_answer a;
	char url[128];
	struct err e;
};

static struct worker *start(const char *program, const char *mode, const char *server)
{
	static const char *argv[] = {"test", NULL, NULL};
	bool root = geteuid() == 0;
	struct worker_conf conf = {.program = program,
		.argv = argv,
		.http = {.connect_timeout = SEC(2), .total_timeout = SEC(5)},
		.server = server,
		.uid = root ? NOBODY : 0,
		.gid = root ? NOBODY : 0};

	argv[1] = mode;
	strcpy(conf.http.bearer, "sesame");
	return worker_new(&conf);
}

static int open_bed(void **state)
{
	struct bed *b = calloc(1, sizeof *b);
	uint32_t noise = 1;

	for (size_t i = 0; i < BIG && !big[BIG - 1]; i++)
		big[i] = (char)((noise = noise * 1664525 + 1013904223) >> 24 | 1);
	b->server = httpd_new();
	b->worker = start("/proc/self/exe", "--worker", httpd_url(b->server));
	b->conf = (struct http_conf){
		.via = worker_via(b->worker), .connect_timeout = SEC(2), .total_timeout = SEC(5)};
	*state = b;
	return 0;
}

static int close_bed(void **state)
{
	struct bed *b = *state;

	worker_free(&b->worker);
	httpd_free(&b->server);
	http_answer_fini(&b->a);
	free(b);
	return 0;
}

static const char *url(struct bed *b, const char *path)
{
	snprintf(b->url, sizeof b->url, "%s%s", httpd_url(b->server), path);
	return b->url;
}

static void put(struct bed *b, struct httpd_file f)
{
	httpd_put(b->server, &f);
}

static int get(struct bed *b, const char *path, const char *etag, size_t max)
{
	http_answer_fini(&b->a);
	b->a = (struct http_answer){0};
	return http_get(&b->conf, url(b, path), etag, max, NULL, &b->a, &b->e);
}

static pid_t pid_of(struct bed *b)
{
	struct worker_view v;

	worker_look(b->worker, &v);
	return v.pid;
}

/* ---- asking ---- */

static void a_page_comes_through_it(void **state)
{
	struct bed *b = *state;
	BUF_AUTO head = {0};

	put(b, (struct httpd_file){.path = "/p", .body = STR("page"), .etag = "\"1\""});
	expect_ok(get(b, "/p", NULL, 100), &b->e);
	assert_int_equal(b->a.status, 200);
	assert_true(str_is(buf_str(&b->a.body), "page"));
	expect_text(b->a.etag, "\"1\"");
	httpd_last(b->server, &head);
	assert_non_null(strstr(buf_cstr(&head), "Bearer sesame"));
	expect_ok(get(b, "/p", "\"1\"", 100), &b->e);
	assert_int_equal(b->a.status, 304);
	assert_int_equal(b->a.body.n, 0);
}

static void a_large_page_comes_in_pieces(void **state)
{
	struct bed *b = *state;

	put(b, (struct httpd_file){.path = "/big", .body = {big, BIG}});
	expect_ok(get(b, "/big", NULL, BIG), &b->e);
	assert_int_equal(b->a.body.n, BIG);
	assert_memory_equal(b->a.body.p, big, BIG);
	expect_err(get(b, "/big", NULL, BIG - 1), &b->e, ERR_TOO_LARGE, NULL, "one byte too many");
}

static void failures_have_the_same_names(void **state)
{
	struct bed *b = *state;

	put(b, (struct httpd_file){.path = "/away",
		       .body = STR("http://127.0.0.2:1/"),
		       .manner = HTTPD_REDIRECT,
		       .n = 302});
	expect_err(get(b, "/away", NULL, 10), &b->e, ERR_DENIED, "another host", "redirect");
	expect_ok(get(b, "/none", NULL, 10), &b->e);
	assert_int_equal(b->a.status, 404);
	expect_err(http_get(&b->conf, "http://127.0.0.1:1/", NULL, 10, NULL, &b->a, &b->e), &b->e,
		ERR_NET, NULL, "nobody there");
	expect_err(http_get(&b->conf, "gopher://x/", NULL, 10, NULL, &b->a, &b->e), &b->e,
		ERR_CONFIG, NULL, "no address");
	assert_true(pid_of(b) != 0);
}

static void what_cannot_be_said_is_no_fault_of_the_worker(void **state)
{
	struct bed *b = *state;
	static char long_url[3000];

	expect_ok(get(b, "/none", NULL, 10), &b->e);
	pid_t pid = pid_of(b);
	memset(long_url, 'x', sizeof long_url - 1);
	expect_err(http_get(&b->conf, long_url, NULL, 10, NULL, &b->a, &b->e), &b->e, ERR_TOO_LARGE,
		NULL, "a long address");
	expect_err(http_get(&b->conf, "http://h/\n", NULL, 10, NULL, &b->a, &b->e), &b->e,
		ERR_BAD_INPUT, NULL, "a line end");
	assert_int_equal(pid_of(b), pid);
}

static void a_report_goes_through_it(void **state)
{
	struct bed *b = *state;
	struct str body = {big, 200000};

	put(b, (struct httpd_file){.path = "/r", .body = STR("{}")});
	expect_ok(http_send(&b->conf, "POST", url(b, "/r"), body, 100, NULL, &b->a, &b->e), &b->e);
	assert_int_equal(b->a.status, 200);
	assert_true(str_is(buf_str(&b->a.body), "{}"));
	BUF_AUTO head = {0};
	httpd_last(b->server, &head);
	assert_non_null(strstr(buf_cstr(&head), "POST /r"));
	assert_non_null(strstr(buf_cstr(&head), "Content-Length: 200000"));
}

/* ---- its end ---- */

struct meddling {
	struct bed *bed;
	atomic_bool cancel;
	bool kill;
};

/* Once the request has arrived. */
static void *meddle(void *arg)
{
	struct meddling *m = arg;

	while (httpd_count(m->bed->server, "/silent") == 0)
		usleep(1000);
	/* It has a call, and is left alone. */
	worker_rest(m->bed->worker, 0);
	if (worker_refresh(m->bed->worker))
		return NULL;
	if (m->kill)
		kill(pid_of(m->bed), SIGKILL);
	else
		atomic_store(&m->cancel, true);
	return NULL;
}

static void meddled(struct bed *b, bool kills, enum err_code want)
{
	struct meddling m = {.bed = b, .kill = kills};
	pthread_t thread;

	httpd_forget(b->server);
	put(b, (struct httpd_file){.path = "/silent", .manner = HTTPD_SILENT});
	assert_int_equal(pthread_create(&thread, NULL, meddle, &m), 0);
	expect_err(http_get(&b->conf, url(b, "/silent"), NULL, 10, &m.cancel, &b->a, &b->e), &b->e,
		want, NULL, "meddled");
	pthread_join(thread, NULL);
}

static void a_call_can_be_cancelled(void **state)
{
	struct bed *b = *state;

	meddled(b, false, ERR_CANCELLED);
	pid_t pid = pid_of(b);
	put(b, (struct httpd_file){.path = "/p", .body = STR("page")});
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	assert_int_equal(pid_of(b), pid);
}

static int get_in_the_end(struct bed *b)
{
	int rc;

	/* It may pause before its next life. */
	while ((rc = get(b, "/p", NULL, 10)) == -(int)ERR_WORKER)
		usleep(10000);
	return rc;
}

static void its_death_ends_the_call_and_not_more(void **state)
{
	struct bed *b = *state;
	struct worker_view v;

	put(b, (struct httpd_file){.path = "/p", .body = STR("page")});
	meddled(b, true, ERR_WORKER);
	assert_int_equal(err_retry(b->e.code), ERR_RETRY_SOON);
	expect_ok(get_in_the_end(b), &b->e);
	worker_look(b->worker, &v);
	assert_int_equal(v.starts, 2);
}

static void who_died_unnoticed_is_replaced(void **state)
{
	struct bed *b = *state;
	siginfo_t info;

	put(b, (struct httpd_file){.path = "/p", .body = STR("page")});
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	pid_t pid = pid_of(b);
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(pid_of(b), 0);
	expect_ok(get_in_the_end(b), &b->e);
	assert_true(pid_of(b) != pid);
}

static void who_has_nothing_to_do_is_ended(void **state)
{
	struct bed *b = *state;

	put(b, (struct httpd_file){.path = "/p", .body = STR("page")});
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	worker_rest(b->worker, MINUTE(1));
	assert_true(pid_of(b) != 0);
	worker_rest(b->worker, 0);
	assert_int_equal(pid_of(b), 0);
	expect_ok(get(b, "/p", NULL, 10), &b->e);
}

/* The files are read when a life begins, by who may read them; the one that lives keeps what it
 * has.
 */
static void its_identity_is_read_when_it_begins(void **state)
{
	struct bed *b = *state;
	struct worker_conf conf = {.program = "/proc/self/exe",
		.argv = (const char *const[]){"test", "--worker", NULL},
		.http = {.ca_file = "ca.pem"},
		.uid = geteuid() == 0 ? NOBODY : 0,
		.gid = geteuid() == 0 ? NOBODY : 0};
	FILE *f = fopen("ca.pem", "w");

	assert_non_null(f);
	fputs("for no address that is asked here", f);
	fclose(f);
	chmod("ca.pem", 0600);
	worker_free(&b->worker);
	b->worker = worker_new(&conf);
	b->conf.via = worker_via(b->worker);
	put(b, (struct httpd_file){.path = "/p", .body = STR("page")});
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	pid_t pid = pid_of(b);
	unlink("ca.pem");
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	assert_int_equal(pid_of(b), pid);
	assert_true(worker_refresh(b->worker));
	assert_int_equal(pid_of(b), 0);
	expect_err(get(b, "/p", NULL, 10), &b->e, ERR_CONFIG, "ca.pem", "a missing file");
}

/* ---- started by a service manager ---- */

/* Does what systemd does for a socket with Accept=yes: a process for each connection, as a user of
 * its own. */
struct manager {
	int fd;
	bool refuses;
	atomic_uint started;
	pthread_t thread;
};

_Noreturn static void become_worker(int program, int fd)
{
	static const char *const argv[] = {"test", "--worker", NULL}, *const env[] = {NULL};

	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		_exit(70);
	if (dup2(fd, WORKER_FD) == WORKER_FD)
		fexecve(program, (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
	_exit(71);
}

static void *manage(void *arg)
{
	struct manager *m = arg;
	int fd;

	signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
	while ((fd = accept(m->fd, NULL, NULL)) >= 0) {
		/* Above what the worker takes for its line. */
		int program = fcntl(open("/proc/self/exe", O_RDONLY), F_DUPFD, 20);
		int line = fcntl(fd, F_DUPFD, 20);

		if (!m->refuses && fork() == 0)
			become_worker(program, line);
		m->started += !m->refuses;
		close(line);
		close(program);
		close(fd);
	}
	return NULL;
}

static void manager_begin(struct manager *m, const char *path, bool refuses)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	*m = (struct manager){.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
	m->refuses = refuses;
	strcpy(at.sun_path, path);
	unlink(path);
	assert_int_equal(bind(m->fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(m->fd, 4), 0);
	assert_int_equal(pthread_create(&m->thread, NULL, manage, m), 0);
}

static void manager_end(struct manager *m)
{
	shutdown(m->fd, SHUT_RDWR);
	pthread_join(m->thread, NULL);
	close(m->fd);
	signal(SIGCHLD, SIG_DFL);
}

static void use_socket(struct bed *b, const char *path, const char *ca)
{
	static const char *const argv[] = {"test", "--worker", NULL};
	struct worker_conf conf = {.program = "/proc/self/exe",
		.argv = argv,
		.socket = path,
		.uid = geteuid() == 0 ? NOBODY : 0,
		.gid = geteuid() == 0 ? NOBODY : 0};

	strcpy(conf.http.ca_file, ca);
	worker_free(&b->worker);
	b->worker = worker_new(&conf);
	b->conf.via = worker_via(b->worker);
	put(b, (struct httpd_file){.path = "/p", .body = STR("page")});
}

static struct worker_view view_of(struct bed *b)
{
	struct worker_view v;

	worker_look(b->worker, &v);
	return v;
}

static void a_service_manager_may_start_it(void **state)
{
	struct bed *b = *state;
	struct manager m;
	FILE *f = fopen("own.pem", "w");

	assert_non_null(f);
	fputs("what only the installer can open", f);
	fclose(f);
	chmod("own.pem", 0600);
	manager_begin(&m, "manager", false);
	use_socket(b, "manager", "own.pem");
	expect_ok(get(b, "/p", NULL, 10), &b->e);

	struct worker_view one = view_of(b);

	assert_true(one.unit && one.seccomp && one.no_new_privs);
	assert_int_equal(m.started, 1);
	assert_int_equal(one.uid, geteuid() == 0 ? NOBODY : geteuid());

	/* It is ended as a child is, and a dead one is noticed. */
	worker_rest(b->worker, 0);
	assert_int_equal(pid_of(b), 0);
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	assert_int_equal(m.started, 2);
	kill(pid_of(b), SIGKILL);
	while (pid_of(b) != 0)
		usleep(1000);
	/* Who died young is not started again at once. */
	while (get(b, "/p", NULL, 10) == -(int)ERR_WORKER)
		usleep(1000);
	assert_int_equal(b->a.status, 200);
	assert_true(view_of(b).unit);
	assert_int_equal(m.started, 3);
	worker_free(&b->worker);
	manager_end(&m);
	unlink("own.pem");
}

static void without_its_manager_it_is_a_child(void **state)
{
	struct bed *b = *state;
	struct manager m;

	use_socket(b, "nobody-listens", "");
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	assert_true(pid_of(b) != 0);
	assert_false(view_of(b).unit);

	manager_begin(&m, "manager", true);
	use_socket(b, "manager", "");
	expect_ok(get(b, "/p", NULL, 10), &b->e);
	assert_false(view_of(b).unit);
	assert_int_equal(m.started, 0);
	worker_free(&b->worker);
	manager_end(&m);
}

static void one_that_does_not_begin_as_it_must_is_not_used(void **state)
{
	static const struct {
		const char *program, *mode;
		enum err_code code;
		const char *piece;
	} rows[] = {
		{"/nonexistent", "", ERR_NOT_FOUND, NULL},
		{"/bin/true", "", ERR_WORKER, "gone"},
		{"/proc/self/exe", "--bare", ERR_CONFIG, "not confined"},
		{"/proc/self/exe", "--early", ERR_WORKER, "begins with"},
	};
	struct bed *b = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct worker *w = start(rows[i].program, rows[i].mode, "");
		struct http_conf conf = {.via = worker_via(w)};
		struct worker_view v;

		expect_err(http_get(&conf, "http://127.0.0.1:1/", NULL, 1, NULL, &b->a, &b->e),
			&b->e, rows[i].code, rows[i].piece, rows[i].program);
		worker_look(w, &v);
		assert_int_equal(v.pid, 0);
		worker_free(&w);
	}
}

/* ---- staging ---- */

static const struct parcel_entry code[] = {
	{'5', "bin/", NULL, 0},
	{'0', "./bin/serve", "#!/bin/sh\n", 0755},
	{'0', "lib/\xce\x9a\xce\x91.so", "elf", 0},
	{'0', "empty", "", 0},
	{'2', "lib/current.so", "\xce\x9a\xce\x91.so", 0},
	PARCEL_END,
};

struct shop {
	struct bed *bed;
	struct release r;
	struct buf artifact[2];
	char path[2][96];
	struct fs fs;
	struct stage_in in;
	_Atomic uint64_t done;
	struct sha256 content;
};

static void publish(struct shop *s, unsigned i)
{
	char hex[SHA256_TEXT];

	sha256_format(&s->r.components[i].artifact.digest, hex);
	snprintf(s->path[i], sizeof s->path[i], "/artifacts/%s", hex);
	put(s->bed, (struct httpd_file){.path = s->path[i], .body = buf_str(&s->artifact[i])});
}

static void open_shop(struct shop *s, struct bed *b, const char *dir)
{
	*s = (struct shop){.bed = b};
	mkdir(dir, 0755);
	expect_ok(fs_posix_open(dir, &s->fs, &b->e), &b->e);
	strcpy(s->r.id.s, "ocr-1");
	s->r.n_components = 2;
	parcel_make_tar(
		&s->r.components[0], "code", "code", code, COMPRESSION_ZSTD, &s->artifact[0]);
	parcel_make_raw(&s->r.components[1], "model", "models/m", (struct str){big, BIG},
		COMPRESSION_ZSTD, &s->artifact[1]);
	publish(s, 0);
	publish(s, 1);
	s->in = (struct stage_in){.slot = 0,
		.from = SLOT_NONE,
		.release = &s->r,
		.document = {{7}},
		.source = worker_source(b->worker),
		.done = &s->done,
		.overlap = true};
	expect_ok(slots_open(&s->fs, "dir", &s->in.slots, &b->e), &b->e);
	slots_set_threads(s->in.slots, 2);
}

static void close_shop(struct shop *s)
{
	slots_close(&s->in.slots);
	fs_posix_close(&s->fs);
	buf_fini(&s->artifact[0]);
	buf_fini(&s->artifact[1]);
}

static void a_release_comes_through_it(void **state)
{
	struct bed *b = *state;
	struct shop s;
	struct slot_view v;

	open_shop(&s, b, "whole");
	expect_ok(stage_run(&s.in, &s.content, &b->e), &b->e);
	expect_ok(slots_driver(s.in.slots)->look(s.in.slots, 0, &v, &b->e), &b->e);
	assert_int_equal(v.mark, SLOT_VALID);
	assert_int_equal(atomic_load(&s.done), s.artifact[0].n + s.artifact[1].n);
	close_shop(&s);
}

static void an_altered_artifact_is_refused(void **state)
{
	struct bed *b = *state;
	struct shop s;

	open_shop(&s, b, "altered");
	s.artifact[1].p[s.artifact[1].n / 2] ^= 1;
	expect_err(stage_run(&s.in, &s.content, &b->e), &b->e, ERR_ALTERED, "model", "one bit");
	s.artifact[1].p[s.artifact[1].n / 2] ^= 1;
	put(b, (struct httpd_file){
		       .path = s.path[0], .body = STR("?"), .manner = HTTPD_STATUS, .n = 404});
	s.in.slot = 1;
	expect_err(stage_run(&s.in, &s.content, &b->e), &b->e, ERR_NOT_FOUND, "code", "gone");
	publish(&s, 0);
	expect_ok(stage_run(&s.in, &s.content, &b->e), &b->e);
	close_shop(&s);
}

/* ---- what is in force ---- */

static void the_kernel_says_that_it_is_confined(void **state)
{
	struct bed *b = *state;
	struct worker_view v;

	expect_ok(get(b, "/none", NULL, 10), &b->e);
	worker_look(b->worker, &v);
	assert_true(v.seccomp && v.no_new_privs);
	assert_int_equal(v.uid, geteuid() == 0 ? NOBODY : geteuid());
}

static int try_write(void)
{
	return open("made", O_WRONLY | O_CREAT, 0600);
}
static int try_read(void)
{
	return open("secret", O_RDONLY);
}
static int try_truncate(void)
{
	return truncate("secret", 0);
}
static int try_chmod(void)
{
	return chmod("secret", 0777);
}
static int try_mkdir(void)
{
	return mkdir("made", 0755);
}
static int try_unlink(void)
{
	return unlink("secret");
}
static int try_rename(void)
{
	return rename("secret", "made");
}
static int try_symlink(void)
{
	return symlink("/", "made");
}
static int try_exec(void)
{
	return execl("/bin/true", "true", NULL);
}
static int try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}
static int try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}
static int try_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}
static int try_listen(void)
{
	return listen(socket(AF_INET, SOCK_STREAM, 0), 1);
}
static int try_ptrace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), 0, 0);
}
static int try_kill(void)
{
	return kill(getppid(), 0);
}
static int try_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0) == MAP_FAILED
		       ? -1
		       : 0;
}
static int try_root(void)
{
	return setuid(0);
}
static int try_mount(void)
{
	return mount("none", ".", "tmpfs", 0, NULL);
}
static int try_limit(void)
{
	struct rlimit r = {32, 32};

	return setrlimit(RLIMIT_NOFILE, &r);
}
static void *nothing(void *arg)
{
	return arg;
}
static int use_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) == 0 && pthread_join(t, NULL) == 0 ? 0 : -1;
}
static int use_hosts(void)
{
	return open("/etc/hosts", O_RDONLY);
}
static int use_names(void)
{
	struct addrinfo *a = NULL;

	return getaddrinfo("localhost", "80", NULL, &a) == 0 ? 0 : -1;
}

enum { MAY, REFUSED, ENDED };

/* In a child that has confined itself: may it, is it refused, or is it ended for trying? */
static int outcome_of(int (*try)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		unsigned landlock, who = geteuid() == 0 ? NOBODY : 0;
		struct err e;

		if (confine(who, who, &landlock, &e) < 0)
			_exit(9);
		_exit(try() >= 0 ? MAY : REFUSED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? ENDED : -1;
	return WEXITSTATUS(status);
}

static bool has_landlock(void)
{
	struct worker *w = start("/proc/self/exe", "--worker", "");
	struct http_conf conf = {.via = worker_via(w)};
	struct http_answer a = {0};
	struct worker_view v;

	(void)!http_get(&conf, "http://127.0.0.1:1/", NULL, 1, NULL, &a, NULL);
	worker_look(w, &v);
	worker_free(&w);
	return v.landlock > 0;
}

static void what_it_does_not_need_it_cannot_do(void **state)
{
	static const struct {
		const char *name;
		int (*try)(void);
		int want;
	} rows[] = {
		{"write a file", try_write, REFUSED},
		{"truncate a file", try_truncate, REFUSED},
		{"change a mode", try_chmod, REFUSED},
		{"make a folder", try_mkdir, REFUSED},
		{"remove a file", try_unlink, ENDED},
		{"rename a file", try_rename, ENDED},
		{"make a link", try_symlink, ENDED},
		{"start a program", try_exec, ENDED},
		{"fork", try_fork, REFUSED},
		{"talk to local services", try_unix, REFUSED},
		{"talk below IP", try_packet, REFUSED},
		{"wait for connections", try_listen, ENDED},
		{"trace the installer", try_ptrace, ENDED},
		{"signal the installer", try_kill, ENDED},
		{"make code", try_code, REFUSED},
		{"become root", try_root, ENDED},
		{"mount", try_mount, ENDED},
		{"change a limit", try_limit, REFUSED},
		{"have threads", use_thread, MAY},
		{"read what names resolve to", use_hosts, MAY},
		{"resolve names", use_names, MAY},
	};
	FILE *f = fopen("secret", "w");

	(void)state;
	assert_non_null(f);
	fputs("secret", f);
	fclose(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int is = outcome_of(rows[i].try);

		if (is != rows[i].want)
			fail_msg("%s: %d, not %d", rows[i].name, is, rows[i].want);
	}
	if (has_landlock())
		assert_int_equal(outcome_of(try_read), REFUSED);
	assert_int_equal(access("secret", F_OK), 0);
	assert_int_not_equal(access("made", F_OK), 0);
}

/* ---- the processes that this program is started as ---- */

static int bare(int fd, struct err *e)
{
	struct chan *c = chan_open(fd, PRIV_WORKER, NULL);
	struct priv_msg m;

	TRY(chan_hear(c, &m, e));
	TRY(chan_say(c, &(struct priv_msg){.verb = PRIV_READY}, e));
	return chan_hear(c, &m, e);
}

static int early(int fd, struct err *e)
{
	struct chan *c = chan_open(fd, PRIV_WORKER, NULL);
	struct priv_msg m;

	TRY(chan_say(c, &(struct priv_msg){.verb = PRIV_END}, e));
	return chan_hear(c, &m, e);
}

static void be(const char *mode)
{
	static const struct {
		const char *mode;
		int (*run)(int fd, struct err *e);
	} modes[] = {{"--worker", serve_run}, {"--bare", bare}, {"--early", early}};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(modes[i].mode, mode) == 0)
			_exit(modes[i].run(WORKER_FD, &e) < 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, open_bed, close_bed)
		T(a_page_comes_through_it),
		T(a_large_page_comes_in_pieces),
		T(failures_have_the_same_names),
		T(what_cannot_be_said_is_no_fault_of_the_worker),
		T(a_report_goes_through_it),
		T(a_call_can_be_cancelled),
		T(its_death_ends_the_call_and_not_more),
		T(who_died_unnoticed_is_replaced),
		T(who_has_nothing_to_do_is_ended),
		T(its_identity_is_read_when_it_begins),
		T(a_service_manager_may_start_it),
		T(without_its_manager_it_is_a_child),
		T(one_that_does_not_begin_as_it_must_is_not_used),
		T(a_release_comes_through_it),
		T(an_altered_artifact_is_refused),
		T(the_kernel_says_that_it_is_confined),
#undef T
		cmocka_unit_test(what_it_does_not_need_it_cannot_do),
	};

	signal(SIGPIPE, SIG_IGN);
	if (argc == 2)
		be(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
