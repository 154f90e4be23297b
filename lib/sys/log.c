#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/sys/log_priv.h"

static const struct log_event events[] = {
#define X(id, priority, message_id, text, fields, help)                                            \
	[LOG_ID_##id] = {#id, text, message_id, priority},
	LOG_TABLE(X)
#undef X
};

static struct {
	const char *program;
	enum log_form form;
	int max_priority;
} sink = {"backstay", LOG_FORM_TEXT, LOG_INFO};

void log_init(const char *program, enum log_form form, int max_priority)
{
	sink.program = program;
	sink.form = form;
	sink.max_priority = max_priority;
}

/* systemd names the device and inode of the socket that it has made stderr: whoever is started with
 * another one has inherited the variable only. */
enum log_form log_form_here(void)
{
	const char *named = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!named || sscanf(named, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return LOG_FORM_TEXT;
	return st.st_dev == dev && st.st_ino == ino ? LOG_FORM_JOURNAL : LOG_FORM_TEXT;
}

bool log_is_json(void)
{
	return sink.form == LOG_FORM_JSON;
}

/* Event names are the rows' names in small letters. */
void log_add_name(struct buf *out, const char *name)
{
	for (; *name; name++)
		buf_add_char(out, *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name);
}

/* ---- text ---- */

void log_add_text(struct buf *out, const struct log_event *ev, const char *fields)
{
	log_add_name(out, ev->name);
	buf_addf(out, ": %s%s", ev->text, fields[0] ? " " : "");
	/* Fields quote what comes from outside; a line break in it would forge an event. */
	for (const char *p = fields; *p; p++)
		buf_add_char(out, (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
}

static void text_line(struct buf *out, const struct log_event *ev, const char *fields)
{
	if (sink.form == LOG_FORM_JOURNAL)
		buf_addf(out, "<%d>", ev->priority);
	else
		buf_addf(out, "%s: ", sink.program);
	log_add_text(out, ev, fields);
}

/* ---- fields ---- */

bool log_field_next(const char **fields, struct str *out_key, struct str *out_value)
{
	const char *p = *fields + strspn(*fields, " "), *end = p + strcspn(p, "= ");
	char stop = ' ';

	if (!*p)
		return false;
	*out_key = *end == '=' ? (struct str){p, (size_t)(end - p)} : STR("note");
	if (*end == '=')
		p = end + 1;
	if (*p == '"') {
		stop = '"';
		p++;
	}
	end = strchrnul(p, stop);
	*out_value = (struct str){p, (size_t)(end - p)};
	*fields = *end == '"' ? end + 1 : end;
	return true;
}

/* ---- JSON ---- */

static void json_text(struct buf *out, const char *p, size_t n)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f) {
			buf_addf(out, "\\u%04x", p[i]);
			continue;
		}
		if (p[i] == '"' || p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, p[i]);
	}
	buf_add_char(out, '"');
}

static void json_line(struct buf *out, const struct log_event *ev, const char *fields)
{
	struct timespec now = {0};
	struct tm t = {0};
	struct str key, value;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &t);
	buf_addf(out,
		"{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"program\":", t.tm_year + 1900,
		t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, now.tv_nsec / 1000000);
	json_text(out, sink.program, strlen(sink.program));
	buf_addf(out, ",\"priority\":%d,\"event\":\"", ev->priority);
	log_add_name(out, ev->name);
	buf_add_str(out, "\",\"text\":");
	json_text(out, ev->text, strlen(ev->text));
	while (log_field_next(&fields, &key, &value)) {
		buf_add_char(out, ',');
		json_text(out, key.p, key.n);
		buf_add_char(out, ':');
		json_text(out, value.p, value.n);
	}
	buf_add_char(out, '}');
}

/* ---- the sink ---- */

/* One write a line, so that threads do not mix theirs. A log that cannot be written is nobody's
 * failure. */
static void emit(const struct log_event *ev, const char *fields)
{
	BUF_AUTO line = {0};
	ssize_t n UNUSED;

	if (sink.form == LOG_FORM_JOURNAL && log_journal_send(ev, sink.program, fields))
		return;
	if (sink.form == LOG_FORM_JSON)
		json_line(&line, ev, fields);
	else
		text_line(&line, ev, fields);
	buf_add_char(&line, '\n');
	n = write(STDERR_FILENO, line.p, line.n);
}

PRINTF(2, 0) static void add_args(struct buf *out, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof text, fmt, ap);
	buf_add_str(out, text);
}

void log_ev(enum log_id id, const char *fmt, ...)
{
	BUF_AUTO fields = {0};
	va_list ap;

	if (events[id].priority > sink.max_priority)
		return;
	va_start(ap, fmt);
	add_args(&fields, fmt, ap);
	va_end(ap);
	emit(&events[id], buf_cstr(&fields));
}

void log_err(enum log_id id, const struct err *e, const char *fmt, ...)
{
	char reason[sizeof e->text];
	BUF_AUTO fields = {0};
	va_list ap;

	if (events[id].priority > sink.max_priority)
		return;
	va_start(ap, fmt);
	add_args(&fields, fmt, ap);
	va_end(ap);
	/* The reason stands in quotes. */
	for (size_t i = 0; i < sizeof reason; i++)
		reason[i] = e->text[i] == '"' ? '\'' : e->text[i];
	reason[sizeof reason - 1] = 0;
	buf_addf(&fields, "%serror=%s reason=\"%s\"", fields.n ? " " : "", err_name(e->code),
		reason);
	emit(&events[id], buf_cstr(&fields));
}
