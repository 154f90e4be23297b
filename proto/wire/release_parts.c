#include "proto/wire/release_priv.h"

int release_argv_parse(const json_t *j, const char *where, char argv[LIMIT_ARGV][LIMIT_ARG_BYTES],
	unsigned *out_argc, struct err *e)
{
	const json_t *list, *arg;
	unsigned argc = 0;

	TRY(json_arr(j, where, "argv", LIMIT_ARGV, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		arg = json_array_get(list, i);
		if (!json_is_string(arg))
			return err_set(e, ERR_BAD_INPUT, "%s.argv[%zu]: text is wanted", where, i);
		if (str_copy((struct str){json_string_value(arg), json_string_length(arg)}, argv[i],
			    LIMIT_ARG_BYTES, e) < 0)
			return err_wrap(e, "%s.argv[%zu]", where, i);
		argc++;
	}
	if (argc == 0 || argv[0][0] == 0)
		return err_set(e, ERR_BAD_INPUT, "%s.argv: no command", where);
	*out_argc = argc;
	return 0;
}

int release_url_path_check(const char *path, const char *where, const char *key, struct err *e)
{
	bool ok = path[0] == '/';

	for (const char *p = path; *p; p++)
		ok = ok && *p > 0x20 && *p < 0x7f && *p != '#';
	return ok ? 0 : err_set(e, ERR_BAD_INPUT, "%s.%s: not the path of a URL", where, key);
}
