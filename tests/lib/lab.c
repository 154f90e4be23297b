#include "tests/lib/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/core/quarantine.h"
#include "lib/sys/log.h"
#include "tests/lib/expect.h"

#define STARTS_MAX 8 /* of an agent whose disk fails */
#define SHOWN      5 /* violations that are printed */

const struct lab_scenario lab_scenarios[] = {
	{"first install", {""}, "sim-1", LAB_INSTALL, true, LAB_DIR, false, false},
	{"update", {"sim-1", ""}, "sim-2", LAB_INSTALL, true, LAB_DIR, false, false},
	{"update over an older one", {"sim-1", "sim-2", ""}, "sim-3", LAB_INSTALL, true, LAB_DIR,
		false, false},
	{"update after a failed one", {"sim-1", "sim-errs", ""}, "sim-3", LAB_INSTALL, true,
		LAB_DIR, true, false},
	{"slow to start", {"sim-1", ""}, "sim-slow", LAB_INSTALL, true, LAB_DIR, true, false},
	{"trigger in the soak", {"sim-1", ""}, "sim-errs", LAB_INSTALL, false, LAB_DIR, false,
		false},
	{"failing smoke test", {"sim-1", ""}, "sim-smoke", LAB_INSTALL, false, LAB_DIR, false,
		false},
	{"does not start", {"sim-1", ""}, "sim-dead", LAB_INSTALL, false, LAB_DIR, false, false},
	{"promoted beside the old one", {"sim-1", ""}, "sim-beside", LAB_INSTALL, true, LAB_DIR,
		false, false},
	{"refused beside the old one", {"sim-1", ""}, "sim-other", LAB_INSTALL, false, LAB_DIR,
		true, false},
	{"fleet rollback", {"sim-1", "sim-2", ""}, "sim-1", LAB_ROLLBACK, true, LAB_DIR, false,
		false},
	{"image over an older one", {"img-1", "img-2", ""}, "img-3", LAB_INSTALL, true, LAB_RAW,
		false, false},
	{"image fails in the soak", {"img-1", ""}, "img-errs", LAB_INSTALL, false, LAB_RAW, false,
		false},
	{"first image", {""}, "img-1", LAB_INSTALL, true, LAB_RAW, true, false},
	{"fleet rollback of an image", {"img-1", "img-2", ""}, "img-1", LAB_ROLLBACK, true, LAB_RAW,
		true, false},
	{"update by GRUB", {"sim-1", ""}, "sim-2", LAB_INSTALL, true, LAB_DIR, false, true},
	{"GRUB gives it up", {"sim-1", ""}, "sim-noboot", LAB_INSTALL, false, LAB_DIR, false, true},
	{"GRUB, over an older one", {"sim-1", "sim-2", ""}, "sim-3", LAB_INSTALL, true, LAB_DIR,
		true, true},
	{"GRUB, trigger in the soak", {"sim-1", ""}, "sim-errs", LAB_INSTALL, false, LAB_DIR, true,
		true},
	{"GRUB, does not start", {"sim-1", ""}, "sim-dead", LAB_INSTALL, false, LAB_DIR, true,
		true},
	{"GRUB, fleet rollback", {"sim-1", "sim-2", ""}, "sim-1", LAB_ROLLBACK, true, LAB_DIR, true,
		true},
};
const unsigned lab_n_scenarios = ARRAY_LEN(lab_scenarios);

static const struct {
	const char *id;
	uint64_t counter;
	enum sim_fault fault;
	struct sim_release *(*make)(
		struct sim_vendor *, const char *id, uint64_t counter, enum sim_fault);
} releases[] = {
	{"sim-1", 1, SIM_GOOD, sim_vendor_make},
	{"sim-2", 2, SIM_GOOD, sim_vendor_make},
	{"sim-3", 3, SIM_GOOD, sim_vendor_make},
	{"sim-slow", 3, SIM_SLOW, sim_vendor_make},
	{"sim-errs", 3, SIM_ERRS, sim_vendor_make},
	{"sim-smoke", 3, SIM_FAILS_SMOKE, sim_vendor_make},
	{"sim-dead", 3, SIM_NO_START, sim_vendor_make},
	{"sim-noboot", 3, SIM_NO_BOOT, sim_vendor_make},
	{"sim-beside", 3, SIM_GOOD, sim_vendor_make_shadow},
	{"sim-other", 3, SIM_DISAGREES, sim_vendor_make_shadow},
	{"img-1", 1, SIM_GOOD, sim_vendor_make_image},
	{"img-2", 2, SIM_GOOD, sim_vendor_make_image},
	{"img-3", 3, SIM_GOOD, sim_vendor_make_image},
	{"img-errs", 3, SIM_ERRS, sim_vendor_make_image},
};

void lab_init(struct lab *l, const char *name)
{
	*l = (struct lab){.is_long = getenv("BACKSTAY_LONG") != NULL};
	log_init(name, LOG_FORM_TEXT, getenv("LOUD") ? LOG_DEBUG : LOG_EMERG);
	sim_vendor_init(&l->vendor);
	for (size_t i = 0; i < ARRAY_LEN(releases); i++)
		(void)releases[i].make(
			&l->vendor, releases[i].id, releases[i].counter, releases[i].fault);
}

void lab_fini(struct lab *l)
{
	sim_vendor_fini(&l->vendor);
}

const struct sim_release *lab_release(const struct lab *l, const char *id)
{
	for (unsigned i = 0; i < l->vendor.n; i++)
		if (strcmp(l->vendor.rel[i].id.s, id) == 0)
			return &l->vendor.rel[i];
	fail_msg("no release %s", id);
	return NULL;
}

static bool is_good(const struct sim_release *r)
{
	return r->fault == SIM_GOOD || r->fault == SIM_SLOW;
}

/* ---- the agent's life ---- */

static bool is_lost(void *ctx)
{
	return crashfs_is_cut(ctx);
}

static void run_agent(struct simdev *d, struct crashfs *c)
{
	struct err e;

	for (unsigned i = 0; i < STARTS_MAX; i++) {
		if (simdev_start_agent(d, &e) == 0) {
			simdev_run(d, NULL, is_lost, c);
			return;
		}
		if (crashfs_is_cut(c))
			return;
	}
	simdev_blame(d, "the agent does not start: %s", e.text);
}

void lab_run_agent(struct lab_life *x)
{
	run_agent(&x->dev, x->disk);
}

void lab_run_machine(struct lab_life *x)
{
	simdev_power_up(&x->dev);
	run_agent(&x->dev, x->disk);
}

void lab_go_on(struct lab_life *x, uint64_t seed, uint64_t cut_at)
{
	simdev_stop_agent(&x->dev);
	if (seed == LAB_KILL)
		crashfs_revive(x->disk);
	else
		crashfs_reboot(x->disk, seed);
	simdev_check_marks(&x->dev);
	crashfs_reset_ops(x->disk);
	crashfs_cut_at(x->disk, cut_at);
	(seed == LAB_KILL ? lab_run_agent : lab_run_machine)(x);
}

/* ---- where it begins ---- */

void lab_start_init(struct lab *l, const struct lab_scenario *s, struct lab_start *out)
{
	struct crashfs *c = crashfs_new();
	struct simdev *d = &out->image;
	const struct sim_release *stays = NULL;

	out->s = s;
	out->disk = c;
	simdev_init(d, crashfs_fs(c), &l->vendor, 7);
	if (s->slots == LAB_RAW)
		simdev_use_raw(d);
	for (unsigned i = 0; s->before[i][0]; i++) {
		const struct sim_release *r = lab_release(l, s->before[i]);

		stays = is_good(r) ? r : stays;
		simdev_want(d, r, false);
		simdev_power_up(d);
		run_agent(d, c);
		simdev_check_rest(d);
		expect_text(d->violation, "");
		assert_ptr_equal(simdev_content(d, simdev_active(d)), stays);
		simdev_stop_agent(d);
		if (s->loader && i == 0)
			simdev_use_loader(d);
	}
	crashfs_settle(c);
	crashfs_reset_ops(c);
}

void lab_start_fini(struct lab_start *t)
{
	crashfs_free(&t->disk);
}

void lab_enter(struct lab *l, const struct lab_start *t, struct lab_life *out)
{
	*out = (struct lab_life){.lab = l, .start = t, .disk = crashfs_dup(t->disk)};
	out->dev = t->image;
	simdev_adopt(&out->dev, crashfs_fs(out->disk));
	simdev_want(&out->dev, lab_release(l, t->s->wanted), t->s->order == LAB_ROLLBACK);
}

void lab_leave(struct lab_life *x, const char *what)
{
	if (x->dev.violation[0] && x->lab->violations++ < SHOWN)
		printf("%s: %s: %s\n", x->start->s->name, what, x->dev.violation);
	simdev_fini(&x->dev);
	crashfs_free(&x->disk);
}

/* ---- how it ends ---- */

static void check_quarantine(struct lab_life *x, const struct sim_release *r)
{
	struct quarantine q = {0};
	struct err e = {0};
	BUF_AUTO text = {0};
	int rc = fs_read_file(crashfs_fs(x->disk), "quarantine.json", 65536, &text, &e);

	if (rc == 0)
		rc = quarantine_decode(buf_str(&text), &q, &e);
	if (rc < 0 && rc != -(int)ERR_NOT_FOUND) {
		simdev_blame(&x->dev, "the quarantine cannot be read: %s", e.text);
		return;
	}
	/* Still there, whatever the clock says of its end. */
	bool is_in = quarantine_find(&q, &r->digest, 0) != NULL;

	if (is_in == is_good(r))
		simdev_blame(&x->dev, "%s is %s quarantine", r->id.s,
			is_in ? "good and in" : "bad and not in");
}

static void check_reports(struct lab_life *x, const struct sim_release *bad)
{
	const struct sim_server *s = &x->dev.server;

	for (unsigned i = 0; i < s->n_reports; i++)
		if (s->report[i].kind == REPORT_OUTCOME &&
			strcmp(s->report[i].target, bad->id.s) == 0 &&
			strcmp(s->report[i].state, "committed") == 0)
			simdev_blame(&x->dev, "%s was said to be committed", bad->id.s);
}

static void check_release(struct lab_life *x, const char *id)
{
	const struct sim_release *r = lab_release(x->lab, id);

	check_quarantine(x, r);
	if (!is_good(r))
		check_reports(x, r);
}

bool lab_check_end(struct lab_life *x, bool strict)
{
	const struct lab_scenario *s = x->start->s;
	const struct sim_release *is, *want = lab_release(x->lab, s->wanted);
	struct simdev *d = &x->dev;

	if (!d->agent) {
		simdev_blame(d, "there is no agent");
		return false;
	}
	simdev_check_rest(d);
	is = simdev_content(d, simdev_active(d));
	if (is == want && !s->may_stay)
		simdev_blame(d, "%s is bad and stayed", want->id.s);
	if (is != want && s->before[0][0] && !is)
		simdev_blame(d, "nothing runs any more");
	if (is != want && s->may_stay && strict)
		simdev_blame(d, "%s is good and was given up", want->id.s);
	for (unsigned i = 0; s->before[i][0]; i++)
		check_release(x, s->before[i]);
	check_release(x, s->wanted);
	return is == want;
}
