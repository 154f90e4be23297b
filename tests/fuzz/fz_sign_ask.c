/* What crosses the socket of the process that signs, in both directions: what is taken is written
 * as something that is taken again, and is the same. */
#include <stdlib.h>
#include <string.h>

#include "server/signd/core/ask.h"
#include "server/signd/core/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const struct err *e)
{
	if (e->code == ERR_OK || e->code >= ERR_CODE_MAX)
		abort();
}

static void check_ask(struct str text)
{
	CLEANUP(mem_free) struct ask *a = mem_new(sizeof *a);
	CLEANUP(mem_free) struct ask *b = mem_new(sizeof *b);
	BUF_AUTO once = {0}, twice = {0};
	struct err e = {0};

	if (ask_parse(text, a, &e) < 0) {
		check_error(&e);
		return;
	}
	ask_format(a, &once);
	if (ask_parse(buf_str(&once), b, &e) < 0)
		abort();
	ask_format(b, &twice);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	ask_fini(a);
	ask_fini(b);
}

static void check_reply(struct str text)
{
	CLEANUP(mem_free) struct reply *r = mem_new(sizeof *r);
	CLEANUP(mem_free) struct reply *s = mem_new(sizeof *s);
	BUF_AUTO once = {0}, twice = {0};
	struct err e = {0};

	if (reply_parse(text, r, &e) < 0) {
		check_error(&e);
		return;
	}
	reply_format(r, &once);
	if (reply_parse(buf_str(&once), s, &e) < 0)
		abort();
	reply_format(s, &twice);
	if (!str_eq(buf_str(&once), buf_str(&twice)))
		abort();
	reply_fini(r);
	reply_fini(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};

	check_ask(text);
	check_reply(text);
	return 0;
}
