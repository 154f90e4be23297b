#include "manifests/examples/ocr/image.h"

#include <errno.h>
#include <stdio.h>

static int check_header(const uint8_t *p, size_t n, struct err *e)
{
	l_int32 form = IFF_UNKNOWN, w = 0, h = 0, bits, samples, map;

	if (n < 12 || findFileFormatBuffer(p, &form) != 0 || (form != IFF_PNG && form != IFF_PNM))
		return err_set(e, ERR_BAD_INPUT, "neither a PNG nor a PNM image");
	if (pixReadHeaderMem(p, n, &form, &w, &h, &bits, &samples, &map) != 0)
		return err_set(e, ERR_BAD_INPUT, "the image's header is malformed");
	if (w < IMAGE_SIDE_MIN || h < IMAGE_SIDE_MIN)
		return err_set(e, ERR_BAD_INPUT, "%d x %d pixels are too few to read", w, h);
	if (w > IMAGE_SIDE_MAX || h > IMAGE_SIDE_MAX || (int64_t)w * h > IMAGE_AREA_MAX)
		return err_set(e, ERR_TOO_LARGE, "%d x %d pixels are too many", w, h);
	return 0;
}

int image_decode(const uint8_t *p, size_t n, PIX **out, struct err *e)
{
	PIX *pix;

	TRY(check_header(p, n, e));
	pix = pixReadMem(p, n);
	if (!pix)
		return err_set(e, ERR_BAD_INPUT, "the image is damaged");
	*out = pix;
	return 0;
}

int image_load(const char *path, struct buf *out, struct err *e)
{
	FILE *f = fopen(path, "re");
	size_t n;
	bool bad;

	if (!f)
		return err_sys(e, errno, "%s", path);
	n = fread(buf_reserve(out, IMAGE_BYTES_MAX + 1), 1, IMAGE_BYTES_MAX + 1, f);
	bad = ferror(f);
	fclose(f);
	if (bad)
		return err_set(e, ERR_IO, "%s cannot be read", path);
	if (n > IMAGE_BYTES_MAX)
		return err_set(e, ERR_TOO_LARGE, "%s is larger than an image may be", path);
	out->n += n;
	return 0;
}
