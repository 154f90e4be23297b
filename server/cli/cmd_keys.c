/* backstay keys ... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/ceremony.h"
#include "keys/device_ca.h"
#include "lib/sys/clock.h"
#include "proto/trust/meta.h"
#include "server/cli/cli.h"
#include "server/cli/table.h"
#include "server/cli/trusted.h"

int cmd_KEYS_INIT(const struct cli *c, struct err *e)
{
	const char *dir = c->args[0];
	JSON_AUTO *answer = json_pack("{s:s}", "dir", dir);
	struct sha256 gates[LIMIT_GATES];
	unsigned n_gates = 0;
	char devices[512];

	TRY(trusted_gates(c, gates, &n_gates, e));
	TRY(ceremony_init_gated(dir, gates, n_gates, clock_system.wall(NULL) / 1000, e));
	snprintf(devices, sizeof devices, "%s/devices", dir);
	TRY(device_ca_create(devices, clock_system.wall(NULL) / 1000, e));
	if (cli_json(c, answer))
		return 0;
	printf("Made in %s:\n"
	       "  offline/  keys of both roots, of targets, and of the three parties that sign releases.\n"
	       "            Take each away to its owner; the server must never have them.\n"
	       "  online/   keys with which the server signs snapshots, timestamps and desired states.\n"
	       "  creator/  the key of whoever packs releases and asks the parties to approve them.\n"
	       "  evidence/ keys of builder, lab, counsel and verifier, who say what a release is worth.\n"
	       "  devices/  the authority that devices enrol with: [trust] device_ca of the server.\n"
	       "  repo/     the first signed files. Devices are provisioned with its two roots:\n"
	       "            backstay-agent --provision %s/repo\n"
	       "Next: backstay-server with [trust] repo = %s/repo and keys = %s/online\n",
		dir, dir, dir, dir);
	return 0;
}

/* ---- keys new ---- */

static int scheme_of(const struct cli *c, enum sig_scheme *out, struct err *e)
{
	const char *name = cli_value(c, CLI_OPT_SCHEME, sig_scheme_name(SIG_ECDSA_P256));

	for (enum sig_scheme s = 0; s < SIG_UNKNOWN; s++)
		if (strcmp(sig_scheme_name(s), name) == 0) {
			*out = s;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--scheme %s: unknown", name);
}

int cmd_KEYS_NEW(const struct cli *c, struct err *e)
{
	CLEANUP(keystore_free) struct keystore *ks = keystore_new();
	const char *dir = cli_value(c, CLI_OPT_KEYS, NULL);
	const struct sign_key *key;
	enum sig_scheme scheme = SIG_ECDSA_P256;
	JSON_AUTO *answer = NULL;

	if (!dir)
		return err_set(e, ERR_USAGE, "--keys DIR is needed: where the key file goes");
	TRY(scheme_of(c, &scheme, e));
	TRY(keystore_create(ks, dir, c->args[0], scheme, e));
	key = keystore_get(ks, c->args[0]);
	answer = json_pack("{s:s, s:s, s:s, s:o}", "name", key->name, "role", key->role, "keyid",
		key->keyid, "public", sign_key_public(key));
	if (!cli_json(c, answer))
		printf("%s/%s.pem: a key of the role %s, %s, id %s\n", dir, key->name, key->role,
			sig_scheme_name(key->pub.scheme), key->keyid);
	return 0;
}

int cmd_KEYS_DEVICES(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = json_pack("{s:s}", "dir", c->args[0]);

	TRY(device_ca_create(c->args[0], clock_system.wall(NULL) / 1000, e));
	if (!cli_json(c, answer))
		printf("Made in %s. Next: backstay-server with [trust] device_ca = %s\n",
			c->args[0], c->args[0]);
	return 0;
}

/* ---- keys show ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(
	const char *dir, const char *suffix, char ***out_names, size_t *out_n, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char **names = NULL;
	size_t n = 0;

	if (!d)
		return err_set(e, ERR_NOT_FOUND,
			"%s: no such folder; `backstay keys init` makes one", dir);
	while ((entry = readdir(d))) {
		size_t len = strlen(entry->d_name), k = strlen(suffix);

		if (len <= k || strcmp(entry->d_name + len - k, suffix) != 0)
			continue;
		names = mem_resize(names, (n + 1) * sizeof *names);
		names[n++] = mem_strdup(entry->d_name);
	}
	closedir(d);
	if (n)
		qsort(names, n, sizeof *names, by_name);
	*out_names = names;
	*out_n = n;
	return 0;
}

static void free_names(char **names, size_t n)
{
	while (n)
		free(names[--n]);
	free(names);
}

/* The part of the listing that one folder makes: a row per key. */
static int add_keys(const char *dir, const char *part, json_t *rows, struct err *e)
{
	char path[512], **names = NULL;
	size_t n = 0;

	snprintf(path, sizeof path, "%s/%s", dir, part);
	TRY(list(path, ".pem", &names, &n, e));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, json_pack("{s:s, s:s#}", "where", part, "name",
						    names[i], strlen(names[i]) - 4));
	free_names(names, n);
	return 0;
}

/* A row per signed file, with what it says of its own end. */
static int add_roles(const char *dir, const char *part, json_t *rows, struct err *e)
{
	char path[512], **names = NULL;
	size_t n = 0;

	snprintf(path, sizeof path, "%s/repo/%s", dir, part);
	TRY(list(path, ".json", &names, &n, e));
	for (size_t i = 0; i < n; i++) {
		JSON_AUTO *file = NULL;
		BUF_AUTO text = {0};
		char full[1024];
		const json_t *said;

		snprintf(full, sizeof full, "%s/%s", path, names[i]);
		if (cli_read(full, LIMIT_TARGETS_BYTES, &text, NULL) < 0 ||
			json_read(buf_str(&text), LIMIT_TARGETS_BYTES, &file, NULL) < 0)
			continue;
		said = json_object_get(file, "signed");
		json_array_append_new(
			rows, json_pack("{s:s, s:s, s:s}", "repository", part, "file", names[i],
				      "expires", cli_text(said, "expires")));
	}
	free_names(names, n);
	return 0;
}

int cmd_KEYS_SHOW(const struct cli *c, struct err *e)
{
	JSON_AUTO *answer = json_pack("{s:[], s:[]}", "keys", "files");
	json_t *keys = json_object_get(answer, "keys"), *files = json_object_get(answer, "files"),
	       *row;
	struct table t;
	size_t i;

	TRY(add_keys(c->args[0], "offline", keys, e));
	TRY(add_keys(c->args[0], "online", keys, e));
	TRY(add_keys(c->args[0], "creator", keys, e));
	TRY(add_keys(c->args[0], "evidence", keys, e));
	TRY(add_roles(c->args[0], "image", files, e));
	TRY(add_roles(c->args[0], "director", files, e));
	if (cli_json(c, answer))
		return 0;
	table_init(&t, "KEY|WHERE");
	json_array_foreach (keys, i, row) {
		table_cell(&t, "%s", cli_text(row, "name"));
		table_cell(&t, "%s", cli_text(row, "where"));
	}
	table_print(&t);
	table_fini(&t);
	puts("");
	table_init(&t, "REPOSITORY|FILE|EXPIRES");
	json_array_foreach (files, i, row) {
		table_cell(&t, "%s", cli_text(row, "repository"));
		table_cell(&t, "%s", cli_text(row, "file"));
		table_cell(&t, "%s", cli_text(row, "expires"));
	}
	table_print(&t);
	table_fini(&t);
	return 0;
}
