/* Times of the week, local to the device. */
#include "proto/wire/precond.h"

#include <stdio.h>
#include <string.h>

#define ALL_DAYS 0x7fU

static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static int day_parse(struct str s, unsigned *out, struct err *e)
{
	char shown[16];

	for (unsigned i = 0; i < ARRAY_LEN(days); i++)
		if (str_is(s, days[i])) {
			*out = i;
			return 0;
		}
	return err_set(e, ERR_BAD_INPUT, "'%s' is no day: mon, tue, wed, thu, fri, sat, sun",
		str_printable(s, shown, sizeof shown));
}

/* "daily", "sat", "fri-mon". */
static int days_parse(struct str s, uint8_t *out, struct err *e)
{
	struct str rest = s, first;
	unsigned from, to, set = 0;

	if (str_is(s, "daily")) {
		*out = ALL_DAYS;
		return 0;
	}
	(void)str_split(&rest, '-', &first);
	TRY(day_parse(first, &from, e));
	to = from;
	if (first.n < s.n)
		TRY(day_parse(rest, &to, e));
	for (unsigned d = from;; d = (d + 1) % 7) {
		set |= 1U << d;
		if (d == to)
			break;
	}
	*out = (uint8_t)set;
	return 0;
}

/* "05:30"; 24:00 is the end of a day. */
static int minute_parse(struct str s, uint64_t max, uint16_t *out, struct err *e)
{
	uint64_t hours, minutes;

	if (s.n != 5 || s.p[2] != ':' ||
		str_to_u64((struct str){s.p, 2}, 0, 24, &hours, NULL) < 0 ||
		str_to_u64((struct str){s.p + 3, 2}, 0, 59, &minutes, NULL) < 0 ||
		hours * 60 + minutes > max)
		return err_set(e, ERR_BAD_INPUT, "a time such as 05:30 is wanted");
	*out = (uint16_t)(hours * 60 + minutes);
	return 0;
}

static int times_parse(struct str s, struct precond_window *w, struct err *e)
{
	struct str rest = s, from;

	(void)str_split(&rest, '-', &from);
	if (from.n >= s.n)
		return err_set(e, ERR_BAD_INPUT, "times such as 22:00-05:00 are wanted");
	TRY(minute_parse(from, PRECOND_DAY - 1, &w->from, e));
	TRY(minute_parse(rest, PRECOND_DAY, &w->to, e));
	if (w->to == w->from)
		return err_set(e, ERR_BAD_INPUT, "it ends when it begins");
	if (w->to == 0)
		w->to = PRECOND_DAY;
	return 0;
}

int precond_window_parse(struct str text, struct precond_window *out, struct err *e)
{
	struct precond_window w = {.days = ALL_DAYS, .from = 0, .to = PRECOND_DAY};
	struct str rest = str_trim(text), first;
	bool has_days;

	(void)str_split(&rest, ' ', &first);
	has_days = !(first.n && first.p[0] >= '0' && first.p[0] <= '9');
	if (has_days)
		TRY(days_parse(first, &w.days, e));
	if (!has_days && rest.n)
		return err_set(e, ERR_BAD_INPUT, "days come before times");
	if (!has_days || rest.n)
		TRY(times_parse(has_days ? str_trim(rest) : first, &w, e));
	*out = w;
	return 0;
}

static unsigned first_day(uint8_t set)
{
	unsigned d = 0;

	if (set == ALL_DAYS)
		return 0;
	while (!(set & 1U << d) || set & 1U << (d + 6) % 7)
		d++;
	return d;
}

static unsigned count_days(uint8_t set)
{
	unsigned n = 0;

	for (unsigned d = 0; d < 7; d++)
		n += set >> d & 1U;
	return n;
}

void precond_window_format(const struct precond_window *w, char out[PRECOND_WINDOW_TEXT])
{
	unsigned from = first_day(w->days), n = count_days(w->days);
	char when[12] = "daily";

	if (n == 1)
		snprintf(when, sizeof when, "%s", days[from]);
	else if (n < 7)
		snprintf(when, sizeof when, "%s-%s", days[from], days[(from + n - 1) % 7]);
	snprintf(out, PRECOND_WINDOW_TEXT, "%s %02u:%02u-%02u:%02u", when, w->from / 60U % 24,
		w->from % 60U, w->to / 60U % 25, w->to % 60U);
}

unsigned precond_window_opens_in(const struct precond_window *w, unsigned minute)
{
	unsigned length = w->to + (w->to > w->from ? 0 : PRECOND_DAY) - w->from;
	unsigned best = PRECOND_WEEK;

	for (unsigned d = 0; d < 7; d++) {
		unsigned opens = d * PRECOND_DAY + w->from;

		if (!(w->days & 1U << d))
			continue;
		if ((minute + PRECOND_WEEK - opens) % PRECOND_WEEK < length)
			return 0;
		best = MIN(best, (opens + PRECOND_WEEK - minute) % PRECOND_WEEK);
	}
	return best;
}
