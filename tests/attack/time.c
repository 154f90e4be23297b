/* What time it is, asked of a director that answers with the number that the device has drawn; and
 * what somebody makes of that. The director's root names a key for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/attack/attack.h"

#define DAYS(n) ((n)*TREPO_DAY)

enum manner {
	CLOCK_RIGHT,
	CLOCK_OTHER_NONCE,
	CLOCK_NO_NONCE,
	CLOCK_RECORDED, /* always the first answer */
};

/* Whoever says the time. */
static struct {
	struct sign_key key;
	enum manner manner;
	int64_t says_s;
	uint64_t timestamp; /* version that it vouches for */
	struct buf recorded;
} clock_key;

static void sign_token(const char *nonce, struct buf *out)
{
	const struct sign_key *key = &clock_key.key;
	struct timetoken t = {
		.device = {DEVICE}, .time_s = clock_key.says_s, .timestamp = clock_key.timestamp};
	JSON_AUTO *part = NULL;
	struct err e;

	snprintf(t.nonce, sizeof t.nonce, "%s", nonce);
	if (clock_key.manner == CLOCK_OTHER_NONCE)
		t.nonce[0] = t.nonce[0] == '0' ? '1' : '0';
	part = repo_timetoken(&t);
	if (clock_key.manner == CLOCK_NO_NONCE)
		json_object_del(part, "nonce");
	expect_ok(sign_meta(part, &key, 1, out, &e), &e);
}

/* In the server's thread, while the test waits for the agent. */
static bool answer_time(void *ctx, const char *path, struct buf *out)
{
	static const char begin[] = "/director/" DEVICE "/time/";

	(void)ctx;
	if (strncmp(path, begin, sizeof begin - 1) != 0)
		return false;
	if (clock_key.manner != CLOCK_RECORDED || !clock_key.recorded.n) {
		buf_clear(&clock_key.recorded);
		sign_token(path + sizeof begin - 1, &clock_key.recorded);
	}
	buf_add(out, clock_key.recorded.p, clock_key.recorded.n);
	return true;
}

static void serve_time(struct bed *b)
{
	httpd_set_maker(b->server, answer_time, NULL);
}

/* ---- the world with a clock ---- */

static void name_clock(struct bed *b)
{
	const struct sign_key *keys[] = {&clock_key.key};
	struct repo_role role = {"time", 1, 1, keys};
	struct err e;

	expect_ok(sign_key_new("director-time", SIG_ECDSA_P256, &clock_key.key, &e), &e);
	trepo_set_version(&b->director, TREPO_ROOT, trepo_version(&b->director, TREPO_ROOT) + 1);
	repo_root_add_time(b->director.role[TREPO_ROOT].part, &role);
}

static void ask_well(struct bed *b)
{
	b->serve_more = serve_time;
	bed_publish(b);
	bed_serve(b);
	device_ask(b);
	if (b->verdict.exit != 0)
		blame(b, "what is good was refused: %s", b->verdict.text);
	httpd_free(&b->server);
	b->saved = false;
}

static void offer_first(struct bed *b)
{
	struct toy first;

	toy_make(&first, 1);
	bed_offer(b, &first);
}

/* The device knows the clock's key, has asked once, and still runs toy-1. */
static void prepare(struct bed *b)
{
	clock_key.says_s = b->now_s;
	name_clock(b);
	offer_first(b);
	bed_set_versions(b, VERSION_GOOD - 1);
	ask_well(b);
	bed_offer(b, &b->good);
	bed_set_versions(b, VERSION_GOOD);
}

static void heal(struct bed *b)
{
	clock_key.manner = CLOCK_RIGHT;
	attack_heal(b);
}

static void play(struct bed *b, void (*spoil)(struct bed *b))
{
	prepare(b);
	attack_try(b, spoil, ATTACK_REFUSED, b->attack->code);
	heal(b);
}

/* ---- the number ---- */

static void other_nonce(struct bed *b)
{
	(void)b;
	clock_key.manner = CLOCK_OTHER_NONCE;
}

void attack_time_token_nonce_wrong(struct bed *b)
{
	play(b, other_nonce);
}

static void recorded(struct bed *b)
{
	(void)b;
	clock_key.manner = CLOCK_RECORDED;
}

void attack_freeze_director_nonce_mismatch(struct bed *b)
{
	play(b, recorded);
}

static void no_nonce(struct bed *b)
{
	(void)b;
	clock_key.manner = CLOCK_NO_NONCE;
}

void attack_freeze_director_nonce_absent(struct bed *b)
{
	play(b, no_nonce);
}

/* Home as it was a week ago, and a server that answers as it did then. The versions fit each other;
 * the answer to the number that the device draws now was never given. */
void attack_rollback_state_files_restored_from_backup(struct bed *b)
{
	prepare(b);
	bed_shell(b, "cp -a home home.backup && cp -a www www.backup");
	ask_well(b);
	device_must_run(b, 2);
	bed_shell(b, "rm -rf home www && mv home.backup home && mv www.backup www");
	b->saved = true;
	attack_try(b, recorded, ATTACK_REFUSED, b->attack->code);
	b->saved = false;
	heal(b);
}

/* ---- earlier and later ---- */

static void one_hour_back(struct bed *b)
{
	clock_key.says_s = b->now_s - 3600;
}

void attack_time_token_older_than_floor(struct bed *b)
{
	play(b, one_hour_back);
}

static void far_future(struct bed *b)
{
	clock_key.says_s = b->now_s + DAYS(365 * 70);
}

static void right_again(struct bed *b)
{
	clock_key.says_s = b->now_s;
}

/* With the stolen time key: it is 2096, and everything has expired. The right time is then an
 * earlier one, and refused; until root names another key. */
void attack_time_token_key_rotated_resets_floor(struct bed *b)
{
	prepare(b);
	attack_try(b, far_future, ATTACK_TIMED, ERR_EXPIRED);
	attack_try(b, right_again, ATTACK_REFUSED, ERR_ROLLED_BACK);
	right_again(b);
	name_clock(b);
	heal(b);
}

static void as_it_is(struct bed *b)
{
	(void)b;
}

/* The fleet is a month on, and the device has been told. Its clock says otherwise, and so do files
 * of today. */
void attack_freeze_clock_set_back_below_floor(struct bed *b)
{
	int64_t today = b->now_s;

	clock_key.says_s = today + DAYS(30);
	name_clock(b);
	offer_first(b);
	bed_set_versions(b, VERSION_GOOD - 1);
	trepo_set_expiry(&b->director, TREPO_TIMESTAMP, today + DAYS(31));
	trepo_set_expiry(&b->director, TREPO_SNAPSHOT, today + DAYS(31));
	trepo_set_expiry(&b->image, TREPO_TIMESTAMP, today + DAYS(31));
	trepo_set_expiry(&b->image, TREPO_SNAPSHOT, today + DAYS(31));
	ask_well(b);
	bed_offer(b, &b->good);
	bed_set_versions(b, VERSION_GOOD);
	trepo_set_expiry(&b->director, TREPO_TIMESTAMP, today + DAYS(1));
	attack_try(b, as_it_is, ATTACK_REFUSED, b->attack->code);
	trepo_set_expiry(&b->director, TREPO_TIMESTAMP, today + DAYS(31));
	heal(b);
}

/* ---- clocks that are wrong ---- */

static void two_days_on(struct bed *b)
{
	clock_key.says_s = b->now_s + DAYS(2);
}

/* The device's clock begins in 1970, where nothing has expired yet. */
void attack_time_1970_first_boot(struct bed *b)
{
	prepare(b);
	b->clock_s = 86400;
	attack_try(b, two_days_on, ATTACK_TIMED, ERR_EXPIRED);
	clock_key.says_s = b->now_s + DAYS(2);
	trepo_set_expiry(&b->director, TREPO_TIMESTAMP, b->now_s + DAYS(3));
	trepo_set_expiry(&b->image, TREPO_TIMESTAMP, b->now_s + DAYS(3));
	heal(b);
}

/* The device's clock is in 2096, where everything has expired. Without a word from the director it
 * may not act; with it, it can. */
void attack_time_far_future_no_lockout(struct bed *b)
{
	prepare(b);
	b->clock_s = b->now_s + DAYS(365 * 70);
	attack_try(b, other_nonce, ATTACK_REFUSED, ERR_MIXED);
	heal(b);
}
