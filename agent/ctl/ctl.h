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

struct ctl;
/* Listens on `path` (replacing a dead socket, mode 0660). Requests of at most 4 KiB, 16 clients, 5
 * s to send one. The peer's uid decides whether commands that change something are allowed (root,
 * or the agent's own). */
int ctl_open(sd_event *loop, const char *path, ctl_answer_f *answer, void *ctx, struct ctl **out,
	struct err *e) MUST_CHECK;
void ctl_close(struct ctl **c);

/* The client: sends {"cmd": NAME, ...}, waits for the answer (the caller's), at most `timeout`. An
 * answer {"error","reason"} becomes that error. */
int ctl_call(const char *path, const json_t *request, ms_t timeout, json_t **out_answer,
	struct err *e) MUST_CHECK;

#endif
