/* What the commands of `backstay` share: parsed options, asking the server or the agent, and
 * output. */
#ifndef SERVER_CLI_CLI_H
#define SERVER_CLI_CLI_H

#include "agent/ctl/ctl.h"
#include "proto/wire/json.h"
#include "proto/wire/routes.h"
#include "server/cli/cli.tbl.h"

enum cli_option {
#define X(id, ...) CLI_OPT_##id,
	CLI_OPTIONS(X)
#undef X
		CLI_OPT_MAX
};

#define CLI_VALUES_MAX 64 /* of one option that may be repeated */

/* One call of one command. */
struct cli {
	const char *args[4];
	unsigned n_args;
	const char *values[CLI_OPT_MAX][CLI_VALUES_MAX];
	unsigned n_values[CLI_OPT_MAX];
};

typedef int cli_command_f(const struct cli *c, struct err *e);

/* The last value given, or `otherwise`. */
const char *cli_value(const struct cli *c, enum cli_option o, const char *otherwise);
bool cli_flag(const struct cli *c, enum cli_option o);
/* A whole number, or `otherwise` when the option was not given. */
int cli_number(const struct cli *c, enum cli_option o, uint64_t min, uint64_t max,
	uint64_t otherwise, uint64_t *out, struct err *e) MUST_CHECK;

/* "last=N" for the query, by --last. */
int cli_last(const struct cli *c, uint64_t otherwise, char out[32], struct err *e) MUST_CHECK;

/* Asks the server: `args` fill the {names} of the route; `body` may be NULL; *out_answer is the
 * caller's. What the server refuses becomes its own typed error, with a hint what to do next. */
int cli_ask(const struct cli *c, enum route r, const char *const *args, const char *query,
	const json_t *body, json_t **out_answer, struct err *e) MUST_CHECK;

/* Uploads a file by PUT, with a bar on a terminal. */
int cli_upload(const struct cli *c, enum route r, const char *const *args, const char *path,
	struct err *e) MUST_CHECK;

/* Fetches an artifact whose digest and length are known into `name` of a folder, which is replaced
 * when everything has come and is what it should be. ERR_ALTERED. */
struct fs;
int cli_download(const struct cli *c, const struct sha256 *digest, uint64_t length, struct fs *to,
	const char *name, struct err *e) MUST_CHECK;

/* Asks the agent on this device. */
int cli_local(const struct cli *c, enum ctl_cmd cmd, json_t *extra, json_t **out_answer,
	struct err *e) MUST_CHECK;

/* Prints the answer as JSON when --json was given and says so. */
bool cli_json(const struct cli *c, const json_t *answer);

/* Members with a default, for answers whose form the server guarantees. */
const char *cli_text(const json_t *o, const char *key);
json_int_t cli_int(const json_t *o, const char *key);

/* "3 s", "4 min", "2 h", "5 d"; "never" for a moment of 0. */
void cli_ago(ms_t then, char *out, size_t cap);

/* Reads a file of at most `max` bytes. */
int cli_read(const char *path, size_t max, struct buf *out, struct err *e) MUST_CHECK;

/* A policy of a file; `out_text` (may be NULL) is the file as it stands, appended. A mistake is
 * told with the file's name. */
struct policy;
int cli_policy(
	const char *path, struct policy *out, struct buf *out_text, struct err *e) MUST_CHECK;

/* "after=N" and `more` for the query that pages on behind `n`; NULL when both are nothing: the
 * first page has no N. */
const char *cli_behind(uint64_t n, const char *more, char out[64]);

/* ---- the commands ---- */
#define X(id, ...) cli_command_f cmd_##id;
CLI_COMMANDS(X)
#undef X

#endif
