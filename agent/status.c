#include "agent/agent_priv.h"

#include "agent/version.h"

static json_t *digest_json(const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	sha256_format(d, hex);
	return sha256_is_zero(d) ? json_null() : json_string(hex);
}

const char *status_bootname(const struct agent *a, unsigned slot)
{
	if (slot >= SLOT_COUNT || !boot_adapter_of(a->look_boot)->boots)
		return "";
	return slot == 0 ? a->conf->boot.name_a : a->conf->boot.name_b;
}

static json_t *lines_json(const struct buf *lines)
{
	json_t *all = json_array();
	struct str rest = buf_str(lines), line;

	while (str_split(&rest, '\n', &line))
		if (line.n)
			json_array_append_new(all, findings_text(line, 256));
	return all;
}

int status_boot(struct agent *a, json_t **out, struct err *e)
{
	const struct boot_adapter *b = boot_adapter_of(a->look_boot);
	unsigned booted = b->boots ? a->w.booted : SLOT_NONE;
	struct boot_view v;
	BUF_AUTO lines = {0};

	TRY(b->look(a->look_boot, &v, e));
	if (b->list)
		TRY(b->list(a->look_boot, &lines, e));
	*out = json_pack("{ss ss ss si si sb ss s{ss ss} so}", "adapter", b->kind, "active",
		slot_name(v.active), "confirmed", slot_name(v.confirmed), "tries_left",
		(int)v.tries_left, "tries", b->boots ? (int)BOOT_TRIES_MAX : 0, "fell_back",
		v.fell_back, "booted", slot_name(booted), "names", "a", status_bootname(a, 0), "b",
		status_bootname(a, 1), "environment", lines_json(&lines));
	return 0;
}

static json_t *scrub_json(const struct scrub_result *x)
{
	if (x->at == 0)
		return json_null();
	return json_pack("{sI ss ss}", "at", (json_int_t)x->at, "code", err_name(x->code), "reason",
		x->text);
}

static json_t *slots_json(const struct agent *a)
{
	json_t *slots = json_array();

	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		const struct slot_view *v = &a->slot[i];

		json_array_append_new(slots,
			json_pack("{ss ss ss ss so so sb sb sb so}", "name", slot_name(i),
				"bootname", status_bootname(a, i), "mark",
				v->mark == SLOT_VALID ? "valid" : "invalid", "release",
				v->release.s, "document", digest_json(&v->document), "content",
				digest_json(&v->content), "active", a->boot.active == i,
				"confirmed", a->boot.confirmed == i, "running",
				a->watch.known && a->watch.svc.alive && a->watch.svc.slot == i,
				"scrub", scrub_json(&a->scrub.last[i])));
	}
	return slots;
}

static json_t *running_json(const struct agent *a)
{
	const struct slot_view *v = agent_running(a);

	return json_pack("{ss so ss}", "release", v->release.s, "document",
		digest_json(&v->document), "slot", slot_name(agent_running_slot(a)));
}

static json_t *update_json(const struct agent *a)
{
	const struct upd_record *r = &a->rec;
	char txn[TXN_TEXT];

	if (r->state == UPD_IDLE)
		return json_null();
	txn_format(&r->txn, txn);
	return json_pack("{ss ss ss ss sb si si ss ss so}", "txn", txn, "release",
		r->goal.release.s, "from", r->from.s, "campaign", r->goal.campaign.s, "rollback",
		r->goal.rollback, "attempt", (int)r->attempt, "retries", (int)r->retries, "code",
		err_name(r->why), "reason", r->why_text, "again_in_ms",
		a->wake_at == NEVER ? json_null()
				    : json_integer(MAX(0, a->wake_at - agent_mono(a))));
}

static json_t *progress_json(const struct agent *a)
{
	const char *of;
	uint64_t done, total;

	if (!outbox_progress(a, &of, &done, &total))
		return json_null();
	return json_pack(
		"{ss sI sI}", "of", of, "done", (json_int_t)done, "total", (json_int_t)total);
}

static json_t *service_json(const struct agent *a)
{
	const struct svc_view *v = &a->watch.svc;

	if (!a->watch.known)
		return json_null();
	return json_pack("{sb ss sI}", "alive", v->alive, "slot", slot_name(v->slot), "ended",
		(json_int_t)v->ended);
}

static json_t *server_json(const struct agent *a)
{
	const struct poll *p = &a->poll;

	if (!a->conf->server.url[0])
		return json_null();
	return json_pack("{ss sI si ss ss sI}", "url", a->conf->server.url, "answered_at",
		(json_int_t)p->ok_wall, "fails", (int)p->fails, "code", err_name(p->err.code),
		"reason", p->err.text, "next_in_ms",
		(json_int_t)(p->job ? 0 : MAX(0, p->next - agent_mono(a))));
}

static json_t *push_json(const struct agent *a)
{
	struct push_view v;

	if (!a->w.push || !a->w.push(a->w.self, &v))
		return json_null();
	return json_pack("{sb si si ss ss}", "connected", v.connected, "wakes", (int)v.wakes,
		"acks", (int)v.acks, "code", err_name(v.last.code), "reason", v.last.text);
}

/* What is in force for it, as the kernel says. */
static json_t *worker_json(const struct agent *a)
{
	struct worker_view v;

	if (!a->w.worker)
		return json_null();
	a->w.worker(a->w.self, &v);
	if (v.pid == 0)
		return json_pack("{si si}", "pid", 0, "starts", (int)v.starts);
	return json_pack("{si si si sb sb si sb}", "pid", (int)v.pid, "starts", (int)v.starts,
		"uid", (int)v.uid, "seccomp", v.seccomp, "no_new_privs", v.no_new_privs, "landlock",
		(int)v.landlock, "unit", v.unit);
}

json_t *status_outcome(const struct outcome *o)
{
	char txn[TXN_TEXT];

	if (o->state == UPD_IDLE)
		return json_null();
	txn_format(&o->txn, txn);
	return json_pack("{ss ss ss ss ss ss sI}", "txn", txn, "release", o->release.s, "state",
		upd_state_name(o->state), "code", err_name(o->why), "cause",
		o->cause < TRIG_TYPE_MAX ? trig_type_name(o->cause) : "", "reason", o->text, "at",
		(json_int_t)o->at);
}

static json_t *quarantine_json(const struct agent *a)
{
	json_t *all = json_array();
	ms_t now = agent_wall(a);

	for (unsigned i = 0; i < a->quarantine.n; i++) {
		const struct quarantine_entry *q = &a->quarantine.v[i];

		if (q->until && q->until <= now)
			continue;
		json_array_append_new(
			all, json_pack("{ss so ss ss sI sI}", "release", q->release.s, "document",
				     digest_json(&q->document), "code", err_name(q->why), "reason",
				     q->text, "since", (json_int_t)q->since, "until",
				     (json_int_t)q->until));
	}
	return all;
}

json_t *status_answer(struct agent *a)
{
	agent_see_slots(a);
	return json_pack("{ss ss ss ss ss so so so so so so so so so so so so so so si so so so}",
		"device", a->conf->device.id, "hardware", a->conf->device.hardware, "version",
		AGENT_VERSION, "state", upd_state_name(a->rec.state), "text",
		upd_state_text(a->rec.state), "running", running_json(a), "slots", slots_json(a),
		"update", update_json(a), "waits", waits_answer(a), "consent", agree_answer(a),
		"progress", progress_json(a), "service", service_json(a), "server", server_json(a),
		"worker", worker_json(a), "push", push_json(a), "last",
		status_outcome(&a->outcomes.last), "rollback",
		status_outcome(&a->outcomes.rollback), "carried", carry_answer(a), "quarantine",
		quarantine_json(a), "reports_waiting", (int)a->outbox.left, "health",
		checks_answer(a), "shadow", shadow_answer(a), "telemetry", telemetry_answer(a));
}
