/* The audit log's chain: what is verified, and every way in which a row can be tampered with. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "proto/trust/auditlog.h"
#include "tests/lib/trepo.h"

#define ROWS  6
#define LINES (1 + ROWS + 2) /* head, rows, a checkpoint behind row 3 and one behind the last */

static struct trepo director;
static struct sign_key audit_key, old_key, other_key;
static struct meta roots[2]; /* the older names old_key, the newer audit_key */
static struct buf line[LINES + 2];
static unsigned n_lines;

/* ---- making an export ---- */

static void root_naming(const struct sign_key *key, struct meta *out)
{
	struct repo_role role = {"audit", 1, 1, &key};
	struct err e;

	trepo_rebuild_root(&director);
	repo_root_add_audit(director.role[TREPO_ROOT].part, &role);
	trepo_sign(&director, TREPO_ROOT);
	meta_init(out);
	expect_ok(meta_parse(
			  trepo_bytes(&director, TREPO_ROOT), ROLE_ROOT, LIMIT_ROOT_BYTES, out, &e),
		&e);
}

static struct audit_row row_of(unsigned n)
{
	struct audit_row r = {.n = n, .at = 1790000000000 + n, .who = "ann", .what = "order"};

	snprintf(r.text, sizeof r.text, "ann said \"go\" for the %uth time, Ω", n);
	if (n % 2)
		snprintf(r.campaign, sizeof r.campaign, "spring");
	if (n % 3 == 0)
		r.policy.b[0] = (uint8_t)n;
	return r;
}

/* Takes over `j`. */
static void add_line(json_t *j)
{
	buf_clear(&line[n_lines]);
	json_write(j, &line[n_lines++]);
	json_decref(j);
}

static void add_row(const struct audit_row *r, struct sha256 *chain)
{
	char hex[SHA256_TEXT];

	auditlog_chain(chain, r, chain);
	sha256_format(chain, hex);
	add_line(json_pack("{s:o, s:s}", "row", audit_row_encode(r), "chain", hex));
}

static void sign_checkpoint(
	const struct sign_key *key, uint64_t n, const struct sha256 *chain, struct buf *out)
{
	struct auditlog_checkpoint c = {.n = n, .chain = *chain, .time_s = TREPO_NOW + (int64_t)n};
	JSON_AUTO *part = repo_checkpoint(&c);
	struct err e;

	expect_ok(sign_meta(part, &key, 1, out, &e), &e);
}

static void add_checkpoint(const struct sign_key *key, uint64_t n, const struct sha256 *chain)
{
	BUF_AUTO file = {0};
	json_t *j;
	struct err e;

	sign_checkpoint(key, n, chain, &file);
	expect_ok(json_read(buf_str(&file), LIMIT_AUDIT_LINE, &j, &e), &e);
	add_line(json_pack("{s:o}", "checkpoint", j));
}

/* `changed` has row `at` say something else, all chain values and no signature made anew. */
static void make(unsigned changed_at, const struct sign_key *last)
{
	struct sha256 chain = {0}, honest = {0};

	n_lines = 0;
	add_line(json_pack("{s:i, s:s}", "format", 1, "kind", "backstay-audit"));
	for (unsigned n = 1; n <= ROWS; n++) {
		struct audit_row r = row_of(n);

		auditlog_chain(&honest, &r, &honest);
		if (n == changed_at)
			snprintf(r.who, sizeof r.who, "bob");
		add_row(&r, &chain);
		if (n == 3)
			add_checkpoint(&old_key, n, &honest);
	}
	add_checkpoint(last, ROWS, &honest);
}

static int setup(void **state)
{
	(void)state;
	trepo_init(&director, TREPO_DIRECTOR, TREPO_NOW);
	if (sign_key_new("director-audit", SIG_ECDSA_P256, &audit_key, NULL) < 0 ||
		sign_key_new("director-audit-old", SIG_ECDSA_P256, &old_key, NULL) < 0 ||
		sign_key_new("other", SIG_ECDSA_P256, &other_key, NULL) < 0)
		return -1;
	root_naming(&old_key, &roots[0]);
	root_naming(&audit_key, &roots[1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(line); i++)
		buf_fini(&line[i]);
	meta_fini(&roots[0]);
	meta_fini(&roots[1]);
	sign_key_fini(&audit_key);
	sign_key_fini(&old_key);
	sign_key_fini(&other_key);
	trepo_fini(&director);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	make(0, &audit_key);
	return 0;
}

static int check(struct auditlog_check *c, struct err *e)
{
	auditlog_check_init(c, roots, 2);
	for (unsigned i = 0; i < n_lines; i++)
		TRY(auditlog_check_line(c, buf_str(&line[i]), e));
	return auditlog_check_end(c, e);
}

static void expect_refused(enum err_code code, const char *text)
{
	struct auditlog_check c;
	struct err e;

	expect_err(check(&c, &e), &e, code, text, text);
}

/* ---- the cases ---- */

static void what_was_written_verifies(void **state)
{
	struct auditlog_check c;
	struct err e;

	(void)state;
	expect_ok(check(&c, &e), &e);
	assert_int_equal(c.rows, ROWS);
	assert_int_equal(c.checkpoints, 2);
	assert_int_equal(c.last.n, ROWS);
}

static void swap(unsigned a, unsigned b)
{
	struct buf t = line[a];

	line[a] = line[b];
	line[b] = t;
}

static void drop(unsigned at)
{
	for (unsigned i = at; i + 1 < n_lines; i++)
		swap(i, i + 1);
	n_lines--;
}

/* Line of row n: the head is before it, and from the fourth row on a checkpoint. */
static unsigned line_of(unsigned n)
{
	return n <= 3 ? n : n + 1;
}

static void a_removed_row_is_named(void **state)
{
	char text[64];

	(void)state;
	for (unsigned n = 1; n < ROWS; n++) {
		make(0, &audit_key);
		drop(line_of(n));
		snprintf(
			text, sizeof text, n == 3 ? "stands behind row 2" : "row %u is missing", n);
		expect_refused(ERR_ALTERED, text);
	}
	make(0, &audit_key);
	drop(line_of(ROWS));
	expect_refused(ERR_ALTERED, "stands behind row 5");
}

static void moved_rows_are_named(void **state)
{
	(void)state;
	swap(line_of(1), line_of(2));
	expect_refused(ERR_ALTERED, "row 1 is missing: row 2 stands in its place");
	make(0, &audit_key);
	swap(line_of(5), line_of(6));
	expect_refused(ERR_ALTERED, "row 5 is missing");
	make(0, &audit_key);
	buf_clear(&line[line_of(2)]);
	buf_add(&line[line_of(2)], line[line_of(1)].p, line[line_of(1)].n);
	expect_refused(ERR_ALTERED, "row 1 stands again");
}

/* Every bit of every line, as far as that takes no time: from the fourth row on, each try would
 * verify a signature. */
static void a_flipped_bit_is_found(void **state)
{
	struct auditlog_check c;
	unsigned flips = 0;
	struct err e;

	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		struct buf *b = &line[line_of(n)];

		for (size_t i = 0; i < b->n; i++)
			for (unsigned bit = 0; bit < 8; bit++, flips++) {
				b->p[i] ^= (uint8_t)(1u << bit);
				if (check(&c, &e) == 0)
					fail_msg("row %u, byte %zu, bit %u", n, i, bit);
				if (c.rows != n - 1 || !strstr(e.text, "row "))
					fail_msg("row %u: '%s'", n, e.text);
				b->p[i] ^= (uint8_t)(1u << bit);
			}
	}
	print_message("== audit log: %u flipped bits, each found at its row\n", flips);
}

static void an_altered_row_is_named(void **state)
{
	char *at;

	(void)state;
	at = memmem(line[line_of(4)].p, line[line_of(4)].n, "ann", 3);
	memcpy(at, "bob", 3);
	expect_refused(ERR_ALTERED, "row 4 was altered");
}

static void a_chain_made_anew_does_not_fit_what_was_signed(void **state)
{
	(void)state;
	make(5, &audit_key);
	expect_refused(ERR_ALTERED, "rows 4 to 6 are not those that were signed");
	make(2, &audit_key);
	expect_refused(ERR_ALTERED, "rows 1 to 3 are not those that were signed");
}

static void an_end_that_was_cut_off_is_found(void **state)
{
	(void)state;
	n_lines--; /* the last checkpoint */
	expect_refused(ERR_ALTERED, "no checkpoint covers rows 4 to 6");
	make(0, &audit_key);
	n_lines = line_of(3) + 1; /* and the one before it */
	expect_refused(ERR_ALTERED, "no checkpoint covers rows 1 to 3");
}

/* A key that was taken out may have been stolen: what it signs last is not believed. */
static void the_last_checkpoint_is_by_the_newest_root(void **state)
{
	(void)state;
	make(0, &old_key);
	expect_refused(ERR_UNSIGNED, "no longer names");
	make(0, &other_key);
	expect_refused(ERR_UNSIGNED, "checkpoint");
}

static void checkpoints_stand_where_they_belong(void **state)
{
	(void)state;
	swap(line_of(3) + 1, line_of(3) + 2); /* that of row 3 behind row 4 */
	expect_refused(ERR_ALTERED, "was signed at row 3, and stands behind row 4");
}

static void malformed_lines_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
		{"", ERR_BAD_INPUT},
		{"[]", ERR_BAD_INPUT},
		{"{}", ERR_BAD_INPUT},
		{"{\"row\":{}}", ERR_BAD_INPUT},
		{"{\"row\":1,\"chain\":\"\"}", ERR_BAD_INPUT},
		{"{\"checkpoint\":{\"signed\":{},\"signatures\":[]}}", ERR_UNSIGNED},
		{"{\"checkpoint\":{\"signed\":1,\"signatures\":[]}}", ERR_BAD_INPUT},
		{"{\"checkpoint\":{},\"more\":1}", ERR_BAD_INPUT},
		{"{\"format\":1,\"kind\":\"backstay-audit\"}", ERR_BAD_INPUT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct auditlog_check c;
		struct err e;

		auditlog_check_init(&c, roots, 2);
		expect_ok(auditlog_check_line(&c, buf_str(&line[0]), &e), &e);
		expect_err(auditlog_check_line(&c, str_of(cases[i].text), &e), &e, cases[i].code,
			NULL, cases[i].text);
		assert_int_equal(c.rows, 0);
	}
}

static void the_head_says_what_it_is(void **state)
{
	static const char *const heads[] = {"{\"format\":2,\"kind\":\"backstay-audit\"}",
		"{\"format\":1,\"kind\":\"other\"}", "{\"format\":1}", "1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct auditlog_check c;
		struct err e;

		auditlog_check_init(&c, roots, 2);
		expect_err(auditlog_check_line(&c, str_of(heads[i]), &e), &e, ERR_BAD_INPUT, NULL,
			heads[i]);
	}
}

static void a_checkpoint_alone_verifies(void **state)
{
	struct auditlog_checkpoint c;
	struct sha256 chain = {{7}};
	BUF_AUTO file = {0};
	struct err e;

	(void)state;
	sign_checkpoint(&audit_key, 9, &chain, &file);
	expect_ok(auditlog_checkpoint_verify(&roots[1], buf_str(&file), &c, &e), &e);
	assert_int_equal(c.n, 9);
	assert_true(sha256_eq(&c.chain, &chain));
	expect_err(auditlog_checkpoint_verify(&roots[0], buf_str(&file), &c, &e), &e, ERR_UNSIGNED,
		NULL, "another root");
}

/* Whatever a writer is given, what it writes can be read again, and says the same. */
static void tidied_rows_can_be_read_again(void **state)
{
	static const char *const texts[] = {"tab\tand\nnewline", "cut \xce", "cut \xe2\x82",
		"cut \xf0\x9f\x9a", "\xff\xff\xff\xff", ""};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct audit_row r = row_of(1), again;
		JSON_AUTO *j = NULL;

		snprintf(r.text, sizeof r.text, "%s", texts[i]);
		audit_row_tidy(&r);
		j = audit_row_encode(&r);
		assert_non_null(j);
		expect_ok(audit_row_parse(j, "row", &again, &e), &e);
		assert_string_equal(again.text, r.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_written_verifies, fresh),
		cmocka_unit_test_setup(a_removed_row_is_named, fresh),
		cmocka_unit_test_setup(moved_rows_are_named, fresh),
		cmocka_unit_test_setup(a_flipped_bit_is_found, fresh),
		cmocka_unit_test_setup(an_altered_row_is_named, fresh),
		cmocka_unit_test_setup(a_chain_made_anew_does_not_fit_what_was_signed, fresh),
		cmocka_unit_test_setup(an_end_that_was_cut_off_is_found, fresh),
		cmocka_unit_test_setup(the_last_checkpoint_is_by_the_newest_root, fresh),
		cmocka_unit_test_setup(checkpoints_stand_where_they_belong, fresh),
		cmocka_unit_test_setup(malformed_lines_are_refused, fresh),
		cmocka_unit_test_setup(the_head_says_what_it_is, fresh),
		cmocka_unit_test(a_checkpoint_alone_verifies),
		cmocka_unit_test(tidied_rows_can_be_read_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
