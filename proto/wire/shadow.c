#include "proto/wire/shadow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/release_priv.h"

static const char *const match_names[] = {"exact", "number"};
static const char *const undecided_names[] = {"refuse", "hold"};

/* ---- the rule ---- */

static int u32_opt(const json_t *j, const char *where, const char *key, uint32_t min, uint32_t max,
	uint32_t *io, struct err *e)
{
	uint64_t v = *io;

	TRY(json_u64_opt(j, where, key, min, max, &v, e));
	*io = (uint32_t)v;
	return 0;
}

static int how_parse(const json_t *j, const char *where, struct shadow_rule *r, struct err *e)
{
	unsigned match = SHADOW_MATCH_EXACT;

	TRY(release_argv_parse(j, where, r->argv, &r->argc, e));
	TRY(json_text(j, where, "path", r->path, sizeof r->path, e));
	TRY(release_url_path_check(r->path, where, "path", e));
	TRY(json_text_opt(j, where, "ready", r->ready, sizeof r->ready, e));
	TRY(release_url_path_check(r->ready, where, "ready", e));
	TRY(json_id_opt(j, where, "answer", r->answer, e));
	TRY(json_choice_opt(j, where, "match", match_names, SHADOW_MATCH_MAX, &match, e));
	r->match = (enum shadow_match)match;
	if (json_object_get(j, "within_micro") && r->match != SHADOW_MATCH_NUMBER)
		return err_set(
			e, ERR_BAD_INPUT, "%s.within_micro: only for \"match\": \"number\"", where);
	return json_u64_opt(j, where, "within_micro", 0, 1000000000000ULL, &r->within_micro, e);
}

static int limits_parse(const json_t *j, const char *where, struct shadow_rule *r, struct err *e)
{
	TRY(json_span_opt(j, where, "timeout_ms", 1, &r->timeout, e));
	TRY(json_u64_opt(j, where, "max_memory", 0, LIMIT_ARTIFACT_BYTES, &r->max_memory, e));
	return u32_opt(j, where, "cpu_percent", 0, 100000, &r->cpu_percent, e);
}

static int verdict_parse(const json_t *j, const char *where, struct shadow_rule *r, struct err *e)
{
	unsigned undecided = SHADOW_REFUSE;

	TRY(json_u64_opt(j, where, "min_pairs", 1, LIMIT_SHADOW_PAIRS, &r->min_pairs, e));
	TRY(u32_opt(j, where, "agreement_permille", 1, 1000, &r->agreement, e));
	TRY(u32_opt(j, where, "errors_permille", 0, 999, &r->errors, e));
	TRY(u32_opt(j, where, "confidence_permille", 500, 999, &r->confidence, e));
	TRY(u32_opt(j, where, "latency_permille", 1, 999, &r->quantile, e));
	TRY(u32_opt(j, where, "latency_ratio_milli", 0, 1000000, &r->latency_ratio, e));
	TRY(json_span_opt(j, where, "latency_limit_ms", 0, &r->latency_limit, e));
	TRY(u32_opt(j, where, "max_crashes", 0, 1000, &r->crashes, e));
	TRY(json_span_opt(j, where, "deadline_ms", 1, &r->deadline, e));
	TRY(json_choice_opt(
		j, where, "undecided", undecided_names, SHADOW_UNDECIDED_MAX, &undecided, e));
	r->undecided = (enum shadow_undecided)undecided;
	return 0;
}

int shadow_rule_parse(const json_t *j, const char *where, struct shadow_rule *out, struct err *e)
{
	static const char *const known[] = {"argv", "path", "ready", "answer", "match",
		"within_micro", "timeout_ms", "max_memory", "cpu_percent", "min_pairs",
		"agreement_permille", "errors_permille", "confidence_permille", "latency_permille",
		"latency_ratio_milli", "latency_limit_ms", "max_crashes", "deadline_ms",
		"undecided", NULL};
	struct shadow_rule r = {.ready = "/",
		.timeout = SEC(5),
		.deadline = MINUTE(60),
		.min_pairs = 500,
		.agreement = 980,
		.errors = 10,
		.confidence = 950,
		.quantile = 990,
		.latency_ratio = 3000};

	TRY(json_only(j, where, known, e));
	TRY(how_parse(j, where, &r, e));
	TRY(limits_parse(j, where, &r, e));
	TRY(verdict_parse(j, where, &r, e));
	*out = r;
	return 0;
}

/* ---- what the champion says ---- */

/* It goes into a header as it is. */
static int type_check(const char *type, struct err *e)
{
	for (const char *p = type; *p; p++)
		if (*p <= 0x20 || *p >= 0x7f)
			return err_set(e, ERR_BAD_INPUT, "note.type: not a content type");
	return 0;
}

static int head_parse(struct str head, struct shadow_note *n, struct err *e)
{
	static const char *const known[] = {
		"format", "id", "answer", "took_us", "failed", "type", "dropped", NULL};
	JSON_AUTO *j = NULL;
	uint64_t format;

	TRY(json_read(head, LIMIT_SHADOW_HEAD, &j, e));
	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "note: an object is wanted");
	TRY(json_u64(j, "note", "format", 1, 1, &format, e));
	TRY(json_only(j, "note", known, e));
	TRY(json_id_opt(j, "note", "id", n->id, e));
	TRY(json_bool_opt(j, "note", "failed", &n->failed, e));
	TRY((n->failed ? json_text_opt : json_text)(
		j, "note", "answer", n->answer, sizeof n->answer, e));
	TRY(json_u64(j, "note", "took_us", 0, LIMIT_SPAN_MS * 1000, &n->took_us, e));
	TRY(json_text_opt(j, "note", "type", n->type, sizeof n->type, e));
	TRY(json_u64_opt(j, "note", "dropped", 0, UINT32_MAX, &n->dropped, e));
	return type_check(n->type, e);
}

int shadow_note_parse(struct str packet, struct shadow_note *out, struct err *e)
{
	struct shadow_note n = {.type = "application/octet-stream"};
	const char *end = memchr(packet.p, '\n', MIN(packet.n, (size_t)LIMIT_SHADOW_HEAD + 1));

	if (packet.n > LIMIT_SHADOW_NOTE)
		return err_set(e, ERR_TOO_LARGE, "note: more than %d bytes", LIMIT_SHADOW_NOTE);
	if (!end)
		return err_set(e, ERR_BAD_INPUT, "note: does not begin with a line");
	TRY(head_parse((struct str){packet.p, (size_t)(end - packet.p)}, &n, e));
	n.input.p = end + 1;
	n.input.n = packet.n - (size_t)(n.input.p - packet.p);
	if (n.input.n == 0)
		return err_set(e, ERR_BAD_INPUT, "note: no input");
	*out = n;
	return 0;
}

/* ---- what the challenger says ---- */

static struct str trimmed(struct str s)
{
	while (s.n && (unsigned char)s.p[0] <= ' ')
		s = (struct str){s.p + 1, s.n - 1};
	while (s.n && (unsigned char)s.p[s.n - 1] <= ' ')
		s.n--;
	return s;
}

static int text_copy(const json_t *v, char out[LIMIT_SHADOW_ANSWER], struct err *e)
{
	struct str text = {json_string_value(v), json_string_length(v)};

	return str_copy(text, out, LIMIT_SHADOW_ANSWER, e);
}

/* A fraction is kept as its text (proto/wire/json.h). */
static int member_text(const json_t *v, char out[LIMIT_SHADOW_ANSWER], struct err *e)
{
	const json_t *fraction = json_is_object(v) ? json_object_get(v, "x-decimal") : NULL;

	if (json_is_string(v) || json_is_string(fraction))
		return text_copy(fraction ? fraction : v, out, e);
	if (json_is_integer(v))
		snprintf(out, LIMIT_SHADOW_ANSWER, "%lld", (long long)json_integer_value(v));
	else if (json_is_boolean(v))
		snprintf(out, LIMIT_SHADOW_ANSWER, "%s", json_is_true(v) ? "true" : "false");
	else
		return err_set(e, ERR_BAD_INPUT, "neither text nor a number");
	return 0;
}

int shadow_answer_of(
	struct str body, const char *member, char out[LIMIT_SHADOW_ANSWER], struct err *e)
{
	char text[LIMIT_SHADOW_ANSWER] = "";
	JSON_AUTO *j = NULL;
	const json_t *v;

	if (body.n > LIMIT_SHADOW_BODY)
		return err_set(e, ERR_TOO_LARGE, "more than %d bytes", LIMIT_SHADOW_BODY);
	if (!*member)
		return str_copy(trimmed(body), out, LIMIT_SHADOW_ANSWER, e);
	TRY(json_read_foreign(body, LIMIT_SHADOW_BODY, &j, e));
	v = json_is_object(j) ? json_object_get(j, member) : NULL;
	if (!v)
		return err_set(e, ERR_BAD_INPUT, "no member %s", member);
	if (member_text(v, text, e) < 0)
		return err_wrap(e, "%s", member);
	memcpy(out, text, sizeof text);
	return 0;
}

/* ---- the same? ---- */

static bool number_of(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && *end == 0 && isfinite(*out);
}

bool shadow_is_match(const struct shadow_rule *r, const char *champion, const char *challenger)
{
	double a, b;

	if (strcmp(champion, challenger) == 0)
		return true;
	return r->match == SHADOW_MATCH_NUMBER && number_of(champion, &a) &&
	       number_of(challenger, &b) && fabs(a - b) * 1e6 <= (double)r->within_micro;
}

const char *shadow_match_name(enum shadow_match m)
{
	return match_names[m];
}
