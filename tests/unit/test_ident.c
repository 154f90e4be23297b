/* The device's identity: when it enrols, when it renews, and that a failure leaves what is there.
 */
#include "tests/lib/expect.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/ident/ident_key.h"
#include "lib/sys/fs.h"
#include "tests/lib/authority.h"

#define NOW  ((int64_t)1800000000)
#define LIFE ((int64_t)90 * 86400)

struct device {
	struct authority server;
	struct fs fs;
	struct ident *ident;
	int64_t now_s;
	ms_t mono;
};

static void invite(const char *token)
{
	FILE *f = fopen("invite", "w");

	assert_non_null(f);
	fprintf(f, "%s\n", token);
	fclose(f);
}

static void reopen(struct device *d)
{
	struct ident_conf c = {&d->fs, "dev", "invite", authority_send, &d->server};
	struct err e;

	ident_close(&d->ident);
	expect_ok(ident_open(&c, &d->ident, &e), &e);
}

static void begin(struct device *d, const char *token)
{
	struct err e;

	*d = (struct device){.now_s = NOW};
	expect_ok(fs_posix_open(".", &d->fs, &e), &e);
	expect_ok(fs_remove_tree(&d->fs, "identity", &e), &e);
	unlink("invite");
	if (token)
		invite(token);
	authority_open(&d->server, NOW, LIFE);
	reopen(d);
}

static void end(struct device *d)
{
	ident_close(&d->ident);
	authority_close(&d->server);
	fs_posix_close(&d->fs);
}

static int keep(struct device *d, struct ident_news *news, struct err *e)
{
	d->server.now_s = MAX(d->now_s, NOW); /* its clock is right */
	return ident_keep(d->ident, SEC(d->now_s), d->mono, NULL, news, e);
}

static void kept(struct device *d, bool changed)
{
	struct ident_news news;
	struct err e;

	expect_ok(keep(d, &news, &e), &e);
	assert_int_equal(news.changed, changed);
	assert_int_equal(news.trouble.code, ERR_OK);
}

static void file(struct device *d, struct buf *out)
{
	struct fs_stat st;
	struct err e;

	expect_ok(fs_read_file(&d->fs, IDENT_FILE, IDENT_PEM_MAX, out, &e), &e);
	expect_ok(d->fs.ops->stat(&d->fs, IDENT_FILE, &st, &e), &e);
	assert_int_equal(st.mode, 0600);
}

static void it_enrols_once(void **state)
{
	BUF_AUTO one = {0}, two = {0};
	struct device d;
	struct fs_stat st;
	struct err e;

	(void)state;
	begin(&d, "dev~one");
	kept(&d, true);
	file(&d, &one);
	kept(&d, false);
	reopen(&d);
	kept(&d, false);
	file(&d, &two);
	expect_text(buf_cstr(&one), buf_cstr(&two));
	assert_int_equal(d.server.enrolled, 1);
	expect_ok(d.fs.ops->stat(&d.fs, "identity/new.pem", &st, &e), &e);
	assert_int_equal(st.kind, FS_NONE);
	end(&d);
}

static void without_an_invitation_there_is_no_identity(void **state)
{
	struct ident_news news;
	struct device d;
	struct err e;

	(void)state;
	begin(&d, NULL);
	expect_err(keep(&d, &news, &e), &e, ERR_DENIED, "no invitation", "none");
	invite("dev~wrong");
	expect_err(keep(&d, &news, &e), &e, ERR_DENIED, "enrolment", "wrong");
	d.server.fails = ERR_NET;
	expect_err(keep(&d, &news, &e), &e, ERR_NET, NULL, "no network");
	d.server.fails = ERR_OK;
	invite("dev~one");
	kept(&d, true);
	end(&d);
}

static void it_renews_when_two_thirds_are_over(void **state)
{
	BUF_AUTO before = {0}, after = {0};
	struct device d;

	(void)state;
	begin(&d, "dev~one");
	kept(&d, true);
	file(&d, &before);
	d.now_s = NOW + LIFE * 2 / 3 - 600;
	kept(&d, false);
	d.now_s = NOW + LIFE * 2 / 3;
	kept(&d, true);
	file(&d, &after);
	assert_string_not_equal(buf_cstr(&before), buf_cstr(&after));
	assert_int_equal(d.server.renewed, 1);
	kept(&d, false);
	/* the key is the same one */
	assert_memory_equal(before.p, after.p,
		(size_t)(strstr(buf_cstr(&before), "-----BEGIN CERT") - (char *)before.p));
	end(&d);
}

static void a_failed_renewal_is_tried_again_later(void **state)
{
	BUF_AUTO before = {0}, after = {0};
	struct ident_news news;
	struct device d;
	struct err e;

	(void)state;
	begin(&d, "dev~one");
	kept(&d, true);
	file(&d, &before);
	d.now_s = NOW + LIFE * 3 / 4;
	d.server.fails = ERR_TIMEOUT;
	expect_ok(keep(&d, &news, &e), &e);
	assert_int_equal(news.trouble.code, ERR_TIMEOUT);
	d.server.fails = ERR_OK;
	kept(&d, false); /* not yet */
	d.mono += MINUTE(60);
	d.server.lies = true;
	expect_ok(keep(&d, &news, &e), &e);
	assert_int_equal(news.trouble.code, ERR_ALTERED);
	file(&d, &after);
	expect_text(buf_cstr(&before), buf_cstr(&after));
	d.server.lies = false;
	d.mono += MINUTE(60);
	kept(&d, true);
	end(&d);
}

static void an_ended_one_is_of_no_use_and_renews(void **state)
{
	struct ident_news news;
	struct device d;
	struct err e;

	(void)state;
	begin(&d, "dev~one");
	kept(&d, true);
	d.now_s = NOW + LIFE + 1000;
	d.server.fails = ERR_REVOKED;
	expect_err(keep(&d, &news, &e), &e, ERR_REVOKED, NULL, "revoked");
	d.server.fails = ERR_OK;
	kept(&d, true);
	end(&d);
}

/* The clock is far before the certificate: only the server can know that it has ended. */
static void a_clock_that_was_never_set_is_not_believed(void **state)
{
	struct device d;

	(void)state;
	begin(&d, "dev~one");
	kept(&d, true);
	d.now_s = 5;
	kept(&d, false);
	ident_has_ended(d.ident);
	kept(&d, true);
	assert_int_equal(d.server.renewed, 1);
	d.now_s = NOW;
	kept(&d, false);
	end(&d);
}

static void another_invitation_enrols_anew(void **state)
{
	BUF_AUTO before = {0}, same = {0}, after = {0};
	struct ident_news news;
	struct device d;
	struct err e;

	(void)state;
	begin(&d, "dev~one");
	kept(&d, true);
	file(&d, &before);
	invite("dev~two"); /* not known to the server yet */
	expect_ok(keep(&d, &news, &e), &e);
	assert_int_equal(news.trouble.code, ERR_DENIED);
	file(&d, &same);
	expect_text(buf_cstr(&before), buf_cstr(&same));
	d.server.invitation = "dev~two";
	memset(&d.server.used_key, 0, sizeof d.server.used_key);
	d.mono += MINUTE(60);
	kept(&d, true);
	file(&d, &after);
	/* with another key */
	assert_memory_not_equal(before.p, after.p, 120);
	kept(&d, false);
	end(&d);
}

static void what_was_damaged_takes_an_invitation(void **state)
{
	struct ident_news news;
	struct device d;
	struct err e;

	(void)state;
	begin(&d, "dev~one");
	kept(&d, true);
	expect_ok(fs_write_file(&d.fs, IDENT_FILE, "x", 1, 0600, &e), &e);
	reopen(&d);
	expect_err(keep(&d, &news, &e), &e, ERR_DENIED, "no invitation", "damaged");
	invite("dev~two");
	d.server.invitation = "dev~two";
	memset(&d.server.used_key, 0, sizeof d.server.used_key);
	kept(&d, true);
	end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_enrols_once),
		cmocka_unit_test(without_an_invitation_there_is_no_identity),
		cmocka_unit_test(it_renews_when_two_thirds_are_over),
		cmocka_unit_test(a_failed_renewal_is_tried_again_later),
		cmocka_unit_test(an_ended_one_is_of_no_use_and_renews),
		cmocka_unit_test(a_clock_that_was_never_set_is_not_believed),
		cmocka_unit_test(another_invitation_enrols_anew),
		cmocka_unit_test(what_was_damaged_takes_an_invitation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
