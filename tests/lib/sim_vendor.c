#include "tests/lib/simdev.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/trust/digest.h"
#include "tests/lib/parcel.h"

#define IMAGE_BYTES 5000 /* no whole number of blocks */

void sim_vendor_init(struct sim_vendor *v)
{
	*v = (struct sim_vendor){0};
	mkdir("shelf", 0755);
	assert(fs_posix_open("shelf", &v->shelf, NULL) == 0);
}

void sim_vendor_fini(struct sim_vendor *v)
{
	for (unsigned i = 0; i < v->n; i++)
		buf_fini(&v->rel[i].document), buf_fini(&v->rel[i].image);
	fs_posix_close(&v->shelf);
}

static json_t *hex_json(const struct sha256 *d)
{
	char hex[SHA256_TEXT];

	sha256_format(d, hex);
	return json_string(hex);
}

static json_t *component_json(const struct component *c, const char *kind)
{
	const struct artifact *a = &c->artifact;
	json_t *artifact = json_pack("{so sI ss ss so sI so}", "digest", hex_json(&a->digest),
		"length", (json_int_t)a->length, "compression",
		a->compression == COMPRESSION_ZSTD ? "zstd" : "none", "archive",
		a->archive == ARCHIVE_TAR ? "tar" : "raw", "content_digest",
		hex_json(&a->content_digest), "content_length", (json_int_t)a->content_length,
		"tree", hex_json(&a->tree));

	return json_pack("{ss ss ss so}", "name", c->name, "kind", kind, "path", c->path,
		"artifact", artifact);
}

static void shelve(struct sim_vendor *v, const struct component *c, const struct buf *bytes)
{
	char name[SHA256_TEXT];

	sha256_format(&c->artifact.digest, name);
	assert(fs_write_file(&v->shelf, name, bytes->p, bytes->n, 0644, NULL) == 0);
}

static json_t *model_json(struct sim_vendor *v, const char *id)
{
	char weights[64];
	const struct parcel_entry entries[] = {
		{'5', "net", NULL, 0},
		{'0', "net/weights", weights, 0},
		{'0', "id", id, 0},
		{'2', "default", "net/weights", 0},
		PARCEL_END,
	};
	struct component c;
	BUF_AUTO bytes = {0};

	snprintf(weights, sizeof(weights), "weights of %s", id);
	parcel_make_tar(&c, "model", "models/eng", entries, COMPRESSION_ZSTD, &bytes);
	shelve(v, &c, &bytes);
	return component_json(&c, "model");
}

static json_t *config_json(struct sim_vendor *v)
{
	struct component c;
	BUF_AUTO bytes = {0};

	parcel_make_raw(
		&c, "serving", "etc/serving.json", STR("{\"psm\": 7}\n"), COMPRESSION_NONE, &bytes);
	shelve(v, &c, &bytes);
	return component_json(&c, "config");
}

static json_t *image_json(struct sim_vendor *v, struct sim_release *r)
{
	struct component c;
	BUF_AUTO bytes = {0};

	for (unsigned i = 0; r->image.n < IMAGE_BYTES; i++)
		buf_addf(&r->image, "sector %u of %s\n", i, r->id.s);
	parcel_make_raw(&c, "root", "root.img", buf_str(&r->image), COMPRESSION_ZSTD, &bytes);
	shelve(v, &c, &bytes);
	return component_json(&c, "image");
}

static json_t *shadow_json(void)
{
	return json_pack("{s[s] ss si si}", "argv", "bin/serve", "path", "/infer", "min_pairs", 300,
		"agreement_permille", 970);
}

enum variant { PLAIN, SHADOW, ONLINE, TRAINED };

/* Takes `components`. */
static void write_document(struct sim_release *r, json_t *components, enum variant how)
{
	JSON_AUTO *doc = json_pack(
		"{si ss ss ss ss so ss si si si s[{ss ss s[s] si}] s[{ss ss ss si si s[ii] si} "
		"{ss si si} {ss ss ss ss si si si ss}]}",
		"format", 1, "id", r->id.s, "product", "sim", "version", "1", "notes", "",
		"components", components, "activation", "restart", "start_timeout_ms", 2000,
		"soak_ms", 10000, "baseline_wait_ms", 3000, "smoke", "name", "golden", "kind",
		"exec", "argv", "bin/golden", "timeout_ms", 1000, "triggers", "type", "error_rate",
		"metric", "errors_total", "total", "requests_total", "threshold_milli", 100,
		"window_ms", 2000, "hold", 2, 3, "min_samples", 5, "type", "crash_loop",
		"threshold_milli", 3000, "window_ms", 60000, "type", "latency", "metric", "seconds",
		"statistic", "p99", "comparator", "baseline", "threshold_milli", 2000, "window_ms",
		2000, "min_samples", 10, "on_blind", "ignore");

	if (how == ONLINE)
		json_array_append_new(json_object_get(doc, "triggers"),
			json_pack("{ss si s[ii]}", "type", "connectivity", "window_ms", 1000,
				"hold", 3, 3));
	if (how == TRAINED)
		json_array_append_new(json_object_get(doc, "triggers"),
			json_pack("{ss ss ss s[i] s[ii] si s[ii] si}", "type", "drift", "metric",
				"score", "comparator", "training", "edges_micro", 500000, "counts",
				900, 100, "window_ms", 1000, "hold", 2, 3, "min_samples", 20));
	if (how == SHADOW) {
		json_object_set_new(doc, "strategy", json_string("shadow"));
		json_object_set_new(doc, "shadow", shadow_json());
	}
	json_write(doc, &r->document);
	digest_of(r->document.p, r->document.n, &r->digest);
}

static struct sim_release *new_release(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault)
{
	struct sim_release *r = &v->rel[v->n++];

	assert(v->n <= SIM_RELEASES);
	*r = (struct sim_release){.counter = counter, .fault = fault};
	snprintf(r->id.s, sizeof(r->id.s), "%s", id);
	return r;
}

struct sim_release *sim_vendor_make(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault)
{
	struct sim_release *r = new_release(v, id, counter, fault);

	write_document(r, json_pack("[oo]", model_json(v, id), config_json(v)), PLAIN);
	return r;
}

struct sim_release *sim_vendor_make_shadow(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault)
{
	struct sim_release *r = new_release(v, id, counter, fault);

	write_document(r, json_pack("[oo]", model_json(v, id), config_json(v)), SHADOW);
	return r;
}

struct sim_release *sim_vendor_make_online(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault)
{
	struct sim_release *r = new_release(v, id, counter, fault);

	write_document(r, json_pack("[oo]", model_json(v, id), config_json(v)), ONLINE);
	return r;
}

struct sim_release *sim_vendor_make_trained(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault)
{
	struct sim_release *r = new_release(v, id, counter, fault);

	write_document(r, json_pack("[oo]", model_json(v, id), config_json(v)), TRAINED);
	return r;
}

struct sim_release *sim_vendor_make_image(
	struct sim_vendor *v, const char *id, uint64_t counter, enum sim_fault fault)
{
	struct sim_release *r = new_release(v, id, counter, fault);

	write_document(r, json_pack("[o]", image_json(v, r)), PLAIN);
	return r;
}
