/* As much of Markdown as manifests/schema uses. */
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "packaging/manual/mdoc.h"

#define COLUMNS 8

struct row {
	struct str cell[COLUMNS];
	size_t n;
};

/* `**bold**` and `[text](address)` lose what makes them so; code keeps all. */
static void add_plain(struct buf *out, struct str s)
{
	bool code = false;

	for (size_t i = 0; i < s.n; i++) {
		const char *end = NULL;

		code ^= s.p[i] == '`';
		if (!code && s.p[i] == ']' && i + 1 < s.n && s.p[i + 1] == '(')
			end = memchr(s.p + i, ')', s.n - i);
		if (end)
			i = (size_t)(end - s.p);
		else if (code || !str_has_char("[*", s.p[i]))
			buf_add_char(out, s.p[i]);
	}
}

static void say(struct str s)
{
	BUF_AUTO plain = {0};

	add_plain(&plain, s);
	mdoc_text(buf_str(&plain));
}

static struct row row_split(struct str line)
{
	struct row r = {.n = 0};
	struct str cell;

	line = (struct str){line.p + 1, line.n - 1};
	while (r.n < COLUMNS && line.n && str_split(&line, '|', &cell))
		r.cell[r.n++] = str_trim(cell);
	return r;
}

/* The first cell is what is spoken of; those between it and the last say something short of it. */
static void row_show(const struct row *head, const struct row *r)
{
	BUF_AUTO tag = {0};

	add_plain(&tag, r->cell[0]);
	mdoc_item(buf_cstr(&tag));
	for (size_t i = 1; i + 1 < r->n; i++) {
		struct str title = i < head->n ? head->cell[i] : STR("");
		BUF_AUTO text = {0};

		if (!r->cell[i].n)
			continue;
		buf_addf(&text, "%.*s%s%.*s.", (int)title.n, title.p,
			title.n                                  ? ": "
			: str_has_prefix(r->cell[i], "required") ? ""
								 : "Default: ",
			(int)r->cell[i].n, r->cell[i].p);
		say(buf_str(&text));
	}
	say(r->cell[r->n - 1]);
}

static bool take_line(struct str *rest, struct str *out)
{
	return rest->n && str_split(rest, '\n', out);
}

static void table(struct str *rest, struct str first)
{
	struct row head = row_split(first);
	struct str line;

	(void)!take_line(rest, &line); /* the rule below the head */
	mdoc_list_begin();
	while (str_has_prefix(*rest, "|") && take_line(rest, &line)) {
		struct row r = row_split(line);

		row_show(&head, &r);
	}
	mdoc_list_end();
}

static void fence(struct str *rest)
{
	const char *end = memmem(rest->p, rest->n, "```", 3);
	size_t n = end ? (size_t)(end - rest->p) : rest->n;
	struct str line;

	mdoc_literal((struct str){rest->p, n});
	*rest = (struct str){rest->p + n, rest->n - n};
	(void)!take_line(rest, &line);
}

/* Up to an empty line, or one that begins something else. */
static void paragraph(struct str *rest, struct str first)
{
	BUF_AUTO text = {0};
	struct str line = first;

	do {
		buf_add(&text, line.p, line.n);
		buf_add_char(&text, ' ');
	} while (rest->n && !str_has_char("\n|#", rest->p[0]) && !str_has_prefix(*rest, "```") &&
		 take_line(rest, &line));
	say(buf_str(&text));
}

static void heading(struct str line)
{
	BUF_AUTO title = {0};

	buf_add(&title, line.p + 3, line.n - 3);
	mdoc_section(buf_cstr(&title));
}

void mdoc_markdown(struct str page)
{
	bool fresh = true; /* behind a heading nothing separates */
	struct str line;

	(void)!take_line(&page, &line);
	mdoc_section("description");
	while (take_line(&page, &line)) {
		if (!str_trim(line).n)
			continue;
		if (str_has_prefix(line, "## ")) {
			heading(line);
			fresh = true;
			continue;
		}
		if (!fresh && !str_has_prefix(line, "|") && !str_has_prefix(line, "```"))
			mdoc_para();
		fresh = false;
		if (str_has_prefix(line, "```"))
			fence(&page);
		else if (str_has_prefix(line, "|"))
			table(&page, line);
		else
			paragraph(&page, line);
	}
}
