#include <stdlib.h>

#include "agent/stage/stage_priv.h"

struct check {
	struct filter f;
	const char *what;
	uint64_t left;
	bool has_digest, ended;
	struct digest digest;
	struct sha256 want;
};

/* All bytes are here: there is no further one, and they are the signed ones. */
static int check_end(struct check *c, struct err *e)
{
	struct sha256 is;
	uint8_t more;
	size_t n;

	TRY(filter_read(c->f.up, &more, 1, &n, e));
	if (n > 0)
		return err_set(e, ERR_ALTERED, "the %s is longer than was signed", c->what);
	c->ended = true;
	if (!c->has_digest)
		return 0;
	digest_fini(&c->digest, &is);
	if (!sha256_eq(&is, &c->want))
		return err_set(e, ERR_ALTERED, "the %s has another digest", c->what);
	return 0;
}

static int check_read(struct filter *f, void *p, size_t n, size_t *out_n, struct err *e)
{
	struct check *c = (struct check *)f;
	size_t got;

	if (c->left == 0) {
		if (!c->ended)
			TRY(check_end(c, e));
		*out_n = 0;
		return 0;
	}
	TRY(filter_read(f->up, p, (size_t)MIN(n, c->left), &got, e));
	if (got == 0)
		return err_set(e, ERR_ALTERED, "the %s is %llu bytes shorter than was signed",
			c->what, (unsigned long long)c->left);
	if (c->has_digest)
		digest_add(&c->digest, p, got);
	c->left -= got;
	*out_n = got;
	return 0;
}

static void check_free(struct filter *f)
{
	struct check *c = (struct check *)f;

	digest_fini(&c->digest, NULL);
	free(c);
}

static const struct filter_ops ops = {"check", check_read, check_free};

struct filter *check_new(
	struct filter *up, const char *what, uint64_t length, const struct sha256 *digest)
{
	struct check *c = mem_new(sizeof *c);

	*c = (struct check){.f = {.ops = &ops, .up = up}, .what = what, .left = length};
	if (digest) {
		c->has_digest = true;
		c->want = *digest;
		digest_init(&c->digest);
	}
	return &c->f;
}
