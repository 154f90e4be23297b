#include "keys/repo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *head_of(enum role_kind kind, struct repo_head head)
{
	char expires[21];

	time_format(head.expires_s, expires);
	return json_pack("{s:s, s:s, s:I, s:s}", "_type", role_kind_name(kind), "spec_version",
		REPO_SPEC_VERSION, "version", (json_int_t)head.version, "expires", expires);
}

/* {"keyids", "threshold"}; adds the keys themselves to `keys`. */
static json_t *signers_of(const struct repo_role *role, json_t *keys)
{
	json_t *ids = json_array();

	for (unsigned i = 0; i < role->n_keys; i++) {
		json_array_append_new(ids, json_string(role->keys[i]->keyid));
		json_object_set_new(keys, role->keys[i]->keyid, sign_key_public(role->keys[i]));
	}
	return json_pack("{s:o, s:i}", "keyids", ids, "threshold", (int)role->threshold);
}

static json_t *quorum_rule(void)
{
	json_t *all_of = json_array();

	for (size_t i = 0; i < DIRECTOR_MINIMUM; i++)
		json_array_append_new(all_of, json_string(director_minimum[i]));
	return json_pack("[{s:[s], s:o}]", "paths", "*/*", "all_of", all_of);
}

json_t *repo_root(
	struct repo_head head, const struct repo_role roles[ROLE_KIND_MAX], bool with_quorum)
{
	json_t *root = head_of(ROLE_ROOT, head), *keys = json_object(), *by_name = json_object();

	for (unsigned i = 0; i < ROLE_KIND_MAX; i++)
		json_object_set_new(by_name, roles[i].role, signers_of(&roles[i], keys));
	json_object_set_new(root, "consistent_snapshot", json_true());
	json_object_set_new(root, "keys", keys);
	json_object_set_new(root, "roles", by_name);
	if (with_quorum)
		json_object_set_new(root, "x-backstay-quorum", quorum_rule());
	return root;
}

void repo_root_add_time(json_t *root, const struct repo_role *role)
{
	json_object_set_new(root, TIMETOKEN_TYPE, signers_of(role, json_object_get(root, "keys")));
}

void repo_root_add_audit(json_t *root, const struct repo_role *role)
{
	json_object_set_new(root, AUDITLOG_TYPE, signers_of(role, json_object_get(root, "keys")));
}

json_t *repo_delegating(struct repo_head head, const struct repo_role *roles, unsigned n)
{
	json_t *targets = repo_targets(head), *keys = json_object(), *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_t *role = signers_of(&roles[i], keys);

		json_object_set_new(role, "name", json_string(roles[i].role));
		json_object_set_new(role, "paths", json_pack("[s]", "*/*"));
		json_object_set_new(role, "terminating", json_false());
		json_array_append_new(list, role);
	}
	json_object_set_new(
		targets, "delegations", json_pack("{s:o, s:o}", "keys", keys, "roles", list));
	return targets;
}

static json_t *types_of(const struct repo_witness *w)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < w->n_kinds; i++)
		json_array_append_new(list, json_string(predicate_type(w->kinds[i])));
	return list;
}

static json_t *gates_of(const struct sha256 *gates, unsigned n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		char hex[SHA256_TEXT];

		sha256_format(&gates[i], hex);
		json_array_append_new(
			list, json_pack("{s:[s], s:[s]}", "paths", "*/*", "policies", hex));
	}
	return list;
}

void repo_set_witnesses(json_t *targets, const struct repo_witness *witnesses, unsigned n,
	const struct sha256 *gates, unsigned n_gates)
{
	json_t *keys = json_object(), *roles = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_t *role = signers_of(&witnesses[i].who, keys);

		json_object_set_new(role, "name", json_string(witnesses[i].who.role));
		json_object_set_new(role, "predicateTypes", types_of(&witnesses[i]));
		json_array_append_new(roles, role);
	}
	json_object_set_new(targets, "x-backstay-evidence",
		json_pack("{s:o, s:o, s:o}", "keys", keys, "roles", roles, "gates",
			gates_of(gates, n_gates)));
}

int repo_set_gates(json_t *targets, const struct sha256 *gates, unsigned n_gates, struct err *e)
{
	json_t *rule = json_object_get(targets, "x-backstay-evidence");

	if (!json_is_object(rule))
		return err_set(e, ERR_NOT_FOUND,
			"targets name nobody who may give evidence, so no gate could be passed");
	json_object_set_new(rule, "gates", gates_of(gates, n_gates));
	return 0;
}

static bool is_listed(const json_t *types, const char *type)
{
	const json_t *one;
	size_t i;

	json_array_foreach (types, i, one)
		if (strcmp(json_string_value(one), type) == 0)
			return true;
	return false;
}

int repo_let_attest(json_t *targets, const char *role, enum predicate kind, struct err *e)
{
	json_t *rule = json_object_get(targets, "x-backstay-evidence"), *one, *types;
	size_t i;

	json_array_foreach (json_object_get(rule, "roles"), i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (!name || strcmp(name, role) != 0)
			continue;
		types = json_object_get(one, "predicateTypes");
		if (!is_listed(types, predicate_type(kind)))
			json_array_append_new(types, json_string(predicate_type(kind)));
		return 0;
	}
	return err_set(e, ERR_NOT_FOUND, "targets name no %.32s who gives evidence", role);
}

void repo_demand_evidence(json_t *root)
{
	json_object_set_new(root, "x-backstay-evidence", json_pack("[{s:[s]}]", "paths", "*/*"));
}

json_t *repo_targets(struct repo_head head)
{
	json_t *targets = head_of(ROLE_TARGETS, head);

	json_object_set_new(targets, "targets", json_object());
	return targets;
}

static json_t *hashes_of(const struct sha256 *hash)
{
	char hex[SHA256_TEXT];

	sha256_format(hash, hex);
	return json_pack("{s:s}", "sha256", hex);
}

void repo_targets_add(json_t *targets, const struct target *t)
{
	json_t *entry = json_pack(
		"{s:I, s:o}", "length", (json_int_t)t->length, "hashes", hashes_of(&t->hash));
	char hex[HASHES_TEXT];

	if (t->has_hash512) {
		hex_encode(t->hash512.b, sizeof t->hash512.b, hex);
		json_object_set_new(json_object_get(entry, "hashes"), "sha512", json_string(hex));
	}
	if (t->match)
		json_object_set_new(
			entry, "custom", json_pack("{s:o}", "match", json_deep_copy(t->match)));
	json_object_set_new(json_object_get(targets, "targets"), t->path, entry);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int by_type_and_hash(const void *a, const void *b)
{
	const struct evidence_ref *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	return order ? order : memcmp(x->hash.b, y->hash.b, sizeof x->hash.b);
}

void repo_set_evidence(json_t *match, struct evidence_list sorted)
{
	json_t *list = json_array();

	qsort(sorted.v, sorted.n, sizeof sorted.v[0], by_type_and_hash);
	for (unsigned i = 0; i < sorted.n; i++) {
		char hex[SHA256_TEXT];

		sha256_format(&sorted.v[i].hash, hex);
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:s}", "predicateType", sorted.v[i].type,
				      "length", (json_int_t)sorted.v[i].length, "sha256", hex));
	}
	json_object_set_new(match, "evidence", list);
}

json_t *repo_match(const struct repo_match *m)
{
	json_t *hardware = json_array(), *back = json_array(), *match;
	struct repo_match sorted = *m;

	qsort(sorted.hardware, m->n_hardware, sizeof sorted.hardware[0], by_text);
	for (unsigned i = 0; i < m->n_hardware; i++)
		json_array_append_new(hardware, json_string(sorted.hardware[i]));
	for (unsigned i = 0; i < m->n_rollback_to; i++) {
		char hex[SHA256_TEXT];

		sha256_format(&m->rollback_to[i].hash, hex);
		json_array_append_new(back,
			json_pack("{s:s, s:s}", "path", m->rollback_to[i].path, "sha256", hex));
	}
	match = json_pack("{s:o, s:I, s:o}", "hardwareIds", hardware, "releaseCounter",
		(json_int_t)m->counter, "rollbackTo", back);
	if (m->evidence.n)
		repo_set_evidence(match, m->evidence);
	if (!sha256_is_zero(&m->creator)) {
		char hex[SHA256_TEXT];

		sha256_format(&m->creator, hex);
		json_object_set_new(match, "creator", json_string(hex));
	}
	return match;
}

json_t *repo_director_targets(struct repo_head head, const struct dev_id *device,
	const struct camp_id *campaign, enum desired_order order, const struct target *t)
{
	json_t *targets = repo_targets(head);

	json_object_set_new(targets, "x-backstay",
		json_pack("{s:s, s:s, s:s}", "device", device->s, "campaign", campaign->s, "order",
			desired_order_name(t ? order : DESIRED_NOTHING)));
	if (t)
		repo_targets_add(targets, t);
	return targets;
}

void repo_director_plan(json_t *targets, const struct repo_plan *plan)
{
	json_t *x = json_object_get(targets, "x-backstay");

	if (plan->image_root)
		json_object_set_new(x, "imageRepo",
			json_pack("{s:I, s:I}", "root", (json_int_t)plan->image_root, "snapshot",
				(json_int_t)plan->image_snapshot));
	if (plan->offline)
		json_object_set_new(x, "offline", json_true());
}

json_t *repo_timetoken(const struct timetoken *t)
{
	char time[21];

	time_format(t->time_s, time);
	return json_pack("{s:s, s:s, s:s, s:s, s:I}", "_type", TIMETOKEN_TYPE, "device",
		t->device.s, "nonce", t->nonce, "time", time, "timestamp",
		(json_int_t)t->timestamp);
}

json_t *repo_checkpoint(const struct auditlog_checkpoint *c)
{
	char time[21], hex[SHA256_TEXT];

	time_format(c->time_s, time);
	sha256_format(&c->chain, hex);
	return json_pack("{s:s, s:I, s:s, s:s}", "_type", AUDITLOG_TYPE, "n", (json_int_t)c->n,
		"chain", hex, "time", time);
}

void repo_pin_of(const char *file, uint64_t version, struct str bytes, struct repo_pin *out)
{
	snprintf(out->file, sizeof out->file, "%s", file);
	out->version = version;
	out->length = bytes.n;
	digest_of(bytes.p, bytes.n, &out->hash);
}

static json_t *pins_of(const struct repo_pin *pins, unsigned n)
{
	json_t *list = json_object();

	for (unsigned i = 0; i < n; i++)
		json_object_set_new(list, pins[i].file,
			json_pack("{s:I, s:I, s:o}", "version", (json_int_t)pins[i].version,
				"length", (json_int_t)pins[i].length, "hashes",
				hashes_of(&pins[i].hash)));
	return list;
}

json_t *repo_snapshot(struct repo_head head, const struct repo_pin *pins, unsigned n)
{
	json_t *snapshot = head_of(ROLE_SNAPSHOT, head);

	json_object_set_new(snapshot, "meta", pins_of(pins, n));
	return snapshot;
}

json_t *repo_timestamp(struct repo_head head, const struct repo_pin *snapshot)
{
	json_t *timestamp = head_of(ROLE_TIMESTAMP, head);

	json_object_set_new(timestamp, "meta", pins_of(snapshot, 1));
	return timestamp;
}
