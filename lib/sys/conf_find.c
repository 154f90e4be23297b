#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/sys/conf_priv.h"

#define DROPINS_MAX 64 /* that are found, masked ones too */

const char *const conf_roots[] = {"/usr/lib/backstay", "/run/backstay", "/etc/backstay", NULL};

struct dropin {
	char *path;
	const char *name; /* in path */
	size_t root;      /* how strong */
};

struct dropins {
	struct dropin v[DROPINS_MAX];
	size_t n;
};

static void dropins_fini(struct dropins *d)
{
	for (size_t i = 0; i < d->n; i++)
		mem_free(&d->v[i].path);
}

/* ---- one file ---- */

/* A file that is not there says nothing; one that cannot be read is a mistake. */
static void file_load(struct conf_reading *r, const char *path)
{
	BUF_AUTO text = {0};
	FILE *f = fopen(path, "re");
	bool failed;

	r->file = path;
	if (!f) {
		if (errno != ENOENT)
			conf_mistake(r, 0, "%s", strerrordesc_np(errno));
		return;
	}
	text.n = fread(buf_reserve(&text, CONF_FILE_MAX + 1), 1, CONF_FILE_MAX + 1, f);
	failed = ferror(f);
	fclose(f);
	if (failed)
		conf_mistake(r, 0, "cannot be read");
	else
		conf_file_parse(r, path, buf_str(&text));
}

/* ---- drop-ins ---- */

static bool is_conf(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && name[0] != '.' && strcmp(name + n - 5, ".conf") == 0;
}

static void dropin_add(struct conf_reading *r, struct dropins *d, const char *folder,
	const char *name, size_t root)
{
	BUF_AUTO path = {0};

	if (d->n == DROPINS_MAX) {
		conf_mistake(r, 0, "the %dth drop-in: too many", DROPINS_MAX + 1);
		return;
	}
	buf_addf(&path, "%s/%s", folder, name);
	char *own = mem_strdup(buf_cstr(&path));

	d->v[d->n++] = (struct dropin){own, own + strlen(folder) + 1, root};
}

/* What is in a folder that cannot be read may be what keeps the machine safe. */
static void folder_list(struct conf_reading *r, struct dropins *d, const char *folder, size_t root)
{
	DIR *dir = opendir(folder);
	struct dirent *f;
	unsigned before = r->mistakes;

	r->file = folder;
	if (!dir) {
		if (errno != ENOENT && errno != ENOTDIR)
			conf_mistake(r, 0, "%s", strerrordesc_np(errno));
		return;
	}
	while (r->mistakes == before && (f = readdir(dir)))
		if (is_conf(f->d_name))
			dropin_add(r, d, folder, f->d_name, root);
	closedir(dir);
}

/* By name; of one name the strongest first. */
static int by_name(const void *a, const void *b)
{
	const struct dropin *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : (x->root < y->root) - (x->root > y->root);
}

static void dropins_load(struct conf_reading *r, struct dropins *d)
{
	qsort(d->v, d->n, sizeof d->v[0], by_name);
	for (size_t i = 0; i < d->n; i++)
		if (i == 0 || strcmp(d->v[i].name, d->v[i - 1].name) != 0)
			file_load(r, d->v[i].path);
}

/* ---- where to look ---- */

static void read_path(struct conf_reading *r, struct dropins *d, const char *path)
{
	BUF_AUTO folder = {0};

	file_load(r, path);
	buf_addf(&folder, "%s.d", path);
	folder_list(r, d, buf_cstr(&folder), 0);
	dropins_load(r, d);
}

/* Whatever is there counts, even if it cannot be read or is empty. */
static bool main_load(struct conf_reading *r, const char *root, const char *name)
{
	BUF_AUTO path = {0};
	struct stat st;

	buf_addf(&path, "%s/%s", root, name);
	if (lstat(buf_cstr(&path), &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return false;
	file_load(r, buf_cstr(&path));
	return true;
}

static void read_roots(struct conf_reading *r, struct dropins *d, const struct conf_place *place)
{
	const char *const *roots = place->roots ? place->roots : conf_roots;
	BUF_AUTO folder = {0};
	size_t n = 0;

	while (roots[n])
		n++;
	for (size_t i = n; i-- > 0;)
		if (main_load(r, roots[i], place->name))
			break;
	for (size_t i = 0; i < n; i++) {
		buf_clear(&folder);
		buf_addf(&folder, "%s/%s.d", roots[i], place->name);
		folder_list(r, d, buf_cstr(&folder), i);
	}
	dropins_load(r, d);
}

int conf_find(const struct conf_place *place, const struct conf_row *rows, size_t n_rows, void *out,
	size_t out_size, struct conf_trace *trace, struct buf *problems, struct err *e)
{
	const char *name = place->path ? place->path : place->name;
	struct conf_reading r = {
		.rows = rows, .n_rows = n_rows, .trace = trace, .problems = problems};
	struct dropins d CLEANUP(dropins_fini) = {.n = 0};

	conf_begin(&r, name, out_size);
	if (place->path)
		read_path(&r, &d, place->path);
	else
		read_roots(&r, &d, place);
	return conf_finish(&r, name, out, e);
}

int conf_load(const char *path, const struct conf_row *rows, size_t n_rows, void *out,
	size_t out_size, struct buf *problems, struct err *e)
{
	struct conf_place place = {.path = path};

	return conf_find(&place, rows, n_rows, out, out_size, NULL, problems, e);
}

void conf_trace_fini(struct conf_trace *t)
{
	for (size_t i = 0; i < CONF_ROWS_MAX; i++)
		mem_free(&t->said[i]);
}
