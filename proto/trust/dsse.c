#include "proto/trust/dsse.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/base64.h"
#include "proto/wire/json.h"

void dsse_fini(struct dsse *d)
{
	buf_fini(&d->payload);
	d->n = 0;
}

static int bytes_of(
	const json_t *o, const char *where, const char *key, struct buf *out, struct err *e)
{
	const json_t *j = json_object_get(o, key);

	if (!json_is_string(j))
		return err_set(e, ERR_BAD_INPUT, "%s.%s: base64 is wanted", where, key);
	if (base64_decode((struct str){json_string_value(j), json_string_length(j)}, out, e) < 0)
		return err_wrap(e, "%s.%s", where, key);
	return 0;
}

static int sig_parse(const json_t *j, const char *where, struct dsse_sig *out, struct err *e)
{
	BUF_AUTO bytes = {0};

	TRY(bytes_of(j, where, "sig", &bytes, e));
	if (bytes.n == 0 || bytes.n > sizeof out->sig)
		return err_set(e, ERR_BAD_INPUT, "%s: a signature of %zu bytes", where, bytes.n);
	memcpy(out->sig, bytes.p, bytes.n);
	out->n = bytes.n;
	return 0;
}

static int sigs_parse(const json_t *j, struct dsse *d, struct err *e)
{
	const json_t *list;
	char where[48];

	TRY(json_arr(j, "envelope", "signatures", LIMIT_ENVELOPE_SIGS, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "envelope: no signatures");
	for (size_t i = 0; i < json_array_size(list); i++) {
		snprintf(where, sizeof where, "envelope.signatures[%zu]", i);
		TRY(sig_parse(json_array_get(list, i), where, &d->sigs[d->n], e));
		d->n++;
	}
	return 0;
}

int dsse_parse(struct str text, size_t max, struct dsse *out, struct err *e)
{
	DSSE_AUTO d = {.n = 0};
	JSON_AUTO *j = NULL;
	char type[64];

	if (json_read(text, max, &j, e) < 0)
		return err_wrap(e, "envelope");
	TRY(json_text(j, "envelope", "payloadType", type, sizeof type, e));
	if (strcmp(type, DSSE_IN_TOTO) != 0)
		return err_set(e, ERR_BAD_INPUT,
			"envelope.payloadType: %s, wanted is " DSSE_IN_TOTO, type);
	TRY(bytes_of(j, "envelope", "payload", &d.payload, e));
	TRY(sigs_parse(j, &d, e));
	*out = d;
	d.payload = (struct buf){0};
	return 0;
}

void dsse_pae(struct str type, struct str payload, struct buf *out)
{
	buf_addf(out, "DSSEv1 %zu %.*s %zu ", type.n, (int)type.n, type.p, payload.n);
	buf_add(out, payload.p, payload.n);
}

static bool has_signed(const struct dsse *d, const struct pub_key *key, struct str message)
{
	for (unsigned i = 0; i < d->n; i++)
		if (sig_verify(key, message, d->sigs[i].sig, d->sigs[i].n, NULL) == 0)
			return true;
	return false;
}

static bool is_repeated(const struct pub_key *keys, unsigned at)
{
	for (unsigned i = 0; i < at; i++)
		if (sha256_eq(&keys[i].spki, &keys[at].spki))
			return true;
	return false;
}

int dsse_verify(const struct dsse *d, const struct pub_key *keys, unsigned n, uint64_t threshold,
	struct err *e)
{
	BUF_AUTO message = {0};
	uint64_t counted = 0;

	dsse_pae(STR(DSSE_IN_TOTO), buf_str(&d->payload), &message);
	for (unsigned i = 0; i < n && counted < threshold; i++)
		counted += !is_repeated(keys, i) && has_signed(d, &keys[i], buf_str(&message));
	if (threshold == 0 || counted < threshold)
		return err_set(e, ERR_UNSIGNED, "envelope: %llu of %llu signatures",
			(unsigned long long)counted, (unsigned long long)threshold);
	return 0;
}
