#include "server/cli/packed_evidence.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/trust/dsse.h"

void packed_evidence_fini(struct packed_evidence *ev)
{
	for (unsigned i = 0; i < ARRAY_LEN(ev->bytes); i++)
		buf_fini(&ev->bytes[i]);
}

void packed_evidence_drop(struct packed_evidence **ev)
{
	packed_evidence_fini(*ev);
	mem_free(ev);
}

static bool ends_so(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);

	return n > k && strcmp(name + n - k, suffix) == 0;
}

int packed_evidence_each(
	const char *dir, const char *suffix, packed_each_f *each, void *ctx, struct err *e)
{
	char folder[512], path[1024];
	struct dirent **found;
	int n, rc = 0;

	snprintf(folder, sizeof folder, "%s/" EVIDENCE_FOLDER, dir);
	n = scandir(folder, &found, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = found[i]->d_name;

		snprintf(path, sizeof path, "%s/%s", folder, name);
		if (rc == 0 && ends_so(name, suffix))
			rc = each(ctx, path, name, e);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
	return rc;
}

static int describe(const struct buf *bytes, struct evidence_ref *out, struct err *e)
{
	STATEMENT_AUTO s = {.n_subjects = 0};
	DSSE_AUTO d = {.n = 0};

	TRY(dsse_parse(buf_str(bytes), LIMIT_ENVELOPE_BYTES, &d, e));
	TRY(statement_parse(buf_str(&d.payload), &s, e));
	memcpy(out->type, s.type, sizeof out->type);
	out->length = bytes->n;
	digest_of(bytes->p, bytes->n, &out->hash);
	return 0;
}

static int load_one(void *ctx, const char *path, const char *name, struct err *e)
{
	struct packed_evidence *ev = ctx;

	if (ev->n == LIMIT_EVIDENCE)
		return err_set(e, ERR_TOO_LARGE, "more than %d envelopes", LIMIT_EVIDENCE);
	TRY(str_copy(str_of(name), ev->name[ev->n], sizeof ev->name[ev->n], e));
	TRY(cli_read(path, LIMIT_ENVELOPE_BYTES, &ev->bytes[ev->n], e));
	if (describe(&ev->bytes[ev->n], &ev->refs.v[ev->n], e) < 0)
		return err_wrap(e, "%s", path);
	ev->refs.n = ++ev->n;
	return 0;
}

int packed_evidence_load(const char *dir, struct packed_evidence *out, struct err *e)
{
	memset(out, 0, sizeof *out);
	return packed_evidence_each(dir, EVIDENCE_ENVELOPE, load_one, out, e);
}

void packed_evidence_all(const struct packed_evidence *ev, struct release_terms *io)
{
	io->evidence = ev->refs;
	for (unsigned i = 0; i < ev->n; i++)
		io->envelopes[i] = buf_str(&ev->bytes[i]);
}

int packed_evidence_named(const struct packed_evidence *ev, struct release_terms *io, struct err *e)
{
	char hex[SHA256_TEXT];

	for (unsigned i = 0; i < io->evidence.n; i++) {
		unsigned k = 0;

		while (k < ev->n && !sha256_eq(&ev->refs.v[k].hash, &io->evidence.v[i].hash))
			k++;
		sha256_format(&io->evidence.v[i].hash, hex);
		if (k == ev->n)
			return err_set(e, ERR_NOT_FOUND,
				"evidence %.12s of type %s is asked to be signed, and is not here",
				hex, io->evidence.v[i].type);
		io->envelopes[i] = buf_str(&ev->bytes[k]);
	}
	return 0;
}
