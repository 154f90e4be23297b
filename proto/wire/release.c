#include "proto/wire/release.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/release_priv.h"

static const char *const kind_names[] = {"model", "code", "config", "image"};
static const char *const compression_names[] = {"none", "zstd"};
static const char *const archive_names[] = {"raw", "tar"};
static const char *const activation_names[] = {"restart", "reload"};
static const char *const strategy_names[] = {"swap", "shadow"};
static const char *const smoke_names[] = {"exec", "http"};

#define WHERE_MAX 48

/* ---- components ---- */

/* What is not compressed is its own content, and may say so or not. */
static int content_parse(const json_t *j, const char *where, struct artifact *a, struct err *e)
{
	bool plain = a->compression == COMPRESSION_NONE;

	a->content_digest = a->digest;
	a->content_length = a->length;
	if (!plain || json_object_get(j, "content_digest"))
		TRY(json_digest(j, where, "content_digest", &a->content_digest, e));
	if (!plain || json_object_get(j, "content_length"))
		TRY(json_u64(j, where, "content_length", 0, LIMIT_ARTIFACT_BYTES,
			&a->content_length, e));
	if (plain && (!sha256_eq(&a->content_digest, &a->digest) || a->content_length != a->length))
		return err_set(e, ERR_BAD_INPUT,
			"%s: the content differs from the artifact, but nothing is compressed",
			where);
	return 0;
}

static int artifact_parse(const json_t *j, const char *where, struct artifact *out, struct err *e)
{
	static const char *const known[] = {"digest", "length", "compression", "archive",
		"content_digest", "content_length", "tree", NULL};
	unsigned compression = COMPRESSION_NONE, archive = ARCHIVE_RAW;
	struct artifact a = {0};

	TRY(json_only(j, where, known, e));
	TRY(json_digest(j, where, "digest", &a.digest, e));
	TRY(json_u64(j, where, "length", 0, LIMIT_ARTIFACT_BYTES, &a.length, e));
	TRY(json_choice_opt(
		j, where, "compression", compression_names, COMPRESSION_MAX, &compression, e));
	TRY(json_choice_opt(j, where, "archive", archive_names, ARCHIVE_FORM_MAX, &archive, e));
	a.compression = (enum compression)compression;
	a.archive = (enum archive_form)archive;
	TRY(content_parse(j, where, &a, e));
	TRY(json_digest(j, where, "tree", &a.tree, e));
	*out = a;
	return 0;
}

static int filesystem_parse(const json_t *j, const char *where, struct component *c, struct err *e)
{
	const char *names[FSIMAGE_MAX];
	unsigned what = FSIMAGE_NONE;

	for (unsigned i = 0; i < FSIMAGE_MAX; i++)
		names[i] = fsimage_name(i);
	TRY(json_choice_opt(j, where, "filesystem", names, FSIMAGE_MAX, &what, e));
	if (what != FSIMAGE_NONE && c->artifact.archive != ARCHIVE_RAW)
		return err_set(e, ERR_BAD_INPUT, "%s.filesystem: an archive has none", where);
	c->filesystem = what;
	return 0;
}

static int component_parse(const json_t *j, const char *where, struct component *c, struct err *e)
{
	static const char *const known[] = {"name", "kind", "path", "filesystem", "artifact", NULL};
	char inner[WHERE_MAX + 16];
	const json_t *artifact;
	unsigned kind;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_only(j, where, known, e));
	TRY(json_id(j, where, "name", c->name, e));
	TRY(json_choice(j, where, "kind", kind_names, COMPONENT_KIND_MAX, &kind, e));
	c->kind = (enum component_kind)kind;
	TRY(json_text(j, where, "path", c->path, sizeof c->path, e));
	if (path_check(str_of(c->path), sizeof c->path - 1, e) < 0)
		return err_wrap(e, "%s.path", where);
	TRY(json_obj(j, where, "artifact", &artifact, e));
	snprintf(inner, sizeof inner, "%s.artifact", where);
	TRY(artifact_parse(artifact, inner, &c->artifact, e));
	return filesystem_parse(j, where, c, e);
}

static int component_fits(
	const struct release *r, const char *where, const struct component *c, struct err *e)
{
	for (unsigned i = 0; i < r->n_components; i++) {
		const struct component *o = &r->components[i];

		if (strcmp(o->name, c->name) == 0)
			return err_set(
				e, ERR_BAD_INPUT, "%s: the name %s stands twice", where, c->name);
		if (path_overlaps(o->path, c->path))
			return err_set(e, ERR_BAD_INPUT, "%s: its path overlaps with that of %s",
				where, o->name);
	}
	return 0;
}

static int components_parse(const json_t *j, struct release *r, struct err *e)
{
	const json_t *list;

	TRY(json_arr(j, "release", "components", LIMIT_COMPONENTS, &list, e));
	if (json_array_size(list) == 0)
		return err_set(e, ERR_BAD_INPUT, "release.components is empty");
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct component *c = &r->components[i];
		char where[WHERE_MAX];

		snprintf(where, sizeof where, "release.components[%zu]", i);
		TRY(component_parse(json_array_get(list, i), where, c, e));
		TRY(component_fits(r, where, c, e));
		r->n_components++;
	}
	return 0;
}

/* ---- smoke tests ---- */

static int smoke_http_parse(const json_t *j, const char *where, struct smoke_test *s, struct err *e)
{
	uint64_t status = 200;

	TRY(json_text(j, where, "path", s->path, sizeof s->path, e));
	TRY(release_url_path_check(s->path, where, "path", e));
	TRY(json_u64_opt(j, where, "expect_status", 100, 599, &status, e));
	s->expect_status = (uint32_t)status;
	return json_text_opt(j, where, "expect_body", s->expect_body, sizeof s->expect_body, e);
}

static int smoke_parse(const json_t *j, const char *where, struct smoke_test *s, struct err *e)
{
	static const char *const exec_members[] = {
		"name", "kind", "argv", "timeout_ms", "max_memory", NULL};
	static const char *const http_members[] = {"name", "kind", "argv", "timeout_ms",
		"max_memory", "path", "expect_status", "expect_body", NULL};
	unsigned kind;

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "%s: an object is wanted", where);
	TRY(json_id(j, where, "name", s->name, e));
	TRY(json_choice(j, where, "kind", smoke_names, SMOKE_KIND_MAX, &kind, e));
	s->kind = (enum smoke_kind)kind;
	TRY(json_only(j, where, s->kind == SMOKE_HTTP ? http_members : exec_members, e));
	TRY(release_argv_parse(j, where, s->argv, &s->argc, e));
	s->timeout = SEC(30);
	TRY(json_span_opt(j, where, "timeout_ms", 1, &s->timeout, e));
	TRY(json_u64_opt(j, where, "max_memory", 0, LIMIT_ARTIFACT_BYTES, &s->max_memory, e));
	return s->kind == SMOKE_HTTP ? smoke_http_parse(j, where, s, e) : 0;
}

static int smokes_parse(const json_t *j, struct release *r, struct err *e)
{
	const json_t *list;

	if (!json_object_get(j, "smoke"))
		return 0;
	TRY(json_arr(j, "release", "smoke", LIMIT_SMOKE_TESTS, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct smoke_test *s = &r->smoke[i];
		char where[WHERE_MAX];

		snprintf(where, sizeof where, "release.smoke[%zu]", i);
		TRY(smoke_parse(json_array_get(list, i), where, s, e));
		for (size_t k = 0; k < i; k++)
			if (strcmp(r->smoke[k].name, s->name) == 0)
				return err_set(e, ERR_BAD_INPUT, "%s: the name %s stands twice",
					where, s->name);
		r->n_smoke++;
	}
	return 0;
}

/* ---- triggers ---- */

/* Two budgets for latency make sense, two orders to go back when a start failed do not. */
static bool is_repeated(const struct release *r, const struct trig_rule *t)
{
	for (unsigned i = 0; i < r->n_triggers; i++) {
		const struct trig_rule *x = &r->triggers[i];

		if (x->type == t->type && x->of == t->of && strcmp(x->zone, t->zone) == 0 &&
			trig_source(t) != TRIG_SRC_METRICS)
			return true;
	}
	return false;
}

static int triggers_parse(const json_t *j, struct release *r, struct err *e)
{
	const json_t *list;

	if (!json_object_get(j, "triggers"))
		return 0;
	TRY(json_arr(j, "release", "triggers", LIMIT_TRIGGERS, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct trig_rule *t = &r->triggers[i];
		char where[WHERE_MAX];

		snprintf(where, sizeof where, "release.triggers[%zu]", i);
		TRY(trig_rule_parse(json_array_get(list, i), where, t, e));
		if (is_repeated(r, t))
			return err_set(e, ERR_BAD_INPUT, "%s: a second trigger of type %s", where,
				trig_type_name(t->type));
		t->grace = r->start_timeout;
		r->n_triggers++;
	}
	return 0;
}

/* ---- preconditions ---- */

/* The same type may stand twice: one window for the download, another for the swap. */
static int preconditions_parse(const json_t *j, struct release *r, struct err *e)
{
	const json_t *list;

	TRY(json_span_opt(j, "release", "precondition_wait_ms", 0, &r->precondition_wait, e));
	if (!json_object_get(j, "preconditions"))
		return 0;
	TRY(json_arr(j, "release", "preconditions", LIMIT_PRECONDITIONS, &list, e));
	for (size_t i = 0; i < json_array_size(list); i++) {
		char where[WHERE_MAX];

		snprintf(where, sizeof where, "release.preconditions[%zu]", i);
		TRY(precond_rule_parse(json_array_get(list, i), where, &r->preconditions[i], e));
		r->n_preconditions++;
	}
	return 0;
}

/* ---- strategy ---- */

static int strategy_parse(const json_t *j, struct release *r, struct err *e)
{
	unsigned strategy = STRATEGY_SWAP;
	const json_t *rule;

	TRY(json_choice_opt(j, "release", "strategy", strategy_names, STRATEGY_MAX, &strategy, e));
	r->strategy = (enum strategy)strategy;
	if (r->strategy != STRATEGY_SHADOW)
		return json_object_get(j, "shadow")
			       ? err_set(e, ERR_BAD_INPUT, "release.shadow: the strategy is %s",
					 strategy_names[strategy])
			       : 0;
	TRY(json_obj(j, "release", "shadow", &rule, e));
	return shadow_rule_parse(rule, "release.shadow", &r->shadow, e);
}

/* ---- the whole ---- */

static int head_parse(const json_t *j, struct release *r, struct err *e)
{
	unsigned activation = ACTIVATE_RESTART;
	uint64_t format;

	TRY(json_u64(j, "release", "format", 1, 1, &format, e));
	TRY(json_id(j, "release", "id", r->id.s, e));
	TRY(json_id(j, "release", "product", r->product, e));
	TRY(json_id(j, "release", "version", r->version, e));
	TRY(json_text_opt(j, "release", "notes", r->notes, sizeof r->notes, e));
	TRY(json_choice_opt(
		j, "release", "activation", activation_names, ACTIVATE_MAX, &activation, e));
	r->activation = (enum activation)activation;
	r->start_timeout = MINUTE(1);
	r->soak = MINUTE(5);
	TRY(json_span_opt(j, "release", "start_timeout_ms", 1, &r->start_timeout, e));
	TRY(json_span_opt(j, "release", "soak_ms", 0, &r->soak, e));
	return json_span_opt(j, "release", "baseline_wait_ms", 0, &r->baseline_wait, e);
}

static int document_parse(const json_t *j, struct release *r, struct err *e)
{
	static const char *const known[] = {"format", "id", "product", "version", "notes",
		"components", "activation", "start_timeout_ms", "soak_ms", "baseline_wait_ms",
		"smoke", "triggers", "preconditions", "precondition_wait_ms", "strategy", "shadow",
		NULL};

	if (!json_is_object(j))
		return err_set(e, ERR_BAD_INPUT, "release: an object is wanted");
	TRY(head_parse(j, r, e));
	TRY(json_only(j, "release", known, e));
	TRY(components_parse(j, r, e));
	TRY(smokes_parse(j, r, e));
	TRY(triggers_parse(j, r, e));
	TRY(strategy_parse(j, r, e));
	return preconditions_parse(j, r, e);
}

int release_parse(struct str text, struct release *out, struct err *e)
{
	struct release *r CLEANUP(mem_free) = mem_new(sizeof *r);
	JSON_AUTO *j = NULL;

	TRY(json_read(text, LIMIT_RELEASE_BYTES, &j, e));
	TRY(document_parse(j, r, e));
	*out = *r;
	return 0;
}

uint64_t release_content_bytes(const struct release *r)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < r->n_components; i++)
		sum += r->components[i].artifact.content_length;
	return sum;
}

uint64_t release_artifact_bytes(const struct release *r)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < r->n_components; i++)
		sum += r->components[i].artifact.length;
	return sum;
}

const char *component_kind_name(enum component_kind k)
{
	return kind_names[k];
}

const char *activation_name(enum activation a)
{
	return activation_names[a];
}
