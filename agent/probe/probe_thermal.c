/* How hot the machine is, and whether it is slowed down for it. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "agent/probe/probe_priv.h"

#define TRIPS 16 /* of a zone */

struct memory {
	bool known;
	ms_t at;
	int64_t throttled; /* ms, by the kernel's count */
};

static DIR *open_dir(const struct probe_in *in, const char *sub, char dir[PROBE_PATH_MAX])
{
	int n = snprintf(dir, PROBE_PATH_MAX, "%s/%s", in->sys, sub);

	return n < PROBE_PATH_MAX ? opendir(dir) : NULL;
}

static bool text_at(const char *dir, const char *name, const char *file, struct buf *out)
{
	char path[PROBE_PATH_MAX + 300];

	int n = snprintf(path, sizeof path, "%s/%s/%s", dir, name, file);

	buf_clear(out);
	return (size_t)n < sizeof path && probe_read(path, out, NULL) == 0;
}

static bool number_at(const char *dir, const char *name, const char *file, int64_t *out)
{
	char path[PROBE_PATH_MAX + 300];

	int n = snprintf(path, sizeof path, "%s/%s/%s", dir, name, file);

	return (size_t)n < sizeof path && probe_read_number(path, out, NULL) == 0;
}

/* ---- throttling ---- */

/* Of the processor that was slowed down the longest (x86). */
static bool throttled_ms(const struct probe_in *in, int64_t *out)
{
	char dir[PROBE_PATH_MAX];
	DIR *list = open_dir(in, "devices/system/cpu", dir);
	struct dirent *d;
	bool known = false;
	int64_t ms;

	*out = 0;
	while (list && (d = readdir(list)))
		if (strncmp(d->d_name, "cpu", 3) == 0 &&
			number_at(dir, d->d_name, "thermal_throttle/core_throttle_total_time_ms",
				&ms)) {
			known = true;
			*out = MAX(*out, ms);
		}
	if (list)
		closedir(list);
	return known;
}

/* Does a cooling device hold processors back just now? (Elsewhere.) */
static bool is_cooled(const struct probe_in *in, bool *out_known)
{
	char dir[PROBE_PATH_MAX];
	DIR *list = open_dir(in, "class/thermal", dir);
	struct dirent *d;
	BUF_AUTO type = {0};
	bool cooled = false;
	int64_t state;

	*out_known = false;
	while (list && (d = readdir(list))) {
		if (strncmp(d->d_name, "cooling_device", 14) != 0 ||
			!text_at(dir, d->d_name, "type", &type) ||
			(!strstr(buf_cstr(&type), "cpu") && !strstr(buf_cstr(&type), "Processor")))
			continue;
		*out_known |= number_at(dir, d->d_name, "cur_state", &state);
		cooled |= *out_known && state > 0;
	}
	if (list)
		closedir(list);
	return cooled;
}

static int throttled(const struct probe_in *in, struct probe_rule *v, struct err *e)
{
	struct memory *m = v->memory, now = {.known = true, .at = v->out->at};
	bool counted = throttled_ms(in, &now.throttled), seen;
	ms_t since = m->known ? now.at - m->at : 0;
	double ms = is_cooled(in, &seen) ? (double)since : 0;

	if (!counted && !seen)
		return err_set(e, ERR_NOT_FOUND, "nothing says whether processors are throttled");
	if (m->known) {
		ms = MAX(ms, (double)(now.throttled - m->throttled));
		v->out->n = 1;
		v->out->sum = MIN(ms, (double)since) / 1000.0;
	}
	*m = now;
	return 0;
}

/* ---- zones ---- */

/* The lowest of its limits that are no normal working point. */
static double limit_of(const char *dir, const char *zone)
{
	double limit = (double)INFINITY;
	BUF_AUTO type = {0};
	char file[32];
	int64_t milli;

	for (unsigned i = 0; i < TRIPS; i++) {
		snprintf(file, sizeof file, "trip_point_%u_type", i);
		if (!text_at(dir, zone, file, &type))
			break;
		snprintf(file, sizeof file, "trip_point_%u_temp", i);
		if ((str_has_prefix(buf_str(&type), "hot") ||
			    str_has_prefix(buf_str(&type), "critical")) &&
			number_at(dir, zone, file, &milli))
			limit = fmin(limit, (double)milli / 1000.0);
	}
	return limit;
}

static bool is_wanted(const char *dir, const char *zone, const char *want)
{
	BUF_AUTO type = {0};
	struct str rest, line;

	if (!want[0])
		return true;
	if (!text_at(dir, zone, "type", &type))
		return false;
	rest = buf_str(&type);
	(void)str_split(&rest, '\n', &line);
	return str_is(line, want);
}

/* A zone whose sensor sleeps answers with an error, and does not count. */
static bool see_zone(const char *dir, const char *zone, bool margin, double *worst)
{
	int64_t milli;
	double value;

	if (!number_at(dir, zone, "temp", &milli))
		return false;
	value = (double)milli / 1000.0;
	if (margin)
		value = limit_of(dir, zone) - value;
	if (!isfinite(value))
		return false;
	*worst = isnan(*worst) ? value : margin ? fmin(*worst, value) : fmax(*worst, value);
	return true;
}

static int zones(const struct probe_in *in, struct probe_rule *v, struct err *e)
{
	bool margin = trig_measure_of(v->rule)->below, seen = false;
	double worst = (double)NAN;
	char dir[PROBE_PATH_MAX];
	DIR *list = open_dir(in, "class/thermal", dir);
	struct dirent *d;

	while (list && (d = readdir(list)))
		if (strncmp(d->d_name, "thermal_zone", 12) == 0 &&
			is_wanted(dir, d->d_name, v->rule->zone))
			seen |= see_zone(dir, d->d_name, margin, &worst);
	if (list)
		closedir(list);
	if (!seen)
		return err_set(e, ERR_NOT_FOUND, "no thermal zone says it");
	v->out->n = 1;
	v->out->sum = worst;
	return 0;
}

static int look(
	const struct probe_in *in, struct probe_rule *v, unsigned n, bool first, struct err *e)
{
	(void)first;
	for (unsigned i = 0; i < n; i++)
		v[i].out->blind = trig_kind(v[i].rule) == TRIG_KIND_SUM
					  ? throttled(in, &v[i], e) < 0
					  : zones(in, &v[i], e) < 0;
	return 0;
}

const struct probe_source probe_thermal = {
	.kind = "thermal",
	.source = TRIG_SRC_THERMAL,
	.help = "The kernel's thermal zones, cooling devices and count of throttling.",
	.memory = sizeof(struct memory),
	.look = look,
};
