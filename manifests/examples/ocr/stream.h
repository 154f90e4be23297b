/* A steady stream of plates to one service, from a thread of its own. It never stops asking: while
 * the service is away, requests fail on the same schedule, and the time until the next answer is a
 * gap. */
#ifndef OCR_STREAM_H
#define OCR_STREAM_H

#include <pthread.h>
#include <stdatomic.h>

#include "manifests/examples/ocr/score.h"
#include "manifests/examples/ocr/truth.h"

#define STREAM_RELEASES 16

struct stream_release {
	char name[ID_TEXT_MAX];
	struct score score;
};

struct stream {
	/* set by the caller, before stream_begin */
	const char *url; /* of the service: "http://127.0.0.1:8080" */
	const struct truth *plates;
	size_t first;    /* which plate to begin with */
	uint64_t period; /* microseconds from one request to the next */
	uint64_t delay;  /* microseconds before the first */
	/* the stream's */
	pthread_t thread;
	atomic_bool stop;
	pthread_mutex_t lock; /* guards what follows */
	struct score total, recent;
	struct stream_release by_release[STREAM_RELEASES];
	unsigned n_releases;
	char release[ID_TEXT_MAX], slot[ID_TEXT_MAX]; /* of the last answer */
	uint64_t away_since;                          /* 0: it answers */
	uint64_t longest_gap, gaps;
};

int stream_begin(struct stream *s, struct err *e) MUST_CHECK;
/* Ends the thread after the request under way. */
void stream_end(struct stream *s);

/* What happened since the last call, for a line of the log: {url, release, slot, requests, ...,
 * gap_ms}. */
json_t *stream_recent(struct stream *s);
/* The whole: {url, requests, ..., gaps, longest_gap_ms, releases: {NAME: {...}}}. */
json_t *stream_total(struct stream *s);

#endif
