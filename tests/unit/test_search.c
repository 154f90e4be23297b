#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "lib/prng.h"
#include "proto/trust/search.h"
#include "tests/lib/tgraph.h"

struct world {
	struct tgraph g;
	struct trusted_set t;
	struct search s;
	struct search_at at;
	struct buf asked; /* "a b c ": roles that were given, in this order */
	struct err e;
};

static int world_open(void **state)
{
	struct world *w = mem_new(sizeof *w);

	memset(w, 0, sizeof *w);
	tgraph_init(&w->g);
	*state = w;
	return 0;
}

static int world_close(void **state)
{
	struct world *w = *state;

	trusted_fini(&w->t);
	tgraph_fini(&w->g);
	buf_fini(&w->asked);
	mem_free(&w);
	return 0;
}

/* With all roles it asks for, until it finds the target or gives up. */
static int search(struct world *w, const char *path)
{
	struct tgraph_role *role;

	buf_clear(&w->asked);
	TRY(search_init(&w->s, path, &w->e));
	for (;;) {
		TRY(search_step(&w->s, &w->t, &w->at, &w->e));
		if (w->at.state != SEARCH_WANTS)
			return 0;
		buf_addf(&w->asked, "%s ", w->at.role);
		role = tgraph_role(&w->g, w->at.role);
		TRY(trusted_delegated_by(
			&w->t, w->at.delegator, w->at.role, buf_str(&role->file), &w->e));
	}
}

static void publish(struct world *w)
{
	tgraph_publish(&w->g);
	trusted_fini(&w->t);
	tgraph_trust(&w->g, &w->t);
}

static void search_is(struct world *w, const char *path, enum err_code want,
	enum search_state state, const char *asked)
{
	int rc = search(w, path);

	if (rc != -(int)want)
		fail_msg("%s: %s", path, rc < 0 ? w->e.text : "found or absent");
	if (rc == 0 && w->at.state != state)
		fail_msg("%s: %s", path, w->at.state == SEARCH_FOUND ? "found" : "absent");
	if (strcmp(buf_cstr(&w->asked), asked) != 0)
		fail_msg("%s: asked %s, not %s", path, buf_cstr(&w->asked), asked);
}

/* ---- the order in which roles are asked, for a path that nobody lists ---- */

struct edge {
	const char *from, *to, *paths;
	bool terminating;
};

static const struct {
	const char *what;
	struct edge edges[8];
	const char *asked;
} graphs[] = {
	{"nobody", {{NULL, NULL, NULL, false}}, ""},
	{"one", {{"targets", "a", "[\"*\"]", false}}, "a "},
	{"in the order they stand",
		{{"targets", "b", "[\"*\"]", false}, {"targets", "a", "[\"*\"]", false}}, "b a "},
	{"depth first",
		{{"targets", "a", "[\"*\"]", false}, {"targets", "b", "[\"*\"]", false},
			{"a", "c", "[\"*\"]", false}, {"c", "d", "[\"*\"]", false},
			{"a", "e", "[\"*\"]", false}},
		"a c d e b "},
	{"a terminating role ends it for its brothers",
		{{"targets", "a", "[\"*\"]", true}, {"targets", "b", "[\"*\"]", false}}, "a "},
	{"a terminating role is still asked for those below it, and those before it are",
		{{"targets", "a", "[\"*\"]", false}, {"targets", "b", "[\"*\"]", true},
			{"targets", "c", "[\"*\"]", false}, {"b", "d", "[\"*\"]", false}},
		"a b d "},
	{"a terminating role deep down ends it for all",
		{{"targets", "a", "[\"*\"]", false}, {"targets", "b", "[\"*\"]", false},
			{"a", "c", "[\"*\"]", true}, {"a", "d", "[\"*\"]", false}},
		"a c "},
	{"a terminating role of other paths ends nothing",
		{{"targets", "a", "[\"*.py\"]", true}, {"targets", "b", "[\"*\"]", false}}, "b "},
	{"a branch of other paths is not entered",
		{{"targets", "a", "[\"x/*\"]", false}, {"a", "b", "[\"*\"]", false}}, ""},
	{"in a circle",
		{{"targets", "a", "[\"*\"]", false}, {"a", "b", "[\"*\"]", false},
			{"b", "a", "[\"*\"]", false}, {"b", "c", "[\"*\"]", false}},
		"a b c "},
	{"to itself", {{"targets", "a", "[\"*\"]", false}, {"a", "a", "[\"*\"]", false}}, "a "},
	{"two to one third",
		{{"targets", "a", "[\"*\"]", false}, {"targets", "b", "[\"*\"]", false},
			{"a", "c", "[\"*\"]", false}, {"b", "c", "[\"*\"]", false}},
		"a c b "},
	{"names that no file could have",
		{{"targets", "?", "[\"*\"]", false}, {"targets", "../x", "[\"*\"]", false},
			{"targets", "/x", "[\"*\"]", false}, {"targets", "#", "[\"*\"]", false}},
		"? ../x /x # "},
};

static void roles_are_asked_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(graphs); i++) {
		struct world *w = NULL;

		world_open((void **)&w);
		for (const struct edge *d = graphs[i].edges; d->from; d++)
			tgraph_delegate(&w->g, d->from, d->to, d->paths, d->terminating);
		publish(w);
		search_is(w, "nothing", ERR_OK, SEARCH_ABSENT, graphs[i].asked);
		search_is(w, "nothing", ERR_OK, SEARCH_ABSENT, ""); /* all are held now */
		world_close((void **)&w);
	}
}

/* ---- against the same told in another way: one function that calls itself ---- */

#define NODES  6 /* and targets, which is the last */
#define GRAPHS 60

struct plain {
	struct {
		unsigned to;
		bool covers, terminating;
	} edges[NODES + 1][NODES];
	unsigned n_edges[NODES + 1];
	bool lists[NODES + 1], asked[NODES + 1];
	struct buf order;
};

enum plain_end { GO_ON, FOUND_IT, ENDED };

static enum plain_end plain_ask(struct plain *p, unsigned node)
{
	p->asked[node] = true;
	if (node < NODES)
		buf_addf(&p->order, "%c ", (char)('a' + node));
	if (p->lists[node])
		return FOUND_IT;
	for (unsigned i = 0; i < p->n_edges[node]; i++) {
		unsigned to = p->edges[node][i].to;
		enum plain_end end = GO_ON;

		if (!p->edges[node][i].covers)
			continue;
		if (!p->asked[to])
			end = plain_ask(p, to);
		if (end != GO_ON)
			return end;
		if (p->edges[node][i].terminating)
			return ENDED;
	}
	return GO_ON;
}

static const char *node_name(unsigned node, char out[8])
{
	snprintf(out, 8, "%c", (char)('a' + node));
	return node == NODES ? "targets" : out;
}

/* Every role gets a few delegations, in a random order, each of the path or of another one. */
static void draw(struct prng *rng, struct plain *p, struct tgraph *g)
{
	for (unsigned from = NODES + 1; from-- > 0;) {
		unsigned start = (unsigned)prng_below(rng, NODES),
			 n = 1 + (unsigned)prng_below(rng, 3);

		for (unsigned i = 0; i < n; i++) {
			unsigned to = (start + i * (1 + n % 2)) % NODES, k = p->n_edges[from]++;
			bool covers = prng_below(rng, 4) > 0, ends = prng_below(rng, 6) == 0;
			char a[8], b[8];

			p->edges[from][k].to = to;
			p->edges[from][k].covers = covers;
			p->edges[from][k].terminating = ends;
			if (from < NODES && !tgraph_role(g, node_name(from, a)))
				tgraph_delegate(g, "targets", node_name(from, a), "[]", false);
			tgraph_delegate(g, node_name(from, a), node_name(to, b),
				covers ? "[\"p/*\"]" : "[\"q/*\"]", ends);
		}
		p->lists[from] = prng_below(rng, 8) == 0;
	}
}

static void any_graph_is_searched_as_a_simple_function_would(void **state)
{
	struct prng rng = {20261125};

	(void)state;
	for (unsigned i = 0; i < GRAPHS; i++) {
		struct world *w = NULL;
		struct plain p = {0};
		uint64_t seed = rng.s;
		enum plain_end end;
		char name[8];

		world_open((void **)&w);
		draw(&rng, &p, &w->g);
		for (unsigned node = 0; node <= NODES; node++)
			if (p.lists[node])
				tgraph_list(&w->g, node_name(node, name), "p/1", STR("1"));
		publish(w);
		end = plain_ask(&p, NODES);
		if (search(w, "p/1") < 0 || strcmp(buf_cstr(&w->asked), buf_cstr(&p.order)) != 0 ||
			w->at.state != (end == FOUND_IT ? SEARCH_FOUND : SEARCH_ABSENT))
			fail_msg("graph of seed %llu: asked %s, not %s", (unsigned long long)seed,
				buf_cstr(&w->asked), buf_cstr(&p.order));
		buf_fini(&p.order);
		world_close((void **)&w);
	}
}

/* ---- what is found ---- */

static void the_first_who_lists_it_is_believed(void **state)
{
	struct world *w = *state;

	tgraph_delegate(&w->g, "targets", "a", "[\"x/*\", \"y\"]", false);
	tgraph_delegate(&w->g, "targets", "b", "[\"x/*\"]", false);
	tgraph_delegate(&w->g, "b", "c", "[\"x/2\"]", false);
	tgraph_list(&w->g, "targets", "top", STR("of the top"));
	tgraph_list(&w->g, "a", "x/1", STR("of a"));
	tgraph_list(&w->g, "b", "x/1", STR("of b, longer"));
	tgraph_list(&w->g, "c", "x/2", STR("c"));
	tgraph_list(&w->g, "c", "x/3", STR("not c's to say"));
	publish(w);
	search_is(w, "top", ERR_OK, SEARCH_FOUND, "");
	assert_int_equal(w->at.file.length, 10);
	search_is(w, "x/1", ERR_OK, SEARCH_FOUND, "a ");
	assert_int_equal(w->at.file.length, 4);
	assert_true(w->at.file.hashes.has_sha256);
	search_is(w, "x/2", ERR_OK, SEARCH_FOUND, "b c ");
	assert_int_equal(w->at.file.length, 1);
	search_is(w, "x/3", ERR_OK, SEARCH_ABSENT, "");
	search_is(w, "X/2", ERR_OK, SEARCH_ABSENT, "");
}

/* A role that two delegate to, by different keys: what one vouched for says nothing of the other,
 * in whichever order they are asked. */
static void a_held_role_is_checked_by_who_leads_to_it(void **state)
{
	struct world *w = *state;
	struct sign_key other;
	struct err e;

	tgraph_delegate(&w->g, "targets", "a", "[\"a/*\"]", false);
	tgraph_delegate(&w->g, "targets", "b", "[\"b/*\"]", false);
	tgraph_delegate(&w->g, "a", "shared", "[\"a/*\"]", false);
	tgraph_delegate(&w->g, "b", "shared", "[\"b/*\"]", false);
	tgraph_list(&w->g, "shared", "a/1", STR("good"));
	tgraph_list(&w->g, "shared", "b/1", STR("not good"));
	assert_int_equal(sign_key_new("other", SIG_ECDSA_P256, &other, &e), 0);
	json_object_set_new(tgraph_keys(&w->g, "b"), other.keyid, sign_key_public(&other));
	json_object_set_new(
		tgraph_delegation(&w->g, "b", "shared"), "keyids", json_pack("[s]", other.keyid));
	sign_key_fini(&other);
	publish(w);
	search_is(w, "a/1", ERR_OK, SEARCH_FOUND, "a shared ");
	search_is(w, "b/1", ERR_UNSIGNED, SEARCH_ABSENT, "b ");
	publish(w);
	search_is(w, "b/1", ERR_UNSIGNED, SEARCH_ABSENT, "b shared ");
	search_is(w, "a/1", ERR_OK, SEARCH_FOUND, "a shared ");
}

/* The agreement of a device asks only those whom targets names itself. */
static void a_role_below_is_no_direct_delegation(void **state)
{
	struct world *w = *state;

	tgraph_delegate(&w->g, "targets", "a", "[\"*\"]", false);
	tgraph_delegate(&w->g, "a", "safety", "[\"*\"]", false);
	publish(w);
	search_is(w, "x", ERR_OK, SEARCH_ABSENT, "a safety ");
	assert_non_null(trusted_find_delegated(&w->t, "a"));
	assert_null(trusted_find_delegated(&w->t, "safety"));
}

/* ---- what is refused ---- */

static void a_role_that_is_not_listed_ends_it(void **state)
{
	struct world *w = *state;

	tgraph_delegate(&w->g, "targets", "a", "[\"*\"]", false)->unlisted = true;
	publish(w);
	search_is(w, "x", ERR_MIXED, SEARCH_ABSENT, "a ");
}

static void a_role_of_foreign_keys_ends_it(void **state)
{
	struct world *w = *state;

	tgraph_delegate(&w->g, "targets", "a", "[\"*\"]", false);
	tgraph_delegate(&w->g, "a", "b", "[\"*\"]", false);
	json_object_set_new(tgraph_delegation(&w->g, "a", "b"), "threshold", json_integer(2));
	tgraph_list(&w->g, "b", "x", STR("1"));
	publish(w);
	search_is(w, "x", ERR_UNSIGNED, SEARCH_ABSENT, "a b ");
}

static void an_expired_role_ends_it(void **state)
{
	struct world *w = *state;
	struct tgraph_role *role = tgraph_delegate(&w->g, "targets", "a", "[\"*\"]", false);

	json_object_set_new(role->part, "expires", json_string("2020-01-01T00:00:00Z"));
	publish(w);
	search_is(w, "x", ERR_EXPIRED, SEARCH_ABSENT, "a ");
}

static void a_target_without_a_known_hash_is_refused(void **state)
{
	struct world *w = *state;
	json_t *part = tgraph_delegate(&w->g, "targets", "a", "[\"*\"]", false)->part;

	json_object_set_new(json_object_get(part, "targets"), "x",
		json_pack("{s:i, s:{s:s}}", "length", 1, "hashes", "md5", "00"));
	tgraph_list(&w->g, "a", "y", STR("1"));
	publish(w);
	search_is(w, "x", ERR_BAD_INPUT, SEARCH_ABSENT, "a ");
	search_is(w, "y", ERR_OK, SEARCH_FOUND, "");
}

static void a_chain_without_end_is_left(void **state)
{
	char from[16] = "targets", to[16];
	struct world *w = *state;

	for (unsigned i = 0; i <= LIMIT_SEARCH_ROLES; i++) {
		snprintf(to, sizeof to, "r%u", i);
		tgraph_delegate(&w->g, from, to, "[\"*\"]", false);
		memcpy(from, to, sizeof from);
	}
	tgraph_list(&w->g, "r31", "last", STR("1"));
	tgraph_list(&w->g, "r32", "too far", STR("1"));
	publish(w);
	assert_int_equal(search(w, "last"), 0);
	assert_int_equal(w->at.state, SEARCH_FOUND);
	assert_int_equal(search(w, "too far"), -ERR_TOO_LARGE);
	assert_int_equal(trusted_find_delegated(&w->t, "r0") != NULL, 1);
	assert_int_equal(w->t.n_delegated, LIMIT_SEARCH_ROLES); /* the next was not fetched */
}

static void names_of_targets_are_bounded(void **state)
{
	char name[LIMIT_TARGET_NAME + 1];
	struct world *w = *state;

	memset(name, 'a', sizeof name);
	name[LIMIT_TARGET_NAME] = 0;
	assert_int_equal(search_init(&w->s, name, &w->e), -ERR_TOO_LARGE);
	name[LIMIT_TARGET_NAME - 1] = 0;
	assert_int_equal(search_init(&w->s, name, &w->e), 0);
	assert_int_equal(search_init(&w->s, "", &w->e), -ERR_BAD_INPUT);
}

static void nothing_is_searched_before_targets_are_trusted(void **state)
{
	struct world *w = *state;

	trusted_init(&w->t, TREPO_NOW);
	search_is(w, "x", ERR_UNSIGNED, SEARCH_ABSENT, "");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, world_open, world_close)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_are_asked_in_order),
		cmocka_unit_test(any_graph_is_searched_as_a_simple_function_would),
		CASE(the_first_who_lists_it_is_believed),
		CASE(a_held_role_is_checked_by_who_leads_to_it),
		CASE(a_role_below_is_no_direct_delegation),
		CASE(a_role_that_is_not_listed_ends_it),
		CASE(a_role_of_foreign_keys_ends_it),
		CASE(an_expired_role_ends_it),
		CASE(a_target_without_a_known_hash_is_refused),
		CASE(a_chain_without_end_is_left),
		CASE(names_of_targets_are_bounded),
		CASE(nothing_is_searched_before_targets_are_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
