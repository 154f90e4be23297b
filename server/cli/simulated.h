/* What simulated campaigns came to, for people and for scripts. */
#ifndef SERVER_CLI_SIMULATED_H
#define SERVER_CLI_SIMULATED_H

#include "server/cli/cli.h"
#include "sim/course.h"

struct simulated {
	const struct scenario *scenario;
	const struct policy *policy;
	const char *policy_from;
	uint32_t devices, runs;
	uint64_t seed;
	bool real; /* the server's devices */
	const struct course_result *v;
};

/* Prints it. ERR_BUG when a law was broken in any run: then nothing of it should be believed. */
int simulate_say(const struct cli *c, const struct simulated *s, struct err *e) MUST_CHECK;

#endif
