#include "proto/trust/timebase.h"

int timebase_parse(struct str text, struct signed_time *out, struct err *e)
{
	static const char *const known[] = {"keys", "time", NULL};
	JSON_AUTO *doc = NULL;
	struct signed_time t;
	char time[32];

	TRY(json_read(text, LIMIT_TIMETOKEN_BYTES, &doc, e));
	TRY(json_only(doc, "time floor", known, e));
	TRY(json_digest(doc, "time floor", "keys", &t.keys, e));
	TRY(json_text(doc, "time floor", "time", time, sizeof time, e));
	TRY(time_parse(str_of(time), &t.s, e));
	*out = t;
	return 0;
}

void timebase_format(const struct signed_time *t, struct buf *out)
{
	char keys[SHA256_TEXT], time[21];
	JSON_AUTO *doc = NULL;

	sha256_format(&t->keys, keys);
	time_format(t->s, time);
	doc = json_pack("{s:s, s:s}", "keys", keys, "time", time);
	json_write(doc, out);
}

/* 0 when it was signed by others, or by nobody. */
static int64_t under(const struct signed_time *t, const struct sha256 *keys)
{
	bool counts = !sha256_is_zero(keys) && sha256_eq(&t->keys, keys);

	return counts ? t->s : 0;
}

int64_t timebase_eval(const struct timebase_in *in)
{
	int64_t clock = under(&in->heard, &in->keys);

	if (clock == 0 && (in->system_set || sha256_is_zero(&in->keys)))
		clock = in->system_s;
	return MAX(clock, MAX(under(&in->floor, &in->keys), in->built_s));
}

int timebase_step(const struct signed_time *floor, const struct signed_time *heard,
	struct signed_time *out, struct err *e)
{
	int64_t least = under(floor, &heard->keys);
	char then[21], now[21];

	if (heard->s < least) {
		time_format(least, then);
		time_format(heard->s, now);
		return err_set(e, ERR_ROLLED_BACK, "time token: it says %s, after %s was signed",
			now, then);
	}
	*out = *heard;
	return 0;
}
