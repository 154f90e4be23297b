#include "tests/lib/expect.h"

#include <string.h>

static void bytes_grow_and_stay(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b);
	assert_int_equal(buf_str(&b).n, 0);
	expect_text(buf_cstr(&b), "");
	for (int i = 0; i < 10000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	assert_int_equal(b.n, 10000);
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	buf_clear(&b);
	assert_int_equal(b.n, 0);
	assert_true(b.cap >= 10000);
	buf_fini(&b);
	buf_fini(&b);
	assert_null(b.p);
}

static void adding_has_many_forms(void **state)
{
	BUF_AUTO b = {0};
	char longer[300];

	(void)state;
	buf_add(&b, NULL, 0);
	assert_null(b.p);
	buf_add_str(&b, "a");
	buf_addf(&b, "%s=%d", "b", 2);
	buf_add(&b, "\0c", 2);
	assert_int_equal(b.n, 6);
	assert_memory_equal(b.p, "ab=2\0c", 6);
	buf_clear(&b);
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	buf_addf(&b, "[%s]", longer);
	assert_int_equal(b.n, sizeof longer + 1);
	assert_int_equal(b.p[b.n - 1], ']');
	assert_int_equal(strlen(buf_cstr(&b)), b.n);
}

static void room_is_reserved_before_it_is_used(void **state)
{
	BUF_AUTO b = {0};
	uint8_t *at;

	(void)state;
	buf_add_str(&b, "head");
	at = buf_reserve(&b, 1000);
	assert_ptr_equal(at, b.p + 4);
	assert_true(b.cap >= 1004);
	memset(at, 'z', 1000);
	b.n += 1000;
	assert_true(str_has_prefix(buf_str(&b), "headzzz"));
}

static void memory_is_cleared_and_freed(void **state)
{
	char *p CLEANUP(mem_free) = mem_strdup("text");
	uint8_t *z = mem_new(64);

	(void)state;
	expect_text(p, "text");
	for (int i = 0; i < 64; i++)
		assert_int_equal(z[i], 0);
	z = mem_resize(z, 128);
	mem_free(&z);
	assert_null(z);
	mem_free(&z);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_grow_and_stay),
		cmocka_unit_test(adding_has_many_forms),
		cmocka_unit_test(room_is_reserved_before_it_is_used),
		cmocka_unit_test(memory_is_cleared_and_freed),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
