#include "agent/health/health_priv.h"

#include <stdio.h>
#include <string.h>

#include "lib/sys/proc.h"

static const struct {
	const char *folder;
	bool required;
} kinds[] = {{"required.d", true}, {"wanted.d", false}};

void health_round_fini(struct health_round *r)
{
	for (unsigned i = 0; i < r->n; i++)
		buf_fini(&r->v[i].output);
	*r = (struct health_round){0};
}

/* ---- one check ---- */

/* The last line of what it said is worth the most. */
static struct str last_line(const struct buf *output)
{
	struct str s = buf_str(output);
	size_t begin;

	while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	for (begin = s.n; begin > 0 && s.p[begin - 1] != '\n'; begin--)
		;
	return (struct str){s.p + begin, s.n - begin};
}

static void judge(struct health_check *c, const struct health_in *in, const struct proc_result *r)
{
	char line[96];
	struct str said = last_line(&r->output);
	size_t n;

	c->ok = !r->timed_out && r->signal == 0 && r->exit == 0;
	if (c->ok)
		return;
	if (r->timed_out)
		snprintf(c->text, sizeof c->text, "not done within %.1f s",
			(double)in->timeout / 1000);
	else if (r->signal)
		snprintf(c->text, sizeof c->text, "ended by signal %d", r->signal);
	else
		snprintf(c->text, sizeof c->text, "exit %d", r->exit);
	n = strlen(c->text);
	if (said.n)
		snprintf(c->text + n, sizeof c->text - n, ": %s",
			str_printable(said, line, sizeof line));
	buf_add(&c->output, r->output.p, r->output.n);
}

static int run_program(
	const struct health_in *in, const char *path, struct health_check *c, struct err *e)
{
	char slot[320], release[96];
	const char *argv[] = {path, NULL}, *env[] = {slot, release, NULL};
	struct proc_spec spec = {
		.argv = argv, .env = env, .timeout = in->timeout, .max_output = HEALTH_OUTPUT_MAX};
	struct proc_result r = {0};
	struct err why = {0};

	snprintf(slot, sizeof slot, "BACKSTAY_SLOT_DIR=%s", in->slot_dir);
	snprintf(release, sizeof release, "BACKSTAY_RELEASE=%s", in->release);
	if (proc_run(&spec, in->cancel, &r, &why) < 0) {
		snprintf(c->text, sizeof c->text, "%.*s", (int)sizeof c->text - 1, why.text);
		return 0;
	}
	judge(c, in, &r);
	buf_fini(&r.output);
	return r.cancelled ? err_set(e, ERR_CANCELLED, "cancelled in %s", c->name) : 0;
}

/* ---- a round ---- */

static struct health_check *add(struct health_round *r, bool required)
{
	struct health_check *c = &r->v[r->n++];

	*c = (struct health_check){.required = required};
	return c;
}

static void add_trouble(struct health_round *r, const char *name, const struct err *why)
{
	struct health_check *c = add(r, true);

	snprintf(c->name, sizeof c->name, "%s", name);
	snprintf(c->text, sizeof c->text, "%.*s", (int)sizeof c->text - 1, why->text);
}

/* One place is kept for what could not be run. */
static int run_files(const struct health_in *in, unsigned kind, const struct health_files *files,
	struct health_round *r, struct err *e)
{
	for (size_t i = 0; i < files->n; i++) {
		struct err why;

		if (r->n == HEALTH_CHECKS_MAX - 1) {
			(void)err_set(&why, ERR_TOO_LARGE, "there are more than %d checks",
				HEALTH_CHECKS_MAX - 1);
			add_trouble(r, kinds[kind].folder, &why);
			return 0;
		}
		struct health_check *c = add(r, kinds[kind].required);

		snprintf(c->name, sizeof c->name, "%s/%.48s", kinds[kind].folder, files->v[i].name);
		TRY(run_program(in, files->v[i].path, c, e));
	}
	return 0;
}

static int run_kind(
	const struct health_in *in, unsigned kind, struct health_round *r, struct err *e)
{
	struct health_files files CLEANUP(health_files_fini) = {.n = 0};
	struct err why;

	if (r->n == HEALTH_CHECKS_MAX)
		return 0;
	if (health_files_list(in->dirs, kinds[kind].folder, &files, &why) == 0)
		return run_files(in, kind, &files, r, e);
	add_trouble(r, kinds[kind].folder, &why);
	return 0;
}

int health_run(const struct health_in *in, struct health_round *out, struct err *e)
{
	struct health_round r = {0};

	for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
		int rc = run_kind(in, k, &r, e);

		if (rc == 0)
			continue;
		health_round_fini(&r);
		return rc;
	}
	for (unsigned i = 0; i < r.n; i++)
		r.failed += r.v[i].required && !r.v[i].ok;
	*out = r;
	return 0;
}
