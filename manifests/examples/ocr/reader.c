#include "manifests/examples/ocr/reader.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tesseract/capi.h>

#include "lib/buf.h"
#include "manifests/examples/ocr/setup.h"

#define DPI         200 /* stated, because Tesseract guesses otherwise, and says so each time */
#define PAPER       235
#define SHARP_HALF  3
#define SHARP_PART  0.5F
#define CHECK_TEXT  "2024"
#define CHECK_FONT  20 /* points, the largest that Leptonica carries with it */
#define CHECK_SPACE 48
#define SMALLEST    16 /* no side of an image gets smaller than this by trimming */

struct reader {
	struct setup setup;
	struct reader_facts facts;
	unsigned n;
	TessBaseAPI *api[SETUP_LANGUAGES];
	PIX *check;
};

void reader_limit_threads(char **argv)
{
	char self[PATH_MAX];
	ssize_t n;

	if (getenv("OMP_THREAD_LIMIT"))
		return;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return;
	self[n] = '\0';
	setenv("OMP_THREAD_LIMIT", "1", 1);
	execv(self, argv);
}

/* ---- opening -------------------------------------------------------------------- */

/* Digits stand in every alphabet, so that a wrong model passes: whether it is the right one is for
 * the golden set to say. */
static PIX *draw_check(void)
{
	PIX *paper = pixCreate(240, 120, 8);
	L_BMF *font = bmfCreate(NULL, CHECK_FONT);
	l_int32 width, fits;

	pixSetAllArbitrary(paper, PAPER);
	pixSetTextline(paper, font, CHECK_TEXT, 0, CHECK_SPACE, 75, &width, &fits);
	bmfDestroy(&font);
	return paper;
}

/* A blank is always allowed: without it, Tesseract drops every plate that has one. */
static int allow_letters(TessBaseAPI *api, const char *letters, struct err *e)
{
	BUF_AUTO list = {0};

	if (!letters[0])
		return 0;
	buf_addf(&list, "%s ", letters);
	if (!TessBaseAPISetVariable(api, "tessedit_char_whitelist", buf_cstr(&list)))
		return err_set(e, ERR_CONFIG, "the model's letters are refused");
	return 0;
}

static int open_language(
	struct reader *r, const char *slot_dir, const char *language, struct err *e)
{
	TessBaseAPI *api = TessBaseAPICreate();
	char data[PATH_MAX];

	r->api[r->n++] = api;
	if (snprintf(data, sizeof(data), "%s/models/tessdata", slot_dir) >= (int)sizeof(data))
		return err_set(e, ERR_TOO_LARGE, "the slot's path is too long");
	if (TessBaseAPIInit2(api, data, language, OEM_LSTM_ONLY) != 0)
		return err_set(e, ERR_BAD_INPUT, "%s/%s.traineddata does not load", data, language);
	TessBaseAPISetPageSegMode(api, (TessPageSegMode)r->setup.serve.page_mode);
	return allow_letters(api, r->setup.model.letters, e);
}

static int fill(struct reader *r, const char *slot_dir, struct err *e)
{
	const char *name = strrchr(slot_dir, '/');

	TRY(setup_load(slot_dir, &r->setup, e));
	TRY(id_parse(str_of(name ? name + 1 : slot_dir), "slot", r->facts.slot, e));
	memcpy(r->facts.model, r->setup.model.name, sizeof(r->facts.model));
	memcpy(r->facts.release, r->setup.serve.release, sizeof(r->facts.release));
	for (unsigned i = 0; i < r->setup.n_languages; i++)
		TRY(open_language(r, slot_dir, r->setup.language[i], e));
	r->check = draw_check();
	return reader_check(r, e);
}

int reader_open(const char *slot_dir, struct reader **out, struct err *e)
{
	struct reader *r = mem_new(sizeof(*r));
	int rc = fill(r, slot_dir, e);

	if (rc < 0)
		reader_close(&r);
	else
		*out = r;
	return rc;
}

void reader_close(struct reader **reader)
{
	struct reader *r = *reader;

	if (!r)
		return;
	for (unsigned i = 0; i < r->n; i++) {
		TessBaseAPIEnd(r->api[i]);
		TessBaseAPIDelete(r->api[i]);
	}
	pixDestroy(&r->check);
	mem_free(reader);
}

const struct reader_facts *reader_facts(const struct reader *reader)
{
	return &reader->facts;
}

/* ---- reading -------------------------------------------------------------------- */

/* No plate begins or ends with a hyphen or a blank; what a frame leaves at the edges often looks
 * like one. */
static void tidy(const char *raw, char out[READER_TEXT])
{
	static const char edge[] = " -\t\r\n";
	size_t n;

	raw += strspn(raw, edge);
	n = MIN(strcspn(raw, "\n"), READER_TEXT - 1);
	while (n > 0 && strchr(edge, raw[n - 1]))
		n--;
	memcpy(out, raw, n);
	out[n] = '\0';
}

static int ask(TessBaseAPI *api, PIX *pix, struct reader_answer *out, struct err *e)
{
	char *raw;
	int sure;

	TessBaseAPISetImage2(api, pix);
	TessBaseAPISetSourceResolution(api, DPI);
	raw = TessBaseAPIGetUTF8Text(api);
	if (!raw)
		return err_set(e, ERR_IO, "the model gave no answer");
	tidy(raw, out->text);
	sure = out->text[0] ? TessBaseAPIMeanTextConf(api) : 0;
	out->confidence = (unsigned)MAX(0, MIN(sure, 100));
	TessDeleteText(raw);
	TessBaseAPIClear(api);
	return 0;
}

static void take(PIX **pix, PIX *next)
{
	if (!next)
		return;
	pixDestroy(pix);
	*pix = next;
}

/* The image as the model gets it: grey, without its edge, on blank paper. The caller destroys it.
 */
static PIX *prepare(const struct setup_serve *s, PIX *pix)
{
	int side = MIN(pixGetWidth(pix), pixGetHeight(pix));
	int trim = MAX(0, MIN((int)s->trim, (side - SMALLEST) / 2));
	PIX *grey = pixConvertTo8(pix, 0);

	if (grey && trim > 0)
		take(&grey, pixRemoveBorder(grey, trim));
	if (grey && s->quiet > 0)
		take(&grey, pixAddBorder(grey, (int)s->quiet, PAPER));
	return grey;
}

static int look(struct reader *r, PIX *pix, struct reader_answer *best, struct err *e)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct reader_answer a;

		TRY(ask(r->api[i], pix, &a, e));
		if (a.confidence > best->confidence)
			*best = a;
	}
	return 0;
}

int reader_read(struct reader *reader, PIX *pix, struct reader_answer *out, struct err *e)
{
	PIX *seen = prepare(&reader->setup.serve, pix);
	struct reader_answer best = {0};
	int rc = 0;

	if (!seen)
		return err_set(e, ERR_BAD_INPUT, "the image cannot be made grey");
	for (unsigned n = 0; rc == 0 && n < reader->setup.serve.looks; n++) {
		if (n > 0)
			take(&seen, pixUnsharpMaskingGray(seen, SHARP_HALF, SHARP_PART));
		rc = look(reader, seen, &best, e);
	}
	pixDestroy(&seen);
	if (rc == 0)
		*out = best;
	return rc;
}

int reader_check(struct reader *reader, struct err *e)
{
	struct reader_answer a;

	TRY(reader_read(reader, reader->check, &a, e));
	if (!str_is(str_of(a.text), CHECK_TEXT))
		return err_set(e, ERR_START_FAILED,
			"the model reads '%s' where " CHECK_TEXT " stands", a.text);
	return 0;
}
