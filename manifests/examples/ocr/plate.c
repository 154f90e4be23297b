#include "manifests/examples/ocr/plate.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include <ft2build.h>
#include FT_FREETYPE_H

#define MARGIN_PART 8  /* the page around the plate: height / MARGIN_PART */
#define FRAME_PART  24 /* the dark frame's width: height / FRAME_PART */

static const char letters[] = "ABEHKMNPTXYZ";

const struct plate_style plate_style_default = {.height = 56, .blur = 0.6, .noise = 6, .skew = 0.7};

struct plate_pen {
	FT_Library lib;
	FT_Face face;
};

int plate_pen_open(const char *font, struct plate_pen **out, struct err *e)
{
	struct plate_pen *pen = mem_new(sizeof(*pen));
	int rc = 0;

	if (FT_Init_FreeType(&pen->lib) != 0) {
		pen->lib = NULL;
		rc = err_set(e, ERR_IO, "FreeType does not start");
	} else {
		FT_Error ft = FT_New_Face(pen->lib, font, 0, &pen->face);

		if (ft == FT_Err_Cannot_Open_Resource)
			rc = err_set(e, ERR_NOT_FOUND, "no font %s", font);
		else if (ft != 0)
			rc = err_set(e, ERR_BAD_INPUT, "%s is no font", font);
	}
	if (rc < 0) {
		plate_pen_close(&pen);
		return rc;
	}
	*out = pen;
	return 0;
}

void plate_pen_close(struct plate_pen **pen)
{
	if (!*pen)
		return;
	if ((*pen)->face)
		FT_Done_Face((*pen)->face);
	if ((*pen)->lib)
		FT_Done_FreeType((*pen)->lib);
	mem_free(pen);
}

static char letter(struct prng *r)
{
	return letters[prng_below(r, sizeof(letters) - 1)];
}

void plate_text(struct prng *r, char out[PLATE_TEXT])
{
	char a = letter(r), b = letter(r), c = letter(r);
	unsigned digit = (unsigned)prng_below(r, 9) + 1;
	unsigned number = (unsigned)prng_below(r, 9000) + 1000;

	snprintf(out, PLATE_TEXT, "%c%c-%c%u %u", a, b, c, digit, number);
}

/* ---- ink -------------------------------------------------------------------- */

/* FreeType's coverage (0 to 255) darkens the paper beneath it. */
static void ink_glyph(PIX *pix, const FT_Bitmap *glyph, int left, int top)
{
	for (int y = 0; y < (int)glyph->rows; y++)
		for (int x = 0; x < (int)glyph->width; x++) {
			unsigned cover = glyph->buffer[y * glyph->pitch + x];
			l_uint32 paper;

			if (pixGetPixel(pix, left + x, top + y, &paper) == 0)
				pixSetPixel(pix, left + x, top + y, paper * (255 - cover) / 255);
		}
}

static int ink_load(FT_Face face, char c, struct err *e)
{
	if (FT_Load_Char(face, (FT_ULong)(unsigned char)c, FT_LOAD_RENDER) != 0)
		return err_set(e, ERR_BAD_INPUT, "the font cannot draw '%c'", c);
	return 0;
}

/* Inter-letter space is what makes a plate a plate; it is a part of the letters' height. */
static int ink_gap(unsigned letter_height)
{
	return (int)letter_height / 10;
}

static int ink_width(FT_Face face, const char *text, int gap, int *out, struct err *e)
{
	int width = 0;

	for (; *text; text++) {
		TRY(ink_load(face, *text, e));
		width += (int)(face->glyph->advance.x >> 6) + gap;
	}
	*out = width - gap;
	return 0;
}

static int ink_text(
	PIX *pix, FT_Face face, const char *text, int gap, int x, int base, struct err *e)
{
	for (; *text; text++) {
		TRY(ink_load(face, *text, e));
		ink_glyph(pix, &face->glyph->bitmap, x + face->glyph->bitmap_left,
			base - face->glyph->bitmap_top);
		x += (int)(face->glyph->advance.x >> 6) + gap;
	}
	return 0;
}

/* ---- what camera and weather add ------------------------------------------------ */

static void take(PIX **pix, PIX *next)
{
	assert(next);
	pixDestroy(pix);
	*pix = next;
}

static double unit(struct prng *r)
{
	return (double)(prng_next(r) >> 11) * 0x1p-53;
}

static void add_noise(PIX *pix, double sigma, struct prng *r)
{
	int w = pixGetWidth(pix), h = pixGetHeight(pix);

	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++) {
			/* The sum of twelve uniforms less six has the normal's first moments. */
			double g = -6;
			l_uint32 v;

			for (int i = 0; i < 12; i++)
				g += unit(r);
			pixGetPixel(pix, x, y, &v);
			g = round((double)v + g * sigma);
			pixSetPixel(pix, x, y, (l_uint32)fmin(255, fmax(0, g)));
		}
}

static void weather(PIX **pix, const struct plate_style *style, struct prng *r)
{
	double slant = (2 * unit(r) - 1) * style->skew;

	if (style->skew > 0)
		take(pix, pixRotateAMGray(*pix, (l_float32)(slant * M_PI / 180), 255));
	if (style->blur > 0) {
		int half = (int)ceil(2 * style->blur);
		L_KERNEL *lens = makeGaussianKernel(half, half, (l_float32)style->blur, 1);

		take(pix, pixConvolve(*pix, lens, 8, 1));
		kernelDestroy(&lens);
	}
	if (style->noise > 0)
		add_noise(*pix, style->noise, r);
}

/* ---- the whole ----------------------------------------------------------------- */

static PIX *ground(int width, int height, int margin, int frame)
{
	PIX *pix = pixCreate(width, height, 8);
	BOX *plate = boxCreate(margin, margin, width - 2 * margin, height - 2 * margin);

	assert(pix && plate);
	pixSetAllArbitrary(pix, 235);
	pixSetBorderVal(pix, margin, margin, margin, margin, 170);
	if (frame > 0) {
		BOX *line =
			boxAdjustSides(NULL, plate, frame / 2, -frame / 2, frame / 2, -frame / 2);

		pixRenderBoxArb(pix, line, frame, 40, 40, 40);
		boxDestroy(&line);
	}
	boxDestroy(&plate);
	return pix;
}

int plate_draw(struct plate_pen *pen, const struct plate_style *style, const char *text,
	struct prng *r, PIX **out, struct err *e)
{
	int height = (int)style->height, margin = height / MARGIN_PART, frame = height / FRAME_PART;
	unsigned em = style->height * 6 / 10;
	int gap = ink_gap(em), width, cap;
	PIX *pix;

	if (FT_Set_Pixel_Sizes(pen->face, 0, em) != 0)
		return err_set(e, ERR_BAD_INPUT, "the font has no letters %u pixels high", em);
	TRY(ink_width(pen->face, text, gap, &width, e));
	TRY(ink_load(pen->face, 'H', e));
	cap = pen->face->glyph->bitmap_top;
	width += 2 * margin + 2 * frame + (int)em;
	pix = ground(width, height, margin, frame);
	if (ink_text(pix, pen->face, text, gap, margin + frame + (int)em / 2, (height + cap) / 2,
		    e) < 0) {
		pixDestroy(&pix);
		return -e->code;
	}
	weather(&pix, style, r);
	*out = pix;
	return 0;
}

int plate_encode(PIX *pix, int form, struct buf *out, struct err *e)
{
	l_uint8 *bytes = NULL;
	size_t n = 0;

	if (pixWriteMem(&bytes, &n, pix, form) != 0)
		return err_set(e, ERR_IO, "the image cannot be encoded");
	buf_add(out, bytes, n);
	lept_free(bytes);
	return 0;
}
