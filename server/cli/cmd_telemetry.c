/* backstay telemetry ...: what devices measure, as figures beside each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/cli/cli.h"
#include "server/cli/table.h"

#define HOUR_MS 3600000.0

/* One number of one part of a release's telemetry. */
struct figure {
	const char *part, *layer; /* borrowed from the answer */
	char name[96];
	double value;
};

struct figures {
	unsigned n;
	struct figure *v; /* owned */
};

static void figures_fini(struct figures *f)
{
	free(f->v);
	*f = (struct figures){0};
}

static void PRINTF(4, 5)
	put(struct figures *f, const json_t *part, double value, const char *fmt, ...)
{
	struct figure *one;
	va_list ap;

	f->v = mem_resize(f->v, (f->n + 1) * sizeof *f->v);
	one = &f->v[f->n++];
	*one = (struct figure){
		.part = cli_text(part, "key"), .layer = cli_text(part, "layer"), .value = value};
	va_start(ap, fmt);
	vsnprintf(one->name, sizeof one->name, fmt, ap);
	va_end(ap);
}

/* ---- from an answer ---- */

static void take_hist(struct figures *f, const json_t *part, const char *name, const json_t *h)
{
	static const char *const shown[] = {"p50", "p95", "p99"};

	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		char key[16];

		snprintf(key, sizeof key, "%s_micro", shown[i]);
		if (json_object_get(h, key))
			put(f, part, (double)cli_int(h, key) / 1e6, "%s %s", name, shown[i]);
	}
	put(f, part, (double)cli_int(h, "samples"), "%s samples", name);
}

static void take_part(struct figures *f, const json_t *part)
{
	double hours = (double)cli_int(part, "watched_ms") / HOUR_MS;
	const char *name;
	json_t *v;

	put(f, part, hours, "device hours");
	json_object_foreach (json_object_get(part, "counters"), name, v) {
		put(f, part, hours > 0 ? (double)json_integer_value(v) / hours : 0,
			"%s a device hour", name);
	}
	json_object_foreach (json_object_get(part, "gauges"), name, v) {
		put(f, part, (double)cli_int(v, "mean_milli") / 1000, "%s mean", name);
		put(f, part, (double)cli_int(v, "most_milli") / 1000, "%s most", name);
	}
	json_object_foreach (json_object_get(part, "hists"), name, v) {
		take_hist(f, part, name, v);
	}
}

static void take_answer(struct figures *f, const json_t *answer)
{
	json_t *part;
	size_t i;

	json_array_foreach (json_object_get(answer, "parts"), i, part) {
		take_part(f, part);
	}
}

static const struct figure *find(const struct figures *f, const struct figure *like)
{
	for (unsigned i = 0; i < f->n; i++)
		if (strcmp(f->v[i].part, like->part) == 0 &&
			strcmp(f->v[i].layer, like->layer) == 0 &&
			strcmp(f->v[i].name, like->name) == 0)
			return &f->v[i];
	return NULL;
}

/* ---- as a table ---- */

static void change_cell(struct table *t, const struct figure *is, const struct figure *was)
{
	if (!was || fabs(was->value) < 1e-12)
		table_cell(t, "%s", "");
	else
		table_cell(t, "%+.1f %%", 100 * (is->value - was->value) / fabs(was->value));
}

static void row(struct table *t, const struct figure *is, const struct figures *others)
{
	const struct figure *was = others ? find(others, is) : NULL;

	table_cell(t, "%s", is->part);
	table_cell(t, "%s", is->layer);
	table_cell(t, "%s", is->name);
	table_cell(t, "%.6g", is->value);
	if (!others)
		return;
	if (was)
		table_cell(t, "%.6g", was->value);
	else
		table_cell(t, "%s", "");
	change_cell(t, is, was);
}

static void print_figures(
	const char *release, const struct figures *is, const char *other, const struct figures *was)
{
	char head[3 * ID_TEXT_MAX];
	struct table t;

	if (other)
		snprintf(head, sizeof head, "PART|LAYER|FIGURE|%s|%s|CHANGE", release, other);
	else
		snprintf(head, sizeof head, "PART|LAYER|FIGURE|%s", release);
	table_init(&t, head);
	for (unsigned i = 0; i < is->n; i++)
		row(&t, &is->v[i], other ? was : NULL);
	table_print(&t);
	table_fini(&t);
}

static int ask_release(const struct cli *c, const char *release, json_t **out, struct err *e)
{
	const char *args[] = {release};
	char query[96];
	uint64_t hours;

	TRY(cli_number(c, CLI_OPT_HOURS, 1, 365 * 24, 24, &hours, e));
	snprintf(query, sizeof query, "hours=%llu&by=%.60s", (unsigned long long)hours,
		cli_value(c, CLI_OPT_BY, "all"));
	return cli_ask(c, ROUTE_RELEASE_TELEMETRY, args, query, NULL, out, e);
}

int cmd_TELEMETRY_RELEASE(const struct cli *c, struct err *e)
{
	const char *other = cli_value(c, CLI_OPT_AGAINST, NULL);
	struct figures is CLEANUP(figures_fini) = {0}, was CLEANUP(figures_fini) = {0};
	JSON_AUTO *answer = NULL, *against = NULL;

	TRY(ask_release(c, c->args[0], &answer, e));
	if (other)
		TRY(ask_release(c, other, &against, e));
	if (against)
		json_object_set(answer, "against", against);
	if (cli_json(c, answer))
		return 0;
	take_answer(&is, answer);
	take_answer(&was, against);
	if (is.n)
		print_figures(c->args[0], &is, other, &was);
	else
		printf("No device has sent telemetry of %s in this time.\n", c->args[0]);
	return 0;
}

/* ---- items ---- */

/* What an item says, in one line. */
static void say(const json_t *item, char *out, size_t cap)
{
	const char *kind = cli_text(item, "kind");

	if (strcmp(kind, "watch") == 0)
		snprintf(out, cap, "%s after %lld samples",
			*cli_text(item, "tripped") ? cli_text(item, "tripped") : "well",
			(long long)cli_int(item, "samples"));
	else if (strcmp(kind, "mark") == 0)
		snprintf(out, cap, "%s: %s", cli_text(item, "what"), cli_text(item, "text"));
	else if (strcmp(kind, "drift") == 0)
		snprintf(out, cap, "%s: %.3f, over %.3f in %lld samples", cli_text(item, "metric"),
			(double)cli_int(item, "value_milli") / 1000,
			(double)cli_int(item, "threshold_milli") / 1000,
			(long long)cli_int(item, "samples"));
	else
		snprintf(out, cap, "%s: %zu counters, %zu gauges, %zu histograms",
			cli_text(item, "layer"),
			json_object_size(json_object_get(item, "counters")),
			json_object_size(json_object_get(item, "gauges")),
			json_object_size(json_object_get(item, "hists")));
}

static void print_items(struct table *t, const json_t *items)
{
	char ago[32], text[LIMIT_TEXT * 2];
	json_t *item;
	size_t i;

	json_array_foreach ((json_t *)(uintptr_t)items, i, item) {
		cli_ago(cli_int(item, "at_ms"), ago, sizeof ago);
		say(item, text, sizeof text);
		table_cell(t, "%s", cli_text(item, "device"));
		table_cell(t, "%lld", (long long)cli_int(item, "seq"));
		table_cell(t, "%s", ago);
		table_cell(t, "%s", cli_text(item, "kind"));
		table_cell(t, "%.12s", cli_text(item, "release"));
		table_cell(t, "%s", text);
	}
}

#define ITEMS_HEAD "DEVICE|NUMBER|AGO|KIND|RELEASE|WHAT"

int cmd_TELEMETRY_DEVICE(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char query[32];
	struct table t;

	TRY(cli_last(c, 20, query, e));
	TRY(cli_ask(c, ROUTE_DEVICE_TELEMETRY, c->args, query, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, ITEMS_HEAD);
	print_items(&t, json_object_get(answer, "events"));
	print_items(&t, json_object_get(answer, "windows"));
	table_print(&t);
	table_fini(&t);
	return 0;
}

int cmd_TELEMETRY_EVENTS(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	char query[32];
	struct table t;

	TRY(cli_last(c, 50, query, e));
	TRY(cli_ask(c, ROUTE_TELEMETRY_EVENTS, NULL, query, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, ITEMS_HEAD);
	print_items(&t, json_object_get(answer, "events"));
	table_print(&t);
	table_fini(&t);
	return 0;
}
