/* The way back is read now and then, so that it is known to be one. Only at rest, only the slot
 * that is neither active nor running, and nothing but its mark is ever written. */
#include "agent/agent_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/log.h"
#include "lib/sys/polite.h"

#define SCRUB_PATH  "scrub.json"
#define SCRUB_BYTES 4096
#define SOONEST     MINUTE(10) /* after the agent's start, or the end of an update */

/* ---- what is remembered ---- */

static json_t *result_json(const struct scrub_result *x)
{
	char hex[SHA256_TEXT];

	sha256_format(&x->document, hex);
	return json_pack("{ss sI ss ss sb}", "document", hex, "at", (json_int_t)x->at, "code",
		err_name(x->code), "reason", x->text, "told", x->told);
}

static int save(struct agent *a, struct err *e)
{
	JSON_AUTO *j = json_object();
	BUF_AUTO text = {0};

	for (unsigned i = 0; i < SLOT_COUNT; i++)
		if (a->scrub.last[i].at)
			json_object_set_new(j, slot_name(i), result_json(&a->scrub.last[i]));
	json_write(j, &text);
	return fs_write_file(a->w.fs, SCRUB_PATH, text.p, text.n, 0644, e);
}

static int parse_result(const json_t *j, const char *slot, struct scrub_result *out, struct err *e)
{
	struct scrub_result x = {0};
	const json_t *o;
	char code[32];
	uint64_t at;

	TRY(json_obj(j, "scrub", slot, &o, e));
	TRY(json_digest(o, slot, "document", &x.document, e));
	TRY(json_u64(o, slot, "at", 1, INT64_MAX, &at, e));
	TRY(json_text(o, slot, "code", code, sizeof code, e));
	TRY(json_text(o, slot, "reason", x.text, sizeof x.text, e));
	x.at = (ms_t)at;
	x.code = err_by_name(code);
	x.told = json_is_true(json_object_get(o, "told"));
	if (x.code == ERR_CODE_MAX)
		return err_set(e, ERR_BAD_INPUT, "%s: no code is called so", slot);
	*out = x;
	return 0;
}

/* Nothing is decided by it but when the next reading is due, and whether an alert is still to be
 * told: what cannot be read is forgotten. */
static void load(struct agent *a)
{
	JSON_AUTO *j = NULL;
	BUF_AUTO text = {0};

	if (fs_read_file(a->w.fs, SCRUB_PATH, SCRUB_BYTES, &text, NULL) < 0 ||
		json_read(buf_str(&text), SCRUB_BYTES, &j, NULL) < 0)
		return;
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		(void)!parse_result(j, slot_name(i), &a->scrub.last[i], NULL);
}

/* ---- when ---- */

/* The slot that is read: the other one, if it holds something and nobody uses it. */
static unsigned candidate(const struct agent *a)
{
	unsigned slot = a->boot.active < SLOT_COUNT ? slot_other(a->boot.active) : SLOT_NONE;
	const struct svc_view *svc = &a->watch.svc;

	if (slot == SLOT_NONE || a->slot[slot].mark != SLOT_VALID || slot == a->boot.confirmed ||
		(a->watch.known && svc->alive && svc->slot == slot))
		return SLOT_NONE;
	return slot;
}

/* Never read yet, or by a clock that is wrong: soon. */
static ms_t wait_for(const struct agent *a, unsigned slot)
{
	const struct scrub_result *x = &a->scrub.last[slot];
	ms_t every = a->conf->agent.scrub_interval, age = agent_wall(a) - x->at;
	bool is_known = x->at && sha256_eq(&x->document, &a->slot[slot].document);

	if (!is_known || age < 0 || age >= every)
		return MIN(SOONEST, every);
	return MAX(every - age, MIN(SOONEST, every));
}

static void plan(struct agent *a)
{
	unsigned slot = candidate(a);

	a->scrub.next = NEVER;
	if (a->conf->agent.scrub_interval && slot != SLOT_NONE && a->rec.state == UPD_IDLE)
		a->scrub.next = agent_mono(a) + agent_jitter(a, wait_for(a, slot));
}

void scrub_moved(struct agent *a)
{
	if (a->scrub.job)
		atomic_store(&a->scrub.job->job.cancel, true);
	plan(a);
}

/* ---- what comes of it ---- */

static void tell(struct agent *a, unsigned slot, const struct scrub_result *x)
{
	struct err why;

	(void)err_set(&why, x->code, "slot %s: %s", slot_name(slot), x->text);
	buf_addf(&a->notes, "read back slot %s (%s: %s)\n", slot_name(slot), err_name(x->code),
		x->text);
	if (x->code != ERR_OK)
		log_err(LOG_ID_SCRUB, &why, "slot=%s", slot_name(slot));
	outbox_condition(a, &why);
}

static bool is_rotten(enum err_code code)
{
	return code == ERR_ALTERED || code == ERR_IO;
}

/* In this order: the power may go in between, and then it is done again. The mark is taken only if
 * the slot still holds what was read. */
static int settle(struct agent *a, unsigned slot, struct err *e)
{
	struct scrub_result *x = &a->scrub.last[slot];
	const struct slot_view *v = &a->slot[slot];

	if (is_rotten(x->code) && slot == candidate(a) && sha256_eq(&v->document, &x->document))
		TRY(slots_driver(a->look_slots)->invalidate(a->look_slots, slot, e));
	agent_see_slots(a);
	tell(a, slot, x);
	x->told = true;
	return save(a, e);
}

static void settle_or_log(struct agent *a, unsigned slot)
{
	struct err e;

	if (settle(a, slot, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=scrub");
}

/* Only a change is told: that it is whole, once more, is no news. */
static void note_result(struct agent *a, const struct scrub_job *k)
{
	struct scrub_result *x = &a->scrub.last[k->slot];
	enum err_code was = sha256_eq(&x->document, &k->document) ? x->code : ERR_OK;
	struct err e;

	*x = (struct scrub_result){.document = k->document,
		.at = MAX(agent_wall(a), 1),
		.code = k->err.code,
		.told = k->err.code == was};
	const char *well =
		k->may_differ ? "every byte can be read" : "every byte is as it was signed";

	snprintf(x->text, sizeof x->text, "%.159s", k->err.code == ERR_OK ? well : k->err.text);
	if (save(a, &e) < 0)
		log_err(LOG_ID_ACTION_FAILED, &e, "action=scrub");
	else if (!x->told)
		settle_or_log(a, k->slot);
}

void scrub_open(struct agent *a)
{
	load(a);
	a->scrub.next = NEVER;
}

/* What a power cut kept from being told. */
void scrub_up(struct agent *a)
{
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		if (a->scrub.last[i].at && !a->scrub.last[i].told && a->rec.state == UPD_IDLE)
			settle_or_log(a, i);
	plan(a);
}

/* ---- the reading ---- */

/* Twice before anything is believed that costs the way back: memory has bad moments, too. */
static void read_back(void *ctx)
{
	struct scrub_job *k = ctx;
	const struct slot_driver *d = slots_driver(k->slots);
	struct release *r CLEANUP(mem_free) = agent_load_release(k->fs, &k->document, &k->err);

	k->was_read = r != NULL;
	slots_set_cancel(k->slots, &k->job.cancel);
	for (unsigned i = 0; r && i < 2; i++) {
		k->err = (struct err){0};
		if (d->verify(k->slots, k->slot, r, &k->err) == 0 || !is_rotten(k->err.code))
			break;
	}
	slots_set_cancel(k->slots, NULL);
	if (k->may_differ && k->err.code == ERR_ALTERED)
		k->err = (struct err){0};
}

static void run(struct job *job)
{
	polite_run(read_back, (struct scrub_job *)job);
}

static void done(struct job *job)
{
	struct scrub_job *k = (struct scrub_job *)job;
	struct agent *a = k->agent;

	a->scrub.job = NULL;
	bool counts = !a->closing && !atomic_load(&job->cancel);

	if (counts && k->was_read)
		note_result(a, k);
	else if (counts)
		log_err(LOG_ID_ACTION_FAILED, &k->err, "action=scrub");
	if (counts)
		plan(a);
	mem_free(&k);
}

void scrub_due(struct agent *a, ms_t now)
{
	struct scrub *s = &a->scrub;

	if (s->job || now < s->next)
		return;
	agent_see_slots(a);
	unsigned slot = candidate(a);

	if (a->rec.state != UPD_IDLE || slot == SLOT_NONE || a->work) {
		plan(a);
		return;
	}
	struct scrub_job *k = mem_new(sizeof(*k));

	k->job = (struct job){.lane = LANE_SLOT, .run = run, .done = done};
	k->agent = a;
	k->fs = a->w.fs;
	k->slots = a->scrub_slots;
	k->slot = slot;
	k->document = a->slot[slot].document;
	k->may_differ = a->conf->slot.writable && strcmp(a->conf->agent.slots, "raw") == 0;
	s->job = k;
	s->next = NEVER;
	jobs_submit(a->jobs, &k->job);
}

ms_t scrub_next(const struct agent *a)
{
	return a->scrub.job ? NEVER : a->scrub.next;
}
