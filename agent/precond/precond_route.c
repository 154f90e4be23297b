/* Which link leads out: the interface of the default route, and whether it is listed as one that
 * is paid for by volume. */
#include "agent/precond/precond_priv.h"

#include <stdio.h>
#include <string.h>

static int check(struct str where, struct err *e)
{
	return where.n ? 0 : err_set(e, ERR_CONFIG, "route: wants names of metered interfaces");
}

struct best {
	char link[32];
	unsigned metric;
};

static void take(struct best *b, const char *link, unsigned metric)
{
	if (b->link[0] && metric >= b->metric)
		return;
	snprintf(b->link, sizeof b->link, "%.31s", link);
	b->metric = metric;
}

/* Interface, destination, gateway, flags, references, use, metric, mask. */
static void see_v4(const char *line, struct best *b)
{
	char link[32];
	unsigned to, mask, metric;

	if (sscanf(line, "%31s %x %*x %*x %*u %*u %u %x", link, &to, &metric, &mask) == 4 &&
		to == 0 && mask == 0)
		take(b, link, metric);
}

/* Destination, its prefix, source, its prefix, next hop, metric, references, use, flags, link. A
 * default route that rejects stands there, too, on the loopback interface. */
static void see_v6(const char *line, struct best *b)
{
	char to[33], link[32];
	unsigned prefix, metric;

	if (sscanf(line, "%32s %x %*s %*x %*s %x %*x %*x %*x %31s", to, &prefix, &metric, link) ==
			4 &&
		prefix == 0 && strspn(to, "0") == 32 && strcmp(link, "lo") != 0)
		take(b, link, metric);
}

static void see(const struct precond_in *in, const char *name,
	void (*each)(const char *line, struct best *b), struct best *b)
{
	char path[256], text[256];
	BUF_AUTO table = {0};
	struct str rest, line;

	snprintf(path, sizeof path, "%s/net/%s", in->proc, name);
	/* Of a table that is longer than is read, the beginning counts. */
	if (precond_read_file(path, &table, NULL) == -ERR_NOT_FOUND)
		return;
	rest = buf_str(&table);
	while (str_split(&rest, '\n', &line)) {
		snprintf(text, sizeof text, "%.*s", (int)line.n, line.p);
		each(text, b);
	}
}

static bool is_listed(struct str list, const char *link)
{
	struct str one;

	while (str_split(&list, ' ', &one))
		if (str_is(str_trim(one), link))
			return true;
	return false;
}

static int ask(const struct precond_in *in, struct str where, struct buf *out, struct err *e)
{
	struct best b = {0};

	see(in, "route", see_v4, &b);
	if (!b.link[0])
		see(in, "ipv6_route", see_v6, &b);
	if (!b.link[0])
		return err_set(e, ERR_NOT_FOUND, "no route leads out");
	buf_add_str(out, is_listed(where, b.link) ? "metered" : "free");
	return 0;
}

const struct precond_teller precond_route = {
	.kind = "route",
	.help = "route:LINK...: `metered` when the default route is one of these interfaces, else `free`",
	.check = check,
	.ask = ask,
};
