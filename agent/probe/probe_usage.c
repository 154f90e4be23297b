/* What the workload and the machine use. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "agent/probe/probe_priv.h"

#define MEBI (1024.0 * 1024.0)

struct memory {
	bool known;
	ms_t at;
	uint64_t waited; /* microseconds, or ticks */
	uint64_t of;     /* ticks; 0: waited is in microseconds */
};

static void say(struct sample *x, double value)
{
	x->n = 1;
	x->sum = value;
}

/* ---- memory and room ---- */

static int memory(const struct probe_in *in, uint32_t pid, struct probe_rule *v, struct err *e)
{
	uint64_t bytes;

	TRY(probe_memory(in, pid, &bytes, e));
	say(v->out, (double)bytes / MEBI);
	return 0;
}

static int available(
	const struct probe_in *in, uint32_t pid UNUSED, struct probe_rule *v, struct err *e)
{
	char path[PROBE_PATH_MAX];
	BUF_AUTO text = {0};
	uint64_t kib;

	snprintf(path, sizeof path, "%s/meminfo", in->proc);
	TRY(probe_read(path, &text, e));
	if (!probe_find_number(buf_str(&text), "MemAvailable:", &kib))
		return err_set(e, ERR_BAD_INPUT, "%s: no MemAvailable", path);
	say(v->out, (double)kib / 1024.0);
	return 0;
}

static int disk(const struct probe_in *in, uint32_t pid UNUSED, struct probe_rule *v, struct err *e)
{
	struct statvfs s;

	if (!in->home || statvfs(in->home, &s) < 0)
		return err_sys(e, in->home ? errno : ENOENT, "statvfs");
	say(v->out, (double)s.f_bavail * (double)s.f_frsize / MEBI);
	return 0;
}

/* ---- processors ---- */

/* "some avg10=0.31 avg60=... total=123": microseconds in which somebody waited. */
static bool pressure_of(const char *path, struct memory *out)
{
	BUF_AUTO text = {0};
	struct str rest, line, word;

	if (probe_read(path, &text, NULL) < 0)
		return false;
	rest = buf_str(&text);
	(void)str_split(&rest, '\n', &line);
	while (line.n && str_split(&line, ' ', &word))
		if (str_has_prefix(word, "total="))
			return str_to_u64((struct str){word.p + 6, word.n - 6}, 0, INT64_MAX,
				       &out->waited, NULL) == 0;
	return false;
}

/* "cpu user nice system idle iowait ...", in ticks: without pressure, being busy is what can be
 * known. */
static bool busy_of(const char *path, struct memory *out)
{
	uint64_t tick, sum = 0, idle = 0;
	BUF_AUTO text = {0};
	struct str rest, line, word;

	if (probe_read(path, &text, NULL) < 0)
		return false;
	rest = buf_str(&text);
	(void)str_split(&rest, '\n', &line);
	if (!str_has_prefix(line, "cpu "))
		return false;
	line = str_trim((struct str){line.p + 4, line.n - 4});
	for (unsigned i = 0; line.n && str_split(&line, ' ', &word) && i < 8; i++) {
		if (str_to_u64(word, 0, INT64_MAX / 16, &tick, NULL) < 0)
			return false;
		sum += tick;
		idle += i == 3 || i == 4 ? tick : 0;
	}
	out->waited = sum - idle;
	out->of = sum;
	return sum > 0;
}

static bool look_at_processors(const struct probe_in *in, uint32_t pid, struct memory *out)
{
	char path[PROBE_PATH_MAX + 32], dir[PROBE_PATH_MAX];

	if (pid && probe_group(in, pid, dir, NULL) == 0) {
		snprintf(path, sizeof path, "%s/cpu.pressure", dir);
		if (pressure_of(path, out))
			return true;
	}
	snprintf(path, sizeof path, "%s/pressure/cpu", in->proc);
	if (pressure_of(path, out))
		return true;
	snprintf(path, sizeof path, "%s/stat", in->proc);
	return busy_of(path, out);
}

static int processors(const struct probe_in *in, uint32_t pid, struct probe_rule *v, struct err *e)
{
	struct memory *m = v->memory, now = {.known = true, .at = v->out->at};
	double waited, of;

	if (!look_at_processors(in, pid, &now))
		return err_set(e, ERR_NOT_FOUND, "neither pressure nor load can be seen");
	waited = (double)now.waited - (double)m->waited;
	of = now.of ? (double)now.of - (double)m->of : (double)(now.at - m->at) * 1000.0;
	if (m->known && !now.of == !m->of && of > 0 && waited >= 0)
		say(v->out, MIN(waited / of, 1.0));
	*m = now;
	return 0;
}

/* ---- the source ---- */

static const struct {
	const char *of;
	bool of_workload;
	int (*look)(const struct probe_in *, uint32_t pid, struct probe_rule *, struct err *);
} measures[] = {
	{"memory", true, memory},
	{"available", false, available},
	{"disk", false, disk},
	{"cpu", true, processors},
};

static size_t measure_of(const struct probe_rule *v)
{
	size_t i = 0;

	while (strcmp(trig_measure_of(v->rule)->of, measures[i].of) != 0)
		i++;
	return i;
}

static int look(
	const struct probe_in *in, struct probe_rule *v, unsigned n, bool first, struct err *e)
{
	struct svc_view view = {0};
	bool asked = false;

	(void)first;
	for (unsigned i = 0; i < n; i++) {
		size_t k = measure_of(&v[i]);

		if (measures[k].of_workload && !asked)
			asked = svc_look(in->svc, &view, e) == 0;
		v[i].out->blind = measures[k].look(in, view.pid, &v[i], e) < 0;
	}
	return 0;
}

const struct probe_source probe_usage = {
	.kind = "usage",
	.source = TRIG_SRC_USAGE,
	.help = "/proc, and the control group of the workload.",
	.memory = sizeof(struct memory),
	.look = look,
};
