#include "agent/health/health_priv.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void health_files_fini(struct health_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		mem_free(&f->v[i].path);
	f->n = 0;
}

static bool is_name(const char *name)
{
	return name[0] != '.' && name[strlen(name) - 1] != '~';
}

static int add(struct health_files *f, const char *folder, const char *name, size_t strength,
	struct err *e)
{
	BUF_AUTO path = {0};
	struct stat st = {0};

	if (f->n == ARRAY_LEN(f->v))
		return err_set(e, ERR_TOO_LARGE, "%s: too many files", folder);
	buf_addf(&path, "%s/%s", folder, name);
	if (stat(buf_cstr(&path), &st) < 0 && errno != ENOENT)
		return err_sys(e, errno, "%s", buf_cstr(&path));
	char *own = mem_strdup(buf_cstr(&path));

	f->v[f->n++] = (struct health_file){.path = own,
		.name = own + strlen(folder) + 1,
		.strength = strength,
		.masks = !S_ISREG(st.st_mode)};
	return 0;
}

static int list_folder(struct health_files *f, const char *folder, size_t strength, struct err *e)
{
	DIR *dir = opendir(folder);
	struct dirent *d;
	int rc = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, errno, "%s", folder);
	while (rc == 0 && (errno = 0, d = readdir(dir)))
		if (is_name(d->d_name))
			rc = add(f, folder, d->d_name, strength, e);
	if (rc == 0 && errno)
		rc = err_sys(e, errno, "%s", folder);
	closedir(dir);
	return rc;
}

/* Of one name the strongest first. */
static int by_name(const void *a, const void *b)
{
	const struct health_file *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->strength < y->strength) - (x->strength > y->strength);
}

static void keep_strongest(struct health_files *f)
{
	struct health_files kept = {.n = 0};
	const char *last = "";

	qsort(f->v, f->n, sizeof f->v[0], by_name);
	for (size_t i = 0; i < f->n; i++) {
		bool weaker = strcmp(f->v[i].name, last) == 0;

		if (!weaker)
			last = f->v[i].name;
		if (!weaker && !f->v[i].masks)
			kept.v[kept.n++] = f->v[i];
	}
	/* Names of dropped ones were compared with until now. */
	for (size_t i = 0, k = 0; i < f->n; i++) {
		if (k < kept.n && kept.v[k].path == f->v[i].path)
			k++;
		else
			mem_free(&f->v[i].path);
	}
	*f = kept;
}

int health_files_list(const char *dirs, const char *kind, struct health_files *out, struct err *e)
{
	struct health_files f = {.n = 0};
	struct str rest = str_of(dirs), dir;
	size_t strength = 0;
	int rc = 0;

	while (rc == 0 && rest.n && str_split(&rest, ':', &dir)) {
		BUF_AUTO folder = {0};

		buf_addf(&folder, "%.*s/%s", (int)dir.n, dir.p, kind);
		if (dir.n)
			rc = list_folder(&f, buf_cstr(&folder), strength++, e);
	}
	if (rc < 0) {
		health_files_fini(&f);
		return rc;
	}
	keep_strongest(&f);
	*out = f;
	return 0;
}
