#define SD_JOURNAL_SUPPRESS_LOCATION 1
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "lib/sys/log_priv.h"

#define SOCKET  "/run/systemd/journal/socket"
#define KEY_MAX 40 /* with the prefix: the journal takes 64 */

/* Letters, digits and '_' are all that the journal takes. */
static void add_key(struct buf *out, struct str key)
{
	buf_add_str(out, "BACKSTAY_");
	for (size_t i = 0; i < key.n && i < KEY_MAX; i++) {
		char c = key.p[i];
		bool small = c >= 'a' && c <= 'z';

		if (small)
			c = (char)(c - 32);
		else if ((c < 'A' || c > 'Z') && (c < '0' || c > '9'))
			c = '_';
		buf_add_char(out, c);
	}
	buf_add_char(out, '=');
}

size_t log_journal_encode(
	const struct log_event *ev, const char *program, const char *fields, struct buf *out)
{
	struct str key, value;
	size_t n = 5;

	buf_add_str(out, "MESSAGE=");
	log_add_text(out, ev, fields);
	buf_addf(out, "%cPRIORITY=%d%cMESSAGE_ID=%s%cSYSLOG_IDENTIFIER=%s%cBACKSTAY_EVENT=", 0,
		ev->priority, 0, ev->message_id, 0, program, 0);
	log_add_name(out, ev->name);
	buf_add_char(out, 0);
	while (n < LOG_JOURNAL_FIELDS && log_field_next(&fields, &key, &value)) {
		add_key(out, key);
		buf_add(out, value.p, value.n);
		buf_add_char(out, 0);
		n++;
	}
	return n;
}

/* libsystemd says that all is well when nobody listens. */
static bool is_there(void)
{
	struct stat st;

	return stat(SOCKET, &st) == 0;
}

bool log_journal_send(const struct log_event *ev, const char *program, const char *fields)
{
	struct iovec v[LOG_JOURNAL_FIELDS];
	BUF_AUTO text = {0};
	size_t n = log_journal_encode(ev, program, fields, &text);
	char *p = (char *)text.p;

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct iovec){p, strlen(p)};
		p += v[i].iov_len + 1;
	}
	return is_there() && sd_journal_sendv(v, (int)n) >= 0;
}
