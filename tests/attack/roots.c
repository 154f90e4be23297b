/* The beginning of trust, and long ways. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/attack/attack.h"

/* ---- the first root ---- */

void attack_bootstrap_no_root_refuses_network_root(struct bed *b)
{
	BUF_AUTO text = {0};

	bed_shell(b, "rm -r home/trust");
	bed_serve(b);
	bed_publish(b);
	device_ask(b);
	if (b->verdict.code != ERR_NOT_FOUND || b->verdict.exit != err_exit(ERR_NOT_FOUND))
		blame(b, "wanted not_found, got %s", err_name(b->verdict.code));
	assert_int_equal(httpd_count(b->server, "/director/" DEVICE "/1.root.json"), 0);
	bed_shell(b, "test ! -e home/trust/director/root.json");
	device_must_run(b, 1);
	httpd_free(&b->server);
	if (device_provision(b, b->first_www, &text) != 0)
		fail_msg("provisioning: %s", buf_cstr(&text));
	attack_heal(b);
}

/* A root that lists keys of which none has signed it; for a device that has none yet. */
void attack_bootstrap_root_not_self_signed(struct bed *b)
{
	BUF_AUTO text = {0};

	bed_shell(b, "mv home/trust trust.kept");
	bed_publish_edited(
		b, &b->director, TREPO_ROOT, STR("\"version\":1,"), STR("\"version\":2,"));
	bed_write(b, "director/1.root.json", trepo_bytes(&b->director, TREPO_ROOT));
	assert_int_equal(device_provision(b, b->www, &text), err_exit(ERR_UNSIGNED));
	b->verdict.code = ERR_UNSIGNED;
	snprintf(b->verdict.text, sizeof b->verdict.text, "%.*s",
		(int)strcspn(buf_cstr(&text), "\n"), buf_cstr(&text));
	bed_shell(b,
		"test ! -e home/trust/director/root.json && rm -rf home/trust && mv trust.kept home/trust");
	attack_heal(b);
}

/* ---- ten thousand ---- */

/* Signed when it is asked for, by the right keys. */
static bool make_root(void *ctx, const char *path, struct buf *out)
{
	struct bed *b = ctx;
	unsigned n;

	if (sscanf(path, "/director/" DEVICE "/%u.root.json", &n) != 1 || n > 10000)
		return false;
	trepo_set_version(&b->director, TREPO_ROOT, n);
	trepo_sign(&b->director, TREPO_ROOT);
	buf_add(out, trepo_bytes(&b->director, TREPO_ROOT).p,
		trepo_bytes(&b->director, TREPO_ROOT).n);
	return true;
}

static unsigned newest_root(const struct bed *b)
{
	char path[400];
	unsigned n = 1;

	for (;; n++) {
		snprintf(path, sizeof path, "%s/trust/director/%u.root.json", b->home, n + 1);
		if (access(path, F_OK) < 0)
			return n;
	}
}

/* So many roots in one go, and no more; what was followed is kept, so that the next question goes
 * on from there. */
void attack_root_chain_10000(struct bed *b)
{
	struct toy first;

	toy_make(&first, 1);
	bed_offer(b, &first);
	bed_publish(b);
	bed_serve(b);
	httpd_set_maker(b->server, make_root, b);
	for (unsigned i = 1; i <= 2; i++) {
		httpd_forget(b->server);
		device_ask(b);
		assert_int_equal(b->verdict.code, ERR_BUSY);
		assert_int_equal(newest_root(b), 1 + i * LIMIT_ROOT_ROTATIONS);
		assert_in_range(httpd_count(b->server, NULL), LIMIT_ROOT_ROTATIONS,
			LIMIT_ROOT_ROTATIONS + 32);
		device_must_run(b, 1);
		bed_set_versions(b, VERSION_GOOD + i);
		trepo_set_version(&b->director, TREPO_ROOT, 1);
		bed_publish(b);
	}
	httpd_free(&b->server);
	bed_offer(b, &b->good);
	attack_heal(b);
}

/* ---- a cut while it is written down ---- */

static void serve_older(struct bed *b)
{
	bed_set_versions(b, VERSION_FIRST - 1);
}

static unsigned cut_at;

/* verdict.exit: 0 when there was nothing left to cut. */
static void cut_and_look_back(struct bed *b)
{
	bool cut;

	bed_publish(b);
	bed_serve(b);
	/* What is accepted was written down before. */
	cut = device_cut_at(b, cut_at) && judge_is_idle(b);
	httpd_free(&b->server);
	b->saved = false;
	if (cut) {
		attack_try(b, serve_older, ATTACK_CUT, ERR_ROLLED_BACK);
		attack_heal(b);
	}
	b->verdict.exit = cut;
}

/* The agent is killed right before and right after each rename of a file of its trust. Whatever it
 * kept, it takes nothing that is older than what it had before. */
void attack_rollback_power_cut_while_persisting(struct bed *b)
{
	struct verdict last = {0};
	unsigned cuts = 0;

	for (cut_at = 1; cut_at == 1 || b->verdict.exit; cut_at++) {
		attack_apart(b, cut_and_look_back);
		if (!b->verdict.exit)
			break;
		last = b->verdict;
		cuts++;
	}
	if (cuts < 6)
		fail_msg("only %u cuts", cuts);
	b->verdict = last;
}
