/* How a slot wants plates to be read: config/serve.conf (how to serve) and models/model.conf (what
 * the model is). The two are components of their own, so that a better configuration need not carry
 * a model along. */
#ifndef OCR_SETUP_H
#define OCR_SETUP_H

#include "lib/id.h"

#define SETUP_LANGUAGES 4

struct setup_serve {
	char release[ID_TEXT_MAX];
	uint64_t page_mode, trim, quiet, looks;
};

struct setup_model {
	char name[ID_TEXT_MAX];
	char languages[128];
	char letters[512];
};

struct setup {
	struct setup_serve serve;
	struct setup_model model;
	unsigned n_languages;
	char language[SETUP_LANGUAGES][ID_TEXT_MAX];
};

/* Reads both files beneath `slot_dir`. ERR_NOT_FOUND when one is missing, ERR_CONFIG with the first
 * mistake's place. */
int setup_load(const char *slot_dir, struct setup *out, struct err *e) MUST_CHECK;

#endif
