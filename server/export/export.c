#include "server/export/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "lib/sys/entropy.h"
#include "lib/sys/log.h"
#include "server/export/otlp.h"
#include "server/repo/releases.h"
#include "server/run/telemetry.h"
#include "server/version.h"

#define FIRST_WAIT SEC(5)
#define TRIES      1000U /* so that a step never calls it dead: the next one tells more */
#define TAG        0U

struct export
{
	const struct export_conf *c;
	struct run *run;
	struct courier *courier;
	struct prng random;
	bool busy;
	unsigned tries; /* that failed in a row */
	ms_t due;       /* wall clock */
	struct export_view view;
};

/* ---- what is told ---- */

static void name_of(void *ctx, const struct sha256 *release, char out[ID_TEXT_MAX])
{
	struct export *x = ctx;
	RELEASE_ROW_AUTO row = {0};
	struct err e;

	out[0] = 0;
	if (!sha256_is_zero(release) && releases_by_digest(x->c->db, release, &row, &e) == 0)
		snprintf(out, ID_TEXT_MAX, "%s", row.id.s);
}

static void send(struct export *x)
{
	struct letter_out l CLEANUP(letter_out_fini) = {.url = ""};
	struct otlp_in in = {
		.totals = telemetry_totals(x->run),
		.source = x->c->source,
		.version = SERVER_VERSION,
		.now = run_now(x->run),
		.name = name_of,
		.ctx = x,
	};

	x->due = in.now + x->c->interval;
	if (!otlp_encode(&in, &l.body))
		return;
	snprintf(l.url, sizeof l.url, "%s", x->c->url);
	snprintf(l.headers[0], sizeof l.headers[0], "Content-Type: application/json");
	if (*x->c->token)
		snprintf(
			l.headers[1], sizeof l.headers[1], "Authorization: Bearer %s", x->c->token);
	x->busy = true;
	courier_carry(x->courier, TAG, &l);
}

/* ---- what came of it ---- */

/* The protocol says which refusals may pass: 429, 502, 503, 504, and no answer at all. */
static bool may_pass(int status)
{
	return status == 0 || status == 429 || (status >= 502 && status <= 504);
}

static void complain(const struct export *x, const struct hook_answer *a, const char *why)
{
	struct err e;

	(void)err_set(
		&e, ERR_NET, "%s%s%d", why, *why ? ", status " : "the collector says ", a->status);
	log_err(LOG_ID_EXPORT, &e, "url=%s", x->c->url);
}

static void on_done(void *ctx, unsigned tag UNUSED, const struct hook_answer *a, const char *why)
{
	struct export *x = ctx;
	struct hook_rule rule = {TRIES, MIN(FIRST_WAIT, x->c->interval), x->c->interval};
	struct hook_plan plan;

	x->busy = false;
	if (a->status >= 200 && a->status < 300) {
		x->tries = 0;
		x->view.sent++;
		return;
	}
	x->view.failed++;
	if (x->tries == 0)
		complain(x, a, why);
	x->tries = MIN(x->tries + 1, TRIES - 1);
	if (!may_pass(a->status))
		return;
	hook_step(&rule, x->tries, a, prng_next(&x->random), &plan);
	x->due = run_now(x->run) + plan.wait;
}

void export_tick(struct export *x)
{
	if (!x->busy && run_now(x->run) >= x->due)
		send(x);
}

void export_look(const struct export *x, struct export_view *out)
{
	*out = x->view;
	out->waiting = x->tries > 0;
}

/* ---- life ---- */

int export_open(sd_event *loop, const struct export_conf *c, struct run *r, struct export **out,
	struct err *e)
{
	struct export *x = mem_new(sizeof *x);
	int rc = hook_url_check(str_of(c->url), e);

	*x = (struct export){.c = c, .run = r, .due = run_now(r) + c->interval};
	entropy_fill(&x->random.s, sizeof x->random.s);
	if (rc < 0) {
		err_wrap(e, "otlp.url");
		e->code = ERR_CONFIG;
		rc = -(int)ERR_CONFIG;
	} else {
		rc = courier_open(loop, &c->courier, on_done, x, &x->courier, e);
	}
	if (rc < 0)
		export_close(&x);
	else
		*out = x;
	return rc;
}

void export_close(struct export **x)
{
	if (!*x)
		return;
	courier_close(&(*x)->courier);
	free(*x);
	*x = NULL;
}
