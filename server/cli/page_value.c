/* Values on a page: text as text. */
#include "server/cli/page_priv.h"

#include <string.h>

#include "proto/wire/time.h"

#define MISSING "<span class=\"missing\">not recorded</span>"

const json_t *page_find(const json_t *at, const char *path)
{
	struct str rest = str_of(path), part;
	char name[64];

	while (at && rest.n && str_split(&rest, '.', &part))
		at = str_copy(part, name, sizeof name, NULL) == 0 ? json_object_get(at, name)
								  : NULL;
	return at;
}

/* ---- text ---- */

/* The next character of valid UTF-8, which is what a JSON text is. */
static uint32_t next_char(const struct str *s, size_t *io_at, size_t *out_n)
{
	const uint8_t *p = (const uint8_t *)s->p + *io_at;
	size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? *p : *p & (0xffU >> (n + 1));

	n = MIN(n, s->n - *io_at);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	*io_at += n;
	*out_n = n;
	return c;
}

/* Controls, and what is not seen but changes what is: directions, joiners, tags, the byte order
 * mark. Line ends are blanks in HTML, and harmless. */
static bool is_unseen(uint32_t c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0) || c == 0xad ||
	       c == 0x61c || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

void page_escape(struct str text, struct buf *out)
{
	static const struct {
		char c;
		const char *as;
	} marks[] = {
		{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

	for (size_t at = 0, n; at < text.n;) {
		uint32_t c = next_char(&text, &at, &n);
		const char *as = NULL;

		for (size_t i = 0; i < ARRAY_LEN(marks); i++)
			if (c == (uint32_t)marks[i].c)
				as = marks[i].as;
		if (as)
			buf_add_str(out, as);
		else if (is_unseen(c))
			buf_addf(out, "<span class=\"unseen\">[U+%04X]</span>", (unsigned)c);
		else
			buf_add(out, text.p + at - n, n);
	}
}

static void add_text(const char *text, struct buf *out)
{
	buf_add_str(out, "<bdi>");
	page_escape(str_of(text), out);
	buf_add_str(out, "</bdi>");
}

/* ---- forms ---- */

static void add_scalar(const json_t *v, struct buf *out)
{
	BUF_AUTO text = {0};

	if (json_is_string(v)) {
		add_text(json_string_value(v), out);
		return;
	}
	if (json_is_boolean(v))
		buf_add_str(&text, json_is_true(v) ? "yes" : "no");
	else
		json_write(v, &text);
	page_escape(buf_str(&text), out);
}

static bool is_flat(const json_t *v)
{
	const json_t *one;
	size_t i;

	json_array_foreach (v, i, one)
		if (json_is_array(one) || json_is_object(one))
			return false;
	return json_is_array(v);
}

static void add_plain(const json_t *v, struct buf *out)
{
	const json_t *one;
	size_t i;

	if (!is_flat(v)) {
		add_scalar(v, out);
		return;
	}
	json_array_foreach (v, i, one) {
		buf_add_str(out, i ? ", " : "");
		add_scalar(one, out);
	}
}

static void add_time(const json_t *v, struct buf *out)
{
	char text[21];

	time_format(json_integer_value(v) / 1000, text);
	buf_addf(out, "<time datetime=\"%s\"><span>%.10s</span> <span>%.8s UTC</span></time>", text,
		text, text + 11);
}

/* Mark and word, so that no colour is needed. */
static void add_state(const json_t *v, struct buf *out)
{
	static const char *const good[] = {"recorded", "committed", "done", "back"},
				 *const bad[] = {"missing", "partly", "reverted", "failed",
					 "silent", "halted", "rolling_back", "ordered_back"};
	const char *word = json_is_string(v)    ? json_string_value(v)
			   : json_is_true(v)    ? "done"
			   : json_is_boolean(v) ? "missing"
						: "";
	const char *class = "open", *mark = "";

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (strcmp(word, good[i]) == 0)
			class = "good", mark = "✓ ";
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (strcmp(word, bad[i]) == 0)
			class = "bad", mark = "✗ ";
	buf_addf(out, "<span class=\"%s\">%s", class, mark);
	add_plain(v, out);
	buf_add_str(out, "</span>");
}

static void add_summary(const json_t *v, struct buf *out)
{
	char *text = json_dumps(v, JSON_INDENT(1) | JSON_ENCODE_ANY);

	buf_add_str(out, "<pre>");
	page_escape(str_of(text ? text : ""), out);
	buf_add_str(out, "</pre>");
	mem_free(&text);
}

bool page_is_nothing(const json_t *v)
{
	return !v || json_is_null(v) || (json_is_string(v) && json_string_length(v) == 0) ||
	       (json_is_array(v) && json_array_size(v) == 0) ||
	       (json_is_object(v) && json_object_size(v) == 0);
}

void page_value(const json_t *v, enum page_form form, struct buf *out)
{
	if (page_is_nothing(v))
		buf_add_str(out, MISSING);
	else if (form == PAGE_TIME && json_is_integer(v))
		add_time(v, out);
	else if (form == PAGE_MILLI && json_is_integer(v))
		buf_addf(out, "%lld.%03lld", (long long)json_integer_value(v) / 1000,
			(long long)json_integer_value(v) % 1000);
	else if (form == PAGE_STATE)
		add_state(v, out);
	else if (form == PAGE_SUMMARY)
		add_summary(v, out);
	else if (form == PAGE_CODE) {
		buf_add_str(out, "<code>");
		add_plain(v, out);
		buf_add_str(out, "</code>");
	} else
		add_plain(v, out);
}
