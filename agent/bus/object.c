#include <stdio.h>
#include <string.h>

#include "agent/bus/bus_priv.h"
#include "proto/wire/limits.h"

#define ERROR_PREFIX "org.backstay.Error."
#define DEPTH        0 /* of a progress in steps within steps, of which there are none */

int bus_fail(sd_bus_error *error, const struct err *e)
{
	char name[64];

	snprintf(name, sizeof name, ERROR_PREFIX "%s", err_name(e->code));
	return sd_bus_error_set(error, name, e->text);
}

/* ---- the agent, asked as by the control socket ---- */

static int ask_agent(struct bus *b, enum ctl_cmd cmd, json_t *request, json_t **out, struct err *e)
{
	JSON_AUTO *mine = request;

	return b->conf.answer(b->conf.ctx, cmd, mine, out, e);
}

static int ask_status(struct bus *b, json_t **out, struct err *e)
{
	return ask_agent(b, CTL_STATUS, json_object(), out, e);
}

static int see(struct bus *b, struct bus_view *out, struct err *e)
{
	JSON_AUTO *status = NULL;

	TRY(ask_status(b, &status, e));
	return bus_view_of(status, out, e);
}

/* Replies with nothing when it went well. */
static int order(
	struct bus *b, sd_bus_message *m, enum ctl_cmd cmd, json_t *request, sd_bus_error *error)
{
	JSON_AUTO *answer = NULL;
	struct err e = {0};

	if (ask_agent(b, cmd, request, &answer, &e) < 0)
		return bus_fail(error, &e);
	object_tell(b);
	return sd_bus_reply_method_return(m, NULL);
}

/* ---- methods ---- */

/* A folder that was carried here; nothing asks the server now. Options are for bundles of other
 * makers. */
static int do_INSTALL(struct bus *b, sd_bus_message *m, sd_bus_error *error)
{
	const char *source;
	int rc = sd_bus_message_read(m, "s", &source);

	if (rc < 0)
		return rc;
	if (!source[0])
		return order(b, m, CTL_CHECK, json_object(), error);
	if (source[0] != '/')
		return sd_bus_error_set_const(error, SD_BUS_ERROR_INVALID_ARGS,
			"a folder begins with '/'; nothing at all asks the server");
	return order(b, m, CTL_FROM, json_pack("{ss}", "dir", source), error);
}

static int do_ROLLBACK(struct bus *b, sd_bus_message *m, sd_bus_error *error)
{
	const char *reason;
	int rc = sd_bus_message_read(m, "s", &reason);

	if (rc < 0)
		return rc;
	return order(b, m, CTL_ROLLBACK,
		reason[0] ? json_pack("{ss}", "reason", reason) : json_object(), error);
}

/* "yes", "no", or "later" with the milliseconds until it is asked again. */
static int do_CONSENT(struct bus *b, sd_bus_message *m, sd_bus_error *error)
{
	const char *answer;
	uint64_t later;
	uid_t uid;
	char who[32];
	int rc = sd_bus_message_read(m, "st", &answer, &later);

	if (rc < 0)
		return rc;
	if (!bus_sender(m, &uid) || later > LIMIT_SPAN_MS)
		return sd_bus_error_set_const(
			error, SD_BUS_ERROR_INVALID_ARGS, "a span is at most 30 days");
	snprintf(who, sizeof who, "uid-%u", (unsigned)uid);
	json_t *request = json_pack("{ss ss}", "answer", answer, "who", who);

	if (later)
		json_object_set_new(request, "span_ms", json_integer((json_int_t)later));
	return order(b, m, CTL_CONSENT, request, error);
}

static int mark_cmd(const char *how, enum ctl_cmd *out, struct err *e)
{
	static const struct {
		const char *how;
		enum ctl_cmd cmd;
	} rows[] = {{"good", CTL_MARK_GOOD}, {"bad", CTL_MARK_BAD}, {"active", CTL_MARK_ACTIVE}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].how, how) == 0) {
			*out = rows[i].cmd;
			return 0;
		}
	}
	return err_set(e, ERR_BAD_INPUT, "\"%.40s\" is none of: good, bad, active", how);
}

static int mark(struct bus *b, const char *how, const char *which, char slot[4], json_t **out,
	struct err *e)
{
	JSON_AUTO *status = NULL;
	enum ctl_cmd cmd;

	TRY(mark_cmd(how, &cmd, e));
	TRY(ask_status(b, &status, e));
	TRY(bus_slot_of(status, which, slot, e));
	return ask_agent(b, cmd, json_pack("{ss}", "slot", slot), out, e);
}

static int do_MARK(struct bus *b, sd_bus_message *m, sd_bus_error *error)
{
	JSON_AUTO *answer = NULL;
	const char *how, *which, *text;
	char slot[4];
	struct err e = {0};
	int rc = sd_bus_message_read(m, "ss", &how, &which);

	if (rc < 0)
		return rc;
	if (mark(b, how, which, slot, &answer, &e) < 0)
		return bus_fail(error, &e);
	object_tell(b);
	text = json_string_value(json_object_get(answer, "text"));
	return sd_bus_reply_method_return(m, "ss", slot, text ? text : "");
}

static int do_PRIMARY(struct bus *b, sd_bus_message *m, sd_bus_error *error)
{
	struct bus_view v;
	struct err e = {0};

	return see(b, &v, &e) < 0 ? bus_fail(error, &e)
				  : sd_bus_reply_method_return(m, "s", v.slot);
}

static int add_text(sd_bus_message *m, const char *key, const char *value)
{
	return value && value[0] ? sd_bus_message_append(m, "{sv}", key, "s", value) : 0;
}

/* A version on trial is not good yet; one that was accepted, or could be gone back to, is. */
static int add_slot(sd_bus_message *m, const json_t *s)
{
	const char *name = json_string_value(json_object_get(s, "name"));
	bool valid = strcmp(json_string_value(json_object_get(s, "mark")), "valid") == 0;
	bool active = json_is_true(json_object_get(s, "active"));
	bool confirmed = json_is_true(json_object_get(s, "confirmed"));
	int rc = sd_bus_message_open_container(m, 'r', "sa{sv}");

	if (rc >= 0)
		rc = sd_bus_message_append(m, "s", name);
	if (rc >= 0)
		rc = sd_bus_message_open_container(m, 'a', "{sv}");
	if (rc >= 0)
		rc = add_text(m, "bootname", name);
	if (rc >= 0)
		rc = add_text(m, "state",
			json_is_true(json_object_get(s, "running")) ? "booted"
			: active                                    ? "active"
								    : "inactive");
	if (rc >= 0)
		rc = add_text(m, "status", valid ? "ok" : "invalid");
	if (rc >= 0)
		rc = add_text(m, "boot-status", valid && (confirmed || !active) ? "good" : "bad");
	if (rc >= 0)
		rc = add_text(
			m, "bundle.version", json_string_value(json_object_get(s, "release")));
	if (rc >= 0)
		rc = add_text(m, "sha256", json_string_value(json_object_get(s, "content")));
	if (rc >= 0)
		rc = sd_bus_message_close_container(m);
	return rc < 0 ? rc : sd_bus_message_close_container(m);
}

static int add_slots(sd_bus_message *reply, const json_t *slots)
{
	const json_t *s;
	size_t i;
	int rc = sd_bus_message_open_container(reply, 'a', "(sa{sv})");

	json_array_foreach (slots, i, s)
		if (rc >= 0)
			rc = add_slot(reply, s);
	return rc < 0 ? rc : sd_bus_message_close_container(reply);
}

static int do_SLOTS(struct bus *b, sd_bus_message *m, sd_bus_error *error)
{
	JSON_AUTO *status = NULL;
	sd_bus_message *reply = NULL;
	struct err e = {0};

	if (ask_status(b, &status, &e) < 0)
		return bus_fail(error, &e);
	int rc = sd_bus_message_new_method_return(m, &reply);

	if (rc >= 0)
		rc = add_slots(reply, json_object_get(status, "slots"));
	if (rc >= 0)
		rc = sd_bus_send(NULL, reply, NULL);
	sd_bus_message_unref(reply);
	return rc;
}

#define X(id, name, in, out, action, text)                                                         \
	static int on_##id(sd_bus_message *m, void *ctx, sd_bus_error *error)                      \
	{                                                                                          \
		return allow(ctx, m, BUS_ACTION_##action, do_##id, error);                         \
	}
BUS_METHODS(X)
#undef X

/* ---- properties ---- */

static int put_OPERATION(sd_bus_message *m, const struct bus_view *v)
{
	return sd_bus_message_append(m, "s", v->busy ? "installing" : "idle");
}

static int put_LAST_ERROR(sd_bus_message *m, const struct bus_view *v)
{
	return sd_bus_message_append(m, "s", v->last_error);
}

static int put_PROGRESS(sd_bus_message *m, const struct bus_view *v)
{
	return sd_bus_message_append(m, "(isi)", v->percent, v->text, DEPTH);
}

static int put_COMPATIBLE(sd_bus_message *m, const struct bus_view *v)
{
	return sd_bus_message_append(m, "s", v->hardware);
}

static int put_BOOT_SLOT(sd_bus_message *m, const struct bus_view *v)
{
	return sd_bus_message_append(m, "s", v->slot);
}

#define X(id, name, type, text)                                                                    \
	static int get_##id(sd_bus *conn UNUSED, const char *path UNUSED,                          \
		const char *interface UNUSED, const char *property UNUSED, sd_bus_message *reply,  \
		void *ctx, sd_bus_error *error)                                                    \
	{                                                                                          \
		struct bus_view v;                                                                 \
		struct err e = {0};                                                                \
                                                                                                   \
		return see(ctx, &v, &e) < 0 ? bus_fail(error, &e) : put_##id(reply, &v);           \
	}
BUS_PROPERTIES(X)
#undef X

/* ---- the object ---- */

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
#define X(id, name, in, out, action, text)                                                         \
	SD_BUS_METHOD(name, in, out, on_##id, SD_BUS_VTABLE_UNPRIVILEGED),
	BUS_METHODS(X)
#undef X
#define X(id, name, type, text)                                                                    \
	SD_BUS_PROPERTY(name, type, get_##id, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
		BUS_PROPERTIES(X)
#undef X
			SD_BUS_SIGNAL("Completed", "i", 0),
	SD_BUS_VTABLE_END,
};

int object_add(struct bus *b, struct err *e)
{
	int rc = sd_bus_add_object_vtable(b->conn, &b->object, BUS_PATH, BUS_INTERFACE, vtable, b);

	return rc < 0 ? err_sys(e, -rc, BUS_PATH) : 0;
}

static void tell_if(struct bus *b, bool changed, const char *property)
{
	if (changed)
		(void)sd_bus_emit_properties_changed(
			b->conn, BUS_PATH, BUS_INTERFACE, property, NULL);
}

void object_tell(struct bus *b)
{
	struct bus_view v, was = b->told;
	struct err e;

	if (!b->conn || see(b, &v, &e) < 0)
		return;
	b->told = v;
	tell_if(b, v.busy != was.busy, "Operation");
	tell_if(b, v.percent != was.percent || strcmp(v.text, was.text) != 0, "Progress");
	tell_if(b, strcmp(v.last_error, was.last_error) != 0, "LastError");
	tell_if(b, strcmp(v.slot, was.slot) != 0, "BootSlot");
	if (was.busy && !v.busy)
		(void)sd_bus_emit_signal(
			b->conn, BUS_PATH, BUS_INTERFACE, "Completed", "i", v.well ? 0 : 1);
	if (v.busy && b->timer)
		bus_wake(b);
}
