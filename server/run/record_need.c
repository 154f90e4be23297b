/* Which of what is asked for is there. */
#include "server/run/record.tbl.h"
#include "server/run/record_priv.h"

#include <string.h>

static const struct need {
	enum record_scope scope;
	const char *paragraph, *asks, *at, *how;
} needs[] = {
#define X(id, scope, paragraph, asks, at, how) {RECORD_##scope, paragraph, asks, at, how},
	RECORD_TABLE(X)
#undef X
};

struct tally {
	unsigned wanted, found;
};

static bool says_something(const json_t *j)
{
	if (json_is_string(j))
		return json_string_length(j) > 0;
	if (json_is_array(j))
		return json_array_size(j) > 0;
	if (json_is_object(j))
		return json_object_size(j) > 0;
	return j && !json_is_null(j);
}

/* Down one step of "a.*.b" at a time. A list without elements wants nothing. */
static void count(const json_t *at, struct str path, struct tally *t)
{
	struct str part;
	char name[64];
	const json_t *one;
	size_t i;

	if (!str_split(&path, '.', &part)) {
		t->wanted++;
		t->found += says_something(at);
		return;
	}
	if (str_is(part, "*")) {
		json_array_foreach (at, i, one)
			count(one, path, t);
		return;
	}
	count(str_copy(part, name, sizeof name, NULL) == 0 ? json_object_get(at, name) : NULL, path,
		t);
}

static const char *state_of(const struct tally *t)
{
	if (!t->wanted)
		return "none";
	if (!t->found)
		return "missing";
	return t->found == t->wanted ? "recorded" : "partly";
}

void record_judge(enum record_scope scope, json_t *record)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		const struct need *n = &needs[i];
		struct tally t = {0, 0};

		if (n->scope != scope)
			continue;
		count(record, str_of(n->at), &t);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "paragraph", n->paragraph,
				"asks", n->asks, "at", n->at, "state", state_of(&t), "found",
				(int)t.found, "of", (int)t.wanted, "how", n->how));
	}
	json_object_set_new(record, "requirements", list);
}
