/* The trust engine under hostile metadata. The first byte chooses: '0' to '6' hands the rest, as it
 * is, to the step of that role ('7': of a director's targets); 'a' to 'h' takes the rest for what
 * somebody with the right key signed, so that what lies behind the signature is reached, too. */
#include <stdlib.h>

#include "proto/trust/search.h"
#include "tests/lib/trepo.h"

#define DIRECTOR 7U /* behind the roles of an image repository */
#define PATH     "ocr/ocr-1.json"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Both repositories, and a client that trusts all of them. Verifying everything anew for each input
 * would leave some twenty inputs a second, so only what an accepted input has changed is. */
struct world {
	struct trepo image, director;
	struct trusted_set ti, td;
	struct device_facts dev;
};

static void must(int rc)
{
	if (rc < 0)
		abort();
}

/* With nothing but versions pinned, other bytes get as far as their signature. */
static void unpin(struct trepo *r, enum trepo_file lister)
{
	json_t *pins = json_object_get(r->role[lister].part, "meta"), *one;
	const char *file;

	json_object_foreach (pins, file, one) {
		json_object_del(one, "length");
		json_object_del(one, "hashes");
	}
	trepo_sign(r, lister);
}

static void publish(struct trepo *r, struct trusted_set *t)
{
	trepo_publish(r);
	unpin(r, TREPO_SNAPSHOT);
	trepo_pin(r, TREPO_TIMESTAMP, TREPO_SNAPSHOT);
	unpin(r, TREPO_TIMESTAMP);
	trusted_init(t, TREPO_NOW);
	must(trepo_refresh(r, t, NULL));
}

static struct world *world_new(void)
{
	struct world *w = mem_new(sizeof *w);
	struct repo_match match = trepo_match("edge-x86", 4);

	w->dev = (struct device_facts){.device = {"dev-1"}, .hardware = "edge-x86"};
	trepo_init(&w->image, TREPO_IMAGE, TREPO_NOW);
	trepo_add_release(&w->image, PATH, STR("{}"), &match);
	publish(&w->image, &w->ti);
	trepo_init(&w->director, TREPO_DIRECTOR, TREPO_NOW);
	trepo_direct(&w->director, "dev-1", DESIRED_INSTALL, PATH, STR("{}"), &match);
	publish(&w->director, &w->td);
	return w;
}

static int step(struct trepo *r, struct trusted_set *t, enum trepo_file f, struct str bytes)
{
	bool changed;

	switch (f) {
	case TREPO_ROOT:
		return trusted_load_root(t, bytes, NULL);
	case TREPO_TIMESTAMP:
		return trusted_timestamp(t, bytes, &changed, NULL);
	case TREPO_SNAPSHOT:
		return trusted_snapshot(t, bytes, NULL);
	case TREPO_TARGETS:
		return trusted_targets(t, bytes, NULL);
	default:
		return trusted_delegated(t, r->role[f].name, bytes, NULL);
	}
}

/* Whatever was accepted, the agreement must be reached or refused in peace. */
static void agree(const struct world *w)
{
	struct desired got;

	if (director_read(&w->td, &w->dev, &got, NULL) < 0 || got.order == DESIRED_NOTHING)
		return;
	if (director_agree(&w->td, &w->ti, &w->dev, &got, NULL) == 0 &&
		got.n_rollback_to > LIMIT_ROLLBACK_TO)
		abort();
}

/* And so must the search, through whatever delegations are held now. */
static void seek(const struct trusted_set *t)
{
	static struct search s;
	struct search_at at;

	must(search_init(&s, PATH, NULL));
	if (search_step(&s, t, &at, NULL) < 0)
		return;
	if (s.n_asked > LIMIT_SEARCH_ROLES || s.n_edges > ARRAY_LEN(s.edges) ||
		(at.state == SEARCH_FOUND && hashes_is_empty(&at.file.hashes)))
		abort();
}

/* Back to what was published. */
static void restore(struct trepo *r, struct trusted_set *t, enum trepo_file f)
{
	if (f >= TREPO_ENGINEERING) {
		must(step(r, t, f, trepo_bytes(r, f)));
		return;
	}
	trusted_fini(t);
	trusted_init(t, TREPO_NOW);
	must(trepo_refresh(r, t, NULL));
}

static bool sign(struct trepo *r, enum trepo_file f, struct str text, struct buf *out)
{
	const struct sign_key *keys[] = {&r->role[f].keys[0], &r->role[f].keys[1]};
	JSON_AUTO *part = NULL;

	return json_read(text, LIMIT_TARGETS_BYTES, &part, NULL) == 0 &&
	       sign_meta(part, keys, r->role[f].n_keys, out, NULL) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct world *w;
	bool is_raw = n > 0 && p[0] >= '0' && p[0] <= '7';
	unsigned which = n > 0 ? (unsigned)(p[0] - (is_raw ? '0' : 'a')) : DIRECTOR + 1;
	BUF_AUTO file = {0};

	if (which > DIRECTOR)
		return 0;
	if (!w)
		w = world_new();

	struct trepo *r = which == DIRECTOR ? &w->director : &w->image;
	struct trusted_set *t = which == DIRECTOR ? &w->td : &w->ti;
	enum trepo_file f = which == DIRECTOR ? TREPO_TARGETS : (enum trepo_file)which;
	struct str rest = {(const char *)p + 1, n - 1};

	if (is_raw)
		buf_add(&file, rest.p, rest.n);
	else if (!sign(r, f, rest, &file))
		return 0;
	if (step(r, t, f, buf_str(&file)) == 0) {
		agree(w);
		seek(t);
		restore(r, t, f);
	}
	return 0;
}
