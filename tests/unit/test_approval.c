/* Who may say that he has approved a release: every refusal has its code, and leaves the store as
 * it was. The keys are the ceremony's own, the files signed by the approvers' own code. */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>

#include "keys/keystore.h"
#include "keys/repo.h"
#include "server/repo/approvals.h"
#include "server/run/approval.h"
#include "server/run/publish.h"
#include "tests/lib/fleet.h"

static struct fleet f;
static struct paper one, two; /* two is approved, too, and neither is published */
static struct keystore *keys;

static void take_over(const struct paper *p, struct approval_in *in)
{
	*in = (struct approval_in){.who = "ann"};
	snprintf(in->path, sizeof in->path, "%s", p->path);
	snprintf(in->role, sizeof in->role, "safety");
	digest_of(p->document.p, p->document.n, &in->document);
	in->file = buf_str(&p->roles[1]);
}

static int setup(void **state)
{
	struct err e;

	(void)state;
	fleet_open(&f);
	f.conf.four_eyes = true;
	run_close(&f.run);
	expect_ok(run_open(&f.conf, &f.run, &e), &e);
	paper_sign("toy-1", 1, NULL, f.now / 1000, &one);
	paper_sign("toy-2", 2, NULL, f.now / 1000, &two);
	keys = keystore_new();
	expect_ok(keystore_load(keys, "keys/offline", &e), &e);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keystore_free(&keys);
	paper_fini(&one);
	paper_fini(&two);
	fleet_close(&f);
	return 0;
}

/* ---- what is stored ---- */

static void dump(struct buf *out)
{
	DB_ROWS_AUTO rows = {0};
	struct err e;

	fleet_dump(&f, out);
	expect_ok(db_query(&f.store,
			  "SELECT path || ' ' || role || ' ' || who || ' ' || hex(document)"
			  " FROM approvals ORDER BY path, role, who",
			  DB_NO_ARGS, &rows, &e),
		&e);
	while (db_next(&rows, &e) > 0) {
		struct str row = db_col_str(&rows, 0);

		buf_addf(out, "%.*s\n", (int)row.n, row.p);
	}
}

static void refused(const struct approval_in *in, enum err_code want, const char *piece)
{
	BUF_AUTO before = {0}, after = {0};
	struct err e;

	dump(&before);
	expect_err(approval_record(f.run, in, &e), &e, want, piece, piece);
	dump(&after);
	expect_text(buf_cstr(&after), buf_cstr(&before));
}

static void approved(const struct paper *p, size_t role, const char *who)
{
	struct approval_in in;
	struct err e;

	take_over(p, &in);
	snprintf(in.role, sizeof in.role, "%s", paper_roles[role]);
	in.file = buf_str(&p->roles[role]);
	in.who = who;
	expect_ok(approval_record(f.run, &in, &e), &e);
}

/* ---- one approval ---- */

static void an_approval_is_kept_under_its_name(void **state)
{
	BUF_AUTO all = {0};

	(void)state;
	approved(&one, 1, "ann");
	approved(&one, 1, "ann"); /* said twice is said once */
	approved(&one, 1, "bob");
	dump(&all);
	assert_non_null(strstr(buf_cstr(&all), "toy/toy-1.json safety ann "));
	assert_non_null(strstr(buf_cstr(&all), "toy/toy-1.json safety bob "));
	assert_non_null(strstr(buf_cstr(&all), "ann approved toy/toy-1.json as safety"));
}

static void other_role(struct approval_in *io, struct buf *file)
{
	(void)file;
	snprintf(io->role, sizeof io->role, "lab");
}

static void role_of_another_file(struct approval_in *io, struct buf *file)
{
	(void)file;
	io->file = buf_str(&one.roles[2]);
}

static void other_document(struct approval_in *io, struct buf *file)
{
	(void)file;
	digest_of(two.document.p, two.document.n, &io->document);
}

static void unlisted_path(struct approval_in *io, struct buf *file)
{
	(void)file;
	snprintf(io->path, sizeof io->path, "%s", two.path);
}

static void no_metadata(struct approval_in *io, struct buf *file)
{
	buf_add_str(file, "{");
	io->file = buf_str(file);
}

static void changed_byte(struct approval_in *io, struct buf *file)
{
	char *at;

	buf_add(file, io->file.p, io->file.n);
	at = strstr((char *)buf_cstr(file), "\"edge\"");
	assert_non_null(at);
	at[1] = 'f';
	io->file = buf_str(file);
}

static void expired(struct approval_in *io, struct buf *file)
{
	JSON_AUTO *part = repo_targets((struct repo_head){9, f.now / 1000});
	const struct sign_key *key = keystore_get(keys, "safety-1");
	struct err e;

	assert_non_null(key);
	expect_ok(sign_meta(part, &key, 1, file, &e), &e);
	io->file = buf_str(file);
}

static void nobodys_key(struct approval_in *io, struct buf *file)
{
	JSON_AUTO *part = repo_targets((struct repo_head){9, f.now / 1000 + 86400});
	const struct sign_key *key;
	struct sign_key own;
	struct err e;

	expect_ok(sign_key_new("safety-1", SIG_ECDSA_P256, &own, &e), &e);
	key = &own;
	expect_ok(sign_meta(part, &key, 1, file, &e), &e);
	sign_key_fini(&own);
	io->file = buf_str(file);
}

static void what_does_not_hold_is_refused_and_not_kept(void **state)
{
	static const struct {
		void (*spoil)(struct approval_in *io, struct buf *file);
		enum err_code want;
		const char *piece;
	} cases[] = {
		{other_role, ERR_NOT_FOUND, "lab: none of those who must approve"},
		{role_of_another_file, ERR_UNSIGNED, "safety"},
		{nobodys_key, ERR_UNSIGNED, "safety"},
		{changed_byte, ERR_UNSIGNED, "safety"},
		{other_document, ERR_ALTERED, "signed another document"},
		{unlisted_path, ERR_NOT_FOUND, "toy/toy-2.json"},
		{no_metadata, ERR_BAD_INPUT, ""},
		{expired, ERR_EXPIRED, "safety"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct approval_in in;
		BUF_AUTO file = {0};

		take_over(&one, &in);
		cases[i].spoil(&in, &file);
		refused(&in, cases[i].want, cases[i].piece);
	}
}

static void one_user_is_one_party(void **state)
{
	struct approval_in in;

	(void)state;
	approved(&one, 0, "ann");
	take_over(&one, &in);
	refused(&in, ERR_DENIED, "ann has approved toy/toy-1.json as engineering");
	approved(&two, 1, "ann"); /* another release is another matter */
}

/* ---- before a release is published ---- */

static int publish(const struct paper *p, struct err *e)
{
	struct publish_in in;
	struct sha256 digest;
	bool is_new;

	fleet_publish_in(&f, p, &in); /* by ann */
	return publish_release(f.run, &in, &digest, &is_new, e);
}

static void every_party_has_another_name(void **state)
{
	static const struct {
		const char *who[PAPER_ROLES]; /* engineering, safety, compliance */
		const char *missing;          /* NULL: nobody */
	} cases[] = {
		{{NULL, NULL, NULL}, "as engineering"},
		{{"bob", NULL, "dan"}, "as safety"},
		{{"bob", "cay", NULL}, "as compliance"},
		{{"bob", "ann", "dan"}, "as safety"}, /* ann publishes */
		{{"bob", "cay", "dan"}, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BUF_AUTO before = {0}, after = {0};
		struct err e;

		teardown(state);
		setup(state);
		for (size_t k = 0; k < PAPER_ROLES; k++)
			if (cases[i].who[k])
				approved(&one, k, cases[i].who[k]);
		if (!cases[i].missing) {
			expect_ok(publish(&one, &e), &e);
			continue;
		}
		dump(&before);
		expect_err(publish(&one, &e), &e, ERR_DENIED, cases[i].missing, cases[i].missing);
		dump(&after);
		expect_text(buf_cstr(&after), buf_cstr(&before));
	}
}

static void approvals_of_another_release_do_not_count(void **state)
{
	static const char *const who[] = {"bob", "cay", "dan"};
	struct err e;

	(void)state;
	for (size_t k = 0; k < PAPER_ROLES; k++)
		approved(&two, k, who[k]);
	expect_err(publish(&one, &e), &e, ERR_DENIED, "as engineering", "another release");
	expect_ok(publish(&two, &e), &e);
}

static void without_four_eyes_signatures_are_enough(void **state)
{
	struct err e;

	(void)state;
	f.conf.four_eyes = false;
	run_close(&f.run);
	expect_ok(run_open(&f.conf, &f.run, &e), &e);
	expect_ok(publish(&one, &e), &e);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_approval_is_kept_under_its_name),
		CASE(what_does_not_hold_is_refused_and_not_kept),
		CASE(one_user_is_one_party),
		CASE(every_party_has_another_name),
		CASE(approvals_of_another_release_do_not_count),
		CASE(without_four_eyes_signatures_are_enough),
	};

	return cmocka_run_group_tests_name("approval", tests, NULL, NULL);
}
