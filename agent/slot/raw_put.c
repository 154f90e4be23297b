#include <assert.h>
#include <string.h>

#include "agent/slot/slot_priv.h"

int raw_put_begin(struct slots *s, unsigned slot, const struct component *c, bool anew,
	struct slot_part *out_part, struct err *e)
{
	(void)anew;
	assert(!s->putting);
	TRY(listing_remove(s->fs, slot, c->name, e));
	ledger_init(&s->ledger);
	s->writer = NULL;
	s->put_slot = slot;
	s->put_component = *c;
	s->putting = true;
	*out_part = (struct slot_part){0};
	return 0;
}

static int no_archive(struct err *e)
{
	return err_set(e, ERR_CONFLICT, "a raw slot takes an image, not an archive");
}

int raw_put_dir(struct slots *s, const char *path, struct err *e)
{
	(void)s;
	(void)path;
	return no_archive(e);
}

int raw_put_link(struct slots *s, const char *path, const char *target, struct err *e)
{
	(void)s;
	(void)path;
	(void)target;
	return no_archive(e);
}

/* Whether it fits is judged before the first byte, whatever `cost` has answered. */
int raw_put_file(struct slots *s, const char *path, bool executable, uint64_t size, struct err *e)
{
	uint64_t room;
	int fd;

	if (strcmp(path, ".") != 0)
		return no_archive(e);
	TRY(ledger_file(&s->ledger, path, executable, size, e));
	TRY(raw_open_to_write(s, s->put_slot, &fd, &room, e));
	if (size > room) {
		(void)!s->devices->ops->close(s->devices, fd, NULL); /* nothing was written */
		return err_set(e, ERR_NO_SPACE, "the image has %llu bytes, slot %s takes %llu",
			(unsigned long long)size, slot_name(s->put_slot), (unsigned long long)room);
	}
	s->writer = writer_new(s->devices, s->threads > 1);
	writer_adopt(s->writer, fd, size, room);
	return s->ledger.in_file ? 0 : writer_close(s->writer, e);
}

int raw_put_data(struct slots *s, const void *p, size_t n, struct err *e)
{
	if (n == 0)
		return 0;
	TRY(ledger_data(&s->ledger, p, n, e));
	TRY(writer_add(s->writer, p, n, e));
	return s->ledger.in_file ? 0 : writer_close(s->writer, e);
}

static void forget(struct slots *s)
{
	writer_free(&s->writer);
	ledger_fini(&s->ledger);
	s->putting = false;
}

int raw_put_end(struct slots *s, struct err *e)
{
	BUF_AUTO lines = {0};

	assert(s->putting);
	TRY(ledger_end(&s->ledger, &s->put_component.artifact.tree, &lines, e));
	TRY(writer_drain(s->writer, e));
	TRY(listing_save(s->fs, s->put_slot, &s->put_component, &lines, e));
	forget(s);
	return 0;
}

/* What was written stays where it is: without a listing it is nothing. */
void raw_put_abort(struct slots *s, bool keep)
{
	(void)keep;
	if (s->putting)
		forget(s);
}
