#include "server/sign/signer.h"

#include <stdlib.h>
#include <string.h>

struct signer {
	struct link *link;
	uint64_t count;
};

static int call(struct signer *s, const struct ask *a, struct reply *out, struct err *e)
{
	BUF_AUTO there = {0}, back = {0};

	ask_format(a, &there);
	if (there.n > LIMIT_SIGN_FRAME)
		return err_set(e, ERR_TOO_LARGE, "%zu bytes to be signed over, %d are taken",
			there.n, LIMIT_SIGN_FRAME);
	TRY(link_call(s->link, buf_str(&there), &back, e));
	TRY(reply_parse(buf_str(&back), out, e));
	s->count += out->made;
	return 0;
}

static struct ask *ask_new(enum ask_kind kind)
{
	struct ask *a = mem_new(sizeof *a);

	memset(a, 0, sizeof *a);
	a->kind = kind;
	return a;
}

static int look(struct signer *s, struct err *e)
{
	CLEANUP(mem_free) struct ask *a = ask_new(ASK_LOOK);
	CLEANUP(mem_free) struct reply *r = mem_new(sizeof *r);

	TRY(call(s, a, r, e));
	reply_fini(r);
	return 0;
}

int signer_open(const struct link_conf *c, struct signer **out, struct err *e)
{
	struct signer *s = mem_new(sizeof *s);
	int rc;

	*s = (struct signer){.link = link_new(c)};
	rc = look(s, e);
	if (rc < 0)
		signer_close(&s);
	else
		*out = s;
	return rc;
}

void signer_close(struct signer **s)
{
	if (*s)
		link_free(&(*s)->link);
	mem_free(s);
}

uint64_t signer_count(const struct signer *s)
{
	return s->count;
}

unsigned signer_epoch(const struct signer *s)
{
	return link_epoch(s->link);
}

int signer_director(
	struct signer *s, const struct ask_director *a, struct reply *out, struct err *e)
{
	CLEANUP(mem_free) struct ask *ask = ask_new(ASK_DIRECTOR);

	ask->director = *a;
	TRY(call(s, ask, out, e));
	for (enum sign_file f = 0; f < SIGN_FILE_MAX; f++)
		if (out->n != SIGN_FILE_MAX || strcmp(out->files[f].role, sign_file_name(f)) != 0) {
			reply_fini(out);
			return err_set(e, ERR_BAD_INPUT, "the signer gave other files");
		}
	return 0;
}

int signer_image(struct signer *s, const struct ask_image *a, struct reply *out, struct err *e)
{
	CLEANUP(mem_free) struct ask *ask = ask_new(ASK_IMAGE);

	ask->image = *a;
	return call(s, ask, out, e);
}

/* The answer is one file. */
static int call_for_one(struct signer *s, const struct ask *a, struct buf *out, struct err *e)
{
	CLEANUP(mem_free) struct reply *r = mem_new(sizeof *r);
	int rc = 0;

	TRY(call(s, a, r, e));
	if (r->n == 1)
		buf_add(out, r->files[0].bytes.p, r->files[0].bytes.n);
	else
		rc = err_set(e, ERR_BAD_INPUT, "the signer gave %u files, not one", r->n);
	reply_fini(r);
	return rc;
}

int signer_time(struct signer *s, const struct dev_id *device, const char *nonce, struct buf *out,
	struct err *e)
{
	CLEANUP(mem_free) struct ask *ask = ask_new(ASK_TIME);

	ask->time.device = *device;
	TRY(timetoken_nonce_parse(str_of(nonce), ask->time.nonce, e));
	return call_for_one(s, ask, out, e);
}

int signer_checkpoint(
	struct signer *s, uint64_t n, const struct sha256 *chain, struct buf *out, struct err *e)
{
	CLEANUP(mem_free) struct ask *ask = ask_new(ASK_CHECKPOINT);

	ask->checkpoint = (struct ask_checkpoint){.n = n, .chain = *chain};
	return call_for_one(s, ask, out, e);
}
