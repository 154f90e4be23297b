/* Time tokens and the stored time floor. The first byte chooses: '0' hands the rest to the verifier
 * as it is, '1' takes it for what the right key signed, '2' for a stored floor. */
#include <stdlib.h>

#include "proto/trust/timebase.h"
#include "tests/lib/trepo.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct world {
	struct trepo director;
	struct trusted_set set;
	struct sign_key key;
};

static struct world *world_new(void)
{
	struct world *w = mem_new(sizeof *w);
	const struct sign_key *keys[] = {&w->key};
	struct repo_role role = {"time", 1, 1, keys};

	trepo_init(&w->director, TREPO_DIRECTOR, TREPO_NOW);
	trusted_init(&w->set, TREPO_NOW);
	if (sign_key_new("director-time", SIG_ECDSA_P256, &w->key, NULL) < 0)
		abort();
	repo_root_add_time(w->director.role[TREPO_ROOT].part, &role);
	trepo_sign(&w->director, TREPO_ROOT);
	if (trusted_load_root(&w->set, trepo_bytes(&w->director, TREPO_ROOT), NULL) < 0)
		abort();
	return w;
}

static bool sign(const struct world *w, struct str text, struct buf *out)
{
	const struct sign_key *keys[] = {&w->key};
	JSON_AUTO *part = NULL;

	return json_read(text, LIMIT_TIMETOKEN_BYTES, &part, NULL) == 0 &&
	       sign_meta(part, keys, 1, out, NULL) == 0;
}

static void verify(const struct world *w, struct str bytes, bool is_signed)
{
	static const struct dev_id dev = {"dev-1"};
	static const char nonce[NONCE_TEXT] = "00112233445566778899aabbccddeeff";
	struct timetoken t;

	if (timetoken_verify(&w->set.root, bytes, &dev, nonce, &t, NULL) == 0 &&
		(!is_signed || t.time_s < 0))
		abort(); /* nobody has signed what came as it is */
}

static void floor_of(struct str text)
{
	struct signed_time t, again;
	BUF_AUTO out = {0};

	if (timebase_parse(text, &t, NULL) < 0)
		return;
	timebase_format(&t, &out);
	if (timebase_parse(buf_str(&out), &again, NULL) < 0 || again.s != t.s)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct world *w;
	struct str rest = {(const char *)p + 1, n - 1};
	BUF_AUTO file = {0};

	if (n == 0 || p[0] < '0' || p[0] > '2')
		return 0;
	if (!w)
		w = world_new();
	if (p[0] == '0')
		verify(w, rest, false);
	else if (p[0] == '2')
		floor_of(rest);
	else if (sign(w, rest, &file))
		verify(w, buf_str(&file), true);
	return 0;
}
