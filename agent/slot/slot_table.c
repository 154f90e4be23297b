#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

#define NOTE_EVERY ((uint64_t)2 * 1024 * 1024)

static const struct slot_driver *const drivers[] = {&slot_dir, &slot_raw, &slot_null};

const struct slot_driver *slot_driver_find(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
		if (strcmp(drivers[i]->kind, kind) == 0)
			return drivers[i];
	return NULL;
}

const char *slot_path(unsigned slot)
{
	static const char *const path[SLOT_COUNT] = {"slots/a", "slots/b"};

	assert(slot < SLOT_COUNT);
	return path[slot];
}

int slots_open(struct fs *fs, const char *kind, struct slots **out, struct err *e)
{
	const struct slot_driver *d = slot_driver_find(kind);

	if (!d)
		return err_set(e, ERR_CONFIG, "there is no slot driver \"%s\"", kind);
	for (unsigned i = 0; i < SLOT_COUNT; i++)
		TRY(fs_make_dirs(fs, slot_path(i), e));
	struct slots *s = mem_new(sizeof *s);
	*s = (struct slots){.driver = d, .fs = fs, .threads = 1, .note_every = NOTE_EVERY};
	*out = s;
	return 0;
}

int slots_set_devices(
	struct slots *s, struct fs *fs, const char *const path[SLOT_COUNT], struct err *e)
{
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		const char *p = path[i] + (path[i][0] == '/');

		if (str_copy(str_of(p), s->device[i], sizeof s->device[i], e) < 0)
			return err_wrap(e, "slot.%s", slot_name(i));
	}
	s->devices = fs;
	return 0;
}

void slots_set_cancel(struct slots *s, const atomic_bool *cancel)
{
	s->cancel = cancel;
}

void slots_close(struct slots **s)
{
	if (!*s)
		return;
	(*s)->driver->put_abort(*s, true);
	free(*s);
	*s = NULL;
}

const struct slot_driver *slots_driver(const struct slots *s)
{
	return s->driver;
}

void slots_set_threads(struct slots *s, unsigned n)
{
	s->threads = MAX(n, 1U);
}

void slots_set_note_every(struct slots *s, uint64_t bytes)
{
	s->note_every = bytes;
}

void slot_content(const struct release *r, struct sha256 *out)
{
	BUF_AUTO lines = {0};
	char hex[SHA256_TEXT];

	for (unsigned i = 0; i < r->n_components; i++) {
		sha256_format(&r->components[i].artifact.tree, hex);
		buf_addf(&lines, "%s %s\n", r->components[i].path, hex);
	}
	digest_of(lines.p, lines.n, out);
}
