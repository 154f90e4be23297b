#include "server/core/hook.h"

#include <string.h>

static const struct {
	const char *name, *text;
	enum hook_gravity gravity;
} events[] = {
#define X(id, name, gravity, text) {name, text, HOOK_GRAVITY_##gravity},
	HOOK_EVENT_TABLE(X)
#undef X
};

static const char *const kinds[] = {
#define X(id, name, text) name,
	HOOK_KIND_TABLE(X)
#undef X
};

static const char *const gravities[] = {
#define X(id, name, minutes) name,
	HOOK_GRAVITY_TABLE(X)
#undef X
};

_Static_assert(HOOK_EVENT_MAX <= 64, "the events of a hook are bits of one word");

const char *hook_event_name(enum hook_event ev)
{
	return ev < HOOK_EVENT_MAX ? events[ev].name : "";
}

enum hook_event hook_event_by_name(const char *name)
{
	enum hook_event ev = 0;

	while (ev < HOOK_EVENT_MAX && strcmp(events[ev].name, name) != 0)
		ev++;
	return ev;
}

const char *hook_event_text(enum hook_event ev)
{
	return ev < HOOK_EVENT_MAX ? events[ev].text : "";
}

enum hook_gravity hook_event_gravity(enum hook_event ev)
{
	return ev < HOOK_EVENT_MAX ? events[ev].gravity : HOOK_GRAVITY_INFO;
}

const char *hook_gravity_name(enum hook_gravity g)
{
	return g < HOOK_GRAVITY_MAX ? gravities[g] : "";
}

const char *hook_kind_name(enum hook_kind k)
{
	return k < HOOK_KIND_MAX ? kinds[k] : "";
}

enum hook_kind hook_kind_by_name(const char *name)
{
	enum hook_kind k = 0;

	while (k < HOOK_KIND_MAX && strcmp(kinds[k], name) != 0)
		k++;
	return k;
}

/* ---- which events ---- */

/* "*" and "campaign.*" end in a star; what stands before it begins the names that are meant. */
static bool fits(struct str word, const char *name)
{
	bool is_group =
		word.n && word.p[word.n - 1] == '*' && (word.n == 1 || word.p[word.n - 2] == '.');

	if (!is_group)
		return str_is(word, name);
	return strncmp(name, word.p, word.n - 1) == 0;
}

static int unknown(struct str word, struct err *e)
{
	const char *names[HOOK_EVENT_MAX], *near;
	char shown[64];

	for (enum hook_event ev = 0; ev < HOOK_EVENT_MAX; ev++)
		names[ev] = events[ev].name;
	near = str_nearest(word, names, HOOK_EVENT_MAX);
	str_printable(word, shown, sizeof shown);
	if (near)
		return err_set(
			e, ERR_BAD_INPUT, "events: no event '%s'; is %s meant?", shown, near);
	return err_set(e, ERR_BAD_INPUT, "events: no event '%s'", shown);
}

int hook_events_parse(struct str text, uint64_t *out_mask, struct err *e)
{
	uint64_t mask = 1ULL << HOOK_TEST;
	struct str word;

	if (!text.n)
		return err_set(e, ERR_BAD_INPUT, "events: none is named; * means all");
	while (text.n) {
		uint64_t meant = 0;

		str_split(&text, ',', &word);
		word = str_trim(word);
		for (enum hook_event ev = 0; ev < HOOK_EVENT_MAX; ev++)
			if (fits(word, events[ev].name))
				meant |= 1ULL << ev;
		if (!meant)
			return unknown(word, e);
		mask |= meant;
	}
	*out_mask = mask;
	return 0;
}

bool hook_is_for(uint64_t mask, enum hook_event ev)
{
	return ev < HOOK_EVENT_MAX && (mask >> ev & 1);
}

/* ---- where to ---- */

int hook_url_check(struct str url, struct err *e)
{
	struct str host = url;

	if (str_has_prefix(url, "https://"))
		host = (struct str){url.p + 8, url.n - 8};
	else if (str_has_prefix(url, "http://"))
		host = (struct str){url.p + 7, url.n - 7};
	else
		return err_set(
			e, ERR_BAD_INPUT, "url: it begins with neither http:// nor https://");
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= ' ' || url.p[i] > '~' || str_has_char("\\\"#<>`{}|^", url.p[i]))
			return err_set(e, ERR_BAD_INPUT, "url: byte %zu cannot stand there", i + 1);
	for (size_t i = 0; i < host.n && !str_has_char("/?", host.p[i]); i++)
		if (host.p[i] == '@')
			return err_set(e, ERR_BAD_INPUT,
				"url: a name or password in it would be seen by many");
	if (!host.n || str_has_char("/?:", host.p[0]))
		return err_set(e, ERR_BAD_INPUT, "url: it names no host");
	return 0;
}

/* ---- one attempt ---- */

static ms_t wait_after(const struct hook_rule *rule, unsigned tries, uint64_t chance)
{
	ms_t step = rule->first;

	while (tries-- > 1 && step < rule->last)
		step *= 3;
	step = MAX(MIN(step, rule->last), 1);
	return step / 2 + (ms_t)(chance % (uint64_t)(step - step / 2 + 1));
}

void hook_step(const struct hook_rule *rule, unsigned tries, const struct hook_answer *a,
	uint64_t chance, struct hook_plan *out)
{
	ms_t asked = MIN(MAX(a->retry_after, 0), HOOK_WAIT_MAX);
	bool is_down = a->status == 0 || a->status == 429 || a->status >= 500;

	*out = (struct hook_plan){.fate = HOOK_DELIVERED};
	if (a->status >= 200 && a->status < 300)
		return;
	out->fate = a->status == 410 || tries >= rule->tries ? HOOK_DEAD : HOOK_AGAIN;
	out->wait = MAX(wait_after(rule, tries, chance), asked);
	if (is_down)
		out->quiet = MAX(asked, MIN(out->wait, MINUTE(1)));
}
