#include "keys/folder.h"

#include <stdio.h>
#include <string.h>

struct finding {
	const char *role;
	uint64_t lowest, highest;
};

/* "12.safety.json" is version 12 of safety. */
static int look_at(void *ctx, const char *name, enum fs_kind kind, struct err *e UNUSED)
{
	struct str rest = str_of(name), number;
	struct finding *f = ctx;
	uint64_t version;
	char tail[FOLDER_NAME];

	snprintf(tail, sizeof tail, "%s.json", f->role);
	if (kind != FS_FILE || !str_split(&rest, '.', &number) || !rest.p || !str_is(rest, tail) ||
		str_to_u64(number, 1, UINT32_MAX, &version, NULL) < 0)
		return 0;
	f->highest = MAX(f->highest, version);
	f->lowest = f->lowest ? MIN(f->lowest, version) : version;
	return 0;
}

int folder_span(
	struct fs *fs, const char *role, uint64_t *out_lowest, uint64_t *out_highest, struct err *e)
{
	struct finding f = {.role = role};

	TRY(fs->ops->list(fs, "", look_at, &f, e));
	if (f.highest == 0)
		return err_set(e, ERR_NOT_FOUND, "no file N.%s.json", role);
	*out_lowest = f.lowest;
	*out_highest = f.highest;
	return 0;
}

void folder_name(const char *role, uint64_t version, char out[FOLDER_NAME])
{
	snprintf(out, FOLDER_NAME, "%llu.%s.json", (unsigned long long)version, role);
}

int folder_read(struct fs *fs, const char *role, uint64_t version, struct buf *out, struct err *e)
{
	char file[FOLDER_NAME];

	folder_name(role, version, file);
	return fs_read_file(fs, file, LIMIT_TARGETS_BYTES, out, e);
}

int folder_write(
	struct fs *fs, const char *role, uint64_t version, const struct buf *bytes, struct err *e)
{
	char file[FOLDER_NAME];

	folder_name(role, version, file);
	return fs_write_file(fs, file, bytes->p, bytes->n, 0644, e);
}

static int parse(
	struct str bytes, const char *role, uint64_t version, struct meta *out, struct err *e)
{
	CLEANUP(meta_fini) struct meta m = {0};
	bool is_root = strcmp(role, "root") == 0;

	TRY(meta_parse(bytes, is_root ? ROLE_ROOT : ROLE_TARGETS,
		is_root ? LIMIT_ROOT_BYTES : LIMIT_TARGETS_BYTES, &m, e));
	if (m.version != version)
		return err_set(e, ERR_MIXED, "%llu.%s.json says it is version %llu",
			(unsigned long long)version, role, (unsigned long long)m.version);
	*out = m;
	m = (struct meta){0};
	return 0;
}

int folder_meta(struct fs *fs, const char *role, uint64_t version, struct meta *out, struct err *e)
{
	BUF_AUTO bytes = {0};

	TRY(folder_read(fs, role, version, &bytes, e));
	return parse(buf_str(&bytes), role, version, out, e);
}

int folder_load_roots(struct fs *fs, struct trusted_set *t, struct err *e)
{
	uint64_t lowest, highest;

	TRY(folder_span(fs, "root", &lowest, &highest, e));
	for (uint64_t v = lowest; v <= highest; v++) {
		BUF_AUTO bytes = {0};

		TRY(folder_read(fs, "root", v, &bytes, e));
		if (v == lowest)
			TRY(trusted_load_root(t, buf_str(&bytes), e));
		else
			TRY(trusted_next_root(t, buf_str(&bytes), e));
	}
	return 0;
}

int folder_copy(struct fs *from, struct fs *to, const char *role, bool all, struct err *e)
{
	uint64_t lowest, highest;
	int rc = folder_span(from, role, &lowest, &highest, e);

	if (rc == -ERR_NOT_FOUND)
		return 0;
	TRY(rc);
	for (uint64_t v = all ? lowest : highest; v <= highest; v++) {
		BUF_AUTO bytes = {0};

		TRY(folder_read(from, role, v, &bytes, e));
		TRY(folder_write(to, role, v, &bytes, e));
	}
	return 0;
}

/* ---- taking over ---- */

struct update {
	struct fs *fs, *from;
	struct trusted_set trusted;
	struct meta targets;
	unsigned taken;
};

static int take_roots(struct update *u, struct err *e)
{
	TRY(folder_load_roots(u->fs, &u->trusted, e));
	for (;;) {
		uint64_t next = u->trusted.root.version + 1;
		BUF_AUTO bytes = {0};
		int rc = folder_read(u->from, "root", next, &bytes, e);

		if (rc == -ERR_NOT_FOUND)
			return 0;
		TRY(rc);
		TRY(trusted_next_root(&u->trusted, buf_str(&bytes), e));
		TRY(folder_write(u->fs, "root", next, &bytes, e));
		u->taken++;
	}
}

/* The newest version of a role, 0 for none. */
static int newest_of(struct fs *fs, const char *role, uint64_t *out, struct err *e)
{
	uint64_t lowest, highest = 0;
	int rc = folder_span(fs, role, &lowest, &highest, e);

	if (rc < 0 && rc != -ERR_NOT_FOUND)
		return rc;
	*out = highest;
	return 0;
}

/* Signed by enough, as `delegator` counts them. */
static bool is_complete(
	struct str bytes, const char *role, uint64_t version, const struct meta *delegator)
{
	CLEANUP(meta_fini) struct meta m = {0};

	return parse(bytes, role, version, &m, NULL) == 0 &&
	       meta_check_signatures(&m, delegator, role, NULL) == 0;
}

/* A file that waits for signatures, here or there, gives way to one that does not. */
static int take_role(
	struct update *u, const char *role, const struct meta *delegator, struct err *e)
{
	BUF_AUTO ours = {0}, theirs = {0};
	uint64_t here, there;

	TRY(newest_of(u->fs, role, &here, e));
	TRY(newest_of(u->from, role, &there, e));
	if (there == 0 || there < here)
		return 0;
	TRY(folder_read(u->from, role, there, &theirs, e));
	if (!is_complete(buf_str(&theirs), role, there, delegator))
		return 0;
	if (there == here) {
		TRY(folder_read(u->fs, role, here, &ours, e));
		if (is_complete(buf_str(&ours), role, here, delegator))
			return 0;
	}
	u->taken++;
	return folder_write(u->fs, role, there, &theirs, e);
}

static int take_delegated(struct update *u, struct err *e)
{
	const json_t *list, *one;
	uint64_t lowest, highest;
	size_t i;

	TRY(folder_span(u->fs, "targets", &lowest, &highest, e));
	TRY(folder_meta(u->fs, "targets", highest, &u->targets, e));
	list = json_object_get(json_object_get(u->targets.signed_part, "delegations"), "roles");
	json_array_foreach (list, i, one)
		TRY(take_role(u, json_string_value(json_object_get(one, "name")), &u->targets, e));
	return 0;
}

static int take_all(struct update *u, struct err *e)
{
	uint64_t lowest, highest;
	int rc;

	TRY(take_roots(u, e));
	TRY(take_role(u, "targets", &u->trusted.root, e));
	rc = folder_span(u->fs, "targets", &lowest, &highest, e);
	return rc == -ERR_NOT_FOUND ? 0 : rc < 0 ? rc : take_delegated(u, e);
}

int folder_update(struct fs *fs, struct fs *from, unsigned *out_taken, struct err *e)
{
	struct update u = {.fs = fs, .from = from};
	int rc;

	trusted_init(&u.trusted, 0);
	rc = take_all(&u, e);
	trusted_fini(&u.trusted);
	meta_fini(&u.targets);
	if (rc == 0)
		*out_taken = u.taken;
	return rc;
}
