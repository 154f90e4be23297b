#include <stdlib.h>

#include "server/run/meta_name.h"
#include "server/run/selector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A selector that was taken selects every device that it names, and nothing by chance. */
static void check(struct selector *s)
{
	for (size_t i = 0; i < s->n_devices; i++)
		if (!selector_takes(s, s->devices[i].s, ""))
			abort();
	if (s->labels[0] && !selector_takes(s, "x", s->labels))
		abort();
	if (!s->all && selector_takes(s, "-", ""))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct meta_name name;
	struct selector s;
	json_t *j = NULL;
	struct err e;

	if (meta_name_parse(text, &name, &e) == 0 && !name.role[0])
		abort();
	if (json_read(text, 65536, &j, &e) < 0)
		return 0;
	if (selector_parse(j, &s, &e) == 0) {
		check(&s);
		selector_fini(&s);
	} else if (e.code == ERR_OK || e.code >= ERR_CODE_MAX) {
		abort();
	}
	json_decref(j);
	return 0;
}
