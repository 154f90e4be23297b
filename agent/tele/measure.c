#include "agent/tele/measure.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/net/http.h"
#include "proto/wire/limits.h"

#define FILE_MAX 8192 /* of /proc/stat the first line is enough */

/* What fits; nothing when it cannot be read. */
static struct str read_file(const char *dir, const char *name, char out[FILE_MAX])
{
	char path[512];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return (struct str){out, 0};
	n = read(fd, out, FILE_MAX);
	close(fd);
	return (struct str){out, n > 0 ? (size_t)n : 0};
}

static void see_kernel(const char *proc, struct measure *m)
{
	char text[FILE_MAX];

	m->has_cpu = kernel_cpu_parse(read_file(proc, "stat", text), &m->cpu);
	m->has_memory = kernel_memory_parse(read_file(proc, "meminfo", text), &m->memory);
	m->has_pressure =
		kernel_pressure_parse(read_file(proc, "pressure/cpu", text), &m->cpu_permille);
}

/* A zone whose sensor sleeps answers with an error, and does not count. */
static void see_zone(const char *dir, const char *name, struct measure *m)
{
	char file[300], text[FILE_MAX];
	int64_t milli;

	snprintf(file, sizeof file, "%s/temp", name);
	if (!kernel_temperature_parse(read_file(dir, file, text), &milli))
		return;
	m->milli_c = m->has_temperature ? MAX(m->milli_c, milli) : milli;
	m->has_temperature = true;
}

static void see_zones(const char *sys, struct measure *m)
{
	unsigned left = LIMIT_THERMAL_ZONES;
	char dir[256];
	struct dirent *d;
	DIR *list;

	snprintf(dir, sizeof dir, "%s/class/thermal", sys);
	list = opendir(dir);
	while (list && left && (d = readdir(list))) {
		if (strncmp(d->d_name, "thermal_zone", 12) != 0)
			continue;
		see_zone(dir, d->d_name, m);
		left--;
	}
	if (list)
		closedir(list);
}

static void see_workload(const struct measure_in *in, struct measure *m)
{
	struct http_conf http = {.connect_timeout = in->timeout, .total_timeout = in->timeout};
	struct http_answer answer = {0};

	if (!in->metrics_url[0])
		return;
	m->has_page = http_get(&http, in->metrics_url, NULL, LIMIT_METRICS_BYTES, NULL, &answer,
			      NULL) == 0 &&
		      http_check(&answer, "metrics", NULL) == 0;
	if (m->has_page) {
		m->page = answer.body;
		answer.body = (struct buf){0};
	}
	http_answer_fini(&answer);
}

void measure_look(const struct measure_in *in, struct measure *out)
{
	struct measure m = {0};

	see_kernel(in->proc, &m);
	see_zones(in->sys, &m);
	if (in->home)
		m.has_disk = in->home->ops->room(in->home, "", &m.disk_free, NULL) == 0;
	see_workload(in, &m);
	*out = m;
}

void measure_fini(struct measure *m)
{
	buf_fini(&m->page);
	*m = (struct measure){0};
}
