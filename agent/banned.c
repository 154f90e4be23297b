/* The quarantine lies in home twice, because nothing else knows what it knows: no server tells a
 * device what has failed on it. A file that was damaged, however, must not make a device forget,
 * and one that was replaced by an older copy must not either, so what counts is both together. */
#include "agent/agent_priv.h"

#include <string.h>

#include "lib/sys/log.h"

#define BYTES (64 * 1024)

static const char *const path[] = {"quarantine.json", "quarantine.copy"};

int agent_save_quarantine(struct agent *a, const struct quarantine *q, struct err *e)
{
	BUF_AUTO text = {0};

	quarantine_encode(q, &text);
	for (size_t i = 0; i < ARRAY_LEN(path); i++)
		TRY(fs_write_file(a->w.fs, path[i], text.p, text.n, 0644, e));
	a->quarantine = *q;
	return 0;
}

/* The file is replaced as a whole, so one that cannot be understood was damaged from outside. That
 * must be told, but is no reason to leave the device without an agent. */
static int load(
	struct fs *fs, const char *name, struct buf *text, struct quarantine *out, struct err *e)
{
	int rc = fs_read_file(fs, name, BYTES, text, e);

	if (rc == -(int)ERR_NOT_FOUND)
		return 0;
	if (rc == 0)
		rc = quarantine_decode(buf_str(text), out, e);
	if (rc < 0 && e->code != ERR_BAD_INPUT && e->code != ERR_TOO_LARGE)
		return err_wrap(e, "%s", name);
	if (rc < 0)
		log_err(LOG_ID_JOURNAL, e, "file=%s", name);
	return 0;
}

int agent_load_quarantine(struct agent *a, struct err *e)
{
	struct quarantine one = {0}, other = {0};
	BUF_AUTO text = {0};
	BUF_AUTO copy = {0};

	TRY(load(a->w.fs, path[0], &text, &one, e));
	TRY(load(a->w.fs, path[1], &copy, &other, e));
	quarantine_join(&one, &other);
	a->quarantine = one;
	if (str_eq(buf_str(&text), buf_str(&copy)))
		return 0;
	if (agent_save_quarantine(a, &one, e) < 0)
		log_err(LOG_ID_JOURNAL, e, "file=%s", path[1]);
	return 0;
}
