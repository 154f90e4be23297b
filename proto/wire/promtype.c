#include "proto/wire/promtext.h"

static bool type_of(struct str word, enum prom_type *out)
{
	static const char *const names[PROM_TYPE_MAX] = {"counter", "gauge", "histogram"};

	for (unsigned i = 0; i < PROM_TYPE_MAX; i++) {
		if (str_is(word, names[i])) {
			*out = (enum prom_type)i;
			return true;
		}
	}
	return false;
}

bool prom_next_type(struct str *rest, struct str *out_name, enum prom_type *out_type)
{
	struct str line, hash, type, name;

	while (str_split(rest, '\n', &line)) {
		if (str_split(&line, ' ', &hash) && str_is(hash, "#") &&
			str_split(&line, ' ', &type) && str_is(type, "TYPE") &&
			str_split(&line, ' ', &name) && type_of(str_trim(line), out_type)) {
			*out_name = name;
			return true;
		}
	}
	return false;
}
