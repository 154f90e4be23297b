/* A comparison as text. */
#include <string.h>

#include "agent/core/shadow.h"

#define HEAD    "backstay-shadow-1"
#define LONGEST 3072

/* ---- out ---- */

/* Answers may hold anything: two hexadecimal digits a byte, "-" for nothing. */
static void add_text(struct buf *out, const char *text)
{
	if (!*text)
		buf_add_char(out, '-');
	for (const char *c = text; *c; c++)
		buf_addf(out, "%02x", (unsigned)(unsigned char)*c);
}

/* Only buckets that hold something. */
static void add_buckets(struct buf *out, const char *name, const uint64_t b[SHADOW_BUCKETS])
{
	for (unsigned i = 0; i < SHADOW_BUCKETS; i++)
		if (b[i])
			buf_addf(out, "%s %u %llu\n", name, i, (unsigned long long)b[i]);
}

static void add_example(struct buf *out, const struct shadow_example *x)
{
	buf_add_str(out, "example ");
	add_text(out, x->id);
	buf_add_char(out, ' ');
	add_text(out, x->champion);
	buf_add_char(out, ' ');
	add_text(out, x->challenger);
	buf_add_char(out, '\n');
}

/* The numbers, one row each: written and read by the same table. */
static const struct {
	const char *name;
	size_t at;
} numbers[] = {
	{"pairs", offsetof(struct shadow_tally, pairs)},
	{"errors", offsetof(struct shadow_tally, errors)},
	{"agreed", offsetof(struct shadow_tally, agreed)},
	{"void", offsetof(struct shadow_tally, void_inputs)},
	{"dropped", offsetof(struct shadow_tally, dropped)},
	{"spoiled", offsetof(struct shadow_tally, spoiled)},
	{"crashes", offsetof(struct shadow_tally, crashes)},
};

static uint64_t number_get(const struct shadow_tally *t, size_t i)
{
	uint64_t v;

	memcpy(&v, (const char *)t + numbers[i].at, sizeof v);
	return v;
}

static void number_set(struct shadow_tally *t, size_t i, uint64_t v)
{
	memcpy((char *)t + numbers[i].at, &v, sizeof v);
}

void shadow_encode(const struct shadow_tally *t, struct buf *out)
{
	buf_add_str(out, HEAD "\n");
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		buf_addf(out, "%s %llu\n", numbers[i].name, (unsigned long long)number_get(t, i));
	buf_addf(out, "ran %lld\nlooks %u\nverdict %u %u ", (long long)t->ran, t->looks,
		(unsigned)t->verdict, (unsigned)t->cause);
	add_text(out, t->why);
	buf_add_char(out, '\n');
	add_buckets(out, "champion", t->champion);
	add_buckets(out, "challenger", t->challenger);
	for (unsigned i = 0; i < t->n_examples; i++)
		add_example(out, &t->example[i]);
}

/* ---- in ---- */

static int take_number(struct str *line, uint64_t max, uint64_t *out, struct err *e)
{
	struct str field = {0};

	(void)str_split(line, ' ', &field);
	return str_to_u64(field, 0, max, out, e);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_text(struct str *line, char *out, size_t cap, struct err *e)
{
	struct str hex = {0};
	size_t n;

	(void)str_split(line, ' ', &hex);
	if (str_is(hex, "-"))
		hex.n = 0;
	else if (hex.n == 0)
		return err_set(e, ERR_BAD_INPUT, "a text is missing");
	n = hex.n / 2;
	if (hex.n % 2 || n >= cap)
		return err_set(e, ERR_BAD_INPUT, "no text of less than %zu bytes", cap);
	for (size_t i = 0; i < n; i++) {
		int high = digit(hex.p[2 * i]), low = digit(hex.p[2 * i + 1]);

		if (high < 0 || low < 0 || high + low == 0)
			return err_set(e, ERR_BAD_INPUT, "a text has a byte that is none");
		out[i] = (char)(high << 4 | low);
	}
	out[n] = 0;
	return 0;
}

static int take_bucket(struct str *line, uint64_t b[SHADOW_BUCKETS], struct err *e)
{
	uint64_t i, n;

	TRY(take_number(line, SHADOW_BUCKETS - 1, &i, e));
	TRY(take_number(line, UINT32_MAX, &n, e));
	b[i] = n;
	return 0;
}

static int take_verdict(struct str *line, struct shadow_tally *t, struct err *e)
{
	uint64_t verdict, cause;

	TRY(take_number(line, SHADOW_VERDICT_MAX - 1, &verdict, e));
	TRY(take_number(line, SHADOW_CAUSE_MAX - 1, &cause, e));
	TRY(take_text(line, t->why, sizeof t->why, e));
	t->verdict = (enum shadow_verdict)verdict;
	t->cause = (enum shadow_cause)cause;
	return 0;
}

static int take_example(struct str *line, struct shadow_tally *t, struct err *e)
{
	struct shadow_example *x = &t->example[t->n_examples];

	if (t->n_examples == LIMIT_SHADOW_EXAMPLES)
		return err_set(e, ERR_TOO_LARGE, "more than %d examples", LIMIT_SHADOW_EXAMPLES);
	TRY(take_text(line, x->id, sizeof x->id, e));
	TRY(take_text(line, x->champion, sizeof x->champion, e));
	TRY(take_text(line, x->challenger, sizeof x->challenger, e));
	t->n_examples++;
	return 0;
}

static int take_known(struct str name, struct str *line, struct shadow_tally *t, struct err *e)
{
	uint64_t v;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (!str_is(name, numbers[i].name))
			continue;
		TRY(take_number(line, UINT32_MAX, &v, e));
		number_set(t, i, v);
		return 0;
	}
	if (str_is(name, "ran")) {
		TRY(take_number(line, INT64_MAX, &v, e));
		t->ran = (ms_t)v;
		return 0;
	}
	if (str_is(name, "looks")) {
		TRY(take_number(line, 64, &v, e));
		t->looks = (uint32_t)v;
		return 0;
	}
	if (str_is(name, "verdict"))
		return take_verdict(line, t, e);
	if (str_is(name, "champion"))
		return take_bucket(line, t->champion, e);
	if (str_is(name, "challenger"))
		return take_bucket(line, t->challenger, e);
	if (str_is(name, "example"))
		return take_example(line, t, e);
	return err_set(e, ERR_BAD_INPUT, "a line that nobody knows");
}

static int take_line(struct str line, struct shadow_tally *t, struct err *e)
{
	struct str name = {0};

	if (line.n > LONGEST)
		return err_set(e, ERR_TOO_LARGE, "a line of %zu bytes", line.n);
	(void)str_split(&line, ' ', &name);
	TRY(take_known(name, &line, t, e));
	return line.n ? err_set(e, ERR_BAD_INPUT, "more than belongs on a line") : 0;
}

/* A verdict may not rest on numbers that cannot be. */
static int check_sums(const struct shadow_tally *t, struct err *e)
{
	if (t->errors > t->pairs || t->agreed > t->pairs - t->errors)
		return err_set(e, ERR_BAD_INPUT, "more answers than pairs");
	return 0;
}

int shadow_decode(struct str text, struct shadow_tally *out, struct err *e)
{
	struct shadow_tally t = {0};
	struct str line;

	if (text.n > LIMIT_SHADOW_FILE)
		return err_set(e, ERR_TOO_LARGE, "shadow: more than %d bytes", LIMIT_SHADOW_FILE);
	if (!str_split(&text, '\n', &line) || !str_is(line, HEAD))
		return err_set(e, ERR_BAD_INPUT, "shadow: does not begin with \"" HEAD "\"");
	while (text.n > 0 && str_split(&text, '\n', &line))
		if (take_line(line, &t, e) < 0)
			return err_wrap(e, "shadow");
	TRY(check_sums(&t, e));
	*out = t;
	return 0;
}
