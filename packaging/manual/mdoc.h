/* Writes mdoc(7) to stdout. Texts are plain sentences, with code in `backquotes`; whatever could be
 * taken for markup is escaped, lines are broken at the ends of sentences and before they are too
 * long. */
#ifndef PACKAGING_MANUAL_MDOC_H
#define PACKAGING_MANUAL_MDOC_H

#include "lib/str.h"

/* The head of a page: name, section, what it is. `date` is "November 25, 2026". */
void mdoc_head(const char *name, int section, const char *date, const char *what);
void mdoc_section(const char *title);
void mdoc_subsection(const char *title);

/* Running text; no paragraph is begun. */
void mdoc_text(struct str text);
void mdoc_say(const char *text);
/* A row of a table: a sentence that may lack its end. */
void mdoc_sentence(const char *text);
void mdoc_para(void);

/* A list: each item has a tag, and any text behind it. */
void mdoc_list_begin(void);
void mdoc_item(const char *tag);
void mdoc_list_end(void);

/* A line of its own with one macro; each word of its arguments is escaped. */
void mdoc_macro(const char *macro, const char *args);

/* Lines that are shown as they are. */
void mdoc_literal(struct str lines);

/* A Markdown page of manifests/schema: sections, paragraphs, tables (as lists), fenced examples.
 * The title is left out, and what stands before the first section is put under DESCRIPTION. */
void mdoc_markdown(struct str page);

#endif
