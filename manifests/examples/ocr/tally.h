/* What the service counts, and the page that tells it (Prometheus text 0.0.4). Any thread. */
#ifndef OCR_TALLY_H
#define OCR_TALLY_H

#include <pthread.h>

#include "lib/buf.h"
#include "manifests/examples/ocr/reader.h"

#define TALLY_BUCKETS 28

struct tally_hist {
	uint64_t count[TALLY_BUCKETS + 1]; /* the last is beyond all bounds */
	double sum;
};

struct tally {
	pthread_mutex_t lock;
	uint64_t requests; /* plates asked for, whatever came of it */
	uint64_t errors;   /* not answered, and it was our fault */
	uint64_t rejects;  /* not answered, because what came was no image */
	uint64_t reloads_ok, reloads_failed;
	struct tally_hist seconds, confidence;
};

void tally_init(struct tally *t);
void tally_fini(struct tally *t);
/* One request is over. `status` is its HTTP status; seconds and confidence (0 to 100) count with
 * 200 only. */
void tally_request(struct tally *t, unsigned status, double seconds, unsigned confidence);
void tally_reload(struct tally *t, bool ok);
void tally_format(struct tally *t, const struct reader_facts *by, struct buf *out);

#endif
