/* What an attack has changed on the device, and whether it may. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "agent/core/record.h"
#include "agent/journal/journal.h"
#include "tests/attack/attack.h"
#include "tests/lib/snapshot.h"

void before_fini(struct before *x)
{
	buf_fini(&x->files);
	buf_fini(&x->record);
}

/* ---- names ---- */

struct place {
	const char *path;      /* of home; '*' at the end: and what is in it or begins so */
	enum attack_kind from; /* may change in this kind of attack and those after it */
};

/* clang-format off */
static const struct place may_change[] = {
	{"history.log", ATTACK_REFUSED},
	{"journal/state.0", ATTACK_REFUSED}, /* judged by what they say */
	{"journal/state.1", ATTACK_REFUSED},
	{"reports", ATTACK_REFUSED},         /* that it is there; nothing may be left in it */
	{"trust/image/root.json", ATTACK_ROOTED},
	{"trust/director/root.json", ATTACK_ROOTED},
	{"trust/time.json", ATTACK_TIMED},
	{"trust/*", ATTACK_FAILED},
	{"documents*", ATTACK_FAILED},
	{"slots/b*", ATTACK_FAILED},         /* toy-1 runs in slot a */
	{"outcome.json", ATTACK_FAILED},
	{"quarantine.json", ATTACK_FAILED},
	{"quarantine.copy", ATTACK_FAILED},
	{"dossiers*", ATTACK_FAILED},
};
/* clang-format on */

static bool fits(const struct place *p, struct str path)
{
	size_t n = strlen(p->path);

	if (p->path[n - 1] == '*')
		return path.n >= n - 1 && memcmp(path.p, p->path, n - 1) == 0;
	return str_is(path, p->path);
}

/* "trust/image/7.root.json" */
static bool is_root(struct str path)
{
	char text[64], end[32];
	unsigned n;

	return str_copy(path, text, sizeof text, NULL) == 0 &&
	       (sscanf(text, "trust/image/%u.%31s", &n, end) == 2 ||
		       sscanf(text, "trust/director/%u.%31s", &n, end) == 2) &&
	       strcmp(end, "root.json") == 0;
}

static bool is_free(enum attack_kind kind, struct str path)
{
	for (size_t i = 0; i < ARRAY_LEN(may_change); i++)
		if (kind >= may_change[i].from && fits(&may_change[i], path))
			return true;
	if (kind == ATTACK_MUTED ||
		kind == ATTACK_CUT) /* cut: the life before could not send them */
		return str_has_prefix(path, "reports/");
	return kind >= ATTACK_ROOTED && is_root(path);
}

/* ---- looking ---- */

static void look_files(struct bed *b, enum attack_kind kind, struct buf *out)
{
	BUF_AUTO all = {0};
	struct str rest, line, path;
	size_t skip = strlen(b->home) + 1;

	snapshot_take(b->home, &all);
	rest = buf_str(&all);
	while (str_split(&rest, '\n', &line)) {
		if (line.n <= skip)
			continue;
		line.p += skip;
		line.n -= skip;
		struct str left = line;
		str_split(&left, ' ', &path);
		if (is_free(kind, path))
			continue;
		buf_add(out, line.p, line.n);
		buf_add_char(out, '\n');
	}
}

static bool read_record(struct bed *b, unsigned i, struct upd_record *out)
{
	uint8_t block[JOURNAL_BLOCK];
	char path[400];
	size_t n, length;
	FILE *f;

	snprintf(path, sizeof path, "%s/journal/state.%u", b->home, i);
	f = fopen(path, "re");
	assert_non_null(f);
	n = fread(block, 1, sizeof block, f);
	fclose(f);
	length = (size_t)block[8] | (size_t)block[9] << 8;
	return n == sizeof block && length < sizeof block - 24 &&
	       record_decode((struct str){(const char *)block + 20, length}, out, NULL) == 0;
}

static void read_newest(struct bed *b, struct upd_record *out)
{
	struct upd_record v[2];

	if (!read_record(b, 0, &v[0]) || !read_record(b, 1, &v[1]))
		fail_msg("the journal is damaged");
	*out = v[0].seq > v[1].seq ? v[0] : v[1];
}

bool judge_is_idle(struct bed *b)
{
	struct upd_record newest;

	read_newest(b, &newest);
	return newest.state == UPD_IDLE;
}

/* The numbers that may move are taken out: of the record, of the last report, of the director
 * version that was dealt with. After an update that failed only what lasts beyond it counts. */
static void look_record(struct bed *b, enum attack_kind kind, struct buf *out)
{
	struct upd_record newest, *r = &newest;

	read_newest(b, r);
	if (r->state != UPD_IDLE && kind != ATTACK_CUT)
		fail_msg("the update machine is %s", upd_state_name(r->state));
	r->seq = r->report_seq = r->director_seen = 0;
	if (kind < ATTACK_FAILED)
		record_encode(r, out);
	else
		buf_addf(out, "counter floor %llu", (unsigned long long)r->counter_floor);
}

void judge_look(struct bed *b, enum attack_kind kind, struct before *out)
{
	memset(out, 0, sizeof *out);
	look_files(b, kind, &out->files);
	look_record(b, kind, &out->record);
}

/* The first line that differs. */
static void show_difference(const struct buf *before, const struct buf *after)
{
	struct str a = buf_str(before), b = buf_str(after), x = {0}, y = {0};

	do {
		if (!str_split(&a, '\n', &x))
			x = (struct str){0};
		if (!str_split(&b, '\n', &y))
			y = (struct str){0};
	} while ((x.p || y.p) && str_eq(x, y));
	fail_msg("home has changed:\nbefore  %.*s\nafter   %.*s", (int)x.n, x.p, (int)y.n, y.p);
}

void judge_unchanged(struct bed *b, const struct before *before, const struct before *after)
{
	(void)b;
	if (!str_eq(buf_str(&before->files), buf_str(&after->files)))
		show_difference(&before->files, &after->files);
	if (!str_eq(buf_str(&before->record), buf_str(&after->record)))
		fail_msg("the journal's record has changed");
}
