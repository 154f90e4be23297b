#include "server/cli/packed.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/wire/mute.h"
#include "server/cli/table.h"

double packed_mib(uint64_t bytes)
{
	return (double)bytes / 1048576.0;
}

int packed_document(const char *dir, char out[512], struct err *e)
{
	struct dirent *entry;
	unsigned n = 0;
	DIR *d = opendir(dir);

	if (!d)
		return err_set(e, ERR_NOT_FOUND,
			"%s: no such folder; `backstay release create` makes one", dir);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0) {
			snprintf(out, 512, "%s/%s", dir, entry->d_name);
			n++;
		}
	}
	closedir(d);
	if (n != 1)
		return err_set(
			e, ERR_BAD_INPUT, "%s: holds %u release documents, expected one", dir, n);
	return 0;
}

int packed_load(const char *path, struct buf *text, struct release **out, struct err *e)
{
	struct release *r = mem_new(sizeof *r);
	int rc = cli_read(path, LIMIT_RELEASE_BYTES, text, e);

	if (rc == 0)
		rc = release_parse(buf_str(text), r, e);
	if (rc < 0) {
		free(r);
		return err_wrap(e, "%s", path);
	}
	*out = r;
	return 0;
}

/* Which trigger, why it cannot speak, and what to do about it. */
static void put_mute(FILE *to, const char *before, const struct release *r)
{
	char why[MUTE_TEXT];

	for (unsigned i = 0; i < r->n_triggers; i++)
		if (mute_eval(r, i, why) != MUTE_NOT)
			fprintf(to, "%s%s\n", before, why);
}

int packed_vet(const char *path, struct buf *text, struct release **out, struct err *e)
{
	CLEANUP(mem_free) struct release *r = NULL;

	TRY(packed_load(path, text, &r, e));
	if (mute_check(r, e) < 0)
		return err_wrap(e, "%s", path);
	put_mute(stderr, "backstay: warning: takes nothing back: ", r);
	*out = r;
	r = NULL;
	return 0;
}

const char *packed_repo(const struct cli *c, char out[512])
{
	const char *keys = cli_value(c, CLI_OPT_KEYS, NULL);

	snprintf(out, 512, "%s/repo/image", keys ? keys : ".");
	return cli_value(c, CLI_OPT_REPO, out);
}

int packed_keys(struct keystore *ks, const struct cli *c, const char *part, struct err *e)
{
	const char *keys = cli_value(c, CLI_OPT_KEYS, NULL);
	char dir[512];

	if (!keys)
		return err_set(e, ERR_USAGE, "--keys DIR is needed: the folder of your key files");
	snprintf(dir, sizeof dir, "%s/%s", keys, part);
	return keystore_load(ks, access(dir, F_OK) == 0 ? dir : keys, e);
}

int packed_newest(const char *dir, const char *role, struct buf *out, struct err *e)
{
	char suffix[96], path[1024];
	uint64_t best = 0, version;
	struct dirent *entry;
	DIR *d = opendir(dir);

	if (!d)
		return err_set(
			e, ERR_NOT_FOUND, "%s: no such folder; --repo or --keys names it", dir);
	snprintf(suffix, sizeof suffix, ".%s.json", role);
	while ((entry = readdir(d))) {
		const char *dot = strchr(entry->d_name, '.');

		if (dot && strcmp(dot, suffix) == 0 &&
			str_to_u64((struct str){entry->d_name, (size_t)(dot - entry->d_name)}, 1,
				INT64_MAX, &version, NULL) == 0)
			best = MAX(best, version);
	}
	closedir(d);
	if (best == 0)
		return err_set(e, ERR_NOT_FOUND, "%s: no file of the role %s", dir, role);
	snprintf(path, sizeof path, "%s/%llu%s", dir, (unsigned long long)best, suffix);
	return cli_read(path, LIMIT_TARGETS_BYTES, out, e);
}

int packed_terms(const struct cli *c, struct release_terms *out, struct err *e)
{
	*out = (struct release_terms){0};
	TRY(cli_number(c, CLI_OPT_COUNTER, 1, INT64_MAX, 0, &out->counter, e));
	if (out->counter == 0 || c->n_values[CLI_OPT_HARDWARE] == 0)
		return err_set(e, ERR_USAGE,
			"--hardware ID and --counter N are needed: every party signs them");
	if (c->n_values[CLI_OPT_HARDWARE] > LIMIT_HARDWARE_IDS ||
		c->n_values[CLI_OPT_ROLLBACK_TO] > LIMIT_ROLLBACK_TO)
		return err_set(e, ERR_USAGE, "at most %d of --hardware and %d of --rollback-to",
			LIMIT_HARDWARE_IDS, LIMIT_ROLLBACK_TO);
	for (unsigned i = 0; i < c->n_values[CLI_OPT_HARDWARE]; i++)
		TRY(id_parse(str_of(c->values[CLI_OPT_HARDWARE][i]), "--hardware",
			out->hardware[out->n_hardware++], e));
	for (unsigned i = 0; i < c->n_values[CLI_OPT_ROLLBACK_TO]; i++)
		TRY(id_parse(str_of(c->values[CLI_OPT_ROLLBACK_TO][i]), "--rollback-to",
			out->rollback_to[out->n_rollback_to++].s, e));
	return 0;
}

static const char *unit_text(const struct trig_rule *r)
{
	static const char *const units[TRIG_UNIT_MAX] = {
		[TRIG_UNIT_COUNT] = " times", [TRIG_UNIT_SHARE] = " of all"};
	static const char *const others[TRIG_CMP_MAX] = {
		[TRIG_CMP_BASELINE] = " x the device's own value before the swap",
		[TRIG_CMP_CHAMPION] = " x the champion's value"};
	enum trig_kind kind = trig_kind(r);

	if (kind == TRIG_KIND_DISTANCE)
		return r->comparator == TRIG_CMP_TRAINING ? " from training (an alarm, no rollback)"
							  : " from the version before";
	if (kind == TRIG_KIND_SHIFT)
		return " of all away from the version before";
	if (others[r->comparator])
		return others[r->comparator];
	return units[trig_unit(r)] ? units[trig_unit(r)] : trig_unit_suffix(trig_unit(r));
}

static void print_rule(const struct trig_rule *r)
{
	printf("  %-14s %s\n", trig_type_name(r->type), trig_type_text(r->type));
	if (trig_kind(r) == TRIG_KIND_EVENT)
		return;
	printf("  %-14s ", "");
	if (trig_measure_of(r)->of[0])
		printf("%s, ", trig_measure_of(r)->of);
	if (r->metric[0])
		printf("%s%s%s", r->metric, r->total[0] ? " of " : "", r->total);
	if (trig_kind(r) == TRIG_KIND_QUANTILE)
		printf(", quantile %g", (double)r->quantile / 1000.0);
	if (r->n_edges)
		printf(", %s over %u bins", trig_distance_name(r->distance), r->n_edges + 1);
	printf("%slimit %g%s, windows of %g s, %u of %u bad, at least %llu samples in each",
		r->metric[0] ? ": " : "", r->threshold, unit_text(r), (double)r->window / 1000.0,
		r->hold_k, r->hold_m, (unsigned long long)r->min_samples);
	printf(r->sigma > 0 ? ", beyond %g sigma of chance\n" : "\n", r->sigma);
}

/* "power 50 (before install, swap): on mains, or ..." */
static void print_precondition(const struct precond_rule *r)
{
	const char *comma = "";

	printf("  %s", precond_type_name(r->type));
	if (r->mains)
		printf(" mains");
	if (r->limit)
		printf(" %llu", (unsigned long long)r->limit);
	for (unsigned i = 0; i < r->n_windows; i++) {
		char text[PRECOND_WINDOW_TEXT];

		precond_window_format(&r->windows[i], text);
		printf("%s %s", i ? "," : "", text);
	}
	printf(" (before ");
	for (unsigned p = PRECOND_DOWNLOAD; p <= PRECOND_SWAP; p <<= 1)
		if (r->before & p) {
			printf("%s%s", comma, precond_phase_name(p));
			comma = ", ";
		}
	printf("): %s\n", precond_type_text(r->type));
}

void packed_print(const struct release *r)
{
	struct table t;

	printf("%s (%s %s)\n%s\n\n", r->id.s, r->product, r->version, r->notes);
	table_init(&t, "COMPONENT|KIND|PLACE|TRANSFER|ON DEVICE|ARTIFACT");
	for (unsigned i = 0; i < r->n_components; i++) {
		const struct component *k = &r->components[i];
		char digest[SHA256_TEXT];

		sha256_format(&k->artifact.digest, digest);
		table_cell(&t, "%s", k->name);
		table_cell(&t, "%s", component_kind_name(k->kind));
		table_cell(&t, "%s", k->path);
		table_cell(&t, "%.1f MiB", packed_mib(k->artifact.length));
		table_cell(&t, "%.1f MiB", packed_mib(k->artifact.content_length));
		table_cell(&t, "%.12s", digest);
	}
	table_print(&t);
	table_fini(&t);
	printf("\nActivated by %s, %lld s to start, %lld s of soak\n",
		activation_name(r->activation), (long long)r->start_timeout / 1000,
		(long long)r->soak / 1000);
	for (unsigned i = 0; i < r->n_smoke; i++)
		printf("Smoke test %s: %s %s\n", r->smoke[i].name,
			r->smoke[i].kind == SMOKE_EXEC ? "runs" : "starts", r->smoke[i].argv[0]);
	puts("Taken back when:");
	for (unsigned i = 0; i < r->n_triggers; i++)
		print_rule(&r->triggers[i]);
	put_mute(stdout, "Takes nothing back: ", r);
	if (r->n_preconditions)
		puts("Waits until:");
	for (unsigned i = 0; i < r->n_preconditions; i++)
		print_precondition(&r->preconditions[i]);
}
