/* Bootnames, and which of them the kernel's command line holds. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/boot/boot_priv.h"

#define WORD "backstay.slot="

unsigned boot_slot_named(const char name[SLOT_COUNT][LIMIT_BOOT_NAME], struct str text)
{
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		if (text.n && str_is(text, name[i]))
			return i;
	return SLOT_NONE;
}

static bool is_name(const char *name)
{
	return *name && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789_") == strlen(name);
}

int boot_conf_check(const struct boot_conf *c, struct err *e)
{
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		if (!is_name(c->name[i]))
			return err_set(e, ERR_CONFIG, "'%s' is no bootname: letters, digits and _",
				c->name[i]);
	if (strcmp(c->name[0], c->name[1]) == 0)
		return err_set(e, ERR_CONFIG, "both slots are called '%s'", c->name[0]);
	return 0;
}

/* Of a word that comes twice the last one counts, as for the kernel. */
int boot_parse_cmdline(
	const struct boot_conf *c, struct str cmdline, unsigned *out_slot, struct err *e)
{
	struct str rest = cmdline, word, name = {0};
	char shown[LIMIT_BOOT_NAME];

	while (rest.n && str_split(&rest, ' ', &word)) {
		word = str_trim(word);
		if (word.n && word.p[word.n - 1] == '\n')
			word.n--;
		if (str_has_prefix(word, WORD))
			name = (struct str){word.p + strlen(WORD), word.n - strlen(WORD)};
	}
	unsigned slot = name.p ? boot_slot_named(c->name, name) : SLOT_NONE;

	if (name.p && slot == SLOT_NONE)
		return err_set(e, ERR_NEED_HAND,
			"the kernel was started with %s%s, which is no slot", WORD,
			str_printable(name, shown, sizeof shown));
	*out_slot = slot;
	return 0;
}

int boot_look_booted(const struct boot_conf *c, unsigned *out_slot, struct err *e)
{
	char text[LIMIT_CMDLINE_BYTES];
	int fd = open(c->cmdline, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	int sys = errno;

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return err_sys(e, sys, "%s", c->cmdline);
	return boot_parse_cmdline(c, (struct str){text, (size_t)n}, out_slot, e);
}
