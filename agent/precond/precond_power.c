/* Batteries and mains, as the kernel lists them. */
#include "agent/precond/precond_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct supplies {
	const char *dir;
	bool has_mains, on_mains; /* one is listed; one is plugged in */
	bool has_battery, charging, unread;
	unsigned percent;
};

static bool read_of(const struct supplies *s, const char *name, const char *file, char out[32])
{
	char path[640];

	snprintf(path, sizeof path, "%s/%s/%s", s->dir, name, file);
	return precond_read_line(path, out, 32, NULL) == 0 && out[0];
}

static bool number_of(const struct supplies *s, const char *name, const char *file, uint64_t *out)
{
	char text[32];

	return read_of(s, name, file, text) &&
	       str_to_u64(str_of(text), 0, UINT64_MAX / 100, out, NULL) == 0;
}

/* In percent; some drivers tell only charge or energy. */
static bool capacity_of(const struct supplies *s, const char *name, uint64_t *out)
{
	static const char *const pairs[][2] = {
		{"charge_now", "charge_full"}, {"energy_now", "energy_full"}};
	uint64_t now, full;

	if (number_of(s, name, "capacity", out))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (number_of(s, name, pairs[i][0], &now) &&
			number_of(s, name, pairs[i][1], &full) && full) {
			*out = now * 100 / full;
			return true;
		}
	return false;
}

/* The battery of a mouse says nothing about the machine. */
static void see_battery(struct supplies *s, const char *name)
{
	char text[32];
	uint64_t percent;

	if (read_of(s, name, "scope", text) && strcmp(text, "Device") == 0)
		return;
	if (read_of(s, name, "present", text) && strcmp(text, "0") == 0)
		return;
	if (!capacity_of(s, name, &percent)) {
		s->unread = true;
		return;
	}
	percent = MIN(percent, 100);
	s->percent = s->has_battery ? MIN(s->percent, (unsigned)percent) : (unsigned)percent;
	s->has_battery = true;
	if (read_of(s, name, "status", text))
		s->charging |= strcmp(text, "Charging") == 0 || strcmp(text, "Full") == 0 ||
			       strcmp(text, "Not charging") == 0;
}

static void see(struct supplies *s, const char *name)
{
	char type[32], online[32];

	if (!read_of(s, name, "type", type))
		return;
	if (strcmp(type, "Battery") == 0) {
		see_battery(s, name);
	} else if (strcmp(type, "Mains") == 0 || strcmp(type, "USB") == 0 ||
		   strcmp(type, "Wireless") == 0) {
		s->has_mains = true;
		s->on_mains |= read_of(s, name, "online", online) && strcmp(online, "0") != 0;
	}
}

/* What has no battery runs on mains, whether its supply is listed or not. */
static void look(const struct precond_in *in, unsigned want UNUSED, struct precond_facts *out)
{
	char dir[256];
	struct supplies s = {.dir = dir};
	struct dirent *d;
	DIR *list;

	snprintf(dir, sizeof dir, "%s/class/power_supply", in->sys);
	list = opendir(dir);
	if (!list) {
		precond_why(out, PRECOND_POWER, "%s: %s", dir, strerrordesc_np(errno));
		return;
	}
	while ((d = readdir(list)))
		if (d->d_name[0] != '.')
			see(&s, d->d_name);
	closedir(list);
	if (s.unread && !s.has_battery) {
		precond_why(out, PRECOND_POWER, "a battery does not say what is in it");
		return;
	}
	out->power.known = true;
	out->power.has_battery = s.has_battery;
	out->power.percent = s.percent;
	out->power.mains = !s.has_battery || s.on_mains || (!s.has_mains && s.charging);
}

const struct precond_source precond_power = {
	.kind = "power",
	.serves = PRECOND_BIT(PRECOND_POWER),
	.help = "The kernel's power supplies.",
	.look = look,
};
