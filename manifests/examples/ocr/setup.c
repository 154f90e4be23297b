#include "manifests/examples/ocr/setup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/conf.h"

#define TEXT(s, field)           CONF_TEXT, offsetof(struct s, field), sizeof(((struct s *)0)->field), 0, 0
#define UINT(s, field, min, max) CONF_UINT, offsetof(struct s, field), 0, min, max

static const struct conf_row serve_rows[] = {
	{"serve", "release", TEXT(setup_serve, release), NULL,
		"Name of the release, as answers and metrics tell it"},
	{"serve", "page_mode", UINT(setup_serve, page_mode, 0, 13), "3",
		"Tesseract's page segmentation: 3 looks for blocks, 7 takes the image for one line"},
	{"serve", "trim", UINT(setup_serve, trim, 0, 200), "0",
		"Pixels cut off at each side, where a plate has its frame and no letters"},
	{"serve", "quiet", UINT(setup_serve, quiet, 0, 200), "0",
		"Pixels of blank paper added around what is left"},
	{"serve", "looks", UINT(setup_serve, looks, 1, 3), "1",
		"How often to look, each time through one more unsharp mask; the surest answer counts"},
};

static const struct conf_row model_rows[] = {
	{"model", "name", TEXT(setup_model, name), NULL,
		"Name of the model, as answers and metrics tell it"},
	{"model", "languages", TEXT(setup_model, languages), NULL,
		"Files of tessdata/, joined by '+': each reads the plate by itself, and the surest answer counts"},
	{"model", "letters", TEXT(setup_model, letters), "",
		"All that the model may answer; empty: whatever it knows"},
};

static int load_file(const char *slot_dir, const char *name, const struct conf_row *rows, size_t n,
	void *out, size_t size, struct err *e)
{
	BUF_AUTO problems = {0};
	char path[PATH_MAX];
	struct str first, rest;

	if (snprintf(path, sizeof(path), "%s/%s", slot_dir, name) >= (int)sizeof(path))
		return err_set(e, ERR_TOO_LARGE, "the slot's path is too long");
	if (access(path, R_OK) != 0)
		return err_sys(e, errno, "%s", path);
	if (conf_load(path, rows, n, out, size, &problems, e) == 0)
		return 0;
	rest = buf_str(&problems);
	if (str_split(&rest, '\n', &first) && first.n > 0)
		return err_set(e, ERR_CONFIG, "%.*s", (int)MIN(first.n, 300), first.p);
	return -e->code;
}

static int split_languages(struct setup *s, struct err *e)
{
	struct str rest = str_of(s->model.languages), one;

	while (str_split(&rest, '+', &one)) {
		if (s->n_languages == SETUP_LANGUAGES)
			return err_set(e, ERR_CONFIG, "more than %d languages", SETUP_LANGUAGES);
		TRY(id_parse(one, "language", s->language[s->n_languages], e));
		s->n_languages++;
	}
	return 0;
}

int setup_load(const char *slot_dir, struct setup *out, struct err *e)
{
	struct setup s = {0};
	char name[ID_TEXT_MAX];

	TRY(load_file(slot_dir, "config/serve.conf", serve_rows, ARRAY_LEN(serve_rows), &s.serve,
		sizeof(s.serve), e));
	TRY(load_file(slot_dir, "models/model.conf", model_rows, ARRAY_LEN(model_rows), &s.model,
		sizeof(s.model), e));
	TRY(id_parse(str_of(s.serve.release), "release", name, e));
	TRY(id_parse(str_of(s.model.name), "model", name, e));
	TRY(split_languages(&s, e));
	*out = s;
	return 0;
}
