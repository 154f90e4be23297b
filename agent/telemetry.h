/* Telemetry inside of the driver: what is measured, what is watched when no update runs, and how
 * the server is told. Nothing of the update depends on any of it. */
#ifndef AGENT_TELEMETRY_H
#define AGENT_TELEMETRY_H

#include "agent/core/meter.h"
#include "agent/core/trigger.h"
#include "agent/push/push.h"
#include "agent/tele/measure.h"
#include "agent/tele/telequeue.h"

struct agent;

/* ---- byway.c: what goes by the broker, and whether that is any use ---- */

/* One message that was passed to the broker. */
struct byway {
	bool on;                /* an ack is waited for */
	uint64_t epoch, number; /* that it names: of a batch, or of a report */
	ms_t until;             /* mono: then it is sent by HTTP */
	ms_t avoid;             /* mono: before this it is not tried again */
	uint32_t misses;        /* in a row */
};

/* False: by HTTP. */
bool byway_post(struct agent *a, struct byway *b, enum push_topic topic, struct str bytes,
	uint64_t epoch, uint64_t number);
/* Nobody has acknowledged it in time, if it was posted. To be called when it is due. */
void byway_miss(struct agent *a, struct byway *b);
/* Is it this that is acknowledged? Then it waits no more. */
bool byway_ends(struct byway *b, uint64_t epoch, uint64_t number);
/* Deals with the acks that came. */
void byway_due(struct agent *a);

/* ---- marks of what happened, with what was measured around it: tele_ring.c ---- */

#define RING_BEFORE (LIMIT_TELEMETRY_RING / 2)

struct tele_ring {
	unsigned n;
	struct telemetry_window v[LIMIT_TELEMETRY_RING]; /* oldest first */
	bool marked;                                     /* what comes now is after it */
	ms_t at;
	char what[ID_TEXT_MAX], text[LIMIT_TEXT];
};

/* Something happened. While an earlier mark still gathers what comes after it, that one is enough.
 */
void ring_mark(struct agent *a, const char *what, const char *text);
/* Takes a copy of the window; when there is enough around a mark, it is stored. */
void ring_add(struct agent *a, const struct telemetry_window *w);
/* Into a dossier, as "ring": {"at_ms", "windows"}: what was measured until now, and, when it is
 * said again for the same dossier, what has come since. Within LIMIT_DOSSIER_RING; the oldest give
 * way. */
void ring_tell(const struct agent *a, json_t *dossier);
/* Stores a mark with what there is. */
void ring_flush(struct agent *a);
void ring_fini(struct tele_ring *r);

/* ---- steady.c: the triggers of what runs, when no update does ---- */

struct steady_look;
struct steady {
	void *probe; /* NULL: nothing is watched */
	struct sha256 release;
	unsigned n;
	struct trig_rule rule[LIMIT_TRIGGERS];
	struct trig_state state[LIMIT_TRIGGERS];
	struct trig_window window[LIMIT_TRIGGERS];
	struct trig_window gathered[LIMIT_TRIGGERS]; /* in this span: the next one's baseline */
	ms_t span, began, next;                      /* mono */
	ms_t start_timeout, dead_since;              /* mono; 0: it lives */
	char tripped[ID_TEXT_MAX];                   /* in this span; "": nothing has */
	bool alarmed[LIMIT_TRIGGERS];                /* in this span */
	bool was_tripped;                            /* in the span before */
	uint64_t samples;                            /* in this span */
	struct steady_look *look;                    /* in flight */
};

void steady_due(struct agent *a, ms_t now);
ms_t steady_next(const struct agent *a);
/* An update begins: the span that is open is told to nobody. */
void steady_end(struct agent *a);

/* drift.c: a rule that never takes a version back has raised its alarm. It goes on while the drift
 * does, and is told once as long as *io_told stays. What the version before was trained with is no
 * better, so going back would help nobody. */
void drift_tell(struct agent *a, const struct sha256 *release, const struct trig_rule *r,
	const struct trig_state *s, bool *io_told);

/* ---- courier.c: what waits goes to the server ---- */

struct courier_job;
struct courier {
	struct courier_job *job; /* in flight */
	struct byway byway;      /* a batch that is */
	bool more;               /* then: something waits behind it */
	ms_t next;               /* mono */
	uint32_t fails;          /* in a row */
	uint64_t sent;           /* batches that were acknowledged */
	ms_t ok_wall;
	struct err err;
};

void courier_due(struct agent *a, ms_t now);
ms_t courier_next(const struct agent *a);
void courier_acked(struct agent *a, const struct telemetry_ack *ack);
/* Something waits that is worth telling soon. */
void courier_hurry(struct agent *a);

/* ---- telemetry.c ---- */

struct meter_look;
struct telemetry {
	struct telequeue *queue; /* NULL: there is no telemetry */
	struct meter_look *look; /* in flight */
	ms_t next;               /* mono: the next look */
	ms_t looked, opened;     /* mono of the last one, of the windows' begin; 0: none */
	struct meter meter;
	bool has_cpu;
	struct kernel_cpu cpu; /* at the last look */
	struct telemetry_window open[TELEMETRY_LAYER_MAX];
	struct tele_ring ring;
	struct steady steady;
	struct courier courier;
};

/* A queue that cannot be opened is logged, and the agent goes on without. */
void telemetry_open(struct agent *a);
void telemetry_due(struct agent *a, ms_t now);
ms_t telemetry_next(const struct agent *a);
/* Before the jobs are closed: what is only in memory is stored. */
void telemetry_flush(struct agent *a);
void telemetry_close(struct agent *a);
/* The update's state has changed. */
void telemetry_moved(struct agent *a);
/* Stores items, or logs why not; the caller keeps them. */
void telemetry_put(struct agent *a, struct telemetry_item *v, unsigned n);
json_t *telemetry_answer(const struct agent *a);

#endif
