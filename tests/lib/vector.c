#include "tests/lib/vector.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "keys/token_uri.h"
#include "lib/sys/conf.h"
#include "proto/trust/dsse.h"
#include "proto/trust/gate_eval.h"
#include "proto/wire/policy.h"
#include "proto/wire/promtext.h"
#include "proto/wire/release.h"
#include "proto/wire/report.h"
#include "proto/wire/tree.h"
#include "sim/course.h"

static bool same(const struct buf *a, const struct buf *b)
{
	return str_eq(buf_str(a), buf_str(b));
}

/* What is written reads back as the same value. */
static int json_check(struct str text, struct err *e)
{
	BUF_AUTO line = {0}, once = {0}, twice = {0};
	JSON_AUTO *j = NULL, *k = NULL;

	TRY(json_read(text, 1 << 20, &j, e));
	json_canonical(j, &once);
	json_write(j, &line);
	assert(json_read(buf_str(&line), line.n, &k, e) == 0);
	json_canonical(k, &twice);
	assert(same(&once, &twice));
	return 0;
}

/* No path of a release leaves its slot, and no number its bounds. */
static int release_check(struct str text, struct err *e)
{
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);

	TRY(release_parse(text, r, e));
	assert(r->n_components >= 1 && r->n_components <= LIMIT_COMPONENTS);
	for (unsigned i = 0; i < r->n_components; i++)
		assert(path_check(str_of(r->components[i].path), LIMIT_TARGET_NAME - 1, e) == 0);
	for (unsigned i = 0; i < r->n_smoke; i++)
		assert(r->smoke[i].argc >= 1 && r->smoke[i].argc <= LIMIT_ARGV);
	for (unsigned i = 0; i < r->n_triggers; i++)
		assert(r->triggers[i].hold_k >= 1 &&
			r->triggers[i].hold_k <= r->triggers[i].hold_m &&
			r->triggers[i].hold_m <= 32);
	assert(release_artifact_bytes(r) <= LIMIT_COMPONENTS * LIMIT_ARTIFACT_BYTES);
	return 0;
}

static int policy_check(struct str text, struct err *e)
{
	BUF_AUTO once = {0}, twice = {0};
	struct policy p, q;

	TRY(policy_parse(text, &p, e));
	policy_encode(&p, &once);
	assert(policy_parse(buf_str(&once), &q, e) == 0);
	policy_encode(&q, &twice);
	assert(same(&once, &twice));
	return 0;
}

static int report_check(struct str text, struct err *e)
{
	struct report a CLEANUP(report_fini) = {0}, b CLEANUP(report_fini) = {0};
	BUF_AUTO once = {0}, twice = {0};

	TRY(report_decode(text, &a, e));
	report_encode(&a, &once);
	assert(report_decode(buf_str(&once), &b, e) == 0);
	report_encode(&b, &twice);
	assert(same(&once, &twice));
	return 0;
}

static void hist_check(const struct hist *h)
{
	struct hist d;
	double median = hist_quantile(h, 0.5);

	assert(h->n >= 1 && h->n <= LIMIT_HIST_BUCKETS);
	for (unsigned i = 1; i < h->n; i++)
		assert(h->le[i - 1] < h->le[i]);
	assert(!(median > h->le[h->n - 1]));
	hist_delta(h, h, &d);
	assert(hist_total(&d) == 0);
}

/* One page asked for a counter and a histogram; it is good if it has one of them and the other does
 * not contradict. */
static int promtext_check(struct str text, struct err *e)
{
	struct hist h;
	double value;
	int a = prom_value(text, "ocr_infer_total", &value, e), b;

	if (a < 0 && e->code != ERR_NOT_FOUND)
		return a;
	b = prom_hist(text, "ocr_infer_seconds", &h, e);
	if (b == 0)
		hist_check(&h);
	return b < 0 && e->code == ERR_NOT_FOUND ? a : b;
}

/* One tree has one text. */
static int tree_check(struct str text, struct err *e)
{
	struct tree t CLEANUP(tree_fini) = {0};
	BUF_AUTO again = {0};

	TRY(tree_decode(text, &t, e));
	tree_encode(&t, &again);
	assert(str_eq(text, buf_str(&again)));
	for (size_t i = 0; i < t.n; i++)
		assert(tree_find(&t, t.v[i].path) == &t.v[i]);
	return 0;
}

struct conf_values {
	char name[24];
	uint64_t tries, limit, port;
	ms_t poll;
	bool tls;
};

#define ROW(section, key, type, min, max, def)                                                     \
	{                                                                                          \
		section, #key, type, offsetof(struct conf_values, key),                            \
			sizeof((struct conf_values *)0)->key, min, max, def,                       \
			"What " #key " is for."                                                    \
	}

static const struct conf_row conf_rows[] = {
	ROW("agent", name, CONF_TEXT, 0, 0, NULL),
	ROW("agent", tries, CONF_UINT, 1, 9, "3"),
	ROW("agent", poll, CONF_SPAN, 1000, 86400000, "5min"),
	ROW("agent", limit, CONF_SIZE, 0, 0, "1G"),
	ROW("server", tls, CONF_BOOL, 0, 0, "no"),
	ROW("server", port, CONF_UINT, 0, 65535, "80"),
};

/* A file that is refused tells why; the values of one that is read survive being written. */
static int conf_check(struct str text, struct err *e)
{
	BUF_AUTO problems = {0}, once = {0}, twice = {0};
	struct conf_values v = {0}, w = {0};
	int rc = conf_parse("f", text, conf_rows, ARRAY_LEN(conf_rows), &v, &problems, e);

	assert((rc < 0) == (problems.n > 0));
	TRY(rc);
	conf_dump(conf_rows, ARRAY_LEN(conf_rows), &v, NULL, &once);
	assert(conf_parse("f", buf_str(&once), conf_rows, ARRAY_LEN(conf_rows), &w, &problems, e) ==
		0);
	conf_dump(conf_rows, ARRAY_LEN(conf_rows), &w, NULL, &twice);
	assert(same(&once, &twice));
	return 0;
}

/* What is taken names a library and a file, and is the same in every reading. */
static int token_uri_check(struct str text, struct err *e)
{
	CLEANUP(token_uri_fini) struct token_uri a = {0}, b = {0};

	TRY(token_uri_parse(text, &a, e));
	assert(a.module[0] == '/' && a.pin[0]);
	assert(token_uri_parse(text, &b, e) == 0);
	assert(strcmp(a.module, b.module) == 0 && strcmp(a.pin, b.pin) == 0);
	return 0;
}

/* What was read can be judged by, and judging nothing ends in missing statements. */
static int gate_check(struct str text, struct err *e)
{
	CLEANUP(mem_free) struct gate_table *t = mem_new(sizeof *t);
	CLEANUP(mem_free) struct gate *g = mem_new(sizeof *g);
	BUF_AUTO missing = {0};

	TRY(gate_parse(text, g, e));
	gate_eval(g, NULL, 0, 0, t);
	gate_missing(t, &missing);
	assert(!t->met && t->n == g->n && missing.n > 0);
	return 0;
}

static int statement_check(struct str text, struct err *e)
{
	STATEMENT_AUTO s = {.n_subjects = 0};
	char seen[LIMIT_TEXT];

	TRY(statement_parse(text, &s, e));
	assert(statement_is_about(&s, &s.subjects[s.n_subjects - 1]));
	(void)statement_says_yes(&s, seen, sizeof seen);
	(void)statement_field(&s, "metrics.p99_ms");
	return 0;
}

/* Nothing that a stranger wrote verifies by no key. */
static int dsse_check(struct str text, struct err *e)
{
	DSSE_AUTO d = {.n = 0};

	TRY(dsse_parse(text, LIMIT_ENVELOPE_BYTES, &d, e));
	assert(d.n > 0 && dsse_verify(&d, NULL, 0, 1, NULL) == -ERR_UNSIGNED);
	return 0;
}

/* What is taken can be simulated: a few devices, for a day at most. That laws hold is asked of the
 * scenarios that somebody means (make check-sim): one may also say that nobody can be reached, and
 * then an update does not end. */
static int scenario_check(struct str text, struct err *e)
{
	struct scenario *s CLEANUP(mem_free) = mem_new(sizeof *s);
	struct policy one = {.n_waves = 1, .silence = MINUTE(60), .waves = {{.name = "all"}}};
	struct course_conf c = {.scenario = s, .policy = &one, .devices = 3, .seed = 1};
	struct course_result r;

	TRY(scenario_parse(text, s, e));
	s->horizon = MIN(s->horizon, MINUTE(24 * 60));
	s->look = MAX(s->look, SEC(30));
	s->poll = MAX(s->poll, SEC(30));
	assert(course_run(&c, &r, e) == 0);
	assert(r.had_it <= c.devices);
	return 0;
}

static const struct {
	const char *kind;
	int (*check)(struct str text, struct err *e);
} kinds[] = {
	{"json", json_check},
	{"release", release_check},
	{"policy", policy_check},
	{"report", report_check},
	{"promtext", promtext_check},
	{"tree", tree_check},
	{"conf", conf_check},
	{"gate", gate_check},
	{"statement", statement_check},
	{"dsse", dsse_check},
	{"tokenuri", token_uri_check},
	{"scenario", scenario_check},
};

int vector_check(const char *kind, struct str text, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			return kinds[i].check(text, e);
	return err_set(e, ERR_USAGE, "no vectors of kind %s are known", kind);
}
