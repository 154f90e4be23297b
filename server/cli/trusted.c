#include "server/cli/trusted.h"

#include <stdio.h>

#include "keys/folder.h"
#include "lib/sys/clock.h"
#include "proto/wire/gate.h"

static int load(struct fs *fs, struct trusted_set *t, struct err *e)
{
	uint64_t oldest, newest;

	TRY(folder_load_roots(fs, t, e));
	TRY(trusted_roots_done(t, e));
	TRY(folder_span(fs, "targets", &oldest, &newest, e));
	TRY(folder_meta(fs, "targets", newest, &t->targets, e));
	t->has_targets = true;
	TRY(meta_check_signatures(&t->targets, &t->root, "targets", e));
	return meta_check_expiry(&t->targets, "targets", t->now_s, e);
}

int trusted_open(const struct cli *c, struct trusted_set *out, struct err *e)
{
	char buf[512];
	const char *dir = packed_repo(c, buf);
	struct fs fs;
	int rc;

	trusted_init(out, clock_system.wall(NULL) / 1000);
	TRY(fs_posix_open(dir, &fs, e));
	rc = load(&fs, out, e);
	fs_posix_close(&fs);
	return rc < 0 ? err_wrap(e, "%s", dir) : 0;
}

int trusted_document(
	const char *dir, char path[LIMIT_TARGET_NAME], struct sha256 *out, struct err *e)
{
	CLEANUP(mem_free) struct release *r = NULL;
	BUF_AUTO text = {0};
	char file[512];

	TRY(packed_document(dir, file, e));
	TRY(packed_load(file, &text, &r, e));
	digest_of(text.p, text.n, out);
	if (path)
		snprintf(path, LIMIT_TARGET_NAME, "%s/%s.json", r->product, r->id.s);
	return 0;
}

int trusted_gates(
	const struct cli *c, struct sha256 out[LIMIT_GATES], unsigned *out_n, struct err *e)
{
	CLEANUP(mem_free) struct gate *g = mem_new(sizeof *g);
	unsigned n = c->n_values[CLI_OPT_GATE];

	if (n > LIMIT_GATES)
		return err_set(e, ERR_USAGE, "at most %d of --gate", LIMIT_GATES);
	for (unsigned i = 0; i < n; i++) {
		const char *file = c->values[CLI_OPT_GATE][i];
		BUF_AUTO text = {0};

		TRY(cli_read(file, LIMIT_GATE_BYTES, &text, e));
		if (gate_parse(buf_str(&text), g, e) < 0)
			return err_wrap(e, "%s", file);
		digest_of(text.p, text.n, &out[i]);
	}
	*out_n = n;
	return 0;
}
