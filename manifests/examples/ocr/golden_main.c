/* ocr-golden: the smoke test of a slot. Loads the slot's model as ocr-serve would, reads the plates
 * that the release brings along, and exits with 0 only if enough of them are read right, code point
 * by code point. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/sys/clock.h"
#include "manifests/examples/ocr/image.h"
#include "manifests/examples/ocr/reader.h"
#include "manifests/examples/ocr/truth.h"

struct order {
	const char *slot, *plates;
	uint64_t min_permille;
};

static const struct argp_option options[] = {
	{"slot", 's', "DIR", 0, "The slot to test (default: the working directory)", 0},
	{"plates", 'p', "DIR", 0, "The golden set (default: SLOT/serve/golden)", 0},
	{"min-permille", 'm', "N", 0, "How many of 1000 must be right (default: 950)", 0},
	{0},
};

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct order *o = state->input;
	struct err e;

	switch (key) {
	case 's':
		o->slot = arg;
		return 0;
	case 'p':
		o->plates = arg;
		return 0;
	case 'm':
		if (str_to_u64(str_of(arg), 0, 1000, &o->min_permille, &e) < 0)
			argp_error(state, "min-permille: %s", e.text);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The code point at *p, and *p behind it; 0 at the end. What is no UTF-8 counts byte by byte. */
static unsigned next_point(const char **p)
{
	const unsigned char *s = (const unsigned char *)*p;
	unsigned n = s[0] >= 0xF0 ? 3 : s[0] >= 0xE0 ? 2 : s[0] >= 0xC0 ? 1 : 0;
	unsigned point = n ? s[0] & (0x3FU >> n) : s[0];

	if (s[0] == 0)
		return 0;
	for (unsigned i = 1; i <= n; i++) {
		if ((s[i] & 0xC0) != 0x80) {
			n = 0;
			point = s[0];
			break;
		}
		point = point << 6 | (s[i] & 0x3FU);
	}
	*p += n + 1;
	return point;
}

static void print_difference(const char *want, const char *got)
{
	unsigned a, b, at = 0;

	do {
		a = next_point(&want);
		b = next_point(&got);
		at++;
	} while (a == b && a != 0);
	printf("  differs at letter %u: U+%04X expected, U+%04X read", at, a, b);
}

static int judge(struct reader *r, const struct truth_plate *p, bool *out_right, struct err *e)
{
	struct reader_answer a;
	PIX *pix;
	int rc;

	TRY(image_decode(p->image.p, p->image.n, &pix, e));
	rc = reader_read(r, pix, &a, e);
	pixDestroy(&pix);
	TRY(rc);
	*out_right = str_is(str_of(a.text), p->text);
	printf("%-5s %s  expected '%s'  read '%s'", *out_right ? "ok" : "WRONG", p->name, p->text,
		a.text);
	if (!*out_right)
		print_difference(p->text, a.text);
	printf("\n");
	return 0;
}

static int judge_all(
	const struct order *o, struct reader *r, const struct truth *t, ms_t begun, struct err *e)
{
	ms_t loaded = clock_system.mono(clock_system.self);
	size_t right = 0;

	for (size_t i = 0; i < t->n; i++) {
		bool ok;

		TRY(judge(r, &t->v[i], &ok, e));
		right += ok;
	}
	printf("golden: %s of %s: %zu of %zu right, %llu of 1000 wanted; load %lld ms, reading %lld ms\n",
		reader_facts(r)->model, reader_facts(r)->release, right, t->n,
		(unsigned long long)o->min_permille, (long long)(loaded - begun),
		(long long)(clock_system.mono(clock_system.self) - loaded));
	if (right * 1000 < o->min_permille * t->n)
		return err_set(e, ERR_SMOKE_FAILED, "%zu of %zu plates are read wrong",
			t->n - right, t->n);
	return 0;
}

static int run(const struct order *o, struct err *e)
{
	ms_t begun = clock_system.mono(clock_system.self);
	struct reader *r = NULL;
	struct truth t = {0};
	char plates[PATH_MAX], slot[PATH_MAX];
	int rc;

	if (!realpath(o->slot, slot))
		return err_sys(e, errno, "%s", o->slot);
	if (snprintf(plates, sizeof(plates), "%s%s", o->plates ? o->plates : slot,
		    o->plates ? "" : "/serve/golden") >= (int)sizeof(plates))
		return err_set(e, ERR_TOO_LARGE, "the path is too long");
	TRY(truth_load(plates, &t, e));
	rc = reader_open(slot, &r, e);
	if (rc == 0)
		rc = judge_all(o, r, &t, begun, e);
	reader_close(&r);
	truth_fini(&t);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {options, option, NULL,
		"Tests a slot: reads its golden set with its own model and configuration.", NULL,
		NULL, NULL};
	struct order o = {.slot = ".", .min_permille = 950};
	struct err e;

	reader_limit_threads(argv);
	setMsgSeverity(L_SEVERITY_NONE);
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return err_exit(ERR_USAGE);
	if (run(&o, &e) < 0) {
		fflush(stdout);
		fprintf(stderr, "ocr-golden: %s\n", e.text);
		return err_exit(e.code);
	}
	return 0;
}
