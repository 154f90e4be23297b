#include "packaging/manual/mdoc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"

#define WIDTH 78

/* ---- escaping ---- */

/* Of one byte; *at moves on by what was taken. */
static void add_escaped(struct buf *out, struct str s, size_t *at)
{
	static const struct {
		const char *from, *to;
	} others[] = {{"\\", "\\e"}, {"\u2264", "\\(<="}, {"\u2026", "..."}, {"\u2265", "\\(>="},
		{"\"", "\\(dq"}};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		size_t n = strlen(others[i].from);

		if (s.n - *at < n || memcmp(s.p + *at, others[i].from, n) != 0)
			continue;
		buf_add_str(out, others[i].to);
		*at += n;
		return;
	}
	buf_add_char(out, s.p[(*at)++]);
}

/* A minus that people copy must stay one. */
static void add_word(struct buf *out, struct str w)
{
	size_t at = 0;

	for (; at < w.n && w.p[at] == '-' && w.n > 1; at++)
		buf_add_str(out, "\\-");
	while (at < w.n)
		add_escaped(out, w, &at);
}

/* A word in the line of a macro: one that looks like a macro, or punctuation, is none. */
static void add_argument(struct buf *out, struct str w)
{
	buf_add_char(out, ' ');
	if (w.n <= 3)
		buf_add_str(out, "\\&");
	add_word(out, w);
}

static bool next_word(struct str *rest, struct str *out)
{
	size_t n = 0;

	while (rest->n && isspace((unsigned char)*rest->p))
		*rest = (struct str){rest->p + 1, rest->n - 1};
	while (n < rest->n && !isspace((unsigned char)rest->p[n]))
		n++;
	*out = (struct str){rest->p, n};
	*rest = (struct str){rest->p + n, rest->n - n};
	return n > 0;
}

static void add_arguments(struct buf *out, struct str text)
{
	struct str w;

	while (next_word(&text, &w))
		add_argument(out, w);
}

/* ---- running text ---- */

static void flush(struct buf *line)
{
	if (line->n)
		printf("%s\n", buf_cstr(line));
	buf_clear(line);
}

static bool ends_sentence(struct str w)
{
	while (w.n && str_has_char(")\"'", w.p[w.n - 1]))
		w.n--;
	return w.n > 1 && str_has_char(".!?", w.p[w.n - 1]);
}

static void put_word(struct buf *line, struct str w)
{
	BUF_AUTO word = {0};

	add_word(&word, w);
	if (line->n && line->n + 1 + word.n > WIDTH)
		flush(line);
	if (line->n)
		buf_add_char(line, ' ');
	else if (str_has_char(".'", (char)word.p[0]))
		buf_add_str(line, "\\&");
	buf_add(line, word.p, word.n);
	if (ends_sentence(w))
		flush(line);
}

/* What clings to the code before and behind it is put on the macro's line, where mdoc knows it for
 * punctuation. */
static void put_code(struct buf *line, struct str *rest)
{
	const char *open = memchr(rest->p, '`', rest->n);
	struct str before = {rest->p, (size_t)(open - rest->p)}, code = {open + 1, 0}, behind;
	size_t left = rest->n - before.n - 1;
	const char *close = memchr(code.p, '`', left);

	code.n = close ? (size_t)(close - code.p) : left;
	*rest = (struct str){code.p + code.n, left - code.n};
	if (close)
		*rest = (struct str){rest->p + 1, rest->n - 1};
	for (behind = (struct str){rest->p, 0};
		behind.n < rest->n && str_has_char(".,:;)?!", rest->p[behind.n]); behind.n++)
		;
	flush(line);
	buf_add_str(line, ".Ql");
	for (size_t i = 0; i < before.n; i++)
		buf_addf(line, " %c", before.p[i]);
	add_arguments(line, code);
	for (size_t i = 0; i < behind.n; i++)
		buf_addf(line, " %c", behind.p[i]);
	*rest = (struct str){rest->p + behind.n, rest->n - behind.n};
	if (rest->n && !isspace((unsigned char)*rest->p))
		buf_add_str(line, " Ns");
	flush(line);
}

/* Is the word made of opening punctuation up to its first backquote? */
static bool is_code(struct str w)
{
	size_t n = 0;

	while (n < w.n && str_has_char("([", w.p[n]))
		n++;
	return n < w.n && w.p[n] == '`';
}

void mdoc_text(struct str text)
{
	BUF_AUTO line = {0};
	struct str w, before = text;

	while (next_word(&text, &w)) {
		if (is_code(w)) {
			text = (struct str){w.p, (size_t)(before.p + before.n - w.p)};
			put_code(&line, &text);
		} else {
			put_word(&line, w);
		}
		before = text;
	}
	flush(&line);
}

void mdoc_say(const char *text)
{
	mdoc_text(str_of(text));
}

void mdoc_sentence(const char *text)
{
	BUF_AUTO whole = {0};

	buf_add_str(&whole, text);
	if (whole.n && !str_has_char(".!?", (char)whole.p[whole.n - 1]))
		buf_add_char(&whole, '.');
	mdoc_text(buf_str(&whole));
}

/* ---- the frame ---- */

static void put_upper(const char *s)
{
	for (; *s; s++)
		putchar(toupper((unsigned char)*s));
}

void mdoc_head(const char *name, int section, const char *date, const char *what)
{
	printf(".Dd %s\n.Dt ", date);
	put_upper(name);
	printf(" %d\n.Os Backstay\n.Sh NAME\n.Nm %s\n.Nd %s\n", section, name, what);
}

void mdoc_section(const char *title)
{
	printf(".Sh ");
	put_upper(title);
	printf("\n");
}

void mdoc_subsection(const char *title)
{
	mdoc_macro("Ss", title);
}

void mdoc_para(void)
{
	puts(".Pp");
}

void mdoc_list_begin(void)
{
	puts(".Bl -tag -width Ds");
}

void mdoc_list_end(void)
{
	puts(".El");
}

void mdoc_macro(const char *macro, const char *args)
{
	BUF_AUTO line = {0};

	buf_addf(&line, ".%s", macro);
	add_arguments(&line, str_of(args));
	flush(&line);
}

/* Backquotes are for running text. */
void mdoc_item(const char *tag)
{
	BUF_AUTO plain = {0};

	for (; *tag; tag++)
		if (*tag != '`')
			buf_add_char(&plain, *tag);
	mdoc_macro("It", buf_cstr(&plain));
}

void mdoc_literal(struct str lines)
{
	struct str line;

	puts(".Bd -literal -offset indent");
	while (lines.n && str_split(&lines, '\n', &line)) {
		BUF_AUTO out = {0};
		size_t at = 0;

		if (line.n && str_has_char(".'", line.p[0]))
			buf_add_str(&out, "\\&");
		while (at < line.n)
			add_escaped(&out, line, &at);
		printf("%s\n", buf_cstr(&out));
	}
	puts(".Ed");
}
