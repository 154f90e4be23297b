/* Memory that a workload needs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/probe/probe_priv.h"

/* ---- by control group, version 2 ---- */

/* The path in "0::/system.slice/x.service". */
static int group_of(
	const struct probe_in *in, const char *who, char out[PROBE_PATH_MAX], struct err *e)
{
	char path[PROBE_PATH_MAX];
	BUF_AUTO text = {0};
	struct str rest, line;

	snprintf(path, sizeof path, "%s/%s/cgroup", in->proc, who);
	TRY(probe_read(path, &text, e));
	rest = buf_str(&text);
	while (rest.n && str_split(&rest, '\n', &line))
		if (str_has_prefix(line, "0::/"))
			return str_copy(
				(struct str){line.p + 3, line.n - 3}, out, PROBE_PATH_MAX, e);
	return err_set(e, ERR_NOT_FOUND, "%s: no control group of version 2", path);
}

int probe_group(const struct probe_in *in, uint32_t pid, char out[PROBE_PATH_MAX], struct err *e)
{
	char who[16], its[PROBE_PATH_MAX], ours[PROBE_PATH_MAX];
	int n;

	snprintf(who, sizeof who, "%u", pid);
	TRY(group_of(in, who, its, e));
	TRY(group_of(in, "self", ours, e));
	if (strcmp(its, ours) == 0)
		return err_set(e, ERR_NOT_FOUND, "the workload has no control group of its own");
	n = snprintf(out, PROBE_PATH_MAX, "%s/fs/cgroup%s", in->sys, its);
	return n < PROBE_PATH_MAX ? 0 : err_set(e, ERR_TOO_LARGE, "the path of a control group");
}

static int of_group(const struct probe_in *in, uint32_t pid, uint64_t *out, struct err *e)
{
	char dir[PROBE_PATH_MAX], path[PROBE_PATH_MAX + 32];
	uint64_t idle = 0;
	BUF_AUTO stat = {0};
	int64_t now;

	TRY(probe_group(in, pid, dir, e));
	snprintf(path, sizeof path, "%s/memory.current", dir);
	TRY(probe_read_number(path, &now, e));
	snprintf(path, sizeof path, "%s/memory.stat", dir);
	if (probe_read(path, &stat, e) == 0)
		(void)probe_find_number(buf_str(&stat), "inactive_file ", &idle);
	*out = (uint64_t)MAX(now, 0) - MIN(idle, (uint64_t)MAX(now, 0));
	return 0;
}

/* ---- by process ---- */

struct family {
	const struct probe_in *in;
	unsigned n;
	uint32_t pid[PROBE_PROCESSES];
	uint64_t bytes;
};

static void add_children(struct family *f, const char *path)
{
	BUF_AUTO text = {0};
	struct str rest, word;
	uint64_t pid;

	if (probe_read(path, &text, NULL) < 0)
		return;
	rest = str_trim(buf_str(&text));
	while (rest.n && f->n < PROBE_PROCESSES && str_split(&rest, ' ', &word))
		if (str_to_u64(word, 1, UINT32_MAX, &pid, NULL) == 0)
			f->pid[f->n++] = (uint32_t)pid;
}

/* Whoever has just ended has no memory any more. */
static void add_process(struct family *f, uint32_t pid)
{
	char dir[PROBE_PATH_MAX], path[PROBE_PATH_MAX + 300];
	uint64_t anon = 0, shared = 0;
	BUF_AUTO text = {0};
	struct dirent *d;
	DIR *tasks;

	snprintf(path, sizeof path, "%s/%u/status", f->in->proc, pid);
	if (probe_read(path, &text, NULL) < 0)
		return;
	(void)probe_find_number(buf_str(&text), "RssAnon:", &anon);
	(void)probe_find_number(buf_str(&text), "RssShmem:", &shared);
	f->bytes += (anon + shared) * 1024;
	snprintf(dir, sizeof dir, "%s/%u/task", f->in->proc, pid);
	tasks = opendir(dir);
	while (tasks && (d = readdir(tasks))) {
		snprintf(path, sizeof path, "%s/%s/children", dir, d->d_name);
		if (d->d_name[0] != '.')
			add_children(f, path);
	}
	if (tasks)
		closedir(tasks);
}

static int of_processes(const struct probe_in *in, uint32_t pid, uint64_t *out, struct err *e)
{
	struct family f = {.in = in, .n = 1, .pid = {pid}};

	for (unsigned i = 0; i < f.n; i++)
		add_process(&f, f.pid[i]);
	if (f.bytes == 0)
		return err_set(e, ERR_NOT_FOUND, "nothing is known of process %u", pid);
	*out = f.bytes;
	return 0;
}

int probe_memory(const struct probe_in *in, uint32_t pid, uint64_t *out, struct err *e)
{
	if (pid == 0)
		return err_set(e, ERR_NOT_FOUND, "nobody knows the workload's process");
	if (of_group(in, pid, out, e) == 0)
		return 0;
	return of_processes(in, pid, out, e);
}
