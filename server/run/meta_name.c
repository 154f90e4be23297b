#include "server/run/meta_name.h"

#include <string.h>

#define SUFFIX ".json"

static bool is_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static int no_such_name(struct str file, struct err *e)
{
	char shown[LIMIT_ROLE_NAME];

	return err_set(e, ERR_NOT_FOUND, "%s: no name of a metadata file",
		str_printable(file, shown, sizeof shown));
}

int meta_name_parse(struct str file, struct meta_name *out, struct err *e)
{
	struct meta_name name = {0};
	struct str role = file, number;

	if (file.n <= strlen(SUFFIX) ||
		memcmp(file.p + file.n - strlen(SUFFIX), SUFFIX, strlen(SUFFIX)) != 0)
		return no_such_name(file, e);
	role.n -= strlen(SUFFIX);
	number = role;
	if (str_split(&role, '.', &number) && role.p && is_digits(number)) {
		if (str_to_u64(number, 1, INT64_MAX, &name.version, NULL) < 0)
			return no_such_name(file, e);
	} else {
		role = (struct str){file.p, file.n - strlen(SUFFIX)};
	}
	if (!role.n || str_copy(role, name.role, sizeof name.role, NULL) < 0)
		return no_such_name(file, e);
	*out = name;
	return 0;
}
