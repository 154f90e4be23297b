/* Telemetry: what a device measures and what has happened to it, in numbered items. They travel in
 * batches, in order, by HTTP or through a broker, with the same bytes. A device counts its items
 * within an epoch, which begins when its queue is made; the server keeps the highest number of the
 * newest epoch, so that one that comes twice counts once. All numbers are whole. */
#ifndef PROTO_WIRE_TELEMETRY_H
#define PROTO_WIRE_TELEMETRY_H

#include "lib/id.h"
#include "proto/wire/json.h"
#include "proto/wire/limits.h"
#include "proto/wire/promtext.h"

/* Topics at a broker; the last level is the device's name. QoS 1, not retained. What goes to
 * TELEMETRY and REPORT are the bytes of the HTTP request; what comes to ACK is a telemetry_ack. */
#define TOPIC_TELEMETRY "backstay/v1/telemetry/"
#define TOPIC_REPORT    "backstay/v1/report/"
#define TOPIC_ACK       "backstay/v1/ack/"

/*  id, name, is it detail?, what it is */
#define TELEMETRY_KIND_TABLE(X)                                                                    \
	X(WINDOW, "window", true, "what was counted and measured in one closed span of time")      \
	X(WATCH, "watch", false, "a span of steady watch is over: did what runs trip?")            \
	X(MARK, "mark", true, "something happened: what was measured just before and after it")    \
	X(DRIFT, "drift", false, "what the model sees or says has moved away from its reference")

/*  id, name, what is looked at */
#define TELEMETRY_LAYER_TABLE(X)                                                                   \
	X(DEVICE, "device", "the machine: processor, memory, disk, temperature")                   \
	X(INFERENCE, "inference", "the workload's work: requests, failures, latency")              \
	X(MODEL, "model", "what the model sees and says: scores, confidences")

enum telemetry_kind {
#define X(id, ...) TELEMETRY_##id,
	TELEMETRY_KIND_TABLE(X)
#undef X
		TELEMETRY_KIND_MAX
};
enum telemetry_layer {
#define X(id, ...) TELEMETRY_LAYER_##id,
	TELEMETRY_LAYER_TABLE(X)
#undef X
		TELEMETRY_LAYER_MAX
};

#define TELEMETRY_NAME      64 /* of a metric, as Prometheus has it, with NUL */
#define TELEMETRY_VALUE_MAX ((1LL << 53) - 1)

struct telemetry_counter {
	char name[TELEMETRY_NAME];
	uint64_t value; /* events within the span */
};
struct telemetry_gauge {
	char name[TELEMETRY_NAME];
	int64_t milli; /* at the span's end, in thousandths of the metric's unit */
};
/* Mergeable with any other of the same edges: counts are added. counts[i] is of values up to and
 * with edges[i] and over the edge before; the last one is what is over all edges. */
struct telemetry_hist {
	char name[TELEMETRY_NAME];
	unsigned n; /* counts; n - 1 edges, which rise; 1 .. LIMIT_HIST_BUCKETS */
	int64_t edges_micro[LIMIT_HIST_BUCKETS - 1];
	uint64_t counts[LIMIT_HIST_BUCKETS];
};

/* Names are different within a list, each of which has at most LIMIT_TELEMETRY_METRICS. */
struct telemetry_window {
	ms_t at;               /* wall clock, when it ended: the item's */
	ms_t span;             /* the item's */
	struct sha256 release; /* document that ran; zero: none, or several */
	char slot[8];          /* "a", "b" or "" */
	enum telemetry_layer layer;
	unsigned n_counters, n_gauges, n_hists;
	struct telemetry_counter *counter; /* owned, as are the others */
	struct telemetry_gauge *gauge;
	struct telemetry_hist *hist;
};
struct telemetry_watch {
	ms_t at;   /* wall clock of its end: the item's */
	ms_t span; /* the item's */
	struct sha256 release;
	char tripped[ID_TEXT_MAX]; /* type of trigger; "": it did not trip */
	uint64_t samples;          /* events that the triggers judged; 0: nothing was seen */
};
struct telemetry_mark {
	char what[ID_TEXT_MAX]; /* type of trigger, or state */
	char text[LIMIT_TEXT];  /* one sentence for people */
	unsigned n_ring;
	struct telemetry_window *ring; /* owned; oldest first, at most LIMIT_TELEMETRY_RING */
};
struct telemetry_drift {
	struct sha256 release;
	char metric[TELEMETRY_NAME];
	uint64_t value_milli, threshold_milli;
	ms_t from, to; /* wall clock */
	uint64_t samples;
	struct sha256 reference; /* of the histogram it is compared with */
};

struct telemetry_item {
	uint64_t seq;     /* 1, 2, 3 ... rising within the epoch; gaps are what was dropped */
	uint64_t dropped; /* details between the item before and this one that gave way */
	ms_t at;          /* wall clock, when it ended */
	ms_t span;        /* how long it lasted; 0: a moment */
	enum telemetry_kind kind;
	union { /* of the kind */
		struct telemetry_window window;
		struct telemetry_watch watch;
		struct telemetry_mark mark;
		struct telemetry_drift drift;
	};
};

struct telemetry_batch {
	uint64_t epoch; /* at random, not 0 */
	unsigned n;     /* 1 .. LIMIT_TELEMETRY_ITEMS */
	struct telemetry_item *item;
};

/* What the server says: it has everything up to `seq` of the epoch, or the report of that number.
 * By HTTP, too, as the answer to a batch. */
struct telemetry_ack {
	uint64_t epoch; /* 0: not said */
	uint64_t seq;   /* 0: not said */
	uint64_t report;
};

const char *telemetry_kind_name(enum telemetry_kind k);
const char *telemetry_layer_name(enum telemetry_layer l);
/* Details give way when a device's queue is full; the others never do. */
bool telemetry_is_detail(enum telemetry_kind k);
/* [a-zA-Z_:][a-zA-Z0-9_:]*, at most TELEMETRY_NAME - 1. */
bool telemetry_is_name(struct str s);

/* One item as one line of JSON, members that are empty or 0 left out: what a queue keeps. What a
 * foreign program wrote into a text is made printable. */
void telemetry_item_encode(const struct telemetry_item *t, struct buf *out);
/* A batch is made around such lines: begin, then item by item with what telemetry_item_encode
 * gave, then end. */
void telemetry_begin(uint64_t epoch, struct buf *out);
void telemetry_add(struct str item, bool first, struct buf *out);
void telemetry_end(struct buf *out);

/* Known members only; ERR_BAD_INPUT or ERR_TOO_LARGE with the place. What they fill is freed by the
 * _fini. In a batch, numbers rise, and no item says that more was dropped than there is a gap. */
int telemetry_item_decode(struct str text, struct telemetry_item *out, struct err *e) MUST_CHECK;
int telemetry_decode(struct str text, struct telemetry_batch *out, struct err *e) MUST_CHECK;
void telemetry_window_fini(struct telemetry_window *w);
void telemetry_item_fini(struct telemetry_item *t);
void telemetry_fini(struct telemetry_batch *b);

/* Add one metric to a window, or to what it has of that name: counts and buckets are summed (with
 * other edges the newer histogram stays), a gauge takes the newer value. A name that is none, a
 * value that cannot be written down and what is over LIMIT_TELEMETRY_METRICS are left out. */
void telemetry_add_counter(struct telemetry_window *w, const char *name, uint64_t n);
void telemetry_add_gauge(struct telemetry_window *w, const char *name, double value);
void telemetry_add_hist(struct telemetry_window *w, const char *name, const struct hist *h);
/* The window that follows: `into` becomes both. Of two releases or slots it has neither. */
void telemetry_merge(struct telemetry_window *into, const struct telemetry_window *next);
/* A copy with arrays of its own. */
void telemetry_window_copy(const struct telemetry_window *w, struct telemetry_window *out);
bool telemetry_window_is_empty(const struct telemetry_window *w);
/* As it stands in a mark's ring; the caller's. */
json_t *telemetry_window_json(const struct telemetry_window *w);

void telemetry_ack_encode(const struct telemetry_ack *a, struct buf *out);
/* Says at least one of seq and report. */
int telemetry_ack_decode(struct str text, struct telemetry_ack *out, struct err *e) MUST_CHECK;

#endif
