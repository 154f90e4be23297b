/* The update record as bytes: little-endian, fixed order, one block. */
#ifndef AGENT_CORE_RECORD_H
#define AGENT_CORE_RECORD_H

#include "agent/core/update.h"

#define RECORD_FORMAT 3U /* 1: without `rearms`; 2: without what triggers remember besides */
#define RECORD_MAX    4096

void record_encode(const struct upd_record *r, struct buf *out);
/* ERR_BAD_INPUT when it is no record; every enum, slot and count is checked. */
int record_decode(struct str bytes, struct upd_record *out, struct err *e) MUST_CHECK;

#endif
