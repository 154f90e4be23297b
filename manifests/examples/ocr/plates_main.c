/* ocr-plates: draws number plates and writes down what stands on them. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "manifests/examples/ocr/plate.h"

struct order {
	const char *out, *font;
	uint64_t seed, count;
	int form;
	struct plate_style style;
};

enum { OPT_HEIGHT = 0x100, OPT_BLUR, OPT_NOISE, OPT_SKEW };

static const struct argp_option options[] = {
	{"out", 'o', "DIR", 0, "Folder to fill; made if missing (default: .)", 0},
	{"count", 'n', "N", 0, "How many plates (default: 12)", 0},
	{"seed", 's', "N", 0, "The same seed draws the same plates (default: 1)", 0},
	{"format", 'f', "png|pgm", 0, "What to write (default: png)", 0},
	{"font", 'F', "FILE", 0, "TrueType font (default: " PLATE_FONT ")", 0},
	{"height", OPT_HEIGHT, "PIXELS", 0, "Height of an image", 1},
	{"blur", OPT_BLUR, "PIXELS", 0, "Radius of the lens's blur", 1},
	{"noise", OPT_NOISE, "LEVELS", 0, "Standard deviation of noise, of 256 levels", 1},
	{"skew", OPT_SKEW, "DEGREES", 0, "Slant, at most, either way", 1},
	{0},
};

static double number(const char *arg, double min, double max, struct argp_state *state)
{
	char *end;
	double v = strtod(arg, &end);

	if (end == arg || *end || !(v >= min && v <= max))
		argp_error(state, "'%s' is no number from %g to %g", arg, min, max);
	return v;
}

static int form_of(const char *arg, struct argp_state *state)
{
	if (str_is(str_of(arg), "pgm"))
		return IFF_PNM;
	if (!str_is(str_of(arg), "png"))
		argp_error(state, "'%s' is neither png nor pgm", arg);
	return IFF_PNG;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
	struct order *o = state->input;

	switch (key) {
	case 'o':
		o->out = arg;
		break;
	case 'n':
		o->count = (uint64_t)number(arg, 1, 100000, state);
		break;
	case 's':
		o->seed = (uint64_t)number(arg, 0, 1e15, state);
		break;
	case 'f':
		o->form = form_of(arg, state);
		break;
	case 'F':
		o->font = arg;
		break;
	case OPT_HEIGHT:
		o->style.height = (unsigned)number(arg, 16, 512, state);
		break;
	case OPT_BLUR:
		o->style.blur = number(arg, 0, 10, state);
		break;
	case OPT_NOISE:
		o->style.noise = number(arg, 0, 128, state);
		break;
	case OPT_SKEW:
		o->style.skew = number(arg, 0, 20, state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int write_file(const char *path, const struct buf *bytes, struct err *e)
{
	FILE *f = fopen(path, "we");
	bool ok;

	if (!f)
		return err_sys(e, errno, "%s", path);
	ok = fwrite(bytes->p, 1, bytes->n, f) == bytes->n;
	if (fclose(f) != 0 || !ok)
		return err_sys(e, errno, "%s", path);
	return 0;
}

static int draw_one(
	const struct order *o, struct plate_pen *pen, uint64_t i, struct buf *truth, struct err *e)
{
	/* Each plate has a stream of its own: the first five of a hundred are the five of a five.
	 */
	struct prng r = {.s = hash64(o->seed, &i, sizeof(i))};
	const char *ending = o->form == IFF_PNG ? "png" : "pgm";
	char text[PLATE_TEXT], path[4096];
	BUF_AUTO image = {0};
	PIX *pix;
	int rc;

	plate_text(&r, text);
	TRY(plate_draw(pen, &o->style, text, &r, &pix, e));
	rc = plate_encode(pix, o->form, &image, e);
	pixDestroy(&pix);
	TRY(rc);
	buf_addf(truth, "plate-%04u.%s\t%s\n", (unsigned)i, ending, text);
	snprintf(path, sizeof(path), "%s/plate-%04u.%s", o->out, (unsigned)i, ending);
	return write_file(path, &image, e);
}

static int draw_all(const struct order *o, struct plate_pen *pen, struct err *e)
{
	BUF_AUTO truth = {0};
	char path[4096];

	for (uint64_t i = 0; i < o->count; i++)
		TRY(draw_one(o, pen, i, &truth, e));
	snprintf(path, sizeof(path), "%s/truth.tsv", o->out);
	return write_file(path, &truth, e);
}

static int run(const struct order *o, struct err *e)
{
	struct plate_pen *pen = NULL;
	int rc;

	if (mkdir(o->out, 0755) != 0 && errno != EEXIST)
		return err_sys(e, errno, "%s", o->out);
	TRY(plate_pen_open(o->font, &pen, e));
	rc = draw_all(o, pen, e);
	plate_pen_close(&pen);
	return rc;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {options, option, NULL,
		"Draws number plates into a folder, with their texts in truth.tsv (NAME<TAB>TEXT).",
		NULL, NULL, NULL};
	struct order o = {.out = ".",
		.font = PLATE_FONT,
		.seed = 1,
		.count = 12,
		.form = IFF_PNG,
		.style = plate_style_default};
	struct err e;

	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return err_exit(ERR_USAGE);
	if (run(&o, &e) < 0) {
		fprintf(stderr, "ocr-plates: %s\n", e.text);
		return err_exit(e.code);
	}
	return 0;
}
