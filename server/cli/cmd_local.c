/* The commands that ask the agent on this device. */
#include <stdio.h>
#include <string.h>
#include <sys/poll.h>
#include <unistd.h>

#include "server/cli/cli.h"
#include "server/cli/table.h"

#define WATCH_EVERY 500 /* ms */

static void print_slots(const json_t *status)
{
	const char *running = cli_text(json_object_get(status, "service"), "slot");
	struct table t;
	json_t *s;
	size_t i;

	table_init(&t, "SLOT|RELEASE|MARK|");
	json_array_foreach (json_object_get(status, "slots"), i, s) {
		table_cell(&t, "%s", cli_text(s, "name"));
		table_cell(&t, "%s", *cli_text(s, "release") ? cli_text(s, "release") : "-");
		table_cell(&t, "%s", cli_text(s, "mark"));
		table_cell(&t, "%s%s%s",
			json_is_true(json_object_get(s, "active")) ? "active " : "",
			json_is_true(json_object_get(s, "confirmed")) ? "confirmed " : "",
			strcmp(running, cli_text(s, "name")) == 0 ? "running" : "");
	}
	table_print(&t);
	table_fini(&t);
}

static void print_progress(const json_t *progress)
{
	uint64_t done = (uint64_t)cli_int(progress, "done"),
		 total = (uint64_t)cli_int(progress, "total");
	BUF_AUTO bar = {0};

	if (!total)
		return;
	bar_format(done, total, 40, &bar);
	printf("%s %5.1f %% %s\n", buf_cstr(&bar), 100.0 * (double)done / (double)total,
		cli_text(progress, "of"));
}

/* "ocr-4 reverted (latency): ..." */
static void print_outcome(const json_t *last)
{
	const char *why =
		*cli_text(last, "cause") ? cli_text(last, "cause") : cli_text(last, "code");

	if (json_is_null(last))
		return;
	printf("Last: %s %s", cli_text(last, "release"), cli_text(last, "state"));
	if (strcmp(cli_text(last, "code"), "ok") != 0)
		printf(" (%s): %s", why, cli_text(last, "reason"));
	puts("");
}

static void print_status(const json_t *status)
{
	const char *running = cli_text(json_object_get(status, "running"), "release");
	const json_t *update = json_object_get(status, "update");

	printf("%s runs %s; %s", cli_text(status, "device"), *running ? running : "nothing yet",
		cli_text(status, "state"));
	if (json_is_object(update))
		printf(" (%s)", cli_text(update, "release"));
	printf(": %s\n", cli_text(status, "text"));
	if (*cli_text(json_object_get(status, "waits"), "text"))
		printf("Waits: %s\n", cli_text(json_object_get(status, "waits"), "text"));
	print_progress(json_object_get(status, "progress"));
	print_outcome(json_object_get(status, "last"));
	puts("");
	print_slots(status);
}

int cmd_STATUS(const struct cli *c, struct err *e)
{
	bool watch = cli_flag(c, CLI_OPT_WATCH);

	for (;;) {
		JSON_AUTO *answer = NULL;

		TRY(cli_local(c, CTL_STATUS, NULL, &answer, e));
		if (watch && isatty(STDOUT_FILENO))
			fputs("\033[H\033[2J", stdout);
		if (!cli_json(c, answer))
			print_status(answer);
		fflush(stdout);
		if (!watch || !json_is_object(json_object_get(answer, "update")))
			return 0;
		poll(NULL, 0, WATCH_EVERY);
	}
}

int cmd_EXPLAIN(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	json_t *line;
	size_t i;

	TRY(cli_local(c, CTL_EXPLAIN, NULL, &answer, e));
	if (cli_json(c, answer))
		return 0;
	json_array_foreach (json_object_get(answer, "sentences"), i, line)
		puts(json_string_value(line));
	return 0;
}

int cmd_HISTORY(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	json_t *line;
	uint64_t n;
	size_t i;

	TRY(cli_number(c, CLI_OPT_LAST, 1, 10000, 50, &n, e));
	TRY(cli_local(c, CTL_HISTORY, json_pack("{s:I}", "n", (json_int_t)n), &answer, e));
	if (cli_json(c, answer))
		return 0;
	json_array_foreach (json_object_get(answer, "lines"), i, line)
		puts(json_string_value(line));
	return 0;
}

static int order(
	const struct cli *c, enum ctl_cmd cmd, json_t *extra, const char *done, struct err *e)
{
	JSON_AUTO *answer = NULL;

	TRY(cli_local(c, cmd, extra, &answer, e));
	if (!cli_json(c, answer))
		puts(*cli_text(answer, "text") ? cli_text(answer, "text") : done);
	return 0;
}

int cmd_CHECK(const struct cli *c, struct err *e)
{
	return order(c, CTL_CHECK, NULL,
		"The agent asks the server now. Next: backstay status --watch", e);
}

static json_t *with_reason(const struct cli *c)
{
	return json_pack("{s:s}", "reason", cli_value(c, CLI_OPT_REASON, "ordered by hand"));
}

int cmd_ROLLBACK(const struct cli *c, struct err *e)
{
	return order(c, CTL_ROLLBACK, with_reason(c),
		"The device goes back. Next: backstay status --watch", e);
}

int cmd_CLEAR(const struct cli *c, struct err *e)
{
	return order(c, CTL_CLEAR, json_pack("{s:s}", "release", c->args[0]),
		"Taken out of quarantine.", e);
}

/* "active confirmed running" */
static void put_marks(struct table *t, const json_t *slot)
{
	static const char *const marks[] = {"active", "confirmed", "running"};
	BUF_AUTO b = {0};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (json_is_true(json_object_get(slot, marks[i])))
			buf_addf(&b, "%s%s", b.n ? " " : "", marks[i]);
	table_cell(t, "%s", buf_cstr(&b));
}

/* "ok 3 h ago", "altered 2 d ago" */
static void put_scrub(struct table *t, const json_t *scrub)
{
	char ago[32];

	if (!json_is_object(scrub)) {
		table_cell(t, "-");
		return;
	}
	cli_ago((ms_t)cli_int(scrub, "at"), ago, sizeof ago);
	table_cell(t, "%s %s ago", cli_text(scrub, "code"), ago);
}

static void print_slots_whole(const json_t *slots)
{
	struct table t;
	const json_t *s;
	size_t i;

	table_init(&t, "SLOT|BOOTNAME|MARK|RELEASE|DIGEST|READ BACK|");
	json_array_foreach (slots, i, s) {
		table_cell(&t, "%s", cli_text(s, "name"));
		table_cell(&t, "%s", *cli_text(s, "bootname") ? cli_text(s, "bootname") : "-");
		table_cell(&t, "%s", cli_text(s, "mark"));
		table_cell(&t, "%s", *cli_text(s, "release") ? cli_text(s, "release") : "-");
		table_cell(&t, "%.12s", *cli_text(s, "content") ? cli_text(s, "content") : "-");
		put_scrub(&t, json_object_get(s, "scrub"));
		put_marks(&t, s);
	}
	table_print(&t);
	table_fini(&t);
}

int cmd_SLOTS(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;
	const json_t *slots;

	TRY(cli_local(c, CTL_STATUS, NULL, &answer, e));
	slots = json_object_get(answer, "slots");
	if (!cli_json(c, slots))
		print_slots_whole(slots);
	return 0;
}

/* "b (B)" */
static const char *slot_called(const json_t *boot, const char *slot, char out[64])
{
	const char *name = cli_text(json_object_get(boot, "names"), slot);

	if (*name)
		snprintf(out, 64, "%s (%s)", slot, name);
	else
		snprintf(out, 64, "%s", slot);
	return out;
}

static void print_trial(const json_t *boot)
{
	const char *good = cli_text(boot, "confirmed");
	char name[64];

	if (strcmp(good, "-") != 0)
		printf("the way back is slot %s\n", slot_called(boot, good, name));
	if (cli_int(boot, "tries") > 0)
		printf("%d of %d tries are left\n", (int)cli_int(boot, "tries_left"),
			(int)cli_int(boot, "tries"));
}

static void print_boot(const json_t *boot)
{
	const char *active = cli_text(boot, "active"), *booted = cli_text(boot, "booted");
	bool on_trial = strcmp(active, cli_text(boot, "confirmed")) != 0;
	char name[64];
	const json_t *line;
	size_t i;

	printf("%s: ", cli_text(boot, "adapter"));
	if (strcmp(active, "-") == 0)
		puts("nothing was ever installed");
	else
		printf("slot %s starts next, %s\n", slot_called(boot, active, name),
			on_trial ? "on trial" : "and is good");
	if (on_trial)
		print_trial(boot);
	if (json_is_true(json_object_get(boot, "fell_back")))
		puts("the boot loader has given the slot on trial up");
	if (strcmp(booted, "-") != 0)
		printf("the machine was started from slot %s\n", slot_called(boot, booted, name));
	json_array_foreach (json_object_get(boot, "environment"), i, line)
		printf("  %s\n", json_string_value(line));
}

int cmd_BOOT(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = NULL;

	TRY(cli_local(c, CTL_BOOT, NULL, &answer, e));
	if (!cli_json(c, answer))
		print_boot(answer);
	return 0;
}

static json_t *with_slot(const struct cli *c)
{
	json_t *j = with_reason(c);

	if (c->n_args > 0)
		json_object_set_new(j, "slot", json_string(c->args[0]));
	return j;
}

int cmd_MARK_GOOD(const struct cli *c, struct err *e)
{
	return order(c, CTL_MARK_GOOD, with_slot(c), "", e);
}

int cmd_MARK_BAD(const struct cli *c, struct err *e)
{
	return order(c, CTL_MARK_BAD, with_slot(c), "", e);
}

int cmd_MARK_ACTIVE(const struct cli *c, struct err *e)
{
	return order(c, CTL_MARK_ACTIVE, with_slot(c), "", e);
}

int cmd_RESET(const struct cli *c, struct err *e)
{
	return order(c, CTL_RESET, with_reason(c), "Cleared.", e);
}
