#include "agent/svc/svc_priv.h"

#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#define ENTRIES_MAX 5000

static int message(sd_journal *j, struct str *out)
{
	const void *data;
	size_t n;
	int rc = sd_journal_get_data(j, "MESSAGE", &data, &n);

	if (rc < 0 || n < strlen("MESSAGE="))
		return -1;
	*out = (struct str){(const char *)data + strlen("MESSAGE="), n - strlen("MESSAGE=")};
	return 0;
}

/* Steps back over about `max` bytes of messages. */
static void go_back(sd_journal *j, size_t max)
{
	size_t bytes = 0;
	struct str m;

	sd_journal_seek_tail(j);
	for (unsigned i = 0; i < ENTRIES_MAX && bytes < max && sd_journal_previous(j) > 0; i++)
		if (message(j, &m) == 0)
			bytes += m.n + 1;
}

static void gather(sd_journal *j, struct buf *out)
{
	struct str m;

	do {
		if (message(j, &m) == 0) {
			buf_add(out, m.p, m.n);
			buf_add_char(out, '\n');
		}
	} while (sd_journal_next(j) > 0);
}

int svc_journal_tail_of(const char *unit, size_t max, struct buf *out, struct err *e)
{
	char match[192];
	BUF_AUTO lines = {0};
	sd_journal *j;
	int rc = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY);

	if (rc < 0)
		return err_sys(e, -rc, "journal");
	snprintf(match, sizeof match, "_SYSTEMD_UNIT=%s", unit);
	rc = sd_journal_add_match(j, match, 0);
	if (rc >= 0) {
		go_back(j, max);
		gather(j, &lines);
		svc_log_add_end(&lines, max, out);
	}
	sd_journal_close(j);
	return rc < 0 ? err_sys(e, -rc, "journal of %s", unit) : 0;
}
