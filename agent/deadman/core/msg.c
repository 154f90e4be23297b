#include <stdio.h>
#include <string.h>

#include "agent/deadman/core/deadman.h"

static const struct {
	const char *name;
	bool has_time;
} words[] = {
#define X(id, name, has_time, text) [DEADMAN_##id] = {name, has_time},
	DEADMAN_WORDS(X)
#undef X
};

static int word_of(struct str name, enum deadman_word *out, struct err *e)
{
	for (enum deadman_word w = 0; w < DEADMAN_WORD_MAX; w++) {
		if (str_is(name, words[w].name)) {
			*out = w;
			return 0;
		}
	}
	return err_set(e, ERR_BAD_INPUT, "not a word that the dead-man knows");
}

int deadman_parse(struct str packet, struct deadman_msg *out, struct err *e)
{
	struct deadman_msg m = {0};
	struct str name = {0};
	uint64_t s = 0;

	if (packet.n >= LIMIT_DEADMAN_BYTES)
		return err_set(e, ERR_TOO_LARGE, "a packet of %zu bytes", packet.n);
	(void)str_split(&packet, ' ', &name);
	TRY(word_of(name, &m.word, e));
	if (words[m.word].has_time)
		TRY(str_to_u64(packet, 1, LIMIT_DEADMAN_S, &s, e));
	else if (packet.p)
		return err_set(e, ERR_BAD_INPUT, "%s stands alone", words[m.word].name);
	m.within = SEC(s);
	*out = m;
	return 0;
}

const char *deadman_format(const struct deadman_msg *m, char out[LIMIT_DEADMAN_BYTES])
{
	ms_t s = MIN(MAX(m->within, 1), SEC(LIMIT_DEADMAN_S));

	if (words[m->word].has_time)
		snprintf(out, LIMIT_DEADMAN_BYTES, "%s %lld", words[m->word].name,
			(long long)((s + 999) / 1000));
	else
		snprintf(out, LIMIT_DEADMAN_BYTES, "%s", words[m->word].name);
	return out;
}
