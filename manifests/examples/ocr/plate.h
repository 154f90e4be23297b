/* Number plates, drawn: white ground, dark frame, black letters of a real font, and as much blur,
 * noise and slant as is asked for. Everything follows from the seed, so that a plate can be drawn
 * again instead of being kept. */
#ifndef OCR_PLATE_H
#define OCR_PLATE_H

#include <leptonica/allheaders.h>

#include "lib/buf.h"
#include "lib/prng.h"

#define PLATE_TEXT 16 /* "KA-B5 1234" with its NUL */
#define PLATE_FONT "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"

struct plate_style {
	unsigned height; /* of the image, in pixels */
	double blur;     /* radius of the lens, in pixels; 0: sharp */
	double noise;    /* standard deviation of the sensor's noise, in grey levels of 256 */
	double skew;     /* the plate hangs by up to this many degrees, either way */
};

/* What is good enough for every release to be judged on its letters, and still no scan from an
 * office. */
extern const struct plate_style plate_style_default;

struct plate_pen;

/* Opens a font. ERR_NOT_FOUND when it is not there, ERR_BAD_INPUT when it is none. The caller
 * closes the pen. */
int plate_pen_open(const char *font, struct plate_pen **out, struct err *e) MUST_CHECK;
void plate_pen_close(struct plate_pen **pen);

/* The next plate's text: "KA-B5 1234". Its letters are those whose Latin and Greek capitals look
 * the same, without I and O, which issuing offices leave out because they look like digits. */
void plate_text(struct prng *r, char out[PLATE_TEXT]);

/* Draws `text` (ASCII). The caller destroys *out, 8 bits of grey. */
int plate_draw(struct plate_pen *pen, const struct plate_style *style, const char *text,
	struct prng *r, PIX **out, struct err *e) MUST_CHECK;

/* Appends the image as a PNG or PGM file; `form` is IFF_PNG or IFF_PNM. */
int plate_encode(PIX *pix, int form, struct buf *out, struct err *e) MUST_CHECK;

#endif
