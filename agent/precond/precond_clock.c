/* Local time, by the C library's zone data: a minute of the week, and when the clocks change. */
#include "agent/precond/precond_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo"
#define HOUR  3600
#define WEEK  ((time_t)7 * 24 * HOUR)

static long offset_at(time_t t)
{
	struct tm tm;

	return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/* Zones change seldom, and never twice in a week: by the hour, then by halves. */
static time_t find_shift(time_t now)
{
	long offset = offset_at(now);
	time_t until = now + WEEK, low = now;

	while (low < until && offset_at(low + HOUR) == offset)
		low += HOUR;
	if (low >= until)
		return 0;
	for (time_t high = low + HOUR; high - low > 1;) {
		time_t middle = low + (high - low) / 2;

		if (offset_at(middle) == offset)
			low = middle;
		else
			high = middle;
	}
	return low + 1;
}

static void look(const struct precond_in *in, unsigned want UNUSED, struct precond_facts *out)
{
	time_t now = in->now / 1000, shift;
	struct tm tm;

	if (in->now < in->built) {
		precond_why(out, PRECOND_WINDOW, "the clock was never set");
		return;
	}
	tzset();
	if (!localtime_r(&now, &tm)) {
		precond_why(out, PRECOND_WINDOW, "the time is out of bounds");
		return;
	}
	shift = find_shift(now);
	out->local.known = true;
	out->local.minute = (unsigned)((tm.tm_wday + 6) % 7) * PRECOND_DAY +
			    (unsigned)tm.tm_hour * 60 + (unsigned)tm.tm_min;
	out->local.second = (unsigned)tm.tm_sec % 60;
	out->local.shift_in = shift ? (unsigned)((shift - now + 59) / 60) : 0;
	snprintf(out->local.zone, sizeof out->local.zone, "%.15s", tm.tm_zone ? tm.tm_zone : "");
}

/* "CET-1CEST,M3.5.0,M10.5.0/3" begins with a name of three letters or more and has an offset. */
static bool is_posix_rule(const char *zone)
{
	size_t n = 0;

	while (isalpha((unsigned char)zone[n]))
		n++;
	return n >= 3 &&
	       (isdigit((unsigned char)zone[n]) ||
		       (str_has_char("+-", zone[n]) && isdigit((unsigned char)zone[n + 1])));
}

int precond_zone_check(const char *zone, struct err *e)
{
	char path[320];

	if (!zone[0] || is_posix_rule(zone))
		return 0;
	snprintf(path, sizeof path, ZONES "/%s", zone);
	if (zone[0] == '/' || strstr(zone, "..") || access(path, R_OK) < 0)
		return err_set(e, ERR_CONFIG, "'%s' is no time zone: there is no %s", zone, path);
	return 0;
}

void precond_zone_use(const char *zone)
{
	if (zone[0])
		setenv("TZ", zone, 1);
	tzset();
}

const struct precond_source precond_clock = {
	.kind = "clock",
	.serves = PRECOND_BIT(PRECOND_WINDOW),
	.help = "The clock, and the zone's rules.",
	.look = look,
};
