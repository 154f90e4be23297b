#include "tests/lib/manager.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "tests/lib/expect.h"

#define ROOT_PATH "/org/freedesktop/systemd1"
#define UNIT_PATH ROOT_PATH "/unit/x_2eservice"
#define FACE      "org.freedesktop.systemd1.Manager"

struct manager {
	struct manager_says *says;
	pid_t daemon;
	pthread_t thread;
	atomic_bool stop;
	sd_bus *bus;
	pthread_mutex_t lock; /* of `heard` */
	struct buf heard;
	unsigned jobs;
};

static void note(struct manager *m, const char *verb, const char *args)
{
	pthread_mutex_lock(&m->lock);
	buf_addf(&m->heard, "%s%s%s", m->heard.n ? " " : "", verb, args);
	pthread_mutex_unlock(&m->lock);
}

char *manager_heard(struct manager *m)
{
	char *text;

	pthread_mutex_lock(&m->lock);
	text = mem_strdup(buf_cstr(&m->heard));
	buf_clear(&m->heard);
	pthread_mutex_unlock(&m->lock);
	return text;
}

/* ---- the verbs ---- */

static int subscribe(sd_bus_message *q, void *ctx, sd_bus_error *e)
{
	(void)e;
	note(ctx, "Subscribe", "");
	return sd_bus_reply_method_return(q, "");
}

static int load_unit(sd_bus_message *q, void *ctx, sd_bus_error *e)
{
	(void)ctx;
	(void)e;
	return sd_bus_reply_method_return(q, "o", UNIT_PATH);
}

static void remove_job(struct manager *m, unsigned id, const char *result)
{
	char path[64];

	snprintf(path, sizeof path, ROOT_PATH "/job/%u", id);
	sd_bus_emit_signal(
		m->bus, ROOT_PATH, FACE, "JobRemoved", "uoss", id, path, "x.service", result);
}

/* Another job ends first: only the right one may be waited for. */
static int job(sd_bus_message *q, void *ctx, sd_bus_error *e)
{
	const char *unit, *mode;
	struct manager *m = ctx;
	char text[160];
	int rc;

	rc = sd_bus_message_read(q, "ss", &unit, &mode);
	if (rc < 0)
		return rc;
	snprintf(text, sizeof text, "(%s,%s)", unit, mode);
	note(m, sd_bus_message_get_member(q), text);
	if (m->says->error)
		return sd_bus_error_setf(e, m->says->error, "Unit %s: no.", unit);
	m->jobs += 2;
	if (m->says->pid_after)
		m->says->pid = m->says->pid_after;
	snprintf(text, sizeof text, ROOT_PATH "/job/%u", m->jobs);
	rc = sd_bus_reply_method_return(q, "o", text);
	remove_job(m, m->jobs - 1, "canceled");
	if (m->says->result)
		remove_job(m, m->jobs, m->says->result);
	return rc;
}

static int reboot(sd_bus_message *q, void *ctx, sd_bus_error *e)
{
	struct manager *m = ctx;
	int interactive, rc = sd_bus_message_read(q, "b", &interactive);

	if (rc < 0)
		return rc;
	note(m, "Reboot", interactive ? "(yes)" : "(no)");
	if (m->says->no_reboot)
		return sd_bus_error_setf(e, m->says->no_reboot, "Somebody is working.");
	return sd_bus_reply_method_return(q, "");
}

static int property(sd_bus *bus, const char *path, const char *face, const char *name,
	sd_bus_message *a, void *ctx, sd_bus_error *e)
{
	struct manager *m = ctx;

	(void)bus;
	(void)path;
	(void)face;
	(void)e;
	if (strcmp(name, "ActiveState") == 0)
		return sd_bus_message_append(a, "s", m->says->state);
	return sd_bus_message_append(
		a, "u", strcmp(name, "MainPID") == 0 ? m->says->pid : m->says->restarts);
}

static const sd_bus_vtable verbs[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Subscribe", "", "", subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("LoadUnit", "s", "o", load_unit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RestartUnit", "ss", "o", job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ReloadOrRestartUnit", "ss", "o", job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StartUnit", "ss", "o", job, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable of_logins[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Reboot", "b", "", reboot, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable of_unit[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("ActiveState", "s", property, 0, 0),
	SD_BUS_VTABLE_END,
};
static const sd_bus_vtable of_service[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("MainPID", "u", property, 0, 0),
	SD_BUS_PROPERTY("NRestarts", "u", property, 0, 0),
	SD_BUS_VTABLE_END,
};

/* ---- bus and thread ---- */

static const char config[] =
	"<busconfig><type>session</type><listen>unix:path=%s</listen>"
	"<policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>"
	"<allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>";

/* The daemon prints its address when it listens. */
static pid_t start_daemon(const char *path)
{
	char file[160], arg[200], line[200];
	int fds[2];
	pid_t pid;
	FILE *f;

	snprintf(file, sizeof file, "%s.conf", path);
	f = fopen(file, "w");
	assert_non_null(f);
	fprintf(f, config, path);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	snprintf(arg, sizeof arg, "--config-file=%s", file);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execlp("dbus-daemon", "dbus-daemon", arg, "--nofork", "--print-address=1", NULL);
		_exit(127);
	}
	close(fds[1]);
	assert_true(read(fds[0], line, sizeof line) > 0);
	close(fds[0]);
	return pid;
}

static void *serve(void *arg)
{
	struct manager *m = arg;

	while (!atomic_load(&m->stop)) {
		int rc = sd_bus_process(m->bus, NULL);

		if (rc == 0)
			sd_bus_wait(m->bus, 20000);
	}
	return NULL;
}

struct manager *manager_open(struct manager_says *says)
{
	struct manager *m = mem_new(sizeof *m);
	char dir[] = "bus.XXXXXX", path[128], cwd[100], address[160];

	assert_non_null(getcwd(cwd, sizeof cwd));
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/%s/s", cwd, dir);
	snprintf(address, sizeof address, "unix:path=%s", path);
	m->says = says;
	pthread_mutex_init(&m->lock, NULL);
	m->daemon = start_daemon(path);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	assert_true(sd_bus_open_system(&m->bus) >= 0);
	assert_true(sd_bus_add_object_vtable(m->bus, NULL, ROOT_PATH, FACE, verbs, m) >= 0);
	assert_true(sd_bus_add_object_vtable(m->bus, NULL, UNIT_PATH,
			    "org.freedesktop.systemd1.Unit", of_unit, m) >= 0);
	assert_true(sd_bus_add_object_vtable(m->bus, NULL, UNIT_PATH,
			    "org.freedesktop.systemd1.Service", of_service, m) >= 0);
	assert_true(sd_bus_add_object_vtable(m->bus, NULL, "/org/freedesktop/login1",
			    "org.freedesktop.login1.Manager", of_logins, m) >= 0);
	assert_true(sd_bus_request_name(m->bus, "org.freedesktop.systemd1", 0) >= 0);
	assert_true(sd_bus_request_name(m->bus, "org.freedesktop.login1", 0) >= 0);
	assert_int_equal(pthread_create(&m->thread, NULL, serve, m), 0);
	return m;
}

void manager_close(struct manager **mp)
{
	struct manager *m = *mp;

	if (!m)
		return;
	atomic_store(&m->stop, true);
	pthread_join(m->thread, NULL);
	sd_bus_flush_close_unref(m->bus);
	kill(m->daemon, SIGTERM);
	waitpid(m->daemon, NULL, 0);
	pthread_mutex_destroy(&m->lock);
	buf_fini(&m->heard);
	mem_free(mp);
}
