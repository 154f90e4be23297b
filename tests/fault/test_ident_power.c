/* The power is cut at every operation of an enrolment and of a renewal. Afterwards the device has
 * an identity or gets it with the same key and the same invitation, which is good for one key only.
 */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ident/ident_key.h"
#include "tests/lib/authority.h"
#include "tests/lib/crashfs.h"

#define NOW  ((int64_t)1800000000)
#define LIFE ((int64_t)90 * 86400)

static struct authority server;

static int keep(struct crashfs *c, int64_t now_s, bool *out_changed, struct err *e)
{
	struct ident_conf conf = {crashfs_fs(c), "dev", "invite", authority_send, &server};
	struct ident_news news = {.changed = false};
	struct ident *i CLEANUP(ident_close) = NULL;

	TRY(ident_open(&conf, &i, e));
	TRY(ident_keep(i, SEC(now_s), 0, NULL, &news, e));
	*out_changed = news.changed;
	return news.trouble.code == ERR_OK ? 0 : err_copy(e, &news.trouble);
}

/* With what the server had given before this try. */
static bool try_cut(const struct crashfs *device, int64_t now_s, uint64_t cut, uint64_t seed)
{
	struct crashfs *c = crashfs_dup(device);
	bool was_cut, changed;
	struct err e;
	int rc;

	server.now_s = now_s;
	crashfs_reset_ops(c);
	crashfs_cut_at(c, cut);
	rc = keep(c, now_s, &changed, &e);
	was_cut = crashfs_is_cut(c);
	assert_true(was_cut || rc == 0);
	crashfs_reboot(c, seed);
	if (keep(c, now_s, &changed, &e) < 0)
		fail_msg("cut at %llu, seed %llu: %s", (unsigned long long)cut,
			(unsigned long long)seed, e.text);
	expect_ok(keep(c, now_s, &changed, &e), &e);
	assert_false(changed);
	crashfs_free(&c);
	return was_cut;
}

static unsigned cut_everywhere(const struct crashfs *device, int64_t now_s, bool is_enrolment)
{
	unsigned tried = 0;
	bool more = true;

	for (uint64_t cut = 1; more; cut++)
		for (uint64_t seed = 0; seed < 4; seed++, tried++) {
			if (is_enrolment)
				memset(&server.used_key, 0, sizeof server.used_key);
			more = try_cut(device, now_s, cut, seed);
		}
	assert_int_equal(server.refused, 0);
	return tried;
}

static void cut_at_every_operation(void **state)
{
	struct crashfs *device = crashfs_new();
	unsigned enrolments, renewals;
	bool changed;
	struct err e;

	(void)state;
	enrolments = cut_everywhere(device, NOW, true);
	memset(&server.used_key, 0, sizeof server.used_key);
	server.now_s = NOW;
	expect_ok(keep(device, NOW, &changed, &e), &e);
	assert_true(changed);
	crashfs_settle(device);
	renewals = cut_everywhere(device, NOW + LIFE * 3 / 4, false);
	assert_true(enrolments > 20 && renewals > 10);
	printf("== %u power cuts in an enrolment, %u in a renewal\n", enrolments, renewals);
	crashfs_free(&device);
}

static int begin(void **state)
{
	FILE *f = fopen("invite", "w");

	(void)state;
	fprintf(f, "dev~one\n");
	fclose(f);
	authority_open(&server, NOW, LIFE);
	return 0;
}

static int end(void **state)
{
	(void)state;
	authority_close(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_at_every_operation),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
