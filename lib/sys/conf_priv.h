/* What the reader of configuration files and the values in them share. */
#ifndef LIB_SYS_CONF_PRIV_H
#define LIB_SYS_CONF_PRIV_H

#include "lib/sys/conf.h"

/* Puts the value of one row into the caller's struct at `values`. ERR_BAD_INPUT, ERR_TOO_LARGE. */
int conf_value_parse(
	const struct conf_row *row, struct str s, char *values, struct err *e) MUST_CHECK;

/* Offset of the first byte behind the row's value. */
size_t conf_row_end(const struct conf_row *row);

#endif
