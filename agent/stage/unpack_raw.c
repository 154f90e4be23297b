#include "agent/stage/stage_priv.h"

static void tree_of(const struct artifact *a, bool executable, struct sha256 *out)
{
	BUF_AUTO line = {0};
	struct tree_entry file = {.kind = TREE_FILE,
		.executable = executable,
		.size = a->content_length,
		.digest = a->content_digest,
		.path = (char[]){"."}};
	struct tree t = {.v = &file, .n = 1, .cap = 1};

	tree_encode(&t, &line);
	digest_of(line.p, line.n, out);
}

int unpack_raw_mode(const struct artifact *a, bool *out_executable, struct err *e)
{
	struct sha256 is;

	for (int x = 0; x < 2; x++) {
		tree_of(a, x == 1, &is);
		if (!sha256_eq(&is, &a->tree))
			continue;
		*out_executable = x == 1;
		return 0;
	}
	return err_set(e, ERR_ALTERED, "the signed content does not make the signed tree");
}

int unpack_raw(struct pipe *from, struct slots *to, bool executable, uint64_t length, struct err *e)
{
	const struct slot_driver *d = slots_driver(to);
	const void *p;
	size_t n = 1;

	TRY(d->put_file(to, ".", executable, length, e));
	while (n > 0) {
		TRY(pipe_take(from, &p, &n, e));
		TRY(d->put_data(to, p, n, e));
	}
	return 0;
}
