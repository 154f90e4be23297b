#include "manifests/examples/ocr/tally.h"

static const double seconds_le[] = {0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.025, 0.03, 0.035,
	0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1,
	1.5, 2.5, 5};
static const double share_le[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1};

_Static_assert(ARRAY_LEN(seconds_le) <= TALLY_BUCKETS && ARRAY_LEN(share_le) <= TALLY_BUCKETS,
	"a histogram has room for all bounds");

void tally_init(struct tally *t)
{
	*t = (struct tally){0};
	pthread_mutex_init(&t->lock, NULL);
}

void tally_fini(struct tally *t)
{
	pthread_mutex_destroy(&t->lock);
}

static void count(struct tally_hist *h, const double *le, unsigned n, double v)
{
	unsigned i = 0;

	while (i < n && v > le[i])
		i++;
	h->count[i]++;
	h->sum += v;
}

void tally_request(struct tally *t, unsigned status, double seconds, unsigned confidence)
{
	pthread_mutex_lock(&t->lock);
	t->requests++;
	if (status >= 500)
		t->errors++;
	else if (status >= 400)
		t->rejects++;
	else {
		count(&t->seconds, seconds_le, ARRAY_LEN(seconds_le), seconds);
		count(&t->confidence, share_le, ARRAY_LEN(share_le), confidence / 100.0);
	}
	pthread_mutex_unlock(&t->lock);
}

void tally_reload(struct tally *t, bool ok)
{
	pthread_mutex_lock(&t->lock);
	if (ok)
		t->reloads_ok++;
	else
		t->reloads_failed++;
	pthread_mutex_unlock(&t->lock);
}

static void put_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_counter(struct buf *out, const char *name, const char *help, uint64_t v)
{
	put_head(out, name, "counter", help);
	buf_addf(out, "%s %llu\n", name, (unsigned long long)v);
}

static void put_hist(struct buf *out, const char *name, const char *help,
	const struct tally_hist *h, const double *le, unsigned n)
{
	unsigned long long sum = 0;

	put_head(out, name, "histogram", help);
	for (unsigned i = 0; i < n; i++) {
		sum += h->count[i];
		buf_addf(out, "%s_bucket{le=\"%g\"} %llu\n", name, le[i], sum);
	}
	sum += h->count[n];
	buf_addf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, sum);
	buf_addf(out, "%s_sum %.6f\n%s_count %llu\n", name, h->sum, name, sum);
}

static void put_reloads(struct buf *out, const struct tally *t)
{
	put_head(out, "reloads_total", "counter", "Reloads of the model.");
	buf_addf(out, "reloads_total{result=\"ok\"} %llu\n", (unsigned long long)t->reloads_ok);
	buf_addf(out, "reloads_total{result=\"failed\"} %llu\n",
		(unsigned long long)t->reloads_failed);
}

void tally_format(struct tally *t, const struct reader_facts *by, struct buf *out)
{
	pthread_mutex_lock(&t->lock);
	put_counter(out, "infer_requests_total", "Plates asked for.", t->requests);
	put_counter(out, "infer_errors_total", "Plates not answered by our fault.", t->errors);
	put_counter(out, "infer_rejects_total", "Requests that were no image.", t->rejects);
	put_hist(out, "infer_seconds", "From a whole request to its answer.", &t->seconds,
		seconds_le, ARRAY_LEN(seconds_le));
	put_hist(out, "infer_confidence", "The model's opinion of its answers.", &t->confidence,
		share_le, ARRAY_LEN(share_le));
	put_reloads(out, t);
	pthread_mutex_unlock(&t->lock);
	put_head(out, "infer_model_info", "gauge", "Who is in service.");
	buf_addf(out, "infer_model_info{model=\"%s\",release=\"%s\",slot=\"%s\"} 1\n", by->model,
		by->release, by->slot);
}
