#include <string.h>

#include "agent/deadman/core/deadman.h"

#define PREFIX "backstay."

static const struct {
	const char *name;
	uint64_t least, most, default_;
} params[] = {
#define X(id, name, least, most, default_, text)                                                   \
	[DEADMAN_PARAM_##id] = {name, least, most, default_},
	DEADMAN_PARAMS(X)
#undef X
};

static enum deadman_param param_of(struct str name)
{
	enum deadman_param p = 0;

	while (p < DEADMAN_PARAM_MAX && !str_is(name, params[p].name))
		p++;
	return p;
}

/* Which of ours the word sets; DEADMAN_PARAM_MAX when none. */
static enum deadman_param take(struct str word, struct deadman_conf *c, unsigned *bad)
{
	struct str name = {0};

	if (!str_has_prefix(word, PREFIX))
		return DEADMAN_PARAM_MAX;
	word.p += strlen(PREFIX);
	word.n -= strlen(PREFIX);
	(void)str_split(&word, '=', &name);
	enum deadman_param p = param_of(name);

	if (p < DEADMAN_PARAM_MAX &&
		str_to_u64(word, params[p].least, params[p].most, &c->v[p], NULL) < 0)
		++*bad;
	return p;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static struct str next_word(struct str *rest)
{
	struct str word;

	while (rest->n && is_blank(rest->p[0])) {
		rest->p++;
		rest->n--;
	}
	word = (struct str){rest->p, 0};
	while (rest->n && !is_blank(rest->p[0])) {
		rest->p++;
		rest->n--;
		word.n++;
	}
	return word;
}

void deadman_conf_parse(struct str line, struct deadman_conf *out, unsigned *out_bad)
{
	bool said[DEADMAN_PARAM_MAX + 1] = {0}, systemds = false;
	struct str word;

	*out_bad = 0;
	for (enum deadman_param p = 0; p < DEADMAN_PARAM_MAX; p++)
		out->v[p] = params[p].default_;
	/* What stands behind "--" is for init. */
	while ((word = next_word(&line)).n && !str_is(word, "--")) {
		said[take(word, out, out_bad)] = true;
		systemds |= str_has_prefix(word, "systemd.watchdog_sec=");
	}
	if (said[DEADMAN_PARAM_DEADLINE] && !said[DEADMAN_PARAM_TRIAL])
		out->v[DEADMAN_PARAM_TRIAL] = 1;
	if (systemds && !said[DEADMAN_PARAM_WATCHDOG])
		out->v[DEADMAN_PARAM_WATCHDOG] = 0;
}
