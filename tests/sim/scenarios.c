/* scenarios [-n DEVICES] [-r RUNS] [-s SEED] [-m MISTAKE] FILE...: simulates each scenario with
 * fixed seeds, compares the end with what the scenario expects, and prints a table. 1 when a law is
 * broken or an end is another one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/prng.h"
#include "sim/course.h"

struct options {
	uint32_t devices, runs;
	uint64_t seed;
	enum course_mistake mistake;
};

/* Over all runs of one scenario. */
struct sum {
	uint64_t updates, waves, looks, events, violations, differs, trace, had_it, false_back,
		left;
	ms_t took;
	char said[200];
};

static void read_scenario(const char *path, struct scenario *out)
{
	static char text[LIMIT_SCENARIO_BYTES + 1];
	FILE *f = fopen(path, "r");
	struct err e;

	if (!f) {
		perror(path);
		exit(2);
	}
	size_t n = fread(text, 1, sizeof text, f);

	fclose(f);
	if (scenario_parse((struct str){text, n}, out, &e) < 0) {
		fprintf(stderr, "%s: %s\n", path, e.text);
		exit(2);
	}
	if (!out->has_policy || !out->expect.on) {
		fprintf(stderr, "%s: has no policy, or expects nothing\n", path);
		exit(2);
	}
}

static void add(struct sum *s, const struct scenario *sc, const struct course_result *r)
{
	char text[160];
	const char *differs = course_differs(sc, r, text, sizeof text);

	s->updates += r->update_steps;
	s->waves += r->wave_steps;
	s->looks += r->looks;
	s->events += r->events;
	s->violations += r->violations;
	s->differs += differs != NULL;
	s->trace = hash64(s->trace, &r->trace, sizeof r->trace);
	s->had_it = MAX(s->had_it, r->had_it);
	s->false_back += r->false_rollbacks;
	s->left = MAX(s->left, r->left);
	s->took = MAX(s->took, r->took);
	if (!*s->said && (differs || r->violations))
		snprintf(s->said, sizeof s->said, "%s", r->violations ? r->law : differs);
}

/* Bounds are those of the scenario's own fleet. */
static void scale(struct scenario_expect *x, double by)
{
	uint32_t *const bounds[] = {
		&x->had_it, &x->bad_committed, &x->bricked, &x->false_rollbacks};

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		*bounds[i] = (uint32_t)MIN((double)LIMIT_SCENARIO_DEVICES, *bounds[i] * by);
}

static bool simulate(const struct options *o, const char *path, struct sum *all)
{
	struct scenario *sc CLEANUP(mem_free) = mem_new(sizeof *sc);
	struct sum s = {0};
	struct course_result r = {0};
	struct err e;

	read_scenario(path, sc);
	if (o->devices > sc->devices)
		scale(&sc->expect, (double)o->devices / sc->devices);
	for (uint32_t i = 0; i < o->runs; i++) {
		struct course_conf c = {.scenario = sc,
			.policy = &sc->policy,
			.devices = o->devices ? o->devices : sc->devices,
			.seed = o->seed + i,
			.mistake = o->mistake};

		if (course_run(&c, &r, &e) < 0) {
			fprintf(stderr, "%s: %s\n", path, e.text);
			exit(2);
		}
		add(&s, sc, &r);
	}
	printf("%-22s %-8s %8u %9llu %8.1f %10llu %9llu %9llu %6llu %4llu %016llx %s\n", sc->name,
		scenario_end_name(r.end), o->devices ? o->devices : sc->devices,
		(unsigned long long)s.had_it, (double)s.took / (double)MINUTE(60),
		(unsigned long long)s.updates, (unsigned long long)s.waves,
		(unsigned long long)s.looks, (unsigned long long)s.false_back,
		(unsigned long long)s.violations, (unsigned long long)s.trace,
		s.differs || s.violations ? s.said : "as expected");
	fflush(stdout);
	all->updates += s.updates;
	all->waves += s.waves;
	all->looks += s.looks;
	all->violations += s.violations;
	all->differs += s.differs;
	all->events += s.events;
	all->trace = hash64(all->trace, &s.trace, sizeof s.trace);
	return !s.differs && !s.violations;
}

static void usage(void)
{
	fprintf(stderr, "scenarios [-n DEVICES] [-r RUNS] [-s SEED] [-m MISTAKE] FILE...\n");
	exit(2);
}

static struct options read_options(int argc, char **argv)
{
	struct options o = {.runs = 1, .seed = 1};
	int c;

	while ((c = getopt(argc, argv, "n:r:s:m:")) != -1) {
		uint64_t v = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (c == 'n')
			o.devices = (uint32_t)v;
		else if (c == 'r')
			o.runs = (uint32_t)v;
		else if (c == 's')
			o.seed = v;
		else if (c == 'm')
			o.mistake = (enum course_mistake)v;
		else
			usage();
	}
	if (optind == argc || !o.runs || o.mistake >= COURSE_MISTAKE_MAX)
		usage();
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct sum all = {0};
	unsigned n = 0;
	bool ok = true;

	printf("%-22s %-8s %8s %9s %8s %10s %9s %9s %6s %4s %-16s\n", "SCENARIO", "END", "DEVICES",
		"HAD IT", "HOURS", "UPD STEPS", "WAVE ST.", "LOOKS", "FALSE", "LAWS", "TRACE");
	for (int i = optind; i < argc; i++, n++)
		ok &= simulate(&o, argv[i], &all);
	printf("== scenarios: %u, %u runs each: %llu events, %llu steps of update machines, %llu of wave engines, %llu looks, "
	       "%llu broken laws, %llu other ends, trace %016llx\n",
		n, o.runs, (unsigned long long)all.events, (unsigned long long)all.updates,
		(unsigned long long)all.waves, (unsigned long long)all.looks,
		(unsigned long long)all.violations, (unsigned long long)all.differs,
		(unsigned long long)all.trace);
	return ok ? 0 : 1;
}
