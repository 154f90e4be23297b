/* What a page of a record is made of: views of parts of the record, as tables. */
#ifndef SERVER_CLI_PAGE_PRIV_H
#define SERVER_CLI_PAGE_PRIV_H

#include "server/cli/page.h"

/* How a value is shown. */
enum page_form {
	PAGE_TEXT,   /* text, number, yes or no; lists of them by commas; all else as JSON */
	PAGE_CODE,   /* the same, in the shape of code: digests, ids */
	PAGE_TIME,   /* milliseconds since 1970 */
	PAGE_MILLI,  /* thousandths */
	PAGE_STATE,  /* a word that says whether something is well, with a mark */
	PAGE_SUMMARY /* JSON, folded up on a screen and open on paper */
};

#define PAGE_COLUMNS 10

struct page_column {
	const char *title; /* NULL: no more columns */
	const char *at;    /* "a.b" within the element */
	enum page_form form;
};

/* FACTS: an object as a list of names and values. ROWS: a list as a table. EACH: a list of which
 * every element has a heading and views of its own. */
enum page_kind { PAGE_FACTS, PAGE_ROWS, PAGE_EACH };

struct page_view {
	const char *title; /* NULL: behind the last */
	const char *at;    /* "a.b" within the record, or the element */
	enum page_kind kind;
	const char *note; /* a sentence below the heading, or NULL */
	struct page_column columns[PAGE_COLUMNS];
	const struct page_view *views; /* EACH */
};

extern const struct page_view page_vehicle[], page_release[], page_common[];

/* What stands at "a.b", or NULL. */
const json_t *page_find(const json_t *at, const char *path);

/* Text as text, whatever is in it: markup is escaped, and characters that would turn the direction
 * of what follows, or are not to be seen, are shown by their numbers. */
void page_escape(struct str text, struct buf *out);
/* Nothing is there, or an empty text, list or object. */
bool page_is_nothing(const json_t *v);
/* Shown as "not recorded" where there is nothing. */
void page_value(const json_t *v, enum page_form form, struct buf *out);

#endif
