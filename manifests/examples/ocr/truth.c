#include "manifests/examples/ocr/truth.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifests/examples/ocr/image.h"

static int load_plate(const char *dir, struct str line, struct truth_plate *out, struct err *e)
{
	char path[PATH_MAX];
	struct str name;

	if (!str_split(&line, '\t', &name) || name.n == 0 || line.n == 0)
		return err_set(e, ERR_BAD_INPUT, "not NAME<TAB>TEXT");
	TRY(str_copy(name, out->name, sizeof(out->name), e));
	TRY(str_copy(line, out->text, sizeof(out->text), e));
	if (strchr(out->name, '/'))
		return err_set(e, ERR_BAD_INPUT, "'%s' leaves the folder", out->name);
	if (snprintf(path, sizeof(path), "%s/%s", dir, out->name) >= (int)sizeof(path))
		return err_set(e, ERR_TOO_LARGE, "the path is too long");
	return image_load(path, &out->image, e);
}

static int load_lines(const char *dir, struct str rest, struct truth *t, struct err *e)
{
	struct str line;

	while (str_split(&rest, '\n', &line)) {
		if (line.n == 0)
			continue;
		if (t->n == TRUTH_MAX)
			return err_set(e, ERR_TOO_LARGE, "more than %d plates", TRUTH_MAX);
		t->v = mem_resize(t->v, (t->n + 1) * sizeof(*t->v));
		t->v[t->n] = (struct truth_plate){0};
		t->n++;
		if (load_plate(dir, line, &t->v[t->n - 1], e) < 0)
			return err_wrap(e, "plate %zu", t->n);
	}
	return t->n ? 0 : err_set(e, ERR_BAD_INPUT, "no plates");
}

int truth_load(const char *dir, struct truth *out, struct err *e)
{
	BUF_AUTO list = {0};
	struct truth t = {0};
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/truth.tsv", dir) >= (int)sizeof(path))
		return err_set(e, ERR_TOO_LARGE, "the path is too long");
	TRY(image_load(path, &list, e));
	if (load_lines(dir, buf_str(&list), &t, e) < 0) {
		truth_fini(&t);
		return err_wrap(e, "%s", path);
	}
	*out = t;
	return 0;
}

void truth_fini(struct truth *t)
{
	for (size_t i = 0; i < t->n; i++)
		buf_fini(&t->v[i].image);
	free(t->v);
	*t = (struct truth){0};
}
