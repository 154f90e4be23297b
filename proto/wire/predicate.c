#include "proto/wire/predicate.h"

#include <string.h>

static const struct {
	const char *name, *type;
	bool versioned;
	const char *made_at, *text;
} rows[] = {
#define X(id, name, type, versioned, made_at, text) {name, type, versioned, made_at, text},
	PREDICATE_TABLE(X)
#undef X
};

const char *predicate_name(enum predicate p)
{
	return p < PREDICATE_MAX ? rows[p].name : "unknown";
}

const char *predicate_type(enum predicate p)
{
	return p < PREDICATE_MAX ? rows[p].type : "";
}

const char *predicate_made_at(enum predicate p)
{
	return p < PREDICATE_MAX ? rows[p].made_at : "";
}

const char *predicate_text(enum predicate p)
{
	return p < PREDICATE_MAX ? rows[p].text : "";
}

enum predicate predicate_by_type(struct str type)
{
	for (enum predicate p = 0; p < PREDICATE_MAX; p++) {
		size_t n = strlen(rows[p].type);

		if (str_is(type, rows[p].type))
			return p;
		if (rows[p].versioned && str_has_prefix(type, rows[p].type) &&
			str_has_prefix((struct str){type.p + n, type.n - n}, "/v"))
			return p;
	}
	return PREDICATE_MAX;
}

enum predicate predicate_by_name(const char *name)
{
	for (enum predicate p = 0; p < PREDICATE_MAX; p++)
		if (strcmp(rows[p].name, name) == 0)
			return p;
	return PREDICATE_MAX;
}
