/* A device's file: written anew beside the old one and renamed. It is not synced: processes are
 * killed here, machines are not, and a thousand devices would share the one disk that the server
 * under test syncs to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proto/wire/json.h"
#include "tests/bench/fleet/device.h"

#define FILE_MAX ((size_t)64 * 1024)

static json_t *reports_of(const struct device *d)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < d->n_queue; i++)
		json_array_append_new(
			list, json_pack("{s:I, s:b, s:s}", "seq", (json_int_t)d->queue[i].seq,
				      "ends", d->queue[i].ends, "text", d->queue[i].text));
	return list;
}

static int write_file(const char *path, const struct buf *text, struct err *e)
{
	char fresh[400];
	int fd, rc;

	snprintf(fresh, sizeof fresh, "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_sys(e, errno, "%s", fresh);
	rc = write(fd, text->p, text->n) == (ssize_t)text->n ? 0 : -1;
	close(fd);
	if (rc < 0 || rename(fresh, path) < 0)
		return err_sys(e, errno, "%s", path);
	return 0;
}

int device_save(struct device *d, struct err *e)
{
	char running[SHA256_TEXT], target[SHA256_TEXT], path[300];
	JSON_AUTO *o = NULL;
	BUF_AUTO text = {0};

	sha256_format(&d->running_digest, running);
	sha256_format(&d->target_digest, target);
	o = json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:o}", "seq", (json_int_t)d->seq,
		"seen", (json_int_t)d->director_seen, "stage", (json_int_t)d->stage, "running",
		d->running.s, "running_digest", running, "target", d->target.s, "target_digest",
		target, "campaign", d->campaign.s, "reports", reports_of(d));
	json_write(o, &text);
	snprintf(path, sizeof path, "%s/%s.json", d->herd->conf->home, d->id.s);
	return write_file(path, &text, e);
}

static int load_reports(struct device *d, const json_t *list, struct err *e)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		struct waiting *w = &d->queue[d->n_queue];
		const char *text = json_string_value(json_object_get(one, "text"));

		if (!text)
			return err_set(e, ERR_BAD_INPUT, "a report without text");
		TRY(json_u64(one, "report", "seq", 1, INT64_MAX, &w->seq, e));
		TRY(json_bool_opt(one, "report", "ends", &w->ends, e));
		w->text = mem_strdup(text);
		d->n_queue++;
	}
	return 0;
}

static int parse(struct device *d, const json_t *o, struct err *e)
{
	const json_t *list;
	uint64_t stage;

	TRY(json_u64(o, "device", "seq", 0, INT64_MAX, &d->seq, e));
	TRY(json_u64(o, "device", "seen", 0, INT64_MAX, &d->director_seen, e));
	TRY(json_u64(o, "device", "stage", 0, 100, &stage, e));
	d->stage = (unsigned)stage;
	TRY(json_text(o, "device", "running", d->running.s, sizeof d->running.s, e));
	TRY(json_digest(o, "device", "running_digest", &d->running_digest, e));
	TRY(json_text(o, "device", "target", d->target.s, sizeof d->target.s, e));
	TRY(json_digest(o, "device", "target_digest", &d->target_digest, e));
	TRY(json_text(o, "device", "campaign", d->campaign.s, sizeof d->campaign.s, e));
	TRY(json_arr(o, "device", "reports", DEVICE_REPORTS, &list, e));
	return load_reports(d, list, e);
}

bool device_load(struct device *d)
{
	JSON_AUTO *o = NULL;
	BUF_AUTO text = {0};
	char name[64];
	struct err e;

	snprintf(name, sizeof name, "%s.json", d->id.s);
	return fs_read_file(&d->herd->home, name, FILE_MAX, &text, &e) == 0 &&
	       json_read(buf_str(&text), FILE_MAX, &o, &e) == 0 && parse(d, o, &e) == 0;
}
