#include "server/run/contacts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/prng.h"
#include "server/repo/devices.h"

#define FIRST_CAP 256

void contacts_init(struct contacts *c)
{
	*c = (struct contacts){0};
}

void contacts_fini(struct contacts *c)
{
	free(c->v);
	contacts_init(c);
}

static struct contact *slot_of(struct contact *v, size_t cap, const char *device)
{
	size_t at = hash64(0, device, strlen(device)) % cap;

	while (v[at].id.s[0] && strcmp(v[at].id.s, device) != 0)
		at = (at + 1) % cap;
	return &v[at];
}

static void grow(struct contacts *c)
{
	size_t cap = c->cap ? 2 * c->cap : FIRST_CAP;
	struct contact *v = mem_new(cap * sizeof *v);

	memset(v, 0, cap * sizeof *v);
	for (size_t i = 0; i < c->cap; i++)
		if (c->v[i].id.s[0])
			*slot_of(v, cap, c->v[i].id.s) = c->v[i];
	free(c->v);
	c->v = v;
	c->cap = cap;
}

struct contact *contacts_put(struct contacts *c, const char *device, ms_t at)
{
	struct contact *slot;

	if (2 * (c->n + 1) > c->cap)
		grow(c);
	slot = slot_of(c->v, c->cap, device);
	if (!slot->id.s[0]) {
		snprintf(slot->id.s, sizeof slot->id.s, "%s", device);
		c->n++;
	}
	slot->at = at;
	return slot;
}

int contacts_save(const struct contacts *c, struct db *db, struct err *e)
{
	for (size_t i = 0; i < c->cap; i++) {
		const struct contact *k = &c->v[i];

		if (!k->id.s[0])
			continue;
		TRY(devices_touch(db, k->id.s, k->at, e));
		if (k->has_progress)
			TRY(devices_progress(db, k->id.s, k->done, k->total, e));
	}
	return 0;
}

void contacts_clear(struct contacts *c)
{
	if (c->n)
		memset(c->v, 0, c->cap * sizeof *c->v);
	c->n = 0;
}
