#include "proto/wire/time.h"

#include <stdio.h>

#define DAY_S 86400

static bool is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int64_t days_in_month(int64_t y, int64_t month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(y));
}

/* Days from 1970-01-01 to January 1st of year y >= 1970. */
static int64_t days_before_year(int64_t y)
{
	int64_t p = y - 1;

	return (y - 1970) * 365 + (p / 4 - 492) - (p / 100 - 19) + (p / 400 - 4);
}

/* The digits of `text` where `shape` has a '0'; every other byte must be the same. */
static bool read_fields(struct str text, const char *shape, int64_t out[6])
{
	unsigned field = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (shape[i] != '0') {
			if (text.p[i] != shape[i])
				return false;
			field++;
		} else if (text.p[i] >= '0' && text.p[i] <= '9') {
			out[field] = out[field] * 10 + (text.p[i] - '0');
		} else {
			return false;
		}
	}
	return true;
}

int time_parse(struct str text, int64_t *out_s, struct err *e)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	int64_t f[7] = {0}, days;

	if (text.n != sizeof shape - 1 || !read_fields(text, shape, f))
		return err_set(e, ERR_BAD_INPUT, "not a time like 2026-01-31T12:00:00Z: %.*s",
			(int)MIN(text.n, 40), text.p);
	if (f[0] < 1970 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > days_in_month(f[0], f[1]) ||
		f[3] > 23 || f[4] > 59 || f[5] > 59)
		return err_set(e, ERR_BAD_INPUT, "no such date or time: %.*s", (int)text.n, text.p);
	days = days_before_year(f[0]) + f[2] - 1;
	for (int64_t m = 1; m < f[1]; m++)
		days += days_in_month(f[0], m);
	*out_s = days * DAY_S + f[3] * 3600 + f[4] * 60 + f[5];
	return 0;
}

void time_format(int64_t s, char out[21])
{
	static const int64_t last = 253402300799; /* 9999-12-31T23:59:59Z */
	int64_t t = MIN(MAX(s, 0), last), days = t / DAY_S, in_day = t % DAY_S;
	int64_t year = 1970 + days / 366, month = 1;

	while (days_before_year(year + 1) <= days)
		year++;
	days -= days_before_year(year);
	for (; days >= days_in_month(year, month); month++)
		days -= days_in_month(year, month);
	snprintf(out, 21, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000U,
		(unsigned)month % 100U, (unsigned)(days + 1) % 100U, (unsigned)(in_day / 3600),
		(unsigned)(in_day / 60 % 60), (unsigned)(in_day % 60));
}
