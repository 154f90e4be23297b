/* Prints docs/update-machine.md: the tables as they stand, and what the real step answers when it
 * is asked about every state and event. */
#include <stdio.h>
#include <string.h>

#include "agent/core/update.h"

#define NOW 1000000

/* ---- the tables ---- */

static const struct {
	const char *name, *runs, *text;
	enum upd_act_kind act;
} states[] = {
#define X(id, name, runs, act, text) {name, #runs, text, UACT_##act},
	UPD_STATES(X)
#undef X
};

static const struct {
	const char *name, *kind, *look, *text;
} events[] = {
#define X(id, name, kind, look, text) {name, #kind, #look, text},
	UPD_EVENTS(X)
#undef X
};

static const struct {
	const char *name, *text;
} actions[] = {
#define X(id, name, text) {name, text},
	UPD_ACTIONS(X)
#undef X
};

/* ---- a device in the middle of an update from slot a to slot b ---- */

static void device_in(enum upd_state state, struct upd_record *r)
{
	upd_record_init(r);
	r->state = state;
	r->slot_old = 0;
	r->slot_new = 1;
	if (state == UPD_IDLE)
		return;
	r->txn.b[0] = 1;
	r->goal = (struct upd_goal){
		.release = {"new"}, .document = {{2}}, .director_version = 2, .counter = 2};
	r->from = (struct rel_id){"old"};
	r->from_document.b[0] = 1;
	r->attempt = 1;
	r->soak_want = SEC(60);
	r->soak_done = state == UPD_COMMITTING ? SEC(60) : 0;
	r->content.b[0] = state > UPD_STAGING;
	r->why = state >= UPD_REVERTING ? ERR_TRIGGERED : ERR_OK;
}

/* What the driver would see at this event if all goes well. */
static struct upd_event good_event(enum upd_ev kind)
{
	bool on_new = kind >= UEV_SWITCHED && kind <= UEV_CONFIRMED;
	struct upd_event ev = {
		.kind = kind,
		.wall = NOW,
		.txn = {{1}},
		.ok = true,
		.looked = true,
		.boot = {.active = on_new, .confirmed = kind == UEV_CONFIRMED},
		.svc = {.alive = true, .slot = on_new && kind != UEV_SWITCHED},
		.goal = {.release = {"newer"}, .document = {{3}}, .director_version = 3},
		.content = {{1}},
		.soak = SEC(60),
		.soak_done = SEC(60),
		.cause = TRIG_LATENCY,
	};

	return ev;
}

/* ---- the questions ---- */

struct question {
	const char *when;
	void (*set)(struct upd_record *r, struct upd_event *ev);
};

static void all_well(struct upd_record *r, struct upd_event *ev)
{
	if (ev->kind == UEV_TICK)
		r->wake_wall = NOW;
}

static void fail_with(struct upd_event *ev, enum err_code code)
{
	ev->ok = false;
	(void)err_set(&ev->err, code, "because");
	if (ev->kind == UEV_SWITCHED)
		ev->boot.active = 0;
}

static void fail_for_now(struct upd_record *r, struct upd_event *ev)
{
	(void)r;
	fail_with(ev, ERR_BUSY);
}

static void fail_at_last(struct upd_record *r, struct upd_event *ev)
{
	r->attempt = r->retries = 100;
	fail_with(ev, ERR_BUSY);
}

static void fail_for_good(struct upd_record *r, struct upd_event *ev)
{
	(void)r;
	fail_with(ev, ERR_ALTERED);
}

static void workload_is_dead(struct upd_record *r, struct upd_event *ev)
{
	(void)r;
	ev->svc.alive = false;
}

static void workload_is_dead_again(struct upd_record *r, struct upd_event *ev)
{
	r->retries = 100;
	ev->svc.alive = false;
}

static void too_early(struct upd_record *r, struct upd_event *ev)
{
	(void)r;
	ev->soak_done = 1;
}

static void fallen_back(struct upd_record *r, struct upd_event *ev)
{
	(void)r;
	ev->boot = (struct boot_view){.active = 0, .confirmed = 0, .fell_back = true};
	ev->svc.slot = 0;
}

static void same_release(struct upd_record *r, struct upd_event *ev)
{
	ev->goal.document = r->goal.document;
}

static void old_release(struct upd_record *r, struct upd_event *ev)
{
	ev->goal.document = r->from_document;
}

static const struct question plain[] = {{"", all_well}};
static const struct question answers[] = {{"ok", all_well},
	{"failed, trying again can help", fail_for_now},
	{"the same, at the last try", fail_at_last}, {"failed for good", fail_for_good}};
static const struct question wishes[] = {{"another release, newer order", all_well},
	{"the same release, newer order", same_release},
	{"the old release, newer order", old_release}};
static const struct question soak_ends[] = {{"the new one runs", all_well},
	{"soak time is missing", too_early}, {"it does not run", workload_is_dead},
	{"it still does not run", workload_is_dead_again}};
static const struct question vouches[] = {
	{"the new one runs", all_well}, {"it does not run", workload_is_dead}};
static const struct question confirms[] = {{"ok", all_well},
	{"failed, trying again can help", fail_for_now},
	{"the old slot is active again", fallen_back}};

static const struct question *questions_about(enum upd_ev ev, unsigned *out_n)
{
#define ASK(table) (*out_n = ARRAY_LEN(table), (table))
	switch (ev) {
	case UEV_DESIRED:
		return ASK(wishes);
	case UEV_SOAK_OVER:
		return ASK(soak_ends);
	case UEV_CONFIRMED:
		return ASK(confirms);
	case UEV_VOUCH:
		return ASK(vouches);
	case UEV_CANCEL:
	case UEV_CHECKPOINT:
	case UEV_TRIGGER:
	case UEV_TICK:
	case UEV_RESET:
		return ASK(plain);
	default:
		return ASK(answers);
	}
#undef ASK
}

/* ---- the answers ---- */

struct answer {
	enum upd_state to;
	bool saved;
	char acts[120];
};

static void name_acts(const struct upd_acts *acts, char out[120])
{
	*out = '\0';
	for (unsigned i = 0; i < acts->n; i++) {
		strcat(out, i ? ", `" : "`");
		strcat(out, upd_act_name(acts->v[i].kind));
		strcat(out, "`");
	}
}

static bool put_question(const struct upd_record *r, const struct upd_event *ev, struct answer *out)
{
	struct upd_record next;
	struct upd_acts acts;
	struct err e;

	if (upd_step(r, ev, &next, &acts, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return false;
	}
	out->to = next.state;
	out->saved = acts.save;
	name_acts(&acts, out->acts);
	return true;
}

static bool ask(
	enum upd_state state, enum upd_ev kind, const struct question *q, struct answer *out)
{
	struct upd_event ev = good_event(kind);
	struct upd_record r;

	device_in(state, &r);
	q->set(&r, &ev);
	return put_question(&r, &ev, out);
}

static bool means_nothing(const struct answer *a, enum upd_state state)
{
	return a->to == state && !a->saved && !*a->acts;
}

static bool is_same(const struct answer *a, const struct answer *b)
{
	return a->to == b->to && a->saved == b->saved && strcmp(a->acts, b->acts) == 0;
}

/* ---- the picture ---- */

struct edges {
	char by[UPD_STATE_MAX][UPD_STATE_MAX][160];
};

static void add_edge(struct edges *g, enum upd_state from, enum upd_state to, const char *name)
{
	char *by = g->by[from][to];

	if (from == to || strstr(by, name))
		return;
	if (*by)
		strcat(by, ", ");
	strcat(by, name);
}

static void draw(const struct edges *g)
{
	puts("## Picture\n\n"
	     "Drawn from the answers below; what the power-up does is left out.\n\n"
	     "```mermaid\nflowchart LR");
	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		for (unsigned t = 0; t < UPD_STATE_MAX; t++)
			if (*g->by[s][t])
				printf("\t%s -->|%s| %s\n", states[s].name, g->by[s][t],
					states[t].name);
	puts("```\n");
}

/* ---- what every cell says ---- */

static void print_answer(
	enum upd_state state, const char *event, const char *when, const struct answer *a)
{
	printf("| %s | %s | ", event, when);
	if (a->to != state)
		printf("**%s**", states[a->to].name);
	else
		printf(a->saved ? "remembered" : "stays");
	printf(" | %s |\n", a->acts);
}

static bool print_event(enum upd_state state, enum upd_ev kind, bool *out_any)
{
	struct answer before = {.to = UPD_STATE_MAX}, a;
	char name[40];
	unsigned n;
	const struct question *q = questions_about(kind, &n);

	*out_any = false;
	snprintf(name, sizeof name, "`%s`", events[kind].name);
	for (unsigned i = 0; i < n; i++) {
		if (!ask(state, kind, &q[i], &a))
			return false;
		if (means_nothing(&a, state) || is_same(&a, &before))
			continue;
		print_answer(state, *out_any ? "" : name, q[i].when, &a);
		*out_any = true;
		before = a;
	}
	return true;
}

static void print_heading(enum upd_state state)
{
	const char *text = states[state].text;

	printf("### %s\n\n%c%s.", states[state].name, text[0] - 'a' + 'A', text + 1);
	if (states[state].act != UACT_NONE)
		printf(" Action: `%s`.", upd_act_name(states[state].act));
	printf("\n\n| Event | Answer | Next | Actions |\n|---|---|---|---|\n");
}

static bool print_state(enum upd_state state)
{
	bool means[UEV_MAX] = {false};

	print_heading(state);
	for (unsigned ev = 0; ev < UEV_MAX; ev++)
		if (ev != UEV_POWER_UP && !print_event(state, ev, &means[ev]))
			return false;
	printf("\nMeans nothing here:");
	for (unsigned ev = 0; ev < UEV_MAX; ev++)
		if (ev != UEV_POWER_UP && !means[ev])
			printf(" `%s`", events[ev].name);
	printf(".\n\n");
	return true;
}

/* ---- power-up ---- */

static const struct {
	const char *head;
	struct boot_view boot;
	struct svc_view svc;
} sights[] = {
	{"old slot, old runs", {.active = 0, .confirmed = 0}, {.alive = true, .slot = 0}},
	{"old slot, nothing runs", {.active = 0, .confirmed = 0}, {.slot = SLOT_NONE}},
	{"fell back, old runs", {.active = 0, .confirmed = 0, .fell_back = true},
		{.alive = true, .slot = 0}},
	{"new slot, new runs", {.active = 1, .confirmed = 0}, {.alive = true, .slot = 1}},
	{"new slot, old runs", {.active = 1, .confirmed = 0}, {.alive = true, .slot = 0}},
	{"new slot, nothing runs", {.active = 1, .confirmed = 0}, {.slot = SLOT_NONE}},
	{"no slot", {.active = SLOT_NONE, .confirmed = SLOT_NONE}, {.slot = SLOT_NONE}},
};

static bool see(enum upd_state state, unsigned sight, unsigned attempt, struct answer *out)
{
	struct upd_event ev = good_event(UEV_POWER_UP);
	struct upd_record r;

	device_in(state, &r);
	r.attempt = attempt;
	ev.boot_id = 1;
	ev.boot = sights[sight].boot;
	ev.svc = sights[sight].svc;
	return put_question(&r, &ev, out);
}

static bool print_sight(enum upd_state state, unsigned sight)
{
	struct answer a, last;

	if (!see(state, sight, 1, &a) || !see(state, sight, 100, &last))
		return false;
	if (a.to != state)
		printf(" **%s**", states[a.to].name);
	else
		printf(" %s", *a.acts ? a.acts : "stays");
	if (last.to != a.to)
		printf("; at the last try **%s**", states[last.to].name);
	printf(" |");
	return true;
}

static bool print_power_up(void)
{
	printf("## Power-up\n\nThe machine was started since the record was written, and the agent looks "
	       "what starts next\nand what runs. An action means: the state stays, and its action is begun "
	       "again.\n\n| State |");
	for (unsigned i = 0; i < ARRAY_LEN(sights); i++)
		printf(" %s |", sights[i].head);
	printf("\n|---|");
	for (unsigned i = 0; i < ARRAY_LEN(sights); i++)
		printf("---|");
	for (unsigned s = 0; s < UPD_STATE_MAX; s++) {
		printf("\n| %s |", states[s].name);
		for (unsigned i = 0; i < ARRAY_LEN(sights); i++)
			if (!print_sight(s, i))
				return false;
	}
	printf("\n\n");
	return true;
}

/* ---- the whole ---- */

static bool draw_picture(void)
{
	static struct edges g;
	struct answer a;
	unsigned n;

	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		for (unsigned ev = 0; ev < UEV_MAX; ev++) {
			const struct question *q = questions_about(ev, &n);

			for (unsigned i = 0; i < n && ev != UEV_POWER_UP; i++) {
				if (!ask(s, ev, &q[i], &a))
					return false;
				add_edge(&g, s, a.to, events[ev].name);
			}
		}
	draw(&g);
	return true;
}

static void print_tables(void)
{
	printf("## States\n\n| State | What the device does | Action | If the power goes, this must be able "
	       "to run |\n|---|---|---|---|\n");
	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		printf("| %s | %s | %s | %s |\n", states[s].name, states[s].text,
			states[s].act == UACT_NONE ? "" : upd_act_name(states[s].act),
			states[s].runs);
	printf("\n## Events\n\nAn answer carries the transaction it is about; one about another update is "
	       "ignored.\n\n| Event | Kind | The driver looks first | What happened "
	       "|\n|---|---|---|---|\n");
	for (unsigned i = 0; i < UEV_MAX; i++)
		printf("| %s | %s | %s | %s |\n", events[i].name, events[i].kind,
			strcmp(events[i].look, "LOOK") == 0 ? "yes" : "", events[i].text);
	printf("\n## Actions\n\nEach may be repeated without harm.\n\n| Action | What the driver does "
	       "|\n|---|---|\n");
	for (unsigned i = 0; i < UACT_KIND_MAX; i++)
		printf("| %s | %s |\n", actions[i].name, actions[i].text);
	printf("\n");
}

int main(void)
{
	printf("# The update machine\n\nPrinted by `make docs` from `agent/core/update.tbl.h` and from the "
	       "answers of the real `upd_step`;\nnot written by hand. The record is durable before any "
	       "action is begun. The laws stand in\n`agent/core/update.h` and are asserted in every step; "
	       "`tests/machine` walks all of this with\npower cuts in between.\n\n");
	if (!draw_picture())
		return 70;
	print_tables();
	if (!print_power_up())
		return 70;
	printf("## Every state and event\n\nWhere the answer is empty, there is only one. \"Remembered\": the "
	       "state stays, the record changes.\n\n");
	for (unsigned s = 0; s < UPD_STATE_MAX; s++)
		if (!print_state(s))
			return 70;
	return 0;
}
