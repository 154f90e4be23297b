#include "tests/lib/expect.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/tele/tele_priv.h"
#include "tests/lib/webtest.h"

/* A server that takes reports, answering each sequence number with a status of its own. */
struct place {
	char dir[32], url[64];
	struct fs fs;
	struct webtest *web;
	int status[32];    /* by seq; 0: 200 */
	const char *retry; /* Retry-After of a 503 */
	char taken[256];   /* seqs in the order in which they came */
	char paths[64];
	bool fail;
};

static void answer(void *ctx, const struct webtest_request *rq, struct webtest_reply *out)
{
	struct place *p = ctx;
	struct report r;
	size_t n = strlen(p->taken);

	report_init(&r);
	if (strcmp(rq->method, "POST") != 0 || report_decode(rq->body, &r, NULL) < 0 ||
		r.seq >= 32) {
		out->status = 400;
		p->fail = strcmp(rq->method, "POST") != 0;
	} else {
		snprintf(p->taken + n, sizeof p->taken - n, "%u ", (unsigned)r.seq);
		snprintf(p->paths, sizeof p->paths, "%s", rq->path);
		out->status = p->status[r.seq] ? p->status[r.seq] : 200;
	}
	if (out->status == 503 && p->retry) {
		strcpy(out->name, "Retry-After");
		strcpy(out->value, p->retry);
	}
	if (out->status >= 400)
		buf_add_str(&out->body, "{\"error\":\"busy\",\"reason\":\"not now\"}");
	report_fini(&r);
}

static int open_place(void **state)
{
	struct place *p = mem_new(sizeof *p);
	struct err e;

	strcpy(p->dir, "send.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	expect_ok(fs_posix_open(p->dir, &p->fs, &e), &e);
	p->web = webtest_open(0, answer, p);
	webtest_url(p->web, "", p->url, sizeof p->url);
	*state = p;
	return 0;
}

static int close_place(void **state)
{
	struct place *p = *state;

	assert_false(p->fail);
	webtest_close(&p->web);
	fs_posix_close(&p->fs);
	mem_free(&p);
	return 0;
}

static void put(struct place *p, uint64_t seq)
{
	struct report r;
	struct err e;

	report_init(&r);
	r.seq = seq;
	r.kind = REPORT_STATE;
	r.at = 1;
	strcpy(r.hardware, "edge-1");
	strcpy(r.state, "idle");
	expect_ok(tele_put(&p->fs, &r, &e), &e);
	report_fini(&r);
}

static int send_all(struct place *p, unsigned *left, ms_t *retry, struct err *e)
{
	struct http_conf http = {.connect_timeout = SEC(30), .total_timeout = SEC(30)};

	return tele_send(&p->fs, &http, p->url, "edge-7", NULL, left, retry, e);
}

static unsigned count(struct place *p, const char *dir)
{
	FOLDER_AUTO f = {0};
	struct err e;

	expect_ok(tele_folder_list(&p->fs, dir, &f, &e), &e);
	return f.n;
}

static void all_are_sent_in_order_and_removed(void **state)
{
	struct place *p = *state;
	unsigned left = 9;
	ms_t retry = 9;
	struct err e;

	for (uint64_t seq = 12; seq >= 8; seq--)
		put(p, seq);
	expect_ok(send_all(p, &left, &retry, &e), &e);
	expect_text(p->taken, "8 9 10 11 12 ");
	expect_text(p->paths, "/v1/devices/edge-7/reports");
	assert_int_equal(left, 0);
	assert_int_equal(retry, 0);
	assert_int_equal(count(p, TELE_REPORTS), 0);
	expect_ok(send_all(p, &left, &retry, &e), &e);
	expect_text(p->taken, "8 9 10 11 12 ");
}

/* What the second of three reports is answered with, and what becomes of the queue. */
static const struct {
	int status;
	const char *retry;
	enum err_code code; /* ERR_OK: goes on */
	unsigned left, refused;
	ms_t pause;
} answers[] = {
	{200, NULL, ERR_OK, 0, 0, 0},
	{201, NULL, ERR_OK, 0, 0, 0},
	{204, NULL, ERR_OK, 0, 0, 0},
	{400, NULL, ERR_OK, 0, 1, 0},
	{409, NULL, ERR_OK, 0, 1, 0},
	{413, NULL, ERR_OK, 0, 1, 0},
	{503, "7", ERR_BUSY, 2, 0, 7000},
	{503, NULL, ERR_BUSY, 2, 0, 0},
	{500, NULL, ERR_BUSY, 2, 0, 0},
	{403, NULL, ERR_BUSY, 2, 0, 0},
	{404, NULL, ERR_BUSY, 2, 0, 0},
};

static void each_answer_has_its_consequence(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct place *p;
		unsigned left;
		ms_t retry;
		struct err e;
		void *mine;

		open_place(&mine);
		p = mine;
		for (uint64_t seq = 1; seq <= 3; seq++)
			put(p, seq);
		p->status[2] = answers[i].status;
		p->retry = answers[i].retry;
		if (answers[i].code == ERR_OK)
			expect_ok(send_all(p, &left, &retry, &e), &e);
		else
			expect_err(send_all(p, &left, &retry, &e), &e, answers[i].code, "not now",
				"answer");
		assert_int_equal(left, answers[i].left);
		assert_int_equal(retry, answers[i].pause);
		assert_int_equal(count(p, TELE_REPORTS), answers[i].left);
		assert_int_equal(count(p, TELE_REFUSED), answers[i].refused);
		close_place(&mine);
	}
}

static void what_is_no_report_does_not_block_the_rest(void **state)
{
	struct place *p = *state;
	BUF_AUTO huge = {0};
	unsigned left;
	ms_t retry;
	struct err e;

	memset(buf_reserve(&huge, LIMIT_REPORT_BYTES + 1), ' ', LIMIT_REPORT_BYTES + 1);
	put(p, 1);
	put(p, 4);
	expect_ok(fs_write_file(&p->fs, "reports/2.json", "{\"half", 6, 0644, &e), &e);
	expect_ok(fs_write_file(&p->fs, "reports/3.json", huge.p, LIMIT_REPORT_BYTES + 1, 0644, &e),
		&e);
	expect_ok(send_all(p, &left, &retry, &e), &e);
	expect_text(p->taken, "1 4 ");
	assert_int_equal(count(p, TELE_REFUSED), 2);
}

static void few_refused_reports_are_kept(void **state)
{
	struct place *p = *state;
	FOLDER_AUTO f = {0};
	unsigned left;
	ms_t retry;
	struct err e;

	for (uint64_t seq = 1; seq <= 20; seq++) {
		put(p, seq);
		p->status[seq] = 400;
	}
	expect_ok(send_all(p, &left, &retry, &e), &e);
	expect_ok(tele_folder_list(&p->fs, TELE_REFUSED, &f, &e), &e);
	assert_int_equal(f.n, TELE_REFUSED_MAX);
	assert_true(f.v[0].seq == 20 - TELE_REFUSED_MAX + 1);
}

static void without_a_server_all_stay(void **state)
{
	struct place *p = *state;
	unsigned left = 0;
	ms_t retry;
	struct err e;

	put(p, 1);
	put(p, 2);
	webtest_close(&p->web);
	expect_err(send_all(p, &left, &retry, &e), &e, ERR_NET, NULL, "nobody");
	assert_int_equal(left, 2);
	assert_int_equal(count(p, TELE_REPORTS), 2);
}

static void a_cancelled_send_leaves_the_rest(void **state)
{
	struct http_conf http = {.total_timeout = SEC(30)};
	atomic_bool cancel = true;
	struct place *p = *state;
	unsigned left;
	ms_t retry;
	struct err e;

	put(p, 1);
	expect_err(tele_send(&p->fs, &http, p->url, "edge-7", &cancel, &left, &retry, &e), &e,
		ERR_CANCELLED, NULL, "cancelled");
	assert_int_equal(left, 1);
}

#define PLACE_TEST(f) cmocka_unit_test_setup_teardown(f, open_place, close_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(all_are_sent_in_order_and_removed),
		cmocka_unit_test(each_answer_has_its_consequence),
		PLACE_TEST(what_is_no_report_does_not_block_the_rest),
		PLACE_TEST(few_refused_reports_are_kept),
		PLACE_TEST(without_a_server_all_stay),
		PLACE_TEST(a_cancelled_send_leaves_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
