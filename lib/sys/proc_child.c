#include "lib/sys/proc_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEARCH_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- before the fork: may allocate ---- */

static int find_program(const char *name, char *out, size_t cap, struct err *e)
{
	struct str rest = str_of(SEARCH_PATH), dir;

	if (name[0] == 0 || strlen(name) >= cap - 64)
		return err_set(e, ERR_BAD_INPUT, "no such program name: \"%.80s\"", name);
	if (strchr(name, '/'))
		return str_copy(str_of(name), out, cap, e);
	while (str_split(&rest, ':', &dir)) {
		snprintf(out, cap, "%.*s/%s", (int)dir.n, dir.p, name);
		if (access(out, X_OK) == 0)
			return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "%s: not in %s", name, SEARCH_PATH);
}

static bool is_given(const struct proc_spec *spec, const char *var)
{
	size_t key = (size_t)(strchr(var, '=') - var) + 1;

	for (const char *const *v = spec->env; v && *v; v++)
		if (strncmp(*v, var, key) == 0)
			return true;
	return false;
}

static void build_env(const struct proc_spec *spec, struct proc_plan *p)
{
	const char *tmp = getenv("TMPDIR");
	char tmpdir[300];
	const char *clean[] = {"PATH=" SEARCH_PATH, "LANG=C.UTF-8", tmpdir};
	size_t n = 0, at = 0;

	snprintf(tmpdir, sizeof tmpdir, "TMPDIR=%.290s", tmp && tmp[0] ? tmp : "/tmp");
	while (spec->env && spec->env[n])
		n++;
	p->env = mem_new((n + ARRAY_LEN(clean) + 1) * sizeof *p->env);
	p->text = mem_strdup(tmpdir);
	clean[2] = p->text;
	for (size_t i = 0; i < ARRAY_LEN(clean); i++)
		if (!is_given(spec, clean[i]))
			p->env[at++] = (char *)clean[i];
	for (size_t i = 0; i < n; i++)
		p->env[at++] = (char *)spec->env[i];
}

int proc_child_plan(const struct proc_spec *spec, struct proc_plan *out, struct err *e)
{
	*out = (struct proc_plan){.spec = spec, .out = -1, .channel = -1};
	TRY(find_program(spec->argv[0], out->path, sizeof out->path, e));
	build_env(spec, out);
	return 0;
}

void proc_child_fini(struct proc_plan *p)
{
	mem_free(&p->env);
	mem_free(&p->text);
}

pid_t proc_child_fork(void)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid != 0)
		pthread_sigmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* ---- in the child: async-signal-safe calls only ---- */

/* The system call itself: a sanitizer that watches _exit() would look for threads that are not
 * here. */
void proc_child_leave(int code)
{
	for (;;)
		syscall(SYS_exit_group, code);
}

_Noreturn static void give_up(int channel, enum proc_step step)
{
	struct proc_news news = {.step = step, .sys = errno};

	send(channel, &news, sizeof news, MSG_NOSIGNAL);
	proc_child_leave(127);
}

static void reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Moves the two descriptors out of the way first: the parent's own 0 to 3 may be closed, and then
 * they are these. */
static int take_fds(int out, int *io_channel)
{
	int null, log = fcntl(out, F_DUPFD, 16), channel = fcntl(*io_channel, F_DUPFD, 16);

	if (log < 0 || channel < 0)
		return -1;
	*io_channel = channel;
	null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		return -1;
	if (dup3(channel, 3, O_CLOEXEC) < 0)
		return -1;
	*io_channel = 3;
	return (int)syscall(SYS_close_range, 4U, ~0U, 0U);
}

/* The raw calls, because the library's would try to reach threads that this process does not have.
 */
static int drop_user(const struct proc_spec *s)
{
	if (!s->uid && !s->gid)
		return 0;
	if (syscall(SYS_setgroups, 0, NULL) < 0 && geteuid() == 0)
		return -1;
	if (s->gid && syscall(SYS_setresgid, s->gid, s->gid, s->gid) < 0)
		return -1;
	if (s->uid && syscall(SYS_setresuid, s->uid, s->uid, s->uid) < 0)
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* A private view of the mounts in which `dir` cannot be written. Failing is allowed: see the
 * contract. */
static void protect(const char *dir)
{
	if (!dir || unshare(CLONE_NEWNS) < 0)
		return;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount(dir, dir, NULL, MS_BIND, NULL) < 0)
		return;
	if (mount(NULL, dir, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) <
		0)
		umount2(dir, MNT_DETACH);
}

/* The same view, with an image on `dir`. A journal that is not empty stays as it is: nothing may be
 * written to what was just sealed. */
static int mount_image(const struct proc_spec *s)
{
	const char *how = strcmp(s->image_type, "ext4") == 0 ? "noload" : NULL;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount(s->image, s->protect, s->image_type, MS_RDONLY | MS_NOSUID | MS_NODEV, how);
}

static int limit(int what, uint64_t soft, uint64_t hard)
{
	struct rlimit r = {.rlim_cur = soft, .rlim_max = hard};

	return soft ? setrlimit(what, &r) : 0;
}

static int take_limits(const struct proc_spec *s)
{
	if (limit(RLIMIT_AS, s->max_memory, s->max_memory) < 0 ||
		limit(RLIMIT_FSIZE, s->max_files_size, s->max_files_size) < 0)
		return -1;
	return limit(RLIMIT_CPU, s->max_cpu_s, (uint64_t)s->max_cpu_s + 1);
}

/* Failing is allowed: see the contract. Before the change of user, because a user without rights
 * may not read what it then cannot write. */
static void be_humble(void)
{
	static const char first[] = "1000";
	struct sched_param none = {0};
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, first, sizeof first - 1);
		close(fd);
	}
	(void)!sched_setscheduler(0, SCHED_IDLE, &none);
	(void)!setpriority(PRIO_PROCESS, 0, 19);
	(void)!syscall(
		SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

bool proc_child_parse_stat(const char *text, size_t n, char *out_state, uint64_t *out_start)
{
	const char *p = memrchr(text, ')', n), *end = text + n;
	uint64_t v = 0;

	/* The name may hold blanks and parentheses; after its last one come state (field 3) ...
	 * start (22). */
	if (!p || end - p < 4)
		return false;
	*out_state = p[2];
	p += 2;
	for (unsigned field = 3; field < 22; field++, p++) {
		p = memchr(p, ' ', (size_t)(end - p));
		if (!p)
			return false;
	}
	if (p >= end || *p < '0' || *p > '9')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	*out_start = v;
	return true;
}

/* Says who it is and waits for leave to go on. */
static int be_recorded(int channel)
{
	struct proc_news news = {.step = PROC_STEP_BORN, .id.pid = getpid()};
	char text[1024], state, go;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof text);
	close(fd);
	errno = ESRCH;
	if (n <= 0 || !proc_child_parse_stat(text, (size_t)n, &state, &news.id.start))
		return -1;
	if (send(channel, &news, sizeof news, MSG_NOSIGNAL) != sizeof news)
		return -1;
	return recv(channel, &go, 1, 0) == 1 ? 0 : -1;
}

/* The death signal comes after the change of user, which would clear it. */
static int die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -1;
	errno = ESRCH;
	return getppid() == parent ? 0 : -1;
}

void proc_child_become(const struct proc_plan *p)
{
	const struct proc_spec *s = p->spec;
	int channel = p->channel;

	reset_signals();
	if (p->parent ? setpgid(0, 0) < 0 : setsid() < 0)
		give_up(channel, PROC_STEP_SESSION);
	if (take_fds(p->out, &channel) < 0)
		give_up(channel, PROC_STEP_FDS);
	if (s->humble)
		be_humble();
	if (!s->image)
		protect(s->protect);
	else if (mount_image(s) < 0)
		give_up(channel, PROC_STEP_IMAGE);
	if (drop_user(s) < 0)
		give_up(channel, PROC_STEP_USER);
	if (s->dir && chdir(s->dir) < 0)
		give_up(channel, PROC_STEP_DIR);
	if (take_limits(s) < 0)
		give_up(channel, PROC_STEP_LIMIT);
	if ((p->parent ? die_with(p->parent) : be_recorded(channel)) < 0)
		give_up(channel, PROC_STEP_BORN);
	execve(p->path, (char *const *)s->argv, p->env);
	give_up(channel, PROC_STEP_EXEC);
}

/* ---- in the parent ---- */

/* Only a missing folder and a bad program are the asker's fault; that the machine refuses a group,
 * a user or a limit says nothing about the program. */
static int report_failure(
	const char *name, const struct proc_news *news, const char *words, struct err *e)
{
	struct err own = {0};

	if (!e)
		e = &own;
	err_sys(e, news->sys, "%s could not %s", name, words);
	if (news->step != PROC_STEP_DIR && news->step != PROC_STEP_EXEC)
		e->code = ERR_IO;
	return -(int)e->code;
}

int proc_child_hear(
	int channel, const char *name, struct proc_news *out, bool *out_end, struct err *e)
{
	static const char *const words[] = {
#define X(id, text) [PROC_STEP_##id] = text,
		PROC_STEP_TABLE(X)
#undef X
	};
	struct proc_news news;
	ssize_t n;

	do
		n = recv(channel, &news, sizeof news, MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, errno, "%s: hear from the child", name);
	if (n > 0 && (n != sizeof news || news.step >= ARRAY_LEN(words)))
		return err_set(e, ERR_BUG, "%s: the child spoke %zd bytes", name, n);
	if (n > 0 && (news.step != PROC_STEP_BORN || news.sys))
		return report_failure(name, &news, words[news.step], e);
	*out_end = n == 0;
	if (n > 0)
		*out = news;
	return 0;
}
