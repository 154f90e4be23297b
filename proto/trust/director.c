#include "proto/trust/director.h"

#include <string.h>

#include "proto/trust/meta_priv.h"
#include "proto/wire/path.h"

static const char *const order_names[] = {
	[DESIRED_NOTHING] = "nothing",
	[DESIRED_INSTALL] = "install",
	[DESIRED_ROLLBACK] = "rollback",
};

const char *desired_order_name(enum desired_order o)
{
	return o < DESIRED_ORDER_MAX ? order_names[o] : "unknown";
}

static int rollback_entry(const json_t *o, struct rollback_to *out, struct err *e)
{
	static const char where[] = "custom.match.rollbackTo";
	char hex[SHA256_TEXT];

	TRY(json_text(o, where, "path", out->path, sizeof out->path, e));
	TRY(json_text(o, where, "sha256", hex, sizeof hex, e));
	return sha256_parse(str_of(hex), &out->hash, e);
}

int director_rollback_to(const json_t *match, struct rollback_to out[LIMIT_ROLLBACK_TO],
	unsigned *out_n, struct err *e)
{
	struct rollback_to read[LIMIT_ROLLBACK_TO] = {0};
	const json_t *list;
	size_t n;

	if (!json_object_get(match, "rollbackTo")) {
		*out_n = 0;
		return 0;
	}
	TRY(json_arr(match, "custom.match", "rollbackTo", LIMIT_ROLLBACK_TO, &list, e));
	n = json_array_size(list);
	for (size_t i = 0; i < n; i++)
		TRY(rollback_entry(json_array_get(list, i), &read[i], e));
	memcpy(out, read, n * sizeof *out);
	*out_n = (unsigned)n;
	return 0;
}

static int image_read(const json_t *x, struct desired *d, struct err *e)
{
	static const char where[] = "director.x-backstay.imageRepo";
	const json_t *image;

	if (!json_object_get(x, "imageRepo"))
		return 0;
	TRY(json_obj(x, "director.x-backstay", "imageRepo", &image, e));
	TRY(json_u64(image, where, "root", 1, META_VERSION_MAX, &d->image_root, e));
	return json_u64(image, where, "snapshot", 1, META_VERSION_MAX, &d->image_snapshot, e);
}

/* "x-backstay" of the director's targets: for whom, in which campaign, what to do. */
static int head_read(
	const struct meta *m, const struct device_facts *dev, struct desired *d, struct err *e)
{
	static const char where[] = "director.x-backstay";
	const json_t *x;
	char device[ID_TEXT_MAX], campaign[ID_TEXT_MAX];
	unsigned order = DESIRED_NOTHING;

	TRY(json_obj(m->signed_part, "director", "x-backstay", &x, e));
	TRY(json_text(x, where, "device", device, sizeof device, e));
	if (strcmp(device, dev->device.s) != 0)
		return err_set(e, ERR_WRONG_DEVICE, "director: made for device %s, this is %s",
			device, dev->device.s);
	TRY(json_text(x, where, "campaign", campaign, sizeof campaign, e));
	if (campaign[0])
		TRY(id_parse(str_of(campaign), "campaign", d->campaign.s, e));
	TRY(json_choice(x, where, "order", order_names, DESIRED_ORDER_MAX, &order, e));
	d->order = (enum desired_order)order;
	TRY(json_bool_opt(x, where, "offline", &d->offline, e));
	return image_read(x, d, e);
}

/* The one entry of "targets", or none when there is nothing to run. */
static int entry_read(const struct meta *m, struct desired *d, struct err *e)
{
	json_t *list = json_object_get(m->signed_part, "targets");
	const char *path = json_object_iter_key(json_object_iter(list));
	struct target t;

	if (json_object_size(list) > 1)
		return err_set(e, ERR_BAD_INPUT, "director: %zu targets, a device runs one release",
			json_object_size(list));
	if (!path) {
		d->order = DESIRED_NOTHING;
		return 0;
	}
	if (d->order == DESIRED_NOTHING)
		return err_set(e, ERR_BAD_INPUT, "director: a target, but no order what to do");
	if (path_check(str_of(path), LIMIT_TARGET_NAME - 1, e) < 0)
		return err_wrap(e, "director: name of the target");
	TRY(meta_target(m, path, &t, e));
	memcpy(d->path, t.path, sizeof d->path);
	d->length = t.length;
	d->hash = t.hash;
	d->has_hash512 = t.has_hash512;
	d->hash512 = t.hash512;
	return 0;
}

int director_read(const struct trusted_set *director, const struct device_facts *dev,
	struct desired *out, struct err *e)
{
	const struct meta *m = &director->targets;
	struct desired d = {.director_version = m->version, .manifest = m->digest};

	if (!director->has_targets)
		return err_set(e, ERR_UNSIGNED, "director: no targets are trusted");
	TRY(meta_check_expiry(m, "director's targets", director->now_s, e));
	if (json_object_get(m->signed_part, "delegations"))
		return err_set(e, ERR_BAD_INPUT, "director: it may not delegate");
	TRY(head_read(m, dev, &d, e));
	TRY(entry_read(m, &d, e));
	*out = d;
	return 0;
}

static int hardware_check(const json_t *match, const char *hardware, struct err *e)
{
	const json_t *list, *one;
	size_t i;

	TRY(json_arr(match, "custom.match", "hardwareIds", LIMIT_HARDWARE_IDS, &list, e));
	json_array_foreach (list, i, one) {
		if (json_is_string(one) && strcmp(json_string_value(one), hardware) == 0)
			return 0;
	}
	return err_set(e, ERR_WRONG_DEVICE, "the release is not made for hardware %s", hardware);
}

bool director_is_authorised(const struct device_facts *dev, const struct desired *d)
{
	if (sha256_is_zero(&dev->running))
		return false;
	if (sha256_eq(&dev->running, &d->hash))
		return true;
	for (unsigned i = 0; i < dev->n_rollback_to && d->order == DESIRED_ROLLBACK; i++)
		if (strcmp(dev->rollback_to[i].path, d->path) == 0 &&
			sha256_eq(&dev->rollback_to[i].hash, &d->hash))
			return true;
	return false;
}

int director_counter_check(const struct device_facts *dev, const struct desired *d, struct err *e)
{
	if (d->counter >= dev->counter_floor || director_is_authorised(dev, d))
		return 0;
	return err_set(e, ERR_ROLLED_BACK,
		"%s: release counter %llu, this device has committed %llu already", d->path,
		(unsigned long long)d->counter, (unsigned long long)dev->counter_floor);
}

static int view_check(const struct trusted_set *image, const struct desired *d, struct err *e)
{
	if (image->root.version >= d->image_root && image->snapshot.version >= d->image_snapshot)
		return 0;
	return err_set(e, ERR_ROLLED_BACK,
		"image: root %llu and snapshot %llu, the director planned with %llu and %llu",
		(unsigned long long)image->root.version,
		(unsigned long long)image->snapshot.version, (unsigned long long)d->image_root,
		(unsigned long long)d->image_snapshot);
}

int director_agree(const struct trusted_set *director, const struct trusted_set *image,
	const struct device_facts *dev, struct desired *io, struct err *e)
{
	struct desired d = *io;
	struct target asked, allowed;

	if (d.order == DESIRED_NOTHING)
		return 0;
	TRY(meta_target(&director->targets, d.path, &asked, e));
	TRY(view_check(image, &d, e));
	TRY(director_image_agrees(image, d.path, &allowed, e));
	if (!meta_target_same(&asked, &allowed))
		return err_set(e, ERR_MIXED, "%s: the director asks for another one than is signed",
			d.path);
	TRY(hardware_check(allowed.match, dev->hardware, e));
	TRY(json_u64(allowed.match, "custom.match", "releaseCounter", 0, META_VERSION_MAX,
		&d.counter, e));
	TRY(director_rollback_to(allowed.match, d.rollback_to, &d.n_rollback_to, e));
	TRY(director_counter_check(dev, &d, e));
	*io = d;
	return 0;
}
