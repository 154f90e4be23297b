/* The release that is watched: one of each kind, as an author would write it who takes the
 * defaults. */
#include <assert.h>

#include "tests/sim/matrix_priv.h"

#define EDGES "[-1281600, -841600, -524400, -253300, 0, 253300, 524400, 841600, 1281600]"
/* With few requests a window is only as good as it is long. */
#define LONG ", \"window_ms\": 1800000, \"hold\": [2, 3]"

static const char *const texts[] = {
	"{\"type\": \"crash_loop\"}",
	"{\"type\": \"health_failed\"}",
	"{\"type\": \"thermal\", \"of\": \"throttled\"}",
	"{\"type\": \"thermal\", \"of\": \"temperature\", \"threshold_milli\": 95000}",
	"{\"type\": \"resource\", \"of\": \"memory\", \"comparator\": \"baseline\"}",
	"{\"type\": \"resource\", \"of\": \"cpu\"}",
	"{\"type\": \"connectivity\"}",
	"{\"type\": \"latency\", \"metric\": \"l\", \"comparator\": \"baseline\", \"excused\": \"x\"%s}",
	"{\"type\": \"error_rate\", \"metric\": \"e\", \"total\": \"n\", \"excused\": \"x\"%s}",
	"{\"type\": \"error_rate\", \"metric\": \"e\", \"total\": \"n\", \"excused\": \"x\", "
	"\"comparator\": \"baseline\"%s}",
	"{\"type\": \"quality\", \"of\": \"rate\", \"metric\": \"r\", \"total\": \"n\"%s}",
	"{\"type\": \"drift\", \"metric\": \"s\", \"edges_micro\": " EDGES "%s}",
};

static void parse(const char *text, struct trig_rule *out)
{
	JSON_AUTO *j = json_loads(text, 0, NULL);
	struct err e;
	int rc = trig_rule_parse(j, "matrix", out, &e);

	assert(rc == 0);
	(void)rc;
}

static void take_away(const struct safeguards *with, struct trig_rule *r)
{
	if (!with->chance)
		r->sigma = 0;
	if (!with->busy)
		r->busy = 0;
	if (!with->grace)
		r->grace = 0;
	if (!with->hold)
		r->hold_k = r->hold_m = 1;
	if (!with->samples)
		r->min_samples = MIN(r->min_samples, 1);
}

void rules_make(const struct episode *e, ms_t start_timeout, unsigned *out_n,
	struct trig_rule out[LIMIT_TRIGGERS])
{
	static_assert(ARRAY_LEN(texts) <= LIMIT_TRIGGERS, "as many as a release may have");
	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		BUF_AUTO text = {0};

		for (const char *p = texts[i]; *p; p++) {
			if (p[0] == '%' && p[1] == 's') {
				buf_add_str(&text, e->trouble == TROUBLE_FEW ? LONG : "");
				p++;
			} else {
				buf_add_char(&text, *p);
			}
		}
		parse(buf_cstr(&text), &out[i]);
		out[i].grace = start_timeout;
		take_away(&e->with, &out[i]);
	}
	*out_n = ARRAY_LEN(texts);
}
