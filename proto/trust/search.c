#include "proto/trust/search.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "proto/trust/verify_priv.h"

static_assert(LIMIT_ROLES <= 64, "search.asked has a bit for each role");
static_assert(SEARCH_TOP <= UINT8_MAX && LIMIT_DELEGATIONS <= UINT8_MAX, "an edge is two bytes");

int search_init(struct search *s, const char *path, struct err *e)
{
	memset(s, 0, sizeof *s);
	if (path[0] == 0)
		return err_set(e, ERR_BAD_INPUT, "a target without a name");
	if (str_copy(str_of(path), s->path, sizeof s->path, e) < 0)
		return err_wrap(e, "name of a target");
	return 0;
}

static const struct meta *file_of(const struct trusted_set *t, unsigned place)
{
	return place == SEARCH_TOP ? &t->targets : &t->delegated[place].meta;
}

static const char *name_of(const struct trusted_set *t, unsigned place)
{
	return place == SEARCH_TOP ? TRUSTED_TARGETS : t->delegated[place].name;
}

/* The last is followed first, so they are turned round. */
static void turn(struct search_edge *edges, unsigned n)
{
	for (unsigned i = 0; i < n / 2; i++) {
		struct search_edge one = edges[i];

		edges[i] = edges[n - 1 - i];
		edges[n - 1 - i] = one;
	}
}

/* Behind a terminating delegation that covers the path, nobody else is asked: neither those that
 * follow it nor those that were to be asked later. */
static void add_edges(struct search *s, const struct meta *m, unsigned place)
{
	unsigned first = s->n_edges;
	const json_t *role;

	for (size_t i = 0; (role = delegation_at(m, i)) != NULL; i++) {
		if (!delegation_covers(role, s->path))
			continue;
		if (delegation_is_terminating(role)) {
			memmove(s->edges, s->edges + first,
				(s->n_edges - first) * sizeof *s->edges);
			s->n_edges -= first;
			first = 0;
		}
		assert(s->n_edges < ARRAY_LEN(s->edges));
		s->edges[s->n_edges++] = (struct search_edge){(uint8_t)place, (uint8_t)i};
		if (delegation_is_terminating(role))
			break;
	}
	turn(s->edges + first, s->n_edges - first);
}

/* *out_found, or its delegations are to be followed. */
static int ask(struct search *s, const struct trusted_set *t, unsigned place, struct search_at *out,
	bool *out_found, struct err *e)
{
	const struct meta *m = file_of(t, place);
	struct err why;

	if (meta_file(m, s->path, &out->file, &why) == 0) {
		out->state = SEARCH_FOUND;
		*out_found = true;
		return 0;
	}
	if (why.code != ERR_NOT_FOUND) {
		err_copy(e, &why);
		return err_wrap(e, "role %s", name_of(t, place));
	}
	add_edges(s, m, place);
	return 0;
}

static void want(const struct search_edge *edge, const struct trusted_set *t, const char *role,
	struct search_at *out)
{
	out->state = SEARCH_WANTS;
	snprintf(out->delegator, sizeof out->delegator, "%s", name_of(t, edge->delegator));
	snprintf(out->role, sizeof out->role, "%s", role);
}

/* *out_done when it found the target, or lacks the role. */
static int follow(struct search *s, const struct trusted_set *t, struct search_at *out,
	bool *out_done, struct err *e)
{
	const struct search_edge edge = s->edges[s->n_edges - 1];
	const char *role = delegation_name(delegation_at(file_of(t, edge.delegator), edge.at));
	int held = trusted_place(t, role);
	unsigned place;

	if (held >= 0 && s->asked >> held & 1) {
		s->n_edges--;
		return 0;
	}
	if (s->n_asked == LIMIT_SEARCH_ROLES)
		return err_set(e, ERR_TOO_LARGE, "%s: more than %d roles would be asked", s->path,
			LIMIT_SEARCH_ROLES);
	if (held < 0) {
		want(&edge, t, role, out);
		*out_done = true;
		return 0;
	}
	s->n_edges--;
	TRY(trusted_held_by(t, name_of(t, edge.delegator), role, &place, e));
	s->asked |= 1ULL << place;
	s->n_asked++;
	return ask(s, t, place, out, out_done, e);
}

static int begin(struct search *s, const struct trusted_set *t, struct search_at *out,
	bool *out_done, struct err *e)
{
	if (!t->has_targets)
		return err_set(e, ERR_UNSIGNED, "no targets are trusted");
	TRY(meta_check_expiry(&t->targets, "targets", t->now_s, e));
	s->began = true;
	return ask(s, t, SEARCH_TOP, out, out_done, e);
}

int search_step(struct search *s, const struct trusted_set *t, struct search_at *out, struct err *e)
{
	struct search_at at = {.state = SEARCH_ABSENT};
	bool done = false;

	if (!s->began)
		TRY(begin(s, t, &at, &done, e));
	while (!done && s->n_edges > 0)
		TRY(follow(s, t, &at, &done, e));
	*out = at;
	return 0;
}
