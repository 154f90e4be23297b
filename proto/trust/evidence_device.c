#include <string.h>

#include "proto/trust/evidence.h"

static int add_summary(struct evidence_list *list, const struct evidence_ref *ref, struct err *e)
{
	if (predicate_by_type(str_of(ref->type)) != PREDICATE_VSA)
		return 0;
	if (ref->length > LIMIT_VSA_BYTES)
		return err_set(e, ERR_TOO_LARGE, "a summary of %llu bytes, at most %d are taken",
			(unsigned long long)ref->length, LIMIT_VSA_BYTES);
	list->v[list->n++] = *ref;
	return 0;
}

static int named_by(const struct trusted_set *director, const struct desired *d,
	struct evidence_list *out, struct err *e)
{
	struct target t;

	TRY(meta_target(&director->targets, d->path, &t, e));
	return evidence_list(t.match, out, e);
}

int evidence_wanted(const struct trusted_set *director, const struct trusted_set *image,
	const struct device_facts *dev, const struct desired *d, struct evidence_list *out,
	struct err *e)
{
	struct evidence_list named, wanted = {.n = 0};
	struct evidence_demand demand = {.n = 0};

	if (!director_is_authorised(dev, d))
		TRY(evidence_demand(&image->root, &image->targets, d->path, &demand, e));
	if (demand.n) {
		TRY(named_by(director, d, &named, e));
		for (unsigned i = 0; i < named.n; i++)
			TRY(add_summary(&wanted, &named.v[i], e));
		if (wanted.n == 0)
			return err_set(e, ERR_UNPROVEN,
				"%s: gates are demanded, and it names no summary", d->path);
	}
	*out = wanted;
	return 0;
}

struct summaries {
	unsigned n;
	struct statement v[LIMIT_EVIDENCE];
};

static int read_all(struct summaries *s, const struct trusted_set *image, const struct desired *d,
	const struct evidence_list *wanted, const struct str *bytes, struct err *e)
{
	for (; s->n < wanted->n; s->n++)
		TRY(evidence_read_named(
			&image->targets, &wanted->v[s->n], bytes[s->n], &d->hash, &s->v[s->n], e));
	return 0;
}

int evidence_agree(const struct trusted_set *director, const struct trusted_set *image,
	const struct desired *d, const struct evidence_list *wanted, const struct str *bytes,
	struct err *e)
{
	struct evidence_list named;
	CLEANUP(mem_free) struct summaries *s = mem_new(sizeof *s);
	struct evidence_demand demand;
	int rc;

	if (wanted->n == 0)
		return 0;
	s->n = 0;
	TRY(named_by(director, d, &named, e));
	TRY(evidence_demand(&image->root, &image->targets, d->path, &demand, e));
	rc = read_all(s, image, d, wanted, bytes, e);
	if (rc == 0)
		rc = evidence_summed_up(&demand, d->path, &named, s->v, s->n, e);
	for (unsigned i = 0; i < s->n; i++)
		statement_fini(&s->v[i]);
	return rc;
}
