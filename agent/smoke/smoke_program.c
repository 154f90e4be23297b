#include "agent/smoke/smoke_priv.h"

#include <stdio.h>
#include <string.h>

#define OUTPUT_MAX 16384
#define FILE_MAX   (256ULL << 20) /* one file that a test may write into its temporary folder */
#define LAST_LINE  120

void smoke_program_init(struct smoke_program *p, const struct smoke_in *in,
	const struct smoke_test *test, unsigned port)
{
	*p = (struct smoke_program){0};
	for (unsigned i = 0; i < test->argc; i++)
		p->argv[i] = test->argv[i];
	snprintf(p->slot, sizeof p->slot, "BACKSTAY_SLOT_DIR=%s", in->slot_dir);
	snprintf(p->tmp, sizeof p->tmp, "TMPDIR=%s", in->tmp_dir);
	snprintf(p->home, sizeof p->home, "HOME=%s", in->tmp_dir);
	snprintf(p->port, sizeof p->port, "BACKSTAY_PORT=%u", port);
	p->env[0] = p->slot;
	p->env[1] = p->tmp;
	p->env[2] = p->home;
	snprintf(
		p->device, sizeof p->device, "BACKSTAY_SLOT_DEVICE=%s", in->image ? in->image : "");
	unsigned n = 3;

	if (in->image)
		p->env[n++] = p->device;
	if (port)
		p->env[n++] = p->port;
	p->spec = (struct proc_spec){
		.argv = p->argv,
		.env = p->env,
		.dir = in->slot_dir,
		.protect = in->slot_dir,
		.image = in->image && *in->filesystem ? in->image : NULL,
		.image_type = in->filesystem,
		.timeout = test->timeout,
		.max_memory = test->max_memory ? test->max_memory : in->max_memory,
		.max_files_size = FILE_MAX,
		.uid = in->uid,
		.gid = in->gid,
		.max_output = OUTPUT_MAX,
	};
}

/* The last line of what it said, printable, for the error's text. */
static void last_line(const struct buf *output, char out[LAST_LINE])
{
	struct str text = buf_str(output);
	size_t begin, n;

	while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	for (begin = text.n; begin > 0 && text.p[begin - 1] != '\n'; begin--)
		;
	n = MIN(text.n - begin, (size_t)LAST_LINE - 1);
	for (size_t i = 0; i < n; i++) {
		char c = text.p[begin + i];

		out[i] = c < ' ' || c > '~' ? '?' : c;
	}
	out[n] = 0;
}

int smoke_program_judge(const struct smoke_test *test, const struct proc_result *r, struct err *e)
{
	char line[LAST_LINE];
	const char *colon;

	if (r->cancelled)
		return err_set(e, ERR_CANCELLED, "cancelled in a smoke test");
	last_line(&r->output, line);
	colon = line[0] ? ": " : "";
	if (r->timed_out)
		return err_set(e, ERR_SMOKE_FAILED, "not done within %.1f s%s%s",
			(double)test->timeout / 1000, colon, line);
	if (r->signal)
		return err_set(e, ERR_SMOKE_FAILED, "ended by signal %d (%s)%s%s", r->signal,
			strsignal(r->signal), colon, line);
	if (r->exit != 0)
		return err_set(e, ERR_SMOKE_FAILED, "exit %d%s%s", r->exit, colon, line);
	return 0;
}
