#include "server/cli/page.h"

#include <string.h>

#include "server/cli/page_priv.h"

static const char style[] =
	":root{color-scheme:light}"
	"body{font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:75rem;margin:0 auto;"
	"padding:1.5rem}"
	"h1{font-size:1.7rem;line-height:1.25;margin:0 0 .5rem}"
	"h2{font-size:1.25rem;margin:2.2rem 0 .4rem;border-bottom:2px solid #1f4e79;padding-bottom:.2rem}"
	"h3{font-size:1.08rem;margin:1.6rem 0 .3rem}h4{font-size:1rem;margin:1.1rem 0 .25rem}"
	"p{margin:.3rem 0;max-width:48rem}"
	".scroll{overflow-x:auto}"
	"table{border-collapse:collapse;width:100%;font-size:.87rem;margin:.4rem 0}"
	"caption{text-align:left;font-size:.8rem;color:#444;padding-bottom:.2rem}"
	"th,td{border:1px solid #9aa5b1;padding:.3rem .45rem;text-align:left;vertical-align:top;"
	"overflow-wrap:break-word;min-width:3.2rem}"
	"th{background:#e8eef5;overflow-wrap:normal}"
	"dl{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.2rem 1rem;margin:.4rem 0}"
	"dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere;min-width:0}"
	"code,pre{font-family:ui-monospace,monospace;font-size:.8rem}"
	"td code{display:block;min-width:9rem;overflow-wrap:anywhere}"
	"pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:0;max-width:60rem}"
	"time span,.good,.bad{white-space:nowrap}"
	".good{color:#11602b;font-weight:600}.bad{color:#a3181a;font-weight:600}"
	".missing{color:#7a3300;font-style:italic}.unseen{background:#fde7c8;color:#5c2c00}"
	"section.each{border-left:3px solid #1f4e79;padding-left:1rem;margin:1.2rem 0}"
	"nav ol{columns:2;font-size:.92rem;margin:.4rem 0}a{color:#14467a}"
	".key{background:#f3f6f9;border:1px solid #9aa5b1;padding:.7rem 1rem;margin:1rem 0}"
	"@page{size:A4 landscape;margin:14mm}"
	"@media print{body{max-width:none;padding:0;font-size:10pt}nav{display:none}"
	".scroll{overflow:visible}thead{display:table-header-group}tr{break-inside:avoid}"
	"h2,h3,h4{break-after:avoid}a{color:inherit;text-decoration:none}}";

/* ---- one view ---- */

static void add_facts(const json_t *o, const struct page_view *v, struct buf *out)
{
	buf_add_str(out, "<dl>\n");
	for (const struct page_column *c = v->columns; c->title; c++) {
		buf_addf(out, "<dt>%s</dt><dd>", c->title);
		page_value(page_find(o, c->at), c->form, out);
		buf_add_str(out, "</dd>\n");
	}
	buf_add_str(out, "</dl>\n");
}

static void add_row(const json_t *o, const struct page_view *v, struct buf *out)
{
	buf_add_str(out, "<tr>");
	for (const struct page_column *c = v->columns; c->title; c++) {
		const json_t *cell = page_find(o, c->at);

		buf_add_str(out, "<td>");
		if (page_is_nothing(cell))
			buf_add_str(out, "–"); /* not every row has one of these */
		else
			page_value(cell, c->form, out);
		buf_add_str(out, "</td>");
	}
	buf_add_str(out, "</tr>\n");
}

static void add_rows(const json_t *list, const struct page_view *v, struct buf *out)
{
	const json_t *one;
	size_t i;

	buf_addf(out,
		"<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table>"
		"<caption>%s: %zu</caption>\n<thead><tr>",
		v->title, v->title, json_array_size(list));
	for (const struct page_column *c = v->columns; c->title; c++)
		buf_addf(out, "<th scope=\"col\">%s</th>", c->title);
	buf_add_str(out, "</tr></thead>\n<tbody>\n");
	json_array_foreach (list, i, one)
		add_row(one, v, out);
	buf_add_str(out, "</tbody></table></div>\n");
}

static void add_view(const json_t *at, const struct page_view *v, unsigned level, const char *id,
	struct buf *out);

static void add_each(const json_t *list, const struct page_view *v, unsigned level, struct buf *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		buf_addf(out, "<section class=\"each\"><h%u>%s ", level + 1, v->columns[0].title);
		page_value(page_find(one, v->columns[0].at), v->columns[0].form, out);
		buf_addf(out, "</h%u>\n", level + 1);
		for (const struct page_view *sub = v->views; sub->title; sub++)
			add_view(one, sub, level + 2, "", out);
		buf_add_str(out, "</section>\n");
	}
}

static bool is_empty(const json_t *part, enum page_kind kind)
{
	return kind == PAGE_FACTS ? json_object_size(part) == 0 : json_array_size(part) == 0;
}

static void add_view(const json_t *at, const struct page_view *v, unsigned level, const char *id,
	struct buf *out)
{
	const json_t *part = page_find(at, v->at);

	buf_addf(out, "<h%u%s%s%s>%s</h%u>\n", level, *id ? " id=\"" : "", id, *id ? "\"" : "",
		v->title, level);
	if (v->note)
		buf_addf(out, "<p>%s</p>\n", v->note);
	if (is_empty(part, v->kind))
		buf_add_str(out, "<p class=\"missing\">Nothing is recorded.</p>\n");
	else if (v->kind == PAGE_FACTS)
		add_facts(part, v, out);
	else if (v->kind == PAGE_ROWS)
		add_rows(part, v, out);
	else
		add_each(part, v, level, out);
}

/* ---- the page ---- */

static void add_contents(const struct page_view *const *groups, struct buf *out)
{
	unsigned n = 1;

	buf_add_str(out, "<nav aria-label=\"Contents\"><ol>\n");
	for (; *groups; groups++)
		for (const struct page_view *v = *groups; v->title; v++)
			buf_addf(out, "<li><a href=\"#p%u\">%s</a></li>\n", n++, v->title);
	buf_add_str(out, "</ol></nav>\n");
}

static void add_views(const json_t *whole, const struct page_view *const *groups, struct buf *out)
{
	unsigned n = 1;

	for (; *groups; groups++)
		for (const struct page_view *v = *groups; v->title; v++) {
			BUF_AUTO id = {0};

			buf_addf(&id, "p%u", n++);
			add_view(whole, v, 2, buf_cstr(&id), out);
		}
}

static const struct page_column anchor[] = {{"SHA-256 of the record", "anchor.digest", PAGE_CODE},
	{"Row of the audit log that names it", "anchor.row", PAGE_TEXT},
	{"Chain value there", "anchor.chain", PAGE_CODE},
	{"Signed checkpoint: row", "anchor.checkpoint.signed.n", PAGE_TEXT},
	{"Signed checkpoint: chain", "anchor.checkpoint.signed.chain", PAGE_CODE},
	{"Signed checkpoint: time", "anchor.checkpoint.signed.time", PAGE_TEXT}};

static void add_anchor(const json_t *whole, struct buf *out)
{
	buf_add_str(out,
		"<section class=\"key\" aria-labelledby=\"anchor\"><h2 id=\"anchor\">What it rests on</h2>\n"
		"<p>This page shows a record in JSON. Whoever has that record, an export of the audit log and the "
		"director’s roots can check it without the server: <code>backstay report verify RECORD LOG "
		"--repo ROOTS</code>.</p>\n<dl>\n");
	for (size_t i = 0; i < ARRAY_LEN(anchor); i++) {
		buf_addf(out, "<dt>%s</dt><dd>", anchor[i].title);
		page_value(page_find(whole, anchor[i].at), anchor[i].form, out);
		buf_add_str(out, "</dd>\n");
	}
	buf_add_str(out, "</dl></section>\n");
}

static void add_title(const json_t *whole, bool is_vehicle, struct buf *out)
{
	const json_t *name =
		page_find(whole, is_vehicle ? "record.vehicle.id" : "record.software.release");

	buf_add_str(out, is_vehicle ? "Update record of vehicle " : "Update record of release ");
	page_escape(str_of(json_is_string(name) ? json_string_value(name) : "?"), out);
}

static void add_head(const json_t *whole, bool is_vehicle, struct buf *out)
{
	buf_add_str(out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		"'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
		"<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	add_title(whole, is_vehicle, out);
	buf_addf(out, "</title>\n<style>%s</style></head>\n<body><header><h1>", style);
	add_title(whole, is_vehicle, out);
	buf_add_str(out, "</h1>\n<p>Made ");
	page_value(page_find(whole, "record.made_ms"), PAGE_TIME, out);
	buf_add_str(out, " for ");
	page_value(page_find(whole, "record.made_for"), PAGE_TEXT, out);
	buf_add_str(out, ". Times are of the server unless stated otherwise.</p></header>\n");
}

void page_format(const json_t *whole, struct buf *out)
{
	const json_t *kind = page_find(whole, "record.kind");
	bool is_vehicle = json_is_string(kind) && strcmp(json_string_value(kind), "vehicle") == 0;
	const struct page_view *const groups[] = {
		page_common, is_vehicle ? page_vehicle : page_release, NULL};

	add_head(whole, is_vehicle, out);
	add_contents(groups, out);
	buf_add_str(out, "<main>\n");
	add_anchor(whole, out);
	add_views(whole, groups, out);
	buf_add_str(out, "</main></body></html>\n");
}
