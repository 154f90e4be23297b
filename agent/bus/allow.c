#include <string.h>

#include "agent/bus/bus_priv.h"

#define ASK_USEC (120 * 1000 * 1000ULL) /* somebody may have to type a password */
#define ASKS_MAX 16U

static const char *const actions[] = {
#define X(id, name) [BUS_ACTION_##id] = name,
	BUS_ACTIONS(X)
#undef X
};

/* A call that waits for polkit. */
struct asked {
	struct bus *bus;
	sd_bus_message *call;
	allowed_f *then;
};

static void asked_free(void *ctx)
{
	struct asked *q = ctx;

	q->bus->asks--;
	sd_bus_message_unref(q->call);
	mem_free(&q);
}

static int refuse(sd_bus_error *error, enum bus_action a)
{
	return sd_bus_error_setf(
		error, SD_BUS_ERROR_ACCESS_DENIED, "%s is not allowed", actions[a]);
}

/* Whatever polkit does not clearly allow is not allowed; an answer that cannot be read, too. */
static bool says_yes(sd_bus_message *answer)
{
	int yes = 0, challenge = 0;

	return !sd_bus_message_get_error(answer) &&
	       sd_bus_message_enter_container(answer, 'r', "bba{ss}") > 0 &&
	       sd_bus_message_read(answer, "bb", &yes, &challenge) > 0 && yes;
}

static int answered(sd_bus_message *answer, void *ctx, sd_bus_error *unused UNUSED)
{
	struct asked *q = ctx;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int rc;

	if (says_yes(answer))
		rc = q->then(q->bus, q->call, &error);
	else
		rc = sd_bus_error_set_const(&error, SD_BUS_ERROR_ACCESS_DENIED, "not allowed");
	if (rc < 0)
		(void)sd_bus_reply_method_errno(q->call, rc, &error);
	sd_bus_error_free(&error);
	return 0;
}

bool bus_sender(sd_bus_message *m, uid_t *out)
{
	sd_bus_creds *c = NULL;
	bool known = sd_bus_query_sender_creds(m, SD_BUS_CREDS_EUID, &c) >= 0 &&
		     sd_bus_creds_get_euid(c, out) >= 0;

	sd_bus_creds_unref(c);
	return known;
}

static bool is_root(sd_bus_message *m)
{
	uid_t uid;

	return bus_sender(m, &uid) && uid == 0;
}

static int question(struct bus *b, sd_bus_message *m, enum bus_action a, sd_bus_message **out)
{
	uint32_t flags = sd_bus_message_get_allow_interactive_authorization(m) > 0;
	int rc = sd_bus_message_new_method_call(b->conn, out, "org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
		"CheckAuthorization");

	if (rc < 0)
		return rc;
	return sd_bus_message_append(*out, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
		sd_bus_message_get_sender(m), actions[a], 0, flags, "");
}

static int ask(struct bus *b, sd_bus_message *m, enum bus_action a, allowed_f *then)
{
	struct asked *q;
	sd_bus_message *text = NULL;
	sd_bus_slot *slot = NULL;
	int rc = question(b, m, a, &text);

	q = mem_new(sizeof(*q));
	*q = (struct asked){b, sd_bus_message_ref(m), then};
	b->asks++;
	if (rc >= 0)
		rc = sd_bus_call_async(b->conn, &slot, text, answered, q, ASK_USEC);
	sd_bus_message_unref(text);
	if (rc < 0) {
		asked_free(q);
		return rc;
	}
	/* The connection keeps it from here on, and frees it when it is answered or goes away. */
	sd_bus_slot_set_destroy_callback(slot, asked_free);
	sd_bus_slot_set_floating(slot, 1);
	sd_bus_slot_unref(slot);
	return 1;
}

int allow(struct bus *b, sd_bus_message *m, enum bus_action a, allowed_f *then, sd_bus_error *error)
{
	if (a == BUS_ACTION_NONE || is_root(m))
		return then(b, m, error);
	if (b->asks >= ASKS_MAX)
		return sd_bus_error_set_const(
			error, SD_BUS_ERROR_LIMITS_EXCEEDED, "too many wait for an answer");
	return ask(b, m, a, then) < 0 ? refuse(error, a) : 1;
}
