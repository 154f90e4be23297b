#include <stdlib.h>
#include <string.h>

#include "proto/wire/shadow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A champion's packet holds its input to the last byte; a challenger's answer is text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	char out[LIMIT_SHADOW_ANSWER];
	struct shadow_note n;
	struct err e;

	if (shadow_note_parse(text, &n, &e) == 0 &&
		(n.input.n == 0 || n.input.p + n.input.n != text.p + text.n))
		abort();
	if (shadow_answer_of(text, "text", out, &e) == 0 && strnlen(out, sizeof out) == sizeof out)
		abort();
	if (shadow_answer_of(text, "", out, &e) == 0 && strnlen(out, sizeof out) > text.n)
		abort();
	return 0;
}
