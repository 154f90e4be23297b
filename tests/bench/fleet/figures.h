/* What all processes of the bench count together, in memory that they share and that outlives any
 * of them. */
#ifndef TESTS_BENCH_FLEET_FIGURES_H
#define TESTS_BENCH_FLEET_FIGURES_H

#include <stdatomic.h>

#include "lib/util.h"

/*  id, name: what is timed, in microseconds */
#define SPAN_TABLE(X)                                                                              \
	X(POLL, "poll")         /* asked for timestamp.json until answered */                      \
	X(META, "meta")         /* the same for any other file */                                  \
	X(REPORT, "report")     /* a report until the server has it */                             \
	X(TELEMETRY, "batch")   /* a batch of telemetry until the server has it */                 \
	X(DECISION, "decision") /* an outcome's report leaves until the next device is woken */

enum span {
#define X(id, ...) SPAN_##id,
	SPAN_TABLE(X)
#undef X
		SPAN_MAX
};

/*  id, name: what is counted */
#define COUNT_TABLE(X)                                                                             \
	X(POLLS, "polls")                                                                          \
	X(UNCHANGED, "unchanged")                                                                  \
	X(FILES, "files")           /* metadata, documents, artifacts */                           \
	X(REPORTS, "reports")       /* that the server has taken */                                \
	X(DUPLICATES, "duplicates") /* of them, sent again because an answer was lost */           \
	X(REFUSED, "refused")       /* reports that it will never take */                          \
	X(BATCHES, "batches")       /* of telemetry that the server has taken */                   \
	X(BUSY, "busy")             /* answers 429 and 503 */                                      \
	X(EARLY, "early")   /* questions before the Retry-After of such an answer was over */      \
	X(BROKEN, "broken") /* no answer */                                                        \
	X(WRONG, "wrong")   /* answers that a device cannot use */                                 \
	X(WAKES, "wakes")                                                                          \
	X(SESSIONS, "sessions") /* with the broker, begun */                                       \
	X(UPDATES, "updates")   /* that have ended */                                              \
	X(VERIFIED, "verified") /* readings of both repositories with every signature checked */   \
	X(LIVES, "lives")       /* of processes */

enum count {
#define X(id, ...) COUNT_##id,
	COUNT_TABLE(X)
#undef X
		COUNT_MAX
};

#define HIST_BUCKETS  640
#define OPEN_OUTCOMES 4096

enum mode { MODE_CALM, MODE_FLOOD, MODE_END };

struct seen {
	_Atomic uint8_t registered, listening, ended;
	_Atomic uint8_t told; /* the server has all of its reports */
};

struct figures {
	_Atomic uint64_t count[COUNT_MAX];
	_Atomic uint64_t hist[SPAN_MAX][HIST_BUCKETS];
	_Atomic int mode;
	_Atomic bool measures;
	/* Outcomes that have woken nobody yet, oldest first. */
	atomic_flag lock;
	uint64_t outcome_us[OPEN_OUTCOMES];
	unsigned first, n;
	uint64_t moved_us;
	unsigned devices;
	struct seen dev[];
};

struct figures *figures_new(unsigned devices);
uint64_t figures_now_us(void);
void figures_count(struct figures *f, enum count c);
void figures_time(struct figures *f, enum span s, uint64_t us);
/* In microseconds; 0 when nothing was timed. `part` in millionths. */
uint64_t figures_quantile(const struct figures *f, enum span s, uint32_t part);
uint64_t figures_timed(const struct figures *f, enum span s);
void figures_clear(struct figures *f);

/* An outcome has left; a device was woken. Outcome number k of a wave that is full wakes the k-th
 * device from then on, so the oldest is paired with the next; after a second of quiet what is left
 * of the last wave is forgotten. */
void figures_outcome(struct figures *f);
void figures_woken(struct figures *f);

const char *figures_count_name(enum count c);
const char *figures_span_name(enum span s);

#endif
