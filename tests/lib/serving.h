/* The real backstay-server as a child process, with its data in ./data and keys in ./keys, and the
 * little that is needed to ask it. Failures inside end the test. */
#ifndef TESTS_LIB_SERVING_H
#define TESTS_LIB_SERVING_H

#include <sys/types.h>

#include "lib/buf.h"
#include "tests/lib/paper.h"

struct serving {
	pid_t pid;
	uint16_t port;
	char token[80];
	int ready; /* socket on which the server says that it listens */
};

/* Returns when it listens. `extra` is added to the configuration, or NULL. */
void serving_start(struct serving *s, const char *extra);
/* SIGTERM, and it must end well. */
void serving_stop(struct serving *s);
/* SIGKILL. */
void serving_kill(struct serving *s);

struct answer {
	int status; /* 0: there was no answer */
	struct buf body;
	char etag[80]; /* with its quotes */
	unsigned retry_after;
};
void answer_fini(struct answer *a);
#define ANSWER_AUTO CLEANUP(answer_fini) struct answer

/* `bearer` and `etag` may be NULL; `body` may be NULL for none. */
void ask(const struct serving *s, const char *method, const char *path, const struct str *body,
	const char *bearer, const char *etag, struct answer *out);
/* As an operator; ends the test unless the status is 200 or 201. */
void ask_ok(const struct serving *s, const char *method, const char *path, const char *body,
	struct answer *out);

void serving_upload(const struct serving *s, const struct paper *p);
/* Uploads the artifact and publishes. */
void serving_publish(const struct serving *s, const struct paper *p);

#endif
