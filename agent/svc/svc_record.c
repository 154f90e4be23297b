#include "agent/svc/svc_priv.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/json.h"

#define FILE_NAME "workload.json"
#define BOOT_MAX  64

/* Start times count from boot, so that a process is only named together with the boot it lived in.
 */
static void read_boot(char out[BOOT_MAX])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	size_t n = f ? fread(out, 1, BOOT_MAX - 1, f) : 0;

	if (f)
		fclose(f);
	out[n] = 0;
	out[strcspn(out, "\n")] = 0;
}

static int decode(const json_t *j, struct svc_record *r, struct err *e)
{
	static const char *const known[] = {
		"boot", "pid", "start", "slot", "ended", "restarts", "failed", "down", NULL};
	static const char *const slots[] = {"a", "b", "-"};
	uint64_t pid, start, ended, restarts;
	char boot[BOOT_MAX], now[BOOT_MAX];
	unsigned slot;

	TRY(json_only(j, FILE_NAME, known, e));
	TRY(json_text(j, FILE_NAME, "boot", boot, sizeof boot, e));
	TRY(json_u64(j, FILE_NAME, "pid", 0, INT32_MAX, &pid, e));
	TRY(json_u64(j, FILE_NAME, "start", 0, INT64_MAX, &start, e));
	TRY(json_u64(j, FILE_NAME, "ended", 0, UINT32_MAX, &ended, e));
	TRY(json_u64(j, FILE_NAME, "restarts", 0, UINT32_MAX, &restarts, e));
	TRY(json_choice(j, FILE_NAME, "slot", slots, ARRAY_LEN(slots), &slot, e));
	TRY(json_bool_opt(j, FILE_NAME, "failed", &r->failed, e));
	TRY(json_bool_opt(j, FILE_NAME, "down", &r->down, e));
	r->ended = (uint32_t)ended;
	read_boot(now);
	if (strcmp(now, boot) != 0) {
		r->failed = r->down = false;
		return 0;
	}
	r->id = (struct proc_id){.pid = (pid_t)pid, .start = start};
	r->slot = slot < SLOT_COUNT ? slot : SLOT_NONE;
	r->restarts = (uint32_t)restarts;
	return 0;
}

int svc_record_load(struct fs *run, struct svc_record *out, struct err *e)
{
	struct svc_record r = {.slot = SLOT_NONE};
	BUF_AUTO text = {0};
	JSON_AUTO *j = NULL;
	int rc = fs_read_file(run, FILE_NAME, 4096, &text, e);

	if (rc == -(int)ERR_NOT_FOUND) {
		*out = r;
		return 0;
	}
	TRY(rc);
	if (json_read(buf_str(&text), 4096, &j, e) < 0)
		return err_wrap(e, FILE_NAME);
	TRY(decode(j, &r, e));
	*out = r;
	return 0;
}

int svc_record_save(struct fs *run, const struct svc_record *r, struct err *e)
{
	char boot[BOOT_MAX];
	BUF_AUTO text = {0};
	JSON_AUTO *j = NULL;

	read_boot(boot);
	j = json_pack("{s:s, s:I, s:I, s:s, s:I, s:I, s:b, s:b}", "boot", boot, "pid",
		(json_int_t)r->id.pid, "start", (json_int_t)r->id.start, "slot",
		r->slot < SLOT_COUNT ? slot_name(r->slot) : "-", "ended", (json_int_t)r->ended,
		"restarts", (json_int_t)r->restarts, "failed", r->failed, "down", r->down);
	json_write(j, &text);
	buf_add_char(&text, '\n');
	return fs_write_file(run, FILE_NAME, text.p, text.n, 0640, e);
}
