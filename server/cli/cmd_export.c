/* backstay device export: an update as a folder, for a device that cannot ask. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/sys/fs.h"
#include "proto/wire/path.h"
#include "server/cli/cli.h"

static int write_text(struct fs *to, const char *path, const json_t *text, struct err *e)
{
	char dir[FS_PATH_MAX];

	if (!json_is_string(text))
		return err_set(e, ERR_BAD_INPUT, "the server's answer: %s is no text", path);
	if (path_check(str_of(path), FS_PATH_MAX - 1, e) < 0)
		return err_wrap(e, "the server's answer");
	fs_dirname(path, dir, sizeof dir);
	TRY(fs_make_dirs(to, dir, e));
	return fs_write_file(to, path, json_string_value(text), json_string_length(text), 0644, e);
}

/* One that is there already was checked when it came, and will be again by the device. */
static int write_artifact(
	const struct cli *c, struct fs *to, const char *hex, const json_t *length, struct err *e)
{
	struct sha256 digest;
	struct fs_stat st;
	char path[96];

	TRY(sha256_parse(str_of(hex), &digest, e));
	snprintf(path, sizeof path, "artifacts/%s", hex);
	TRY(to->ops->stat(to, path, &st, e));
	if (st.kind == FS_FILE && st.size == (uint64_t)json_integer_value(length))
		return 0;
	return cli_download(c, &digest, (uint64_t)json_integer_value(length), to, path, e);
}

/* Artifacts first: a folder with metadata is complete. */
static int write_all(const struct cli *c, struct fs *to, const json_t *answer, struct err *e)
{
	const char *name;
	json_t *one;

	json_object_foreach (json_object_get(answer, "artifacts"), name, one) {
		TRY(write_artifact(c, to, name, one, e));
	}
	json_object_foreach (json_object_get(answer, "files"), name, one) {
		TRY(write_text(to, name, one, e));
	}
	return 0;
}

int cmd_DEVICE_EXPORT(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL, *body = NULL;
	const char *dir = c->args[1];
	uint64_t days;
	struct fs to;

	TRY(cli_number(c, CLI_OPT_DAYS, 1, LIMIT_CARRY_DAYS, 30, &days, e));
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_sys(e, errno, "%s", dir);
	body = json_pack("{s:I}", "days", (json_int_t)days);
	TRY(cli_ask(c, ROUTE_DEVICE_CARRY, c->args, NULL, body, &answer, e));
	TRY(fs_posix_open(dir, &to, e));
	int rc = write_all(c, &to, answer, e);

	fs_posix_close(&to);
	if (rc < 0)
		return rc;
	json_object_del(answer, "files");
	if (cli_json(c, answer))
		return 0;
	printf("%s holds the update of %s, good for %llu days. On the device:\n"
	       "  backstay-agent --from %s\n",
		dir, c->args[0], (unsigned long long)days, dir);
	return 0;
}
