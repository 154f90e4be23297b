/* Pages of what is outside the agent: the program before init, and programs that ask over the
 * message bus. */
#include <stdio.h>
#include <string.h>

#include "agent/bus/bus.tbl.h"
#include "agent/deadman/core/deadman.h"
#include "packaging/manual/pages.h"

/* ---- backstay-deadman ---- */

static const struct {
	const char *name, *text;
	int least, most, default_;
} params[] = {
#define X(id, name, least, most, default_, text) {"backstay." name, text, least, most, default_},
	DEADMAN_PARAMS(X)
#undef X
};

static const struct {
	const char *name, *text;
	bool has_time;
} words[] = {
#define X(id, name, has_time, text) {name, text, has_time},
	DEADMAN_WORDS(X)
#undef X
};

static void print_params(void)
{
	char line[96];

	mdoc_list_begin();
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		mdoc_item(params[i].name);
		mdoc_sentence(params[i].text);
		snprintf(line, sizeof line, "From %d to %d; %d when it is not said.",
			params[i].least, params[i].most, params[i].default_);
		mdoc_say(line);
	}
	mdoc_list_end();
}

static void print_words(void)
{
	char tag[48];

	mdoc_list_begin();
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		snprintf(tag, sizeof tag, "%s%s", words[i].name,
			words[i].has_time ? " SECONDS" : "");
		mdoc_item(tag);
		mdoc_sentence(words[i].text);
	}
	mdoc_list_end();
}

void manual_deadman(void)
{
	mdoc_section("synopsis");
	puts(".Nm /usr/lib/backstay/backstay\\-deadman\n.Fl \\-install Ar DIR");
	mdoc_section("description");
	mdoc_say(
		"It stands before init, outside both slots, and restarts a machine on trial whose agent is missing, dead or "
		"undecided; the boot loader counts that, and takes the old version back.");
	mdoc_para();
	mdoc_say(
		"With --install it writes itself as DIR/" DEADMAN_CPIO
		", whole or not at all. DIR is on the boot partition, which "
		"both slots share. The boot script loads that file as a second initrd and adds rdinit=/backstay-deadman to the "
		"kernel's command line; then it is the first program of every start, leaves a process behind, and becomes the /init "
		"of the slot.");
	mdoc_section("kernel command line");
	print_params();
	mdoc_para();
	mdoc_say(
		"A deadline makes the start a trial unless something else is said, and systemd.watchdog_sec leaves the watchdog to "
		"the service manager. backstay.lost below 900 would restart an agent that only rests.");
	mdoc_section("socket");
	mdoc_say("It listens at the abstract socket @" DEADMAN_SOCKET
		 " (SOCK_SEQPACKET) to root only. A packet is a word, or a word, a "
		 "blank and seconds; the answer says what is due.");
	print_words();
	manual_see("backstay-agent 8");
}

/* ---- backstay-dbus ---- */

enum {
#define X(id, name) ACTION_##id,
	BUS_ACTIONS(X)
#undef X
};

static const char *const actions[] = {
#define X(id, name) [ACTION_##id] = name,
	BUS_ACTIONS(X)
#undef X
};

static const struct {
	const char *name, *in, *out, *action, *text;
} methods[] = {
#define X(id, name, in, out, action, text) {name, in, out, #action, text},
	BUS_METHODS(X)
#undef X
};

static const struct {
	const char *name, *type, *text;
} properties[] = {
#define X(id, name, type, text) {name, type, text},
	BUS_PROPERTIES(X)
#undef X
};

static void print_methods(void)
{
	char tag[96];

	mdoc_list_begin();
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		snprintf(tag, sizeof tag, "%s (%s) -> (%s)", methods[i].name, methods[i].in,
			methods[i].out);
		mdoc_item(tag);
		mdoc_say(methods[i].text);
	}
	mdoc_list_end();
}

static void print_properties(void)
{
	char tag[96];

	mdoc_list_begin();
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		snprintf(tag, sizeof tag, "%s %s", properties[i].name, properties[i].type);
		mdoc_item(tag);
		mdoc_say(properties[i].text);
	}
	mdoc_list_end();
}

void manual_dbus(void)
{
	mdoc_section("description");
	mdoc_say(
		"With agent.bus = system the agent is org.backstay on the system's message bus: object /org/backstay, interface "
		"org.backstay.Installer. Everybody may ask. What changes something is root's; of others polkit is asked, and without "
		"polkit they may not.");
	mdoc_section("methods");
	print_methods();
	mdoc_section("properties");
	print_properties();
	mdoc_section("signals");
	mdoc_list_begin();
	mdoc_item("Completed(i)");
	mdoc_say(
		"An update or a folder has ended: 0 when it was accepted, else 1 and LastError says why.");
	mdoc_list_end();
	mdoc_section("polkit actions");
	mdoc_list_begin();
	for (size_t i = ACTION_NONE + 1; i < ARRAY_LEN(actions); i++) {
		mdoc_item(actions[i]);
		for (size_t k = 0; k < ARRAY_LEN(methods); k++)
			if (strcasecmp(methods[k].action, strrchr(actions[i], '.') + 1) == 0)
				mdoc_sentence(methods[k].name);
	}
	mdoc_list_end();
	manual_see("backstay-agent.conf 5 backstay-agent 8");
}
