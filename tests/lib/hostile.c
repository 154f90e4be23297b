#include "tests/lib/hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/worker/worker_priv.h"
#include "lib/prng.h"

#define PACKETS 400 /* of noise, in one call */

static char filler[PRIV_PACKET_MAX + 4096];

/* ---- the table again, so that bounds can be hit and missed ---- */

#define LIST(...) __VA_ARGS__
static const struct bounds {
	unsigned side;
	uint64_t num[PRIV_NUMS];
	size_t text[PRIV_TEXTS];
	size_t bytes;
} bounds[PRIV_VERB_MAX] = {
#define X(id, name, side, answers, nums, texts, bytes, help)                                       \
	[PRIV_##id] = {side, {LIST nums}, {LIST texts}, bytes},
	PRIV_TABLE(X)
#undef X
};

/* `over` is added to every bound: 1 is what no decoder may take. */
static size_t encode(unsigned verb, bool large, unsigned over, char *out)
{
	const struct bounds *b = &bounds[verb];
	size_t n = 0;

	out[n++] = (char)verb;
	for (unsigned i = 0; i < PRIV_NUMS && b->num[i]; i++) {
		uint64_t v = large ? b->num[i] + over : 0;

		for (unsigned k = 0; k < 8; k++)
			out[n++] = (char)(v >> (8 * k));
	}
	for (unsigned i = 0; i < PRIV_TEXTS && b->text[i]; i++) {
		size_t len = large ? b->text[i] + over : 0;

		out[n++] = (char)len;
		out[n++] = (char)(len >> 8);
		memset(out + n, 'x', len);
		n += len;
	}
	if (large) {
		memset(out + n, 'x', b->bytes + over);
		n += b->bytes + over;
	}
	return n;
}

/* ---- saying it ---- */

/* False when nobody listens any more. */
static bool say_raw(struct chan *c, const char *p, size_t n)
{
	for (;;) {
		struct pollfd wait = {.fd = chan_fd(c), .events = POLLOUT};

		if (send(chan_fd(c), p, n, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return true;
		if (errno != EAGAIN)
			return false;
		(void)!poll(&wait, 1, 100);
	}
}

static bool say(struct chan *c, const struct priv_msg *m)
{
	struct err e;

	return chan_say(c, m, &e) == 0;
}

/* ---- each verb of the table, at, below and beyond its bounds ---- */

enum { BOUND_SMALL, BOUND_LARGE, BOUND_OVER, BOUND_HALF, BOUNDS };

static void every_bound(struct chan *c, unsigned verb, unsigned bound)
{
	static char packet[2 * PRIV_PACKET_MAX];
	size_t n = encode(verb, bound != BOUND_SMALL, bound == BOUND_OVER, packet);

	if (bound == BOUND_HALF)
		n = n / 2 + 1;
	for (unsigned i = 0; i < 3; i++)
		if (!say_raw(c, packet, n))
			return;
	(void)!say(c, &(struct priv_msg){.verb = PRIV_END});
}

/* ---- in order, but not with what was signed ---- */

struct step {
	unsigned verb;
	const char *a, *b; /* texts; of DATA the bytes */
	uint64_t x, y;
};

static const struct sequence {
	const char *name;
	struct step step[6];
} sequences[] = {
	{"nothing at all", {{PRIV_END, "", "", 0, 0}}},
	{"a name with dots", {{PRIV_FILE, "../../evil", "", 1, 3}, {PRIV_DATA, "abc", "", 0, 0},
				     {PRIV_END, "", "", 0, 0}}},
	{"dots inside a name",
		{{PRIV_FILE, "a/../../../evil", "", 0, 0}, {PRIV_END, "", "", 0, 0}}},
	{"the link that is active", {{PRIV_FILE, "../../../current", "", 0, 0}}},
	{"an absolute name",
		{{PRIV_FILE, "/tmp/backstay-evil", "", 0, 3}, {PRIV_DATA, "abc", "", 0, 0}}},
	{"a folder above", {{PRIV_DIR, "..", "", 0, 0}, {PRIV_END, "", "", 0, 0}}},
	{"the folder itself", {{PRIV_DIR, ".", "", 0, 0}, {PRIV_FILE, ".", "", 0, 0}}},
	{"a name without letters", {{PRIV_FILE, "", "", 0, 0}, {PRIV_END, "", "", 0, 0}}},
	{"a link upwards",
		{{PRIV_LINK, "x", "../../../..", 0, 0}, {PRIV_FILE, "x/evil", "", 0, 0}}},
	{"a link to the root", {{PRIV_LINK, "x", "/", 0, 0}, {PRIV_FILE, "x/tmp/evil", "", 0, 0}}},
	{"beneath a link", {{PRIV_DIR, "y", "", 0, 0}, {PRIV_LINK, "x", "y", 0, 0},
				   {PRIV_FILE, "x/evil", "", 0, 3}, {PRIV_DATA, "abc", "", 0, 0}}},
	{"a link over a file", {{PRIV_FILE, "x", "", 0, 0}, {PRIV_LINK, "x", "y", 0, 0}}},
	{"a file twice", {{PRIV_FILE, "x", "", 0, 0}, {PRIV_FILE, "x", "", 1, 0}}},
	{"a file in a file", {{PRIV_FILE, "x", "", 0, 5}, {PRIV_FILE, "y", "", 0, 1},
				     {PRIV_DATA, "abc", "", 0, 0}}},
	{"a folder in a file", {{PRIV_FILE, "x", "", 0, 5}, {PRIV_DIR, "y", "", 0, 0}}},
	{"a link in a file", {{PRIV_FILE, "x", "", 0, 5}, {PRIV_LINK, "y", "x", 0, 0}}},
	{"an end in a file", {{PRIV_FILE, "x", "", 0, 5}, {PRIV_DATA, "abc", "", 0, 0},
				     {PRIV_END, "", "", 0, 0}}},
	{"bytes of no file", {{PRIV_DATA, "abc", "", 0, 0}, {PRIV_END, "", "", 0, 0}}},
	{"more bytes than said", {{PRIV_FILE, "x", "", 0, 1}, {PRIV_DATA, "abc", "", 0, 0}}},
	{"more bytes than signed", {{PRIV_FILE, "x", "", 0, LIMIT_ARTIFACT_BYTES}}},
	{"another program", {{PRIV_FILE, "bin/run", "", 1, 3}, {PRIV_DATA, "abc", "", 0, 0},
				    {PRIV_END, "", "", 0, 0}}},
	{"a body nobody asked for", {{PRIV_HEAD, "", "", 200, 0}, {PRIV_BYTES, "abc", "", 0, 0}}},
	{"a second beginning", {{PRIV_READY, "", "", 7, 0}, {PRIV_END, "", "", 0, 0}}},
	{"success as a failure", {{PRIV_FAIL, "it is fine", "", ERR_OK, 0}}},
	{"a claim of quarantine", {{PRIV_FAIL, "bad", "", ERR_QUARANTINED, 0}}},
	{"a claim of a trigger", {{PRIV_FAIL, "bad", "", ERR_TRIGGERED, 0}}},
	{"a claim of cancelling", {{PRIV_FAIL, "bad", "", ERR_CANCELLED, 0}}},
};

static bool say_step(struct chan *c, const struct step *s)
{
	struct priv_msg m = {.verb = (enum priv_verb)s->verb, .num = {s->x, s->y}};

	if (s->verb == PRIV_DATA || s->verb == PRIV_BYTES) {
		m.bytes = str_of(s->a);
		return say(c, &m);
	}
	m.text[0] = str_of(s->a);
	m.text[1] = str_of(s->b);
	return say(c, &m);
}

static void play(struct chan *c, const struct sequence *q)
{
	for (size_t i = 0; i < ARRAY_LEN(q->step) && q->step[i].a; i++)
		if (!say_step(c, &q->step[i]))
			return;
}

/* ---- without any order ---- */

static void say_noise(struct chan *c, struct prng *r)
{
	for (unsigned i = 0; i < PACKETS; i++) {
		size_t n = 1 + (size_t)prng_below(r, 300);

		for (size_t k = 0; k < n; k++)
			filler[k] = (char)prng_below(r, 256);
		if (!say_raw(c, filler, n))
			return;
	}
}

/* Words of its language, in any order and with any arguments within their bounds. */
static void say_words(struct chan *c, struct prng *r)
{
	static const char *const names[] = {"a", "b", "a/b", "bin", "bin/run", "..", ".", "a/../b"};

	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned verb = PRIV_DIR + (unsigned)prng_below(r, 4);
		struct step s = {verb, names[prng_below(r, ARRAY_LEN(names))],
			names[prng_below(r, ARRAY_LEN(names))], prng_below(r, 2), prng_below(r, 5)};

		if (!say_step(c, &s))
			return;
	}
	(void)!say(c, &(struct priv_msg){.verb = PRIV_END});
}

static void flood_folders(struct chan *c, struct prng *r)
{
	char name[32];

	do
		snprintf(name, sizeof name, "d%llu", (unsigned long long)prng_below(r, 1000));
	while (say(c, &(struct priv_msg){.verb = PRIV_DIR, .text = {str_of(name)}}));
}

static void flood_same(struct chan *c, struct prng *r)
{
	(void)r;
	while (say(c, &(struct priv_msg){.verb = PRIV_DIR, .text = {STR("d")}}))
		;
}

static void flood_nothing(struct chan *c, struct prng *r)
{
	(void)r;
	while (say(c, &(struct priv_msg){.verb = PRIV_DATA}))
		;
}

static void say_empty(struct chan *c, struct prng *r)
{
	(void)r;
	(void)!say_raw(c, "", 0);
}

static void say_too_much(struct chan *c, struct prng *r)
{
	(void)r;
	(void)!say_raw(c, filler, sizeof filler);
}

/* Descriptors nobody asked for: whoever took them would run out of them. */
static void give_descriptors(struct chan *c, struct prng *r)
{
	struct err e;

	(void)r;
	for (unsigned i = 0; i < PACKETS; i++)
		if (chan_give(c, chan_fd(c), &e) < 0)
			return;
}

static void hang_up(struct chan *c, struct prng *r)
{
	(void)c;
	(void)r;
}

static void die(struct chan *c, struct prng *r)
{
	(void)c;
	(void)r;
	_exit(1);
}

static const struct wild {
	const char *name;
	void (*say)(struct chan *, struct prng *);
} wilds[] = {
	{"noise", say_noise},
	{"words in any order", say_words},
	{"words in any order, again", say_words},
	{"words in any order, once more", say_words},
	{"folders without end", flood_folders},
	{"the same folder without end", flood_same},
	{"no bytes, without end", flood_nothing},
	{"an empty packet", say_empty},
	{"a packet that is too large", say_too_much},
	{"descriptors", give_descriptors},
	{"a line that is closed", hang_up},
	{"a death", die},
};

/* ---- all ways ---- */

#define N_BOUNDS (PRIV_VERB_MAX * BOUNDS)

unsigned hostile_ways(void)
{
	return (unsigned)(N_BOUNDS + ARRAY_LEN(sequences) + ARRAY_LEN(wilds));
}

const char *hostile_name(unsigned way, char out[64])
{
	static const char *const at[BOUNDS] = {"at least", "at most", "beyond", "half"};

	if (way < N_BOUNDS)
		snprintf(out, 64, "%s, %s", priv_name(way / BOUNDS), at[way % BOUNDS]);
	else if (way < N_BOUNDS + ARRAY_LEN(sequences))
		snprintf(out, 64, "%s", sequences[way - N_BOUNDS].name);
	else
		snprintf(out, 64, "%s", wilds[way - N_BOUNDS - ARRAY_LEN(sequences)].name);
	return out;
}

static void misbehave(struct chan *c, unsigned way)
{
	struct prng r = {way};
	struct priv_msg m;
	struct err e;

	if (way == HOSTILE_SILENT)
		(void)!chan_hear(c, &m, &e); /* until the other side hangs up */
	else if (way < N_BOUNDS)
		every_bound(c, way / BOUNDS, way % BOUNDS);
	else if (way < N_BOUNDS + ARRAY_LEN(sequences))
		play(c, &sequences[way - N_BOUNDS]);
	else
		wilds[way - N_BOUNDS - ARRAY_LEN(sequences)].say(c, &r);
}

/* ---- the process ---- */

static int answer(int fd, unsigned way, bool honest, const struct http_conf *http)
{
	struct serve_call call = {.http = http};
	struct priv_msg ask;
	struct err e = {0};
	int rc;

	call.chan = chan_open(fd, PRIV_WORKER, NULL);
	rc = chan_hear(call.chan, &ask, &e);
	if (rc == 0 && honest && ask.verb == PRIV_GET)
		rc = serve_get(&call, &ask, &e);
	else if (rc == 0 && honest && ask.verb == PRIV_SEND)
		rc = serve_send(&call, &ask, &e);
	else if (rc == 0)
		misbehave(call.chan, way);
	if (rc < 0)
		(void)!chan_say(
			call.chan, &(struct priv_msg){.verb = PRIV_FAIL, .num = {e.code}}, NULL);
	chan_close(&call.chan);
	return 0;
}

int hostile_run(int fd, unsigned way, bool honest, struct err *e)
{
	struct chan *orders = chan_open(fd, PRIV_WORKER, NULL);
	struct http_conf http = {0};
	struct priv_msg m;
	unsigned landlock;
	int line;

	TRY(chan_hear(orders, &m, e));
	TRY(confine((unsigned)m.num[0], (unsigned)m.num[1], &landlock, e));
	TRY(chan_say(orders, &(struct priv_msg){.verb = PRIV_READY, .num = {landlock}}, e));
	while (chan_take(orders, &line, e) == 0)
		TRY(answer(line, way, honest, &http));
	chan_close(&orders);
	return 0;
}
