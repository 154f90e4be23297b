#include "agent/stage/stage_priv.h"

/* Of what is decompressed ahead of the unpacker, this is a tenth: the borders that are kept are
 * enough for all of it. */
#define CLOSE ((uint64_t)128 * 1024)

void borders_init(struct borders *b)
{
	*b = (struct borders){0};
	pthread_mutex_init(&b->lock, NULL);
}

void borders_fini(struct borders *b)
{
	pthread_mutex_destroy(&b->lock);
}

void borders_add(struct borders *b, uint64_t artifact, uint64_t content)
{
	pthread_mutex_lock(&b->lock);
	if (b->n == 0 || content - b->v[(b->n - 1) % BORDERS].content >= CLOSE)
		b->v[b->n++ % BORDERS] = (struct foothold){artifact, content, 0};
	pthread_mutex_unlock(&b->lock);
}

bool borders_find(struct borders *b, uint64_t content, struct foothold *out)
{
	bool found = false;

	pthread_mutex_lock(&b->lock);
	for (unsigned i = b->n; i > 0 && i + BORDERS > b->n && !found; i--) {
		const struct foothold *f = &b->v[(i - 1) % BORDERS];

		found = f->content <= content;
		if (found)
			*out = *f;
	}
	pthread_mutex_unlock(&b->lock);
	return found;
}
