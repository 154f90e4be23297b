#include "agent/precond/precond_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A zone whose sensor sleeps answers with an error, and does not count. */
static void see(const char *dir, const char *name, struct precond_facts *out)
{
	struct precond_zone *z = &out->zones[out->n_zones];
	char path[640], text[32], *end;

	snprintf(path, sizeof path, "%s/%s/temp", dir, name);
	if (precond_read_line(path, text, sizeof text, NULL) < 0 || !text[0])
		return;
	z->milli_c = strtoll(text, &end, 10);
	if (*end)
		return;
	snprintf(path, sizeof path, "%s/%s/type", dir, name);
	if (precond_read_line(path, text, sizeof text, NULL) < 0 || !text[0])
		snprintf(text, sizeof text, "%.31s", name);
	str_printable(str_of(text), z->name, sizeof z->name);
	out->n_zones++;
}

static void look(const struct precond_in *in, unsigned want UNUSED, struct precond_facts *out)
{
	char dir[256];
	struct dirent *d;
	DIR *list;

	snprintf(dir, sizeof dir, "%s/class/thermal", in->sys);
	list = opendir(dir);
	if (!list) {
		precond_why(out, PRECOND_TEMPERATURE, "%s: %s", dir, strerrordesc_np(errno));
		return;
	}
	while (out->n_zones < LIMIT_THERMAL_ZONES && (d = readdir(list)))
		if (strncmp(d->d_name, "thermal_zone", 12) == 0)
			see(dir, d->d_name, out);
	closedir(list);
	precond_why(out, PRECOND_TEMPERATURE, "no thermal zone of that name");
}

const struct precond_source precond_thermal = {
	.kind = "thermal",
	.serves = PRECOND_BIT(PRECOND_TEMPERATURE),
	.help = "The kernel's thermal zones.",
	.look = look,
};
