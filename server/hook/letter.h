/* What a letter says, and how it is signed. Pure.
 *
 * A webhook gets a CloudEvent 1.0 in JSON (https://github.com/cloudevents/spec), signed as Standard
 * Webhooks has it (https://www.standardwebhooks.com): headers webhook-id, webhook-timestamp and
 * webhook-signature "v1,BASE64(HMAC-SHA256(secret, id.timestamp.body))", one for each secret, with
 * blanks in between, while receivers change over from one to the next. Its body is the same in
 * every attempt, and so is its id: by that a receiver knows what it has had before.
 *
 * An Alertmanager gets an array of one alert for its /api/v2/alerts. It ends by itself after a time
 * that goes with its gravity, counted from the attempt: an alert that is late is told all the same.
 */
#ifndef SERVER_HOOK_LETTER_H
#define SERVER_HOOK_LETTER_H

#include "server/repo/hooks.h"
#include "server/repo/letters.h"

#define LETTER_TYPE_PREFIX "backstay." /* before an event's name: the type of a CloudEvent */
#define LETTER_HEADERS     4

struct letter_out {
	char url[LIMIT_HOOK_URL + 32];
	char headers[LETTER_HEADERS][192]; /* "Name: value"; those that are "" are none */
	struct buf body;                   /* owned */
};

void letter_out_fini(struct letter_out *l);

/* `source` names this server; `now` is when the attempt is made. */
void letter_encode(const struct hook_row *h, const struct hook_event_row *ev, const char *source,
	ms_t now, struct letter_out *out);

#endif
