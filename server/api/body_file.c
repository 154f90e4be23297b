#include <stdio.h>

#include "server/api/api_priv.h"
#include "server/run/rolefiles.h"

int answer_file(const json_t *j, const char *what, struct str *out, struct err *e)
{
	if (!json_is_string(j))
		return err_set(
			e, ERR_BAD_INPUT, "body.%.40s: a file's content as text is wanted", what);
	*out = (struct str){json_string_value(j), json_string_length(j)};
	return 0;
}

int answer_role_files(const json_t *roles, struct role_file *out, unsigned *out_n, struct err *e)
{
	const char *name;
	unsigned n = 0;
	json_t *file;

	json_object_foreach ((json_t *)roles, name, file) {
		char id[ID_TEXT_MAX];

		if (n == LIMIT_ROLES)
			return err_set(e, ERR_TOO_LARGE, "body.roles: more than %d", LIMIT_ROLES);
		TRY(id_parse(str_of(name), "body.roles: name of a role", id, e));
		snprintf(out[n].role, sizeof out[n].role, "%s", id);
		TRY(answer_file(file, id, &out[n].bytes, e));
		n++;
	}
	*out_n = n;
	return 0;
}
