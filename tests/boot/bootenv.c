/* Does to a boot loader's files what the agent would: bootenv KIND DIR BOOTED VERB [SLOT]. Slots
 * and BOOTED are a, b or -. Prints what is seen afterwards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/boot/boot.h"

static unsigned slot_named(const char *name)
{
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		if (strcmp(name, slot_name(i)) == 0)
			return i;
	return SLOT_NONE;
}

static int act(struct boot *b, const char *verb, unsigned slot, struct err *e)
{
	const struct boot_adapter *a = boot_adapter_of(b);

	if (strcmp(verb, "try") == 0)
		return a->try_next(b, slot, BOOT_TRIES_MAX, e);
	if (strcmp(verb, "confirm") == 0)
		return a->confirm(b, slot, e);
	if (strcmp(verb, "back") == 0)
		return a->go_back(b, slot, e);
	return strcmp(verb, "look") == 0 ? 0 : err_set(e, ERR_USAGE, "no verb %s", verb);
}

static int work(int argc, char **argv, struct err *e)
{
	struct boot_conf c = {.name = {"A", "B"}};
	struct boot *b CLEANUP(boot_close) = NULL;
	struct boot_view v;

	if (argc < 5)
		return err_set(e, ERR_USAGE, "bootenv KIND DIR BOOTED VERB [SLOT]");
	snprintf(c.kind, sizeof c.kind, "%s", argv[1]);
	snprintf(c.grub_env, sizeof c.grub_env, "%s", argv[2]);
	snprintf(c.fw_env_config, sizeof c.fw_env_config, "%s", argv[2]);
	snprintf(c.esp, sizeof c.esp, "%s", argv[2]);
	TRY(boot_open(&(struct boot_place){.booted = slot_named(argv[3])}, &c, &b, e));
	TRY(act(b, argv[4], argc > 5 ? slot_named(argv[5]) : SLOT_NONE, e));
	TRY(boot_adapter_of(b)->look(b, &v, e));
	printf("active=%s confirmed=%s left=%u fell=%d\n", slot_name(v.active),
		slot_name(v.confirmed), v.tries_left, v.fell_back);
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = {0};

	if (work(argc, argv, &e) == 0)
		return 0;
	fprintf(stderr, "bootenv: %s\n", e.text);
	return 1;
}
