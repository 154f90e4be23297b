#include "agent/core/kernel.h"

#define NUMBER_MAX (UINT64_MAX / 1024)

/* The next word; blanks in a row count as one. */
static bool next_word(struct str *rest, struct str *out)
{
	*rest = str_trim(*rest);
	return rest->n > 0 && str_split(rest, ' ', out) && out->n > 0;
}

static bool next_number(struct str *rest, uint64_t *out)
{
	struct str word;

	return next_word(rest, &word) && str_to_u64(word, 0, NUMBER_MAX, out, NULL) == 0;
}

/* The rest of the line that begins with `name`. */
static bool find_line(struct str text, const char *name, struct str *out)
{
	struct str line, word;

	while (str_split(&text, '\n', &line)) {
		if (next_word(&line, &word) && str_is(word, name)) {
			*out = line;
			return true;
		}
	}
	return false;
}

/* user, nice, system, idle, iowait, irq, softirq, steal; what guests get is in user and nice. */
bool kernel_cpu_parse(struct str text, struct kernel_cpu *out)
{
	enum { IDLE = 3, WAIT = 4, ALL = 8 };
	struct kernel_cpu c = {0};
	struct str line;
	unsigned i;
	uint64_t n;

	if (!find_line(text, "cpu", &line))
		return false;
	for (i = 0; i < ALL && next_number(&line, &n) && c.all <= UINT64_MAX - n; i++) {
		c.all += n;
		c.busy += i == IDLE || i == WAIT ? 0 : n;
	}
	if (i <= IDLE)
		return false;
	*out = c;
	return true;
}

static bool find_kb(struct str text, const char *name, uint64_t *out)
{
	struct str line;
	uint64_t n;

	if (!find_line(text, name, &line) || !next_number(&line, &n))
		return false;
	*out = n * 1024;
	return true;
}

bool kernel_memory_parse(struct str text, struct kernel_memory *out)
{
	struct kernel_memory m;

	if (!find_kb(text, "MemTotal:", &m.total) || !find_kb(text, "MemAvailable:", &m.available))
		return false;
	*out = m;
	return true;
}

/* "some avg10=1.53 avg60=...": two digits behind the point, always. */
bool kernel_pressure_parse(struct str text, uint64_t *out_permille)
{
	static const char key[] = "avg10=";
	struct str line, word, whole;
	uint64_t percent, cents;

	if (!find_line(text, "some", &line) || !next_word(&line, &word) ||
		!str_has_prefix(word, key))
		return false;
	word = (struct str){word.p + sizeof key - 1, word.n - (sizeof key - 1)};
	if (!str_split(&word, '.', &whole) || word.n != 2 ||
		str_to_u64(whole, 0, 100, &percent, NULL) < 0 ||
		str_to_u64(word, 0, 99, &cents, NULL) < 0)
		return false;
	*out_permille = percent * 10 + cents / 10;
	return true;
}

bool kernel_temperature_parse(struct str text, int64_t *out_milli)
{
	const int64_t most = 1000000;
	uint64_t n;
	bool below;

	text = str_trim(text);
	if (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	below = text.n && text.p[0] == '-';
	text = (struct str){text.p + below, text.n - below};
	if (str_to_u64(text, 0, (uint64_t)most, &n, NULL) < 0)
		return false;
	*out_milli = below ? -(int64_t)n : (int64_t)n;
	return true;
}
