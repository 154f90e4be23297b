/* A precondition as a signed release or a device's configuration states it. */
#ifndef PROTO_WIRE_PRECOND_H
#define PROTO_WIRE_PRECOND_H

#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/precond.tbl.h"

enum precond_type {
#define X(id, ...) PRECOND_##id,
	PRECOND_TABLE(X)
#undef X
		PRECOND_TYPE_MAX
};

/* Bits: a rule can name several. In the order of the table. */
enum precond_phase { PRECOND_DOWNLOAD = 1, PRECOND_INSTALL = 2, PRECOND_SWAP = 4, PRECOND_ALL = 7 };

enum precond_unknown {
#define X(id, ...) PRECOND_UNKNOWN_##id,
	PRECOND_UNKNOWN_TABLE(X)
#undef X
		PRECOND_UNKNOWN_MAX
};

/* Which numbers a type has. */
enum precond_shape {
	PRECOND_IS_PLAIN,    /* none */
	PRECOND_IS_POWER,    /* mains, battery_percent */
	PRECOND_IS_WINDOW,   /* windows */
	PRECOND_IS_AT_MOST,  /* at_most, of */
	PRECOND_IS_AT_LEAST, /* at_least */
};

/* Days of the week on which it opens (bit 0: Monday), and minutes of the day. One that ends at or
 * before the minute at which it opens ends on the day after. */
struct precond_window {
	uint8_t days;
	uint16_t from, to; /* 0..1439, 1..1440 */
};

struct precond_rule {
	enum precond_type type;
	unsigned before; /* enum precond_phase, at least one */
	enum precond_unknown on_unknown;
	bool mains;     /* POWER: a battery is not enough */
	uint64_t limit; /* POWER: percent, 0: none; AT_MOST, AT_LEAST: the number */
	char of[32];    /* TEMPERATURE: a zone, "": the hottest; LOAD: "loadavg" or "psi" */
	unsigned n_windows;
	struct precond_window windows[LIMIT_PRECOND_WINDOWS];
};

const char *precond_type_name(enum precond_type t);
const char *precond_type_text(enum precond_type t);
enum precond_shape precond_type_shape(enum precond_type t);
/* Does it also hold up an update that a person or the fleet has ordered as a rollback? */
bool precond_holds_rollback(enum precond_type t);
/* Of one phase. */
const char *precond_phase_name(enum precond_phase p);

/* One member of "preconditions": {"type", "before": ["download", "install", "swap"], "on_unknown":
 * "block" | "pass"} and what the type's shape has: "mains", "battery_percent"; "windows": ["mon-fri
 * 22:00-05:00", "sun"]; "at_most", "of"; "at_least". Defaults are the row's. ERR_BAD_INPUT or
 * ERR_TOO_LARGE with the place. */
int precond_rule_parse(
	const json_t *j, const char *where, struct precond_rule *out, struct err *e) MUST_CHECK;

/* The same for people: "mains, battery_percent=50, before=install+swap, on_unknown=pass"; lists
 * with '+', several rules with '|'; "yes" when nothing more is to be said. Empty: no rule. At most
 * LIMIT_PRECONDITIONS. */
int precond_text_parse(enum precond_type type, struct str text, const char *where,
	struct precond_rule *out, unsigned *out_n, struct err *e) MUST_CHECK;

/* "mon-fri 22:00-05:00", "sun", "daily 01:30-03:00", "02:00-04:00". ERR_BAD_INPUT. */
int precond_window_parse(struct str text, struct precond_window *out, struct err *e) MUST_CHECK;
/* The same, for sentences. */
#define PRECOND_WINDOW_TEXT 24
void precond_window_format(const struct precond_window *w, char out[PRECOND_WINDOW_TEXT]);
/* Minutes of the week from Monday 0:00 are within [0, PRECOND_WEEK). */
#define PRECOND_DAY  1440U
#define PRECOND_WEEK (7 * PRECOND_DAY)
/* Is it open, and if not, in how many minutes does it open next? 0: now. */
unsigned precond_window_opens_in(const struct precond_window *w, unsigned minute);

#endif
