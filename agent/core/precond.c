#include "agent/core/precond.h"

#include <stdio.h>
#include <string.h>

typedef void eval_f(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *v);

#define SAY(field, ...) snprintf(v->field, sizeof v->field, __VA_ARGS__)

/* The value and the limit are words for programs; sentences are for people. */
static void judge(struct precond_verdict *v, bool met)
{
	v->is = met ? PRECOND_MET : PRECOND_UNMET;
}

/* ---- power ---- */

static void eval_power(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *v)
{
	bool on_mains = f->power.mains, wants_more;

	if (r->mains && r->limit)
		SAY(limit, "mains and at least %u %%", (unsigned)r->limit);
	else if (r->limit)
		SAY(limit, "mains or at least %u %%", (unsigned)r->limit);
	else
		SAY(limit, "mains");
	if (!f->power.known)
		return;
	wants_more = f->power.has_battery && f->power.percent < r->limit && (r->mains || !on_mains);
	judge(v, (on_mains || !r->mains) && !wants_more);
	if (f->power.has_battery)
		SAY(value, "%u %%, on %s", f->power.percent, on_mains ? "mains" : "battery");
	else
		SAY(value, "no battery, on %s", on_mains ? "mains" : "something else");
	if (r->mains && !on_mains)
		SAY(sentence, "it is not on mains, and mains is wanted");
	else
		SAY(sentence, "the battery has %u %%, at least %u %% is wanted", f->power.percent,
			(unsigned)r->limit);
}

/* ---- signals ---- */

static void eval_signal(const struct precond_seen_signal *s, const char *limit,
	const char *sentence, struct precond_verdict *v)
{
	SAY(limit, "%s", limit);
	if (s->is == PRECOND_SIGNAL_UNKNOWN)
		return;
	judge(v, s->is == PRECOND_SIGNAL_YES);
	SAY(value, "%s", s->text);
	SAY(sentence, "%s: its source says '%s'", sentence, s->text);
}

static void eval_parked(const struct precond_rule *r UNUSED, const struct precond_facts *f,
	struct precond_verdict *v)
{
	eval_signal(&f->parked, "parked", "the machine is not parked", v);
}

static void eval_ignition(const struct precond_rule *r UNUSED, const struct precond_facts *f,
	struct precond_verdict *v)
{
	eval_signal(&f->ignition, "ignition off", "the ignition is not off", v);
}

static void eval_metered(const struct precond_rule *r UNUSED, const struct precond_facts *f,
	struct precond_verdict *v)
{
	eval_signal(&f->metered, "not metered", "the link is metered", v);
}

/* ---- windows ---- */

static unsigned opens_next(const struct precond_rule *r, unsigned minute, unsigned *out_which)
{
	unsigned best = PRECOND_WEEK;

	for (unsigned i = 0; i < r->n_windows; i++) {
		unsigned in = precond_window_opens_in(&r->windows[i], minute);

		if (in >= best && i > 0)
			continue;
		best = in;
		*out_which = i;
	}
	return best;
}

static void put_span(unsigned minutes, char out[24])
{
	if (minutes < 120)
		snprintf(out, 24, "%u min", minutes);
	else
		snprintf(out, 24, "%u h %02u min", minutes / 60, minutes % 60);
}

/* When the zone's offset changes before it opens, the count of minutes is off by that much: it is
 * looked again at the change. */
static void eval_window(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *v)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	char text[PRECOND_WINDOW_TEXT], in[24];
	unsigned which = 0, now = f->local.minute % PRECOND_WEEK;
	unsigned opens = opens_next(r, now, &which);

	precond_window_format(&r->windows[which], text);
	SAY(limit, "%s%s", text, r->n_windows > 1 ? " and others" : "");
	if (!f->local.known)
		return;
	judge(v, opens == 0);
	SAY(value, "%s %02u:%02u %s", days[now / PRECOND_DAY], now % PRECOND_DAY / 60, now % 60,
		f->local.zone);
	put_span(opens, in);
	SAY(sentence, "it is %s; the next window opens in %s: %s", v->value, in, text);
	if (f->local.shift_in && f->local.shift_in < opens)
		opens = f->local.shift_in;
	v->look_in = MAX(0, MINUTE((ms_t)opens) - SEC((ms_t)f->local.second));
}

/* ---- numbers ---- */

static const struct precond_zone *find_zone(
	const struct precond_rule *r, const struct precond_facts *f)
{
	const struct precond_zone *hottest = NULL;

	for (unsigned i = 0; i < MIN(f->n_zones, LIMIT_THERMAL_ZONES); i++) {
		const struct precond_zone *z = &f->zones[i];

		if (r->of[0] && strcmp(r->of, z->name) != 0)
			continue;
		if (!hottest || z->milli_c > hottest->milli_c)
			hottest = z;
	}
	return hottest;
}

static void eval_temperature(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *v)
{
	const struct precond_zone *z = find_zone(r, f);
	long long tenths;

	SAY(limit, "at most %u C", (unsigned)r->limit);
	if (!z)
		return;
	tenths = z->milli_c / 100;
	judge(v, z->milli_c <= (int64_t)r->limit * 1000);
	SAY(value, "%s%lld.%lld C", tenths < 0 ? "-" : "", (tenths < 0 ? -tenths : tenths) / 10,
		(tenths < 0 ? -tenths : tenths) % 10);
	SAY(sentence, "%s has %s, %s is wanted", z->name, v->value, v->limit);
}

static void eval_load(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *v)
{
	bool psi = strcmp(r->of, "psi") == 0;
	uint64_t percent = psi ? f->psi.percent : f->loadavg.percent;

	SAY(limit, "at most %u %%", (unsigned)r->limit);
	if (!(psi ? f->psi.known : f->loadavg.known))
		return;
	judge(v, percent <= r->limit);
	SAY(value, "%llu %%", (unsigned long long)percent);
	SAY(sentence, "%s is %s, %s is wanted",
		psi ? "the pressure on the processors" : "the load of the processors", v->value,
		v->limit);
}

static void put_bytes(uint64_t n, char out[24])
{
	static const char units[] = "kMGT";
	unsigned i = 0;

	if (n < 10000) {
		snprintf(out, 24, "%u bytes", (unsigned)n);
		return;
	}
	for (n /= 1000; n >= 10000 && i + 1 < sizeof units - 1; n /= 1000)
		i++;
	snprintf(out, 24, "%u %cB", (unsigned)MIN(n, UINT32_MAX), units[i]);
}

static void eval_free_space(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *v)
{
	char text[24];

	put_bytes(r->limit, text);
	SAY(limit, "at least %s", text);
	if (!f->space.known)
		return;
	judge(v, f->space.bytes >= r->limit);
	put_bytes(f->space.bytes, text);
	SAY(value, "%s", text);
	SAY(sentence, "there is room for %s, %s is wanted", v->value, v->limit);
}

/* ---- agreement ---- */

static void eval_consent(const struct precond_rule *r UNUSED, const struct precond_facts *f,
	struct precond_verdict *v)
{
	SAY(limit, "yes");
	judge(v, f->consent.is == PRECOND_CONSENT_YES && !f->consent.put_off);
	if (f->consent.put_off) {
		SAY(value, "later");
		SAY(sentence, "%s has put it off", f->consent.who);
		v->look_in = f->consent.put_off;
	} else if (f->consent.is == PRECOND_CONSENT_NO) {
		SAY(value, "no");
		SAY(sentence, "%s has said no to it; yes: backstay consent --yes", f->consent.who);
	} else if (f->consent.is == PRECOND_CONSENT_NONE) {
		SAY(value, "not asked yet");
		SAY(sentence, "a person at the device has to agree: backstay consent");
	} else {
		SAY(value, "yes, by %s", f->consent.who);
	}
}

static void eval_lease(const struct precond_rule *r UNUSED, const struct precond_facts *f,
	struct precond_verdict *v)
{
	SAY(limit, "a lease of the server");
	if (!f->lease.known)
		return;
	judge(v, f->lease.held);
	SAY(value, "%s", f->lease.held ? "held" : "refused");
	SAY(sentence, "the server lets nobody else be disrupted just now: %s", f->lease.text);
	v->look_in = f->lease.ask_in;
}

static eval_f *const evals[PRECOND_TYPE_MAX] = {
	[PRECOND_POWER] = eval_power,
	[PRECOND_PARKED] = eval_parked,
	[PRECOND_IGNITION] = eval_ignition,
	[PRECOND_WINDOW] = eval_window,
	[PRECOND_METERED] = eval_metered,
	[PRECOND_TEMPERATURE] = eval_temperature,
	[PRECOND_LOAD] = eval_load,
	[PRECOND_FREE_SPACE] = eval_free_space,
	[PRECOND_CONSENT] = eval_consent,
	[PRECOND_LEASE] = eval_lease,
};

/* ---- all of them ---- */

static void say_unknown(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *v)
{
	const char *why = f->why[r->type];

	SAY(sentence, "%s is not known%s%s, %s is wanted", precond_type_name(r->type),
		*why ? ": " : "", why, v->limit);
}

void precond_eval(
	const struct precond_rule *r, const struct precond_facts *f, struct precond_verdict *out)
{
	struct precond_verdict v = {.is = PRECOND_NOT_KNOWN};

	evals[r->type](r, f, &v);
	if (v.is == PRECOND_NOT_KNOWN)
		say_unknown(r, f, &v);
	if (v.is == PRECOND_MET) {
		v.sentence[0] = '\0';
		v.look_in = 0;
	}
	v.holds = v.is == PRECOND_MET ||
		  (v.is == PRECOND_NOT_KNOWN && r->on_unknown == PRECOND_UNKNOWN_PASS);
	*out = v;
}

const char *precond_is_name(enum precond_is is)
{
	static const char *const names[] = {"met", "unmet", "unknown"};

	return names[is];
}
