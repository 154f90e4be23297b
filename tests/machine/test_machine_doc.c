/* The document that is printed from the machine is the one that stands in the tree. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/buf.h"

static void read_all(FILE *f, struct buf *out)
{
	size_t n;

	assert_non_null(f);
	do {
		n = fread(buf_reserve(out, 4096), 1, 4096, f);
		out->n += n;
	} while (n > 0);
}

static void the_document_is_up_to_date(void **state)
{
	const char *bin = getenv("BACKSTAY_BIN"), *src = getenv("BACKSTAY_SRC");
	BUF_AUTO printed = {0};
	BUF_AUTO kept = {0};
	BUF_AUTO path = {0};
	FILE *f;

	(void)state;
	if (!bin || !src)
		skip();
	buf_addf(&path, "%s/print-machine", bin);
	f = popen(buf_cstr(&path), "r");
	read_all(f, &printed);
	assert_int_equal(pclose(f), 0);
	buf_clear(&path);
	buf_addf(&path, "%s/docs/update-machine.md", src);
	f = fopen(buf_cstr(&path), "r");
	read_all(f, &kept);
	fclose(f);
	if (!str_eq(buf_str(&printed), buf_str(&kept)))
		fail_msg("docs/update-machine.md is not what the machine does: make docs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_document_is_up_to_date)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
