/* The local control socket (Unix, one JSON line in, one out), and its client. */
#ifndef AGENT_CTL_CTL_H
#define AGENT_CTL_CTL_H

#include <systemd/sd-event.h>

#include "agent/ctl/ctl.tbl.h"
#include "proto/wire/json.h"

enum ctl_cmd {
#define X(id, ...) CTL_##id,
	CTL_TABLE(X)
#undef X
		CTL_CMD_MAX
};
const char *ctl_cmd_name(enum ctl_cmd c);

/* Answers a command: fills *out_answer (new reference), or fails. */
typedef int ctl_answer_f(
	void *ctx, enum ctl_cmd cmd, const json_t *request, json_t **out_answer, struct err *e);

/* One request line (without its newline) into a command. ERR_TOO_LARGE, or ERR_BAD_INPUT with the
 * place; on success the caller owns *out_request. Members besides "cmd" are the command's business.
 */
int ctl_parse(
	struct str line, enum ctl_cmd *out_cmd, json_t **out_request, struct err *e) MUST_CHECK;
/* May only root or the agent's own user send it? */
bool ctl_cmd_is_guarded(enum ctl_cmd c);

struct ctl;
/* Listens on `path` (replacing a dead socket, mode 0660; ERR_BUSY when another agent answers
 * there). One request and one answer per connection. Requests of at most 4 KiB, 16 clients at once
 * (more wait), 5 s to send the request and 5 s to take the answer. The peer's uid decides whether
 * commands that change something are allowed (root, or the agent's own): ERR_DENIED. `answer` is
 * called from the loop and must not block for long. */
int ctl_open(sd_event *loop, const char *path, ctl_answer_f *answer, void *ctx, struct ctl **out,
	struct err *e) MUST_CHECK;
void ctl_close(struct ctl **c);

#define CTL_REQUEST_MAX 4096
#define CTL_ANSWER_MAX  (1024 * 1024)

/* The client: sends {"cmd": NAME, ...}, waits for the answer (the caller's), at most `timeout`. An
 * answer {"error","reason"} becomes that error. ERR_NOT_FOUND: no socket; ERR_NET: nobody answers
 * there; ERR_DENIED: the socket is not for this user; ERR_TIMEOUT. */
int ctl_call(const char *path, const json_t *request, ms_t timeout, json_t **out_answer,
	struct err *e) MUST_CHECK;

#endif
