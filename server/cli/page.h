/* A record as a page for people: one file of HTML that needs nothing else, with neither scripts nor
 * anything from elsewhere, readable by a screen reader and fit to be printed. Everything that comes
 * from the record is written as text: whoever chose it cannot make markup of it. Pure. */
#ifndef SERVER_CLI_PAGE_H
#define SERVER_CLI_PAGE_H

#include "proto/wire/json.h"

/* Appends the whole page. `whole` is {"format", "record", "anchor"}; what it lacks is shown as
 * missing. */
void page_format(const json_t *whole, struct buf *out);

#endif
